import { beforeAll, describe, expect, it } from 'vitest';
import { createWorld, git, octokitFor, pushBranch, type World } from '../fixture.ts';
import { mutations } from './mutations.ts';
import { schema } from './serve.ts';

const repo = { owner: 'acme', repo: 'deploy' };
const used = new Set<string>();

/** Runs one mutation by its name; the input's type has the name that GitHub gives it. */
async function mutate<T = unknown>(
  { octokit }: Pick<World, 'octokit'>,
  name: string,
  input: object,
  selection: string,
): Promise<T> {
  used.add(name);
  const type = `${name[0]!.toUpperCase()}${name.slice(1)}Input!`;
  const document = `mutation($i: ${type}) { ${name}(input: $i) { clientMutationId ${selection} } }`;
  const result = await octokit.graphql<Record<string, T>>(document, { i: { clientMutationId: 'me', ...input } });
  return result[name]!;
}

type Ids = { repositoryId: string; pullRequestId: string; base: string; head: string; number: number };

async function openPull(world: World): Promise<Ids> {
  const head = await pushBranch(world.clone, 'topic', [{ a: '1' }]);
  const base = await git(world.clone, 'rev-parse', 'origin/main');
  const { data } = await world.octokit.rest.repos.get(repo);
  const input = { repositoryId: data.node_id, baseRefName: 'main', headRefName: 'topic', title: 'T', body: 'B' };
  const { pullRequest } = await mutate<{ pullRequest: { id: string; number: number; mergeStateStatus: string } }>(
    world,
    'createPullRequest',
    input,
    'pullRequest { id number state isDraft mergeable mergeStateStatus }',
  );
  expect(pullRequest).toMatchObject({ mergeable: 'UNKNOWN', mergeStateStatus: 'UNKNOWN' });
  return { repositoryId: data.node_id, pullRequestId: pullRequest.id, number: pullRequest.number, base, head };
}

describe('mutations', () => {
  it('move, make and delete references', async () => {
    await using world = await createWorld();
    const { repositoryId, base, head } = await openPull(world);

    const made = await mutate<{ ref: { id: string; name: string } }>(
      world,
      'createRef',
      { repositoryId, name: 'refs/heads/a/b', oid: base },
      'ref { id name prefix target { oid } }',
    );
    const refId = made.ref.id;
    const again = mutate(world, 'createRef', { repositoryId, name: 'refs/heads/a/b', oid: base }, '');
    await expect(again).rejects.toThrow('A ref named "refs/heads/a/b" already exists in the repository.');
    await mutate(world, 'updateRef', { refId, oid: head }, 'ref { target { oid } }');
    const back = mutate(world, 'updateRef', { refId, oid: base }, '');
    await expect(back).rejects.toThrow('Update is not a fast forward');
    const forced = await mutate(world, 'updateRef', { refId, oid: base, force: true }, 'ref { target { oid } }');
    await mutate(world, 'deleteRef', { refId }, '');
    const gone = mutate(world, 'deleteRef', { refId }, '');
    await expect(gone).rejects.toThrow('Reference does not exist');

    expect(made.ref).toMatchObject({ name: 'a/b', prefix: 'refs/heads/', target: { oid: base } });
    expect(forced).toEqual({ clientMutationId: 'me', ref: { target: { oid: base } } });
  });

  it('edit, close, reopen, draft and merge a pull request', async () => {
    await using world = await createWorld();
    const { pullRequestId, head } = await openPull(world);
    const id = { pullRequestId };
    const state = 'pullRequest { state isDraft title body baseRefName mergedBy { login } mergeCommit { oid } }';

    const edited = await mutate(world, 'updatePullRequest', { ...id, title: 'U', body: 'V' }, state);
    const closed = await mutate(world, 'closePullRequest', id, state);
    const reopened = await mutate(world, 'reopenPullRequest', id, state);
    const drafted = await mutate(world, 'convertPullRequestToDraft', id, state);
    const refused = mutate(world, 'mergePullRequest', { ...id, expectedHeadOid: head }, state);
    await expect(refused).rejects.toThrow('Pull Request is still a draft');
    await mutate(world, 'markPullRequestReadyForReview', id, state);
    const stale = mutate(world, 'mergePullRequest', { ...id, expectedHeadOid: 'f'.repeat(40) }, state);
    await expect(stale).rejects.toMatchObject({
      errors: [{ type: 'UNPROCESSABLE', message: 'Head branch was modified. Review and try the merge again.' }],
    });
    const input = { ...id, expectedHeadOid: head, mergeMethod: 'SQUASH', commitHeadline: 'H', commitBody: 'B' };
    const merged = await mutate<{ pullRequest: { mergeCommit: { oid: string } } }>(
      world,
      'mergePullRequest',
      input,
      state,
    );

    const { oid } = merged.pullRequest.mergeCommit;
    expect(edited).toMatchObject({ pullRequest: { title: 'U', body: 'V' } });
    expect([closed, reopened, drafted]).toMatchObject([
      { pullRequest: { state: 'CLOSED' } },
      { pullRequest: { state: 'OPEN' } },
      { pullRequest: { isDraft: true } },
    ]);
    expect(merged).toMatchObject({ pullRequest: { state: 'MERGED', mergedBy: { login: 'ada' } } });
    expect(await git(world.repository.directory, 'log', '-1', '--format=%H %B', 'main')).toBe(`${oid} H\n\nB`);
  });

  it('wait for a requirement and stop to wait', async () => {
    await using world = await createWorld({ autoMerge: true });
    await world.repository.protectBranch('main', { requiredChecks: ['ci'] });
    const { pullRequestId } = await openPull(world);

    const stale = { pullRequestId, expectedHeadOid: 'f'.repeat(40) };
    await expect(mutate(world, 'enablePullRequestAutoMerge', stale, '')).rejects.toThrow('Head branch was modified.');
    await mutate(world, 'enablePullRequestAutoMerge', { pullRequestId }, 'actor { login }');
    await mutate(world, 'disablePullRequestAutoMerge', { pullRequestId }, 'actor { login }');
    const twice = mutate(world, 'disablePullRequestAutoMerge', { pullRequestId }, '');

    await expect(twice).rejects.toThrow("Can't disable auto-merge");
    expect(world.repository.pullRequests()[0]).toMatchObject({ autoMerge: null });
  });

  it('queue a pull request, which nothing but the queue then merges', async () => {
    await using world = await createWorld({ autoMerge: true });
    const { pullRequestId, number } = await openPull(world);
    const none = mutate(world, 'enqueuePullRequest', { pullRequestId }, '');
    await expect(none).rejects.toThrow('Merge queue is not enabled');
    await world.repository.requireMergeQueue('main');

    const direct = mutate(world, 'mergePullRequest', { pullRequestId }, '');
    await expect(direct).rejects.toThrow('Changes must be made through the merge queue');
    const stale = { pullRequestId, expectedHeadOid: 'f'.repeat(40) };
    await expect(mutate(world, 'enqueuePullRequest', stale, '')).rejects.toThrow('Head branch was modified.');
    const entry = 'mergeQueueEntry { id enqueuedAt enqueuer { login } position state pullRequest { isInMergeQueue } }';
    const queued = await mutate(world, 'enqueuePullRequest', { pullRequestId }, entry);
    const again = mutate(world, 'enqueuePullRequest', { pullRequestId }, '');

    await expect(again).rejects.toThrow('already in the queue');
    expect(queued).toMatchObject({
      mergeQueueEntry: {
        enqueuer: { login: 'ada' },
        position: 1,
        state: 'QUEUED',
        pullRequest: { isInMergeQueue: true },
      },
    });
    const group = await world.server.createMergeGroup({ repository: 'acme/deploy', pull: number });
    await group.merge();
    expect(world.repository.pullRequests()[0]).toMatchObject({ state: 'closed', mergedAt: expect.any(String) });
  });

  it('comment, label and review', async () => {
    await using world = await createWorld();
    const { pullRequestId, number: issue_number } = await openPull(world);
    const grace = { octokit: octokitFor(world.server, await world.server.createToken({ login: 'grace' })) };
    const [label] = (await world.octokit.rest.issues.addLabels({ ...repo, issue_number, labels: ['one'] })).data;
    await world.octokit.rest.issues.removeLabel({ ...repo, issue_number, name: 'one' });

    const { commentEdge } = await mutate<{ commentEdge: { node: { id: string } } }>(
      world,
      'addComment',
      { subjectId: pullRequestId, body: 'first' },
      'subject { id } commentEdge { cursor node { id body author { login } } }',
    );
    const edited = await mutate(
      world,
      'updateIssueComment',
      { id: commentEdge.node.id, body: 'second' },
      'issueComment { body }',
    );
    const labelled = await mutate(
      world,
      'addLabelsToLabelable',
      { labelableId: pullRequestId, labelIds: [label!.node_id] },
      'labelable { labels(first: 5) { nodes { name } } }',
    );
    const review = await mutate(
      grace,
      'addPullRequestReview',
      { pullRequestId, event: 'REQUEST_CHANGES', body: 'no' },
      'pullRequestReview { state author { login } pullRequest { reviewDecision } } reviewEdge { cursor node { body } }',
    );

    expect(edited).toMatchObject({ issueComment: { body: 'second' } });
    expect(labelled).toMatchObject({ labelable: { labels: { nodes: [{ name: 'one' }] } } });
    expect(review).toMatchObject({
      pullRequestReview: {
        state: 'CHANGES_REQUESTED',
        author: { login: 'grace' },
        pullRequest: { reviewDecision: 'CHANGES_REQUESTED' },
      },
      reviewEdge: { node: { body: 'no' } },
    });
  });

  it('commit to a branch, with additions and deletions', async () => {
    await using world = await createWorld();
    const { base } = await openPull(world);
    const input = {
      branch: { repositoryNameWithOwner: 'acme/deploy', branchName: 'main' },
      expectedHeadOid: base,
      message: { headline: 'H', body: 'B' },
      fileChanges: {
        additions: [{ path: 'deep/er/file.txt', contents: Buffer.from('é\n').toString('base64') }],
        deletions: [{ path: 'app/values.yaml' }],
      },
    };

    const missing = { ...input, fileChanges: { deletions: [{ path: 'none' }] } };
    await expect(mutate(world, 'createCommitOnBranch', missing, '')).rejects.toThrow('does not exist as of commit oid');
    const absent = { ...input, branch: { ...input.branch, branchName: 'none' } };
    await expect(mutate(world, 'createCommitOnBranch', absent, '')).rejects.toThrow('Branch not found');
    const made = await mutate(
      world,
      'createCommitOnBranch',
      input,
      'commit { message signature { isValid } } ref { name }',
    );

    const files = await git(world.repository.directory, 'ls-tree', '-r', '--name-only', 'main');
    expect(made).toMatchObject({ commit: { message: 'H\n\nB', signature: null }, ref: { name: 'main' } });
    expect(files.split('\n')).toEqual(['README.md', 'deep/er/file.txt']);
    expect(await git(world.repository.directory, 'show', 'main:deep/er/file.txt')).toBe('é');
    await mutate(world, 'updateRefs', await noChange(world), '');
  });

  it('fail loudly on an input that the server would ignore', async () => {
    await using world = await createWorld();
    const { pullRequestId } = await openPull(world);

    const merge = mutate(world, 'mergePullRequest', { pullRequestId, authorEmail: 'ada@example.com' }, '');

    await expect(merge).rejects.toMatchObject({
      status: 500,
      message: expect.stringContaining('Mutation.mergePullRequest is served without authorEmail'),
    });
  });

  it('were all used above', () => {
    const extracted = Object.keys(schema.getMutationType()!.getFields());

    expect(Object.keys(mutations).sort()).toEqual(extracted.sort());
    expect(extracted.filter((name) => !used.has(name))).toEqual([]);
  });
});

async function noChange(world: World) {
  const { data } = await world.octokit.rest.repos.get(repo);
  const oid = await git(world.repository.directory, 'rev-parse', 'main');
  return { repositoryId: data.node_id, refUpdates: [{ name: 'refs/heads/main', beforeOid: oid, afterOid: oid }] };
}

describe('a document that GitHub would refuse', () => {
  let world: World;
  beforeAll(async () => {
    world = await createWorld();
    return () => world[Symbol.asyncDispose]();
  });

  it.each([
    ['a field that is not there', '{ viewer { shoeSize } }', {}, 'Cannot query field "shoeSize"'],
    [
      'an argument that the server does not honour',
      '{ repository(owner: "acme", name: "deploy", x: 1) { id } }',
      {},
      'Unknown argument',
    ],
    ['a size of a picture', '{ viewer { avatarUrl(size: 4) } }', {}, 'Unknown argument "size"'],
    ['no selection', '{ viewer }', {}, 'must have a selection of subfields'],
    ['no syntax', '{ viewer {', {}, 'Syntax Error'],
    ['no query', '', {}, 'A query attribute must be specified'],
    [
      'a short object id',
      'query($o: GitObjectID!) { repository(owner: "acme", name: "deploy") { object(oid: $o) { id } } }',
      { o: 'abc' },
      'is not a valid Git object ID',
    ],
    ['an id of nothing', '{ node(id: "PR_x") { id } }', {}, "Could not resolve to a node with the global id of 'PR_x'"],
    [
      'too many',
      '{ repository(owner: "acme", name: "deploy") { labels(first: 101) { totalCount } } }',
      {},
      'exceeds the `first` limit of 100 records',
    ],
    [
      'no such pull request',
      '{ repository(owner: "acme", name: "deploy") { pullRequest(number: 9) { id } } }',
      {},
      'Could not resolve to a PullRequest with the number of 9.',
    ],
  ])('%s', async (_what, query, variables, message) => {
    const response = await fetch(world.server.graphqlUrl, {
      method: 'POST',
      headers: { Authorization: `bearer ${world.token}` },
      body: JSON.stringify({ query, variables }),
    });
    const body = (await response.json()) as { errors: { message: string }[] };

    expect(response.status).toBe(200);
    expect(body.errors[0]?.message).toContain(message);
  });
});
