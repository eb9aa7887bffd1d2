import { ConfigurationError } from '@passloop/core';
import { type MergeRequest, type OpenPullRequest, StaleError } from '@passloop/gitops';
import { z } from 'zod';
import { RefusedError } from './api-error.ts';
import type { Action, GithubClient } from './client.ts';
import type { OlderServer } from './older-server.ts';

const MergeAnswer = z.object({
  mergePullRequest: z.object({ pullRequest: z.object({ mergeCommit: z.object({ oid: z.string() }).nullable() }) }),
});
const DoneAnswer = z.looseObject({});

const merging: Action = { what: 'merging the pull request', permission: 'contents', level: 'write' };

/** What a merge goes by. `hasAutoMerge` as the last read said: asking for it where the repository has none is a call in vain. */
type Ways = { client: GithubClient; older: OlderServer; hasAutoMerge: boolean };

type MergeInput = {
  pullRequestId: string;
  expectedHeadOid: string;
  mergeMethod: string;
  commitHeadline?: string;
  commitBody?: string;
};

/** What the branch's rules still ask for: it stays for people and checks, or for the next run. */
const notYet =
  /required status check|reviews? (is|are) required|approving review|changes have been requested|changes must be made|waiting on|still a draft/i;

/**
 * Merges at the expected head: at once where nothing is in the way, else by GitHub's auto-merge, which refuses a pull request that could
 * be merged at once and a branch without rules; into the merge queue, where the branch has one. Nothing here passes by a rule: what is
 * missing is left to auto-merge, or to the next run. A draft is somebody's word that it isn't to be merged.
 */
export async function mergePullRequest(
  ways: Ways,
  pullRequest: OpenPullRequest,
  request: MergeRequest,
): Promise<string | null> {
  if (pullRequest.mergeState === 'DIRTY')
    throw new StaleError(`Pull request ${pullRequest.url} conflicts with its base.`);
  if (pullRequest.mergeState === 'DRAFT') return null;
  const text = request.method === 'rebase' ? {} : { commitHeadline: request.headline, commitBody: request.body };
  const input = {
    pullRequestId: pullRequest.id,
    expectedHeadOid: request.head,
    mergeMethod: request.method.toUpperCase(),
    ...text,
  };
  if (pullRequest.hasMergeQueue) return enqueue(ways, input);
  if (pullRequest.mergeState !== 'CLEAN' && pullRequest.mergeState !== 'HAS_HOOKS') {
    const answer = await enableAutoMerge(ways, input);
    // A token that may pass by the rules would do so here: what they block isn't merged by us.
    if (answer === 'enabled' || (answer === 'off' && pullRequest.mergeState === 'BLOCKED')) return null;
  }
  const merged = await mergeNow(ways, input);
  if (merged === 'queue') return enqueue(ways, input);
  // GitHub calls a pull request unstable until it has looked at its rules, and refuses auto-merge for that
  if (merged === null) await enableAutoMerge(ways, input);
  return merged;
}

/** Into the queue where it is ready; else auto-merge puts it there when it is. The queue has its own method and messages. */
async function enqueue(ways: Ways, input: MergeInput): Promise<null> {
  const query = 'mutation($i:EnqueuePullRequestInput!){enqueuePullRequest(input:$i){clientMutationId}}';
  const { pullRequestId, expectedHeadOid } = input;
  try {
    await ways.client.graphql(merging, query, { i: { pullRequestId, expectedHeadOid } }, DoneAnswer);
  } catch (error) {
    if (!(error instanceof RefusedError)) throw error;
    if (/already (in|queued|enqueued)/i.test(error.said)) return null;
    if (!notYet.test(error.said)) throw mergeError(error);
    await enableAutoMerge(ways, input);
  }
  return null;
}

/** `clean`: it can be merged at once, or the branch has no rules. `off`: the repository or the server has no auto-merge. */
async function enableAutoMerge(
  { client, older, hasAutoMerge }: Ways,
  input: MergeInput,
): Promise<'enabled' | 'clean' | 'off'> {
  if (!hasAutoMerge) return 'off';
  const query = 'mutation($i:EnablePullRequestAutoMergeInput!){enablePullRequestAutoMerge(input:$i){clientMutationId}}';
  try {
    return await older.without(async (lacks) => {
      if (lacks.has('Mutation.enablePullRequestAutoMerge')) return 'off';
      await client.graphql(merging, query, { i: input }, DoneAnswer);
      return 'enabled';
    });
  } catch (error) {
    if (!(error instanceof RefusedError)) throw error;
    if (/auto.?merge is already enabled/i.test(error.said)) return 'enabled';
    if (/auto.?merge is not allowed/i.test(error.said)) return 'off';
    if (/in (clean|unstable) status|protected branch rules not configured/i.test(error.said)) return 'clean';
    throw mergeError(error);
  }
}

async function mergeNow({ client }: Ways, input: MergeInput): Promise<string | 'queue' | null> {
  const query = 'mutation($i:MergePullRequestInput!){mergePullRequest(input:$i){pullRequest{mergeCommit{oid}}}}';
  try {
    const { mergePullRequest } = await client.graphql(merging, query, { i: input }, MergeAnswer);
    return mergePullRequest.pullRequest.mergeCommit?.oid ?? input.expectedHeadOid;
  } catch (error) {
    if (!(error instanceof RefusedError)) throw error;
    if (/merge queue/i.test(error.said)) return 'queue';
    if (notYet.test(error.said)) return null;
    throw mergeError(error);
  }
}

/**
 * @returns a StaleError where reading again may help: what conflicts, or is behind its base, is written anew then; what is closed was merged or closed
 * by somebody else, or by the run before, which a read that lags doesn't show
 */
function mergeError(error: RefusedError): Error {
  const again =
    /not mergeable|is in (dirty|unknown) status|can't be rebased|merge conflict|out of date|is closed|already merged/i;
  if (again.test(error.said)) return new StaleError(error.said);
  if (/not allowed/i.test(error.said)) {
    return new ConfigurationError(error.message, {
      hint: "Allow squash, rebase or merge commits in the deploy repository's settings and its branch's rules, or set `merge: review`.",
      cause: error,
    });
  }
  return error;
}
