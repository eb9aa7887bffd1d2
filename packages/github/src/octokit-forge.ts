import type { DeploySnapshot, FileAt, Forge, HeadSnapshot, PathVersion, ReadRequest } from '@passloop/gitops';
import { z } from 'zod';
import { RefusedError } from './api-error.ts';
import { type Action, type GithubClient, type GithubOptions, githubClient } from './client.ts';
import { commitsQuery, deployQuery, PullNode, pullFields, RepositoryNode } from './deploy-query.ts';
import { mergePullRequest } from './merge.ts';
import { olderServer } from './older-server.ts';
import { commitFiles, isBlob, openPullRequest, snapshotOf } from './snapshot.ts';

const GitObject = z.object({ sha: z.string().regex(/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/) });
const RepositoryId = z.object({ repository: z.object({ id: z.string() }) });
const DeployAnswer = z.object({ repository: RepositoryNode });
const CommitsAnswer = z.object({ repository: z.record(z.string(), z.unknown()) });
const CreateAnswer = z.object({ createPullRequest: z.object({ pullRequest: PullNode }) });
const UpdateAnswer = z.object({ updatePullRequest: z.object({ pullRequest: PullNode }) });
/** What says no more than that it was done. */
const DoneAnswer = z.looseObject({});
const BlobAnswer = z.object({ content: z.string(), encoding: z.string() });

const zeros = '0'.repeat(40);
const reading: Action = { what: 'reading the deploy repository', permission: 'contents', level: 'read' };
const writing: Action = { what: 'writing the promotion commit', permission: 'contents', level: 'write' };
const opening: Action = { what: 'opening the pull request', permission: 'pull-requests', level: 'write' };
const updating: Action = { what: 'updating the pull request', permission: 'pull-requests', level: 'write' };
const stopping: Action = { what: 'switching auto-merge off', permission: 'contents', level: 'write' };
const closing: Action = { what: 'closing the pull request', permission: 'pull-requests', level: 'write' };

/**
 * The Forge port on GitHub's API, without a clone: one GraphQL query reads, the Git Data API writes tree and commit, and
 * `updateRefs` moves the branch by compare-and-swap. What a repository of any size costs is the same.
 */
export function octokitForge(options: GithubOptions): Forge {
  const client = githubClient(options);
  const older = olderServer(options);
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
      const { repository } = await older.without((lacks) => {
        const { query, variables } = deployQuery(client.owner, client.name, request, lacks);
        return client.graphql(reading, query, variables, DeployAnswer);
      });
      repositoryId = repository.id;
      hasAutoMerge = repository.autoMergeAllowed;
      return withWholeFiles(client, snapshotOf(client.repository, repository, request), request);
    },

    async readCommits(commits, files) {
      const known = commits.filter((commit) => /^[0-9a-f]{7,64}$/.test(commit));
      if (known.length === 0) return new Map();
      const { query, variables } = commitsQuery(client.owner, client.name, known, files);
      const { repository } = await client.graphql(reading, query, variables, CommitsAnswer);
      return new Map(known.map((commit, index) => [commit, commitFiles(repository[`c${index}`], files)]));
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
      await older.without(async (lacks) => {
        if (lacks.has('Mutation.updateRefs')) return older.moveBranch(client, { branch, before, after });
        // `force` since a newer candidate replaces an older one; `beforeOid` makes it a compare-and-swap.
        const update = { name: `refs/heads/${branch}`, beforeOid: before ?? zeros, afterOid: after, force: true };
        const input = { repositoryId: await identify(), refUpdates: [update] };
        await client.graphql(writing, query, { i: input }, DoneAnswer);
      });
    },

    async openPullRequest({ title, body, head, base }) {
      const input = { repositoryId: await identify(), headRefName: head, baseRefName: base, title, body };
      const { createPullRequest } = await older.without((lacks) => {
        const query = `mutation($i:CreatePullRequestInput!){createPullRequest(input:$i){pullRequest{${pullFields(lacks)}}}}`;
        return client.graphql(opening, query, { i: input }, CreateAnswer);
      });
      return openPullRequest(createPullRequest.pullRequest);
    },

    async updatePullRequest(id, { title, body }) {
      const { updatePullRequest } = await older.without((lacks) => {
        const query = `mutation($i:UpdatePullRequestInput!){updatePullRequest(input:$i){pullRequest{${pullFields(lacks)}}}}`;
        return client.graphql(updating, query, { i: { pullRequestId: id, title, body } }, UpdateAnswer);
      });
      return openPullRequest(updatePullRequest.pullRequest);
    },

    async closePullRequest(id, { title, body }) {
      const query = 'mutation($i:UpdatePullRequestInput!){updatePullRequest(input:$i){clientMutationId}}';
      const input = { pullRequestId: id, title, body, state: 'CLOSED' };
      await client.graphql(closing, query, { i: input }, DoneAnswer);
    },

    async disableAutoMerge(id) {
      const query =
        'mutation($i:DisablePullRequestAutoMergeInput!){disablePullRequestAutoMerge(input:$i){clientMutationId}}';
      try {
        await client.graphql(stopping, query, { i: { pullRequestId: id } }, DoneAnswer);
      } catch (error) {
        if (!(error instanceof RefusedError) || !/can't disable auto.?merge/i.test(error.said)) throw error;
      }
    },

    merge: (pullRequest, request) => mergePullRequest({ client, older, hasAutoMerge }, pullRequest, request),
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
