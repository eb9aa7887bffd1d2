import { ConfigurationError } from '@passloop/core';
import {
  type DeploySnapshot,
  type FileAt,
  type Forge,
  type HeadSnapshot,
  type MergeRequest,
  type OpenPullRequest,
  type PathVersion,
  type ReadRequest,
  StaleError,
} from '@passloop/gitops';
import { z } from 'zod';
import { RefusedError } from './api-error.ts';
import { type Action, type GithubClient, type GithubOptions, githubClient } from './client.ts';
import { deployQuery, PullNode, pullFields, RepositoryNode } from './deploy-query.ts';
import { isBlob, openPullRequest, snapshotOf } from './snapshot.ts';

const GitObject = z.object({ sha: z.string().regex(/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/) });
const RepositoryId = z.object({ repository: z.object({ id: z.string() }) });
const DeployAnswer = z.object({ repository: RepositoryNode });
const CreateAnswer = z.object({ createPullRequest: z.object({ pullRequest: PullNode }) });
const UpdateAnswer = z.object({ updatePullRequest: z.object({ pullRequest: PullNode }) });
const MergeAnswer = z.object({
  mergePullRequest: z.object({ pullRequest: z.object({ mergeCommit: z.object({ oid: z.string() }).nullable() }) }),
});
/** What says no more than that it was done. */
const DoneAnswer = z.looseObject({});
const BlobAnswer = z.object({ content: z.string(), encoding: z.string() });

const zeros = '0'.repeat(40);
const reading: Action = { what: 'reading the deploy repository', permission: 'contents', level: 'read' };
const writing: Action = { what: 'writing the promotion commit', permission: 'contents', level: 'write' };
const opening: Action = { what: 'opening the pull request', permission: 'pull-requests', level: 'write' };
const updating: Action = { what: 'updating the pull request', permission: 'pull-requests', level: 'write' };
const merging: Action = { what: 'merging the pull request', permission: 'contents', level: 'write' };

/**
 * The Forge port on GitHub's API, without a clone: one GraphQL query reads, the Git Data API writes tree and commit, and
 * `updateRefs` moves the branch by compare-and-swap. What a repository of any size costs is the same.
 */
export function octokitForge(options: GithubOptions): Forge {
  const client = githubClient(options);
  let repositoryId: string | null = null;
  /** As the last read said; asking for auto-merge where the repository has none is a call in vain. */
  let hasAutoMerge = true;

  async function identify(): Promise<string> {
    if (repositoryId !== null) return repositoryId;
    const query = 'query($o:String!,$r:String!){repository(owner:$o,name:$r){id}}';
    const answer = await client.graphql(reading, query, { o: client.owner, r: client.name }, RepositoryId);
    repositoryId = answer.repository.id;
    return repositoryId;
  }

  return {
    repository: client.repository,

    async read(request) {
      const { query, variables } = deployQuery(client.owner, client.name, request);
      const { repository } = await client.graphql(reading, query, variables, DeployAnswer);
      repositoryId = repository.id;
      hasAutoMerge = repository.autoMergeAllowed;
      return withWholeFiles(client, snapshotOf(client.repository, repository, request), request);
    },

    async createTree(base, files) {
      const tree = files.map(({ path, mode, content }) =>
        content === null ? { path, mode, type: 'blob', sha: null } : { path, mode, type: 'blob', content },
      );
      const made = await client.rest(
        writing,
        'POST /repos/{owner}/{repo}/git/trees',
        { base_tree: base, tree },
        GitObject,
      );
      return made.sha;
    },

    async createCommit({ message, tree, parents }) {
      // Without author and committer GitHub signs what an App or a job's token makes.
      const made = await client.rest(
        writing,
        'POST /repos/{owner}/{repo}/git/commits',
        { message, tree, parents: [...parents] },
        GitObject,
      );
      return made.sha;
    },

    async updateBranch(branch, before, after) {
      const query = 'mutation($i:UpdateRefsInput!){updateRefs(input:$i){clientMutationId}}';
      // `force` since a newer candidate replaces an older one; `beforeOid` makes it a compare-and-swap.
      const update = { name: `refs/heads/${branch}`, beforeOid: before ?? zeros, afterOid: after, force: true };
      const input = { repositoryId: await identify(), refUpdates: [update] };
      await client.graphql(writing, query, { i: input }, DoneAnswer);
    },

    async openPullRequest({ title, body, head, base }) {
      const query = `mutation($i:CreatePullRequestInput!){createPullRequest(input:$i){pullRequest{${pullFields}}}}`;
      const { createPullRequest } = await client.graphql(
        opening,
        query,
        { i: { repositoryId: await identify(), headRefName: head, baseRefName: base, title, body } },
        CreateAnswer,
      );
      return openPullRequest(createPullRequest.pullRequest);
    },

    async updatePullRequest(id, { title, body }) {
      const query = `mutation($i:UpdatePullRequestInput!){updatePullRequest(input:$i){pullRequest{${pullFields}}}}`;
      const { updatePullRequest } = await client.graphql(
        updating,
        query,
        { i: { pullRequestId: id, title, body } },
        UpdateAnswer,
      );
      return openPullRequest(updatePullRequest.pullRequest);
    },

    merge: (pullRequest, request) => merge(client, pullRequest, request, hasAutoMerge),
  };
}

/** Files beyond what GraphQL gives as exact text (long ones, a byte order mark) are read as blobs, one call each. */
async function withWholeFiles(
  client: GithubClient,
  snapshot: DeploySnapshot,
  request: ReadRequest,
): Promise<DeploySnapshot> {
  const texts = new Map<string, string | null>();
  async function whole<T extends FileAt | null>(file: T): Promise<T> {
    if (file === null || file.text !== null || file.blob === '' || !/^100/.test(file.mode)) return file;
    const text = texts.has(file.blob) ? (texts.get(file.blob) ?? null) : await blobText(client, file);
    texts.set(file.blob, text);
    return { ...file, text };
  }
  const files = new Map(snapshot.files);
  for (const path of request.files) files.set(path, await whole(files.get(path) ?? null));
  const histories = new Map<string, PathVersion[]>();
  for (const [path, versions] of snapshot.histories) {
    const read: PathVersion[] = [];
    for (const version of versions) read.push({ ...version, file: await whole(version.file) });
    histories.set(path, read);
  }
  const heads = new Map<string, HeadSnapshot | null>();
  for (const [branch, head] of snapshot.heads) {
    const read = new Map<string, FileAt>();
    for (const [path, file] of head?.files ?? []) read.set(path, await whole(file));
    heads.set(branch, head === null ? null : { ...head, files: read });
  }
  return { ...snapshot, files, histories, heads };
}

async function blobText(client: GithubClient, file: FileAt): Promise<string | null> {
  const blob = await client.rest(
    reading,
    'GET /repos/{owner}/{repo}/git/blobs/{file_sha}',
    { file_sha: file.blob },
    BlobAnswer,
  );
  const bytes = Buffer.from(blob.content, blob.encoding === 'base64' ? 'base64' : 'utf8');
  if (!isBlob(bytes, file.blob) || bytes.includes(0)) return null;
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}

type MergeInput = {
  pullRequestId: string;
  expectedHeadOid: string;
  mergeMethod: string;
  commitHeadline?: string;
  commitBody?: string;
};

/**
 * Merges at the expected head: at once where nothing is in the way, else by GitHub's auto-merge, which refuses a pull
 * request that could be merged at once and a branch without rules.
 */
async function merge(
  client: GithubClient,
  pullRequest: OpenPullRequest,
  request: MergeRequest,
  hasAutoMerge: boolean,
): Promise<string | null> {
  if (pullRequest.mergeState === 'DIRTY')
    throw new StaleError(`Pull request ${pullRequest.url} conflicts with its base.`);
  const text = request.method === 'rebase' ? {} : { commitHeadline: request.headline, commitBody: request.body };
  const input = {
    pullRequestId: pullRequest.id,
    expectedHeadOid: request.head,
    mergeMethod: request.method.toUpperCase(),
    ...text,
  };
  if (hasAutoMerge && pullRequest.mergeState !== 'CLEAN' && pullRequest.mergeState !== 'HAS_HOOKS') {
    const enabled = await enableAutoMerge(client, input);
    if (enabled) return null;
  }
  const merged = await mergeNow(client, input);
  // GitHub calls a pull request unstable until it has looked at its rules, and refuses auto-merge for that
  if (merged === null && hasAutoMerge) await enableAutoMerge(client, input);
  return merged;
}

async function enableAutoMerge(client: GithubClient, input: MergeInput): Promise<boolean> {
  const query = 'mutation($i:EnablePullRequestAutoMergeInput!){enablePullRequestAutoMerge(input:$i){clientMutationId}}';
  try {
    await client.graphql(merging, query, { i: input }, DoneAnswer);
    return true;
  } catch (error) {
    if (!(error instanceof RefusedError)) throw error;
    if (
      /in (clean|unstable) status|protected branch rules not configured|auto.?merge is not allowed/i.test(error.said)
    ) {
      return false;
    }
    throw mergeError(error);
  }
}

async function mergeNow(client: GithubClient, input: MergeInput): Promise<string | null> {
  const query = 'mutation($i:MergePullRequestInput!){mergePullRequest(input:$i){pullRequest{mergeCommit{oid}}}}';
  try {
    const { mergePullRequest } = await client.graphql(merging, query, { i: input }, MergeAnswer);
    return mergePullRequest.pullRequest.mergeCommit?.oid ?? input.expectedHeadOid;
  } catch (error) {
    if (!(error instanceof RefusedError)) throw error;
    // Checks or reviews that the rules ask for are open: it stays for people, or for the next run.
    if (/required status check|review is required|changes must be made|approving review|waiting on/i.test(error.said))
      return null;
    throw mergeError(error);
  }
}

function mergeError(error: RefusedError): Error {
  // Merged or closed by somebody else, or by the run before, which a read that lags doesn't show.
  if (
    /not mergeable|is in (dirty|unknown) status|can't be rebased|merge conflict|is closed|already merged/i.test(
      error.said,
    )
  )
    return new StaleError(error.said);
  if (/not allowed/i.test(error.said)) {
    return new ConfigurationError(error.message, {
      hint: "Allow squash, rebase or merge commits in the deploy repository's settings, or set `merge: review`.",
      cause: error,
    });
  }
  return error;
}
