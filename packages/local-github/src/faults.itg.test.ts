import { request } from 'node:http';
import { describe, expect, it } from 'vitest';
import { commit, createWorld, git, octokitFor, pushBranch, type World, writeFiles } from './fixture.ts';

const repo = { owner: 'acme', repo: 'deploy' };
const comment = { ...repo, issue_number: 1, body: 'once' };

async function openWorld(): Promise<World> {
  const world = await createWorld();
  await pushBranch(world.clone, 'topic', [{ a: '1' }]);
  await world.octokit.rest.pulls.create({ ...repo, title: 'T', head: 'topic', base: 'main' });
  return world;
}

describe('a fault', () => {
  it.each([
    ['drop-before', 0],
    ['drop-after', 1],
  ] as const)('%s kills the connection of a write that happened %i times', async (fault, times) => {
    await using world = await openWorld();
    const handle = world.server.inject({ match: { operation: 'issues/create-comment' }, fault });

    await expect(world.octokit.rest.issues.createComment(comment)).rejects.toMatchObject({ status: 500 });

    expect(world.repository.comments(1)).toHaveLength(times);
    expect(handle.fired).toBe(1);
    expect(world.server.log.at(-1)).toMatchObject({ operations: ['issues/create-comment'], fault, status: null });
    await world.octokit.rest.issues.createComment(comment);
    expect(world.repository.comments(1)).toHaveLength(times + 1);
  });

  it.each([
    ['timeout', 0],
    ['timeout-after', 1],
  ] as const)('%s never answers a write that happened %i times', async (fault, times) => {
    await using world = await openWorld();
    world.server.inject({
      match: { method: 'POST', route: '/repos/{owner}/{repo}/issues/{issue_number}/comments' },
      fault,
    });

    const signal = AbortSignal.timeout(300);
    const answer = world.octokit.rest.issues.createComment({ ...comment, request: { signal } });

    await expect(answer).rejects.toThrow(/timeout|aborted/i);
    expect(world.repository.comments(1)).toHaveLength(times);
  });

  it('tells when it happened, and meets the calls of one token alone', async () => {
    await using world = await openWorld();
    const other = await world.server.createToken({ login: 'grace', permissions: { issues: 'write' } });
    const handle = world.server.inject({ match: { access: 'write', token: other }, fault: 'timeout-after' });
    let hasHappened = false;
    void handle.happened.then(() => {
      hasHappened = true;
    });

    await world.octokit.rest.issues.createComment(comment);
    expect([handle.fired, hasHappened]).toEqual([0, false]);
    const gone = new AbortController();
    const held = octokitFor(world.server, other).rest.issues.createComment({
      ...comment,
      request: { signal: gone.signal },
    });
    await handle.happened;

    expect(world.repository.comments(1)).toHaveLength(2);
    gone.abort();
    await expect(held).rejects.toThrow(/abort/i);
  });

  it.each([
    [false, 0],
    [true, 1],
  ])('of a status, after the work: %s, answers for a write that happened %i times', async (after, times) => {
    await using world = await openWorld();
    const headers = { 'Retry-After': '60' };
    const body = { message: 'You have exceeded a secondary rate limit.' };
    world.server.inject({ match: { access: 'write' }, fault: { status: 403, body, headers, after } });

    const answer = world.octokit.rest.issues.createComment(comment);

    await expect(answer).rejects.toMatchObject({
      status: 403,
      message: body.message,
      response: { headers: { 'retry-after': '60' } },
    });
    expect(world.repository.comments(1)).toHaveLength(times);
  });

  it('meets the n-th call that fits, or several, until it is removed', async () => {
    await using world = await openWorld();
    const { server, octokit } = world;
    const status = () =>
      octokit.rest.repos.get(repo).then(
        (answer) => answer.status,
        (error) => error.status,
      );
    server.inject({ match: { operation: 'repos/get', nth: 2 }, fault: { status: 502 } });

    const first = [await status(), await status(), await status()];
    const many = server.inject({ match: { operation: 'repos/get' }, fault: { status: 503 }, times: 10 });
    const then = [await status(), await status()];
    many.remove();

    expect([...first, ...then, await status()]).toEqual([200, 502, 200, 503, 503, 200]);
    expect(many.fired).toBe(2);
  });

  it.each([
    ['drop-before', '0'],
    ['drop-after', '1'],
  ] as const)('%s of a GraphQL mutation', async (fault, behind) => {
    await using world = await openWorld();
    const { octokit, server } = world;
    const query = `{ repository(owner: "acme", name: "deploy") { id main: ref(qualifiedName: "main") { target { oid } }
      topic: ref(qualifiedName: "topic") { target { oid } } } }`;
    type Tip = { target: { oid: string } };
    const { repository } = await octokit.graphql<{ repository: { id: string; main: Tip; topic: Tip } }>(query);
    server.inject({ match: { operation: 'updateRefs' }, fault });

    const update = {
      name: 'refs/heads/main',
      beforeOid: repository.main.target.oid,
      afterOid: repository.topic.target.oid,
    };
    const input = { repositoryId: repository.id, refUpdates: [update] };
    const mutation = 'mutation($i: UpdateRefsInput!) { updateRefs(input: $i) { clientMutationId } }';
    await expect(octokit.graphql(mutation, { i: input })).rejects.toThrow();

    const moved = await git(world.repository.directory, 'rev-list', '--count', `${repository.main.target.oid}..main`);
    expect(moved).toBe(behind);
  });

  it.each([
    ['drop-before', '1'],
    ['drop-after', '2'],
    [{ status: 500 }, '1'],
  ] as const)('%j of a push', async (fault, commits) => {
    await using world = await createWorld();
    await writeFiles(world.clone, { b: '1' });
    await commit(world.clone, 'b');
    // git's HTTP client itself tries again when a connection that it uses again dies
    world.server.inject({ match: { operation: 'git/receive-pack' }, fault, times: 5 });

    await expect(git(world.clone, 'push', 'origin', 'main')).rejects.toThrow();

    expect(await git(world.repository.directory, 'rev-list', '--count', 'main')).toBe(commits);
    world.server.clearFaults();
    await git(world.clone, 'push', '--quiet', 'origin', 'main');
    expect(await git(world.repository.directory, 'rev-list', '--count', 'main')).toBe('2');
  });

  it('lag answers a read as it was before the last write, by REST and by GraphQL', async () => {
    await using world = await openWorld();
    const { octokit, server } = world;
    server.inject({ match: { operation: 'pulls/list' }, fault: 'lag' });
    server.inject({ match: { operation: 'repository' }, fault: 'lag' });
    server.inject({ match: { operation: 'git/get-ref' }, fault: 'lag' });
    const before = await git(world.clone, 'rev-parse', 'topic');
    const query = `{ repository(owner: "acme", name: "deploy") { pullRequests(first: 5) { totalCount }
      ref(qualifiedName: "topic") { target { oid } } } }`;

    await pushBranch(world.clone, 'other', [{ b: '1' }]);
    const after = await pushBranch(world.clone, 'topic', [{ a: '2' }]);
    const ref = await octokit.rest.git.getRef({ ...repo, ref: 'heads/topic' });
    await octokit.rest.pulls.create({ ...repo, title: 'O', head: 'other', base: 'main' });
    const list = await octokit.rest.pulls.list(repo);
    const graphql = await octokit.graphql(query);
    const [listNow, graphqlNow] = [await octokit.rest.pulls.list(repo), await octokit.graphql(query)];

    expect(ref.data.object.sha).toBe(before);
    expect([list.data.length, listNow.data.length]).toEqual([1, 2]);
    expect(graphql).toEqual({ repository: { pullRequests: { totalCount: 1 }, ref: { target: { oid: after } } } });
    expect(graphqlNow).toEqual({ repository: { pullRequests: { totalCount: 2 }, ref: { target: { oid: after } } } });
  });

  it('lag leaves the mergeability of a pull request unknown', async () => {
    await using world = await openWorld();
    world.server.inject({ match: { operation: 'pulls/get' }, fault: 'lag' });
    const get = async () => (await world.octokit.rest.pulls.get({ ...repo, pull_number: 1 })).data;

    const [first, second] = [await get(), await get()];

    expect([first.mergeable, first.mergeable_state]).toEqual([null, 'unknown']);
    expect([second.mergeable, second.mergeable_state]).toEqual([true, 'clean']);
  });
});

describe('the log', () => {
  it('counts reads, writes and operations from a mark on', async () => {
    await using world = await openWorld();
    const { octokit, server } = world;
    const mark = server.log.length;

    await octokit.rest.repos.get(repo);
    await octokit.rest.issues.createComment(comment);
    await octokit.graphql('{ viewer { login } rateLimit { used } }');

    expect(server.counts(mark)).toEqual({
      total: 3,
      reads: 2,
      writes: 1,
      byOperation: { 'repos/get': 1, 'issues/create-comment': 1, viewer: 1, rateLimit: 1 },
    });
  });

  it('knows who called, also when nothing could be answered', async () => {
    await using world = await openWorld();
    const { server } = world;
    const eve = octokitFor(server, await server.createToken({ login: 'eve', permissions: { contents: 'read' } }));
    await eve.rest.issues.createComment(comment).catch(() => undefined);
    await eve.request('GET /nowhere').catch(() => undefined);

    expect(server.log.at(-2)).toMatchObject({ login: 'eve', status: 403, writes: true });
    expect(server.log.at(-1)).toMatchObject({ status: 500, path: '/api/v3/nowhere' });
  });

  it('survives an address that is none', async () => {
    await using world = await openWorld();
    const url = new URL(world.server.url);
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const sent = request(
        { host: url.hostname, port: url.port, path: '//%zz/\u0001'.replace('\u0001', '%00') },
        (answer) => {
          answer.resume();
          resolve(answer.statusCode);
        },
      );
      sent.on('error', reject);
      sent.end();
    });

    expect(status).toBeGreaterThanOrEqual(400);
    expect((await world.octokit.rest.repos.get(repo)).status).toBe(200);
  });
});
