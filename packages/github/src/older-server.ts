import { UnknownMemberError } from './api-error.ts';
import type { Action, GithubClient, GithubOptions } from './client.ts';
import { moveByReceivePack } from './receive-pack.ts';

/** What a GitHub Enterprise Server is found to lack while it is used, and what is done without it. */
export type OlderServer = {
  /** Calls again without what the answer says that its schema lacks; what can't be done without is thrown. */
  without<T>(call: (lacks: ReadonlySet<string>) => Promise<T>): Promise<T>;
  /** The compare-and-swap of a branch where `updateRefs` is missing. */
  moveBranch(client: GithubClient, update: BranchUpdate): Promise<void>;
};

type BranchUpdate = { branch: string; before: string | null; after: string };

const creating: Action = { what: 'creating the promotion branch', permission: 'contents', level: 'write' };

/** Members that can be done without, each with what is said of it; null where a server without them has nothing that they tell of. */
const optional: Readonly<Record<string, string | null>> = {
  'Mutation.updateRefs':
    'has no `updateRefs`: branches are moved by git’s own compare-and-swap over HTTP, and nothing is forced',
  'Mutation.enablePullRequestAutoMerge':
    'has no auto-merge: what can’t be merged at once stays open for people, or for the next run',
  'Repository.autoMergeAllowed': null,
  'PullRequest.mergeStateStatus': 'doesn’t tell whether a pull request can be merged: it is tried',
  'PullRequest.isMergeQueueEnabled': null,
  'PullRequest.isInMergeQueue': null,
  'PullRequest.autoMergeRequest': 'doesn’t tell which pull requests merge by themselves',
};
const mutationOf: Readonly<Record<string, string>> = {
  UpdateRefsInput: 'Mutation.updateRefs',
  EnablePullRequestAutoMergeInput: 'Mutation.enablePullRequestAutoMerge',
};

export function olderServer(options: GithubOptions): OlderServer {
  const lacks = new Set<string>();
  return {
    async without(call) {
      for (;;) {
        try {
          return await call(lacks);
        } catch (error) {
          if (!(error instanceof UnknownMemberError)) throw error;
          const members = new Set(error.members.map((member) => mutationOf[member] ?? member));
          const learned = [...members].filter((member) => !lacks.has(member));
          if (learned.length === 0 || learned.some((member) => optional[member] === undefined)) throw error;
          for (const member of learned) {
            lacks.add(member);
            const said = optional[member];
            if (said != null) options.note?.(`${hostOf(options)} ${said}.`);
          }
        }
      }
    },

    async moveBranch(client, update) {
      const { branch, before, after } = update;
      if (before === null) {
        // Refused where the branch is there already: that is a comparison too.
        await client.rest(creating, 'POST /repos/{owner}/{repo}/git/refs', { ref: `refs/heads/${branch}`, sha: after });
        return;
      }
      await moveByReceivePack({
        url: `${serverOf(options)}/${client.owner}/${client.name}.git`,
        token: options.token,
        timeoutMs: options.timeoutMs ?? 30_000,
        ...update,
      });
    },
  };
}

/** `https://github.example.com` of `https://github.example.com/api/v3`. */
function serverOf({ baseUrl }: GithubOptions): string {
  return (baseUrl ?? 'https://github.com').replace(/\/api\/v3\/*$/, '').replace(/\/+$/, '');
}

function hostOf(options: GithubOptions): string {
  return new URL(serverOf(options)).host;
}
