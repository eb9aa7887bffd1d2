import type { Octokit } from 'octokit';
import { describe, expect, it } from 'vitest';
import { createWorld, git, octokitFor, pushBranch } from './fixture.ts';

const repo = { owner: 'acme', repo: 'deploy' };
const VIEWER = '{ viewer { login } }';
const START = Date.parse('2026-01-01T00:00:00Z');

type Answer = { status: number; message: string; headers: Record<string, string> };

async function answerOf(call: Promise<{ status: number; headers: object }>): Promise<Answer> {
  return call.then(
    ({ status, headers }) => ({ status, message: '', headers: headers as Record<string, string> }),
    ({ status, response }) => ({ status, message: response.data.message, headers: response.headers }),
  );
}

async function statusesOf(octokit: Octokit, count: number): Promise<number[]> {
  const statuses: number[] = [];
  for (let index = 0; index < count; index += 1) statuses.push((await answerOf(octokit.rest.repos.get(repo))).status);
  return statuses;
}

/** By hand, to see what stands in the 200. */
async function graphql(world: { server: { restUrl: string }; token: string }) {
  const answer = await fetch(world.server.restUrl.replace(/\/v3$/, '/graphql'), {
    method: 'POST',
    headers: { authorization: `bearer ${world.token}` },
    body: JSON.stringify({ query: VIEWER }),
  });
  return { status: answer.status, headers: answer.headers, body: (await answer.json()) as { errors?: object[] } };
}

describe('a token that expires', () => {
  it('at the n-th call is refused from there on, by REST, GraphQL and git; other tokens go on', async () => {
    await using world = await createWorld();
    const { server, octokit, clone } = world;
    const other = octokitFor(server, await server.createToken({ login: 'grace' }));
    const handle = server.inject({ match: { operation: 'repos/get', nth: 2 }, fault: 'token-expired' });

    const statuses = await statusesOf(octokit, 3);
    const refused = await answerOf(octokit.rest.pulls.list(repo));

    expect(statuses).toEqual([200, 401, 401]);
    expect(refused).toMatchObject({ status: 401, message: 'Bad credentials' });
    await expect(octokit.graphql(VIEWER)).rejects.toMatchObject({ status: 401 });
    await expect(git(clone, 'push', 'origin', 'HEAD:refs/heads/late')).rejects.toThrow(
      /Authentication failed|401|could not read/,
    );
    expect(await statusesOf(other, 1)).toEqual([200]);
    expect(handle.fired).toBe(1);
    expect(server.log.filter(({ fault }) => fault === 'token-expired')).toHaveLength(1);
  });

  it('between the two calls of a push leaves the branch as it was', async () => {
    await using world = await createWorld();
    world.server.inject({ match: { operation: 'git/receive-pack' }, fault: 'token-expired' });

    await expect(pushBranch(world.clone, 'topic', [{ a: '1' }])).rejects.toThrow();

    expect(await git(world.repository.directory, 'branch', '--list')).toBe('* main');
  });

  it('does not meet calls without a token', async () => {
    await using world = await createWorld({ private: false });
    const handle = world.server.inject({ fault: 'token-expired' });

    expect(await statusesOf(octokitFor(world.server, undefined), 1)).toEqual([200]);

    expect(handle.fired).toBe(0);
    expect(await statusesOf(world.octokit, 1)).toEqual([401]);
  });
});

describe('the primary rate limit', () => {
  it.each([403, 429] as const)('at the n-th call is a %i without retry-after, until its reset', async (status) => {
    let time = START;
    await using world = await createWorld({ clock: () => new Date(time) });
    const fault = { rateLimit: 'primary', status, seconds: 30 } as const;
    world.server.inject({ match: { operation: 'repos/get', nth: 2 }, fault });

    const first = await answerOf(world.octokit.rest.repos.get(repo));
    const second = await answerOf(world.octokit.rest.repos.get(repo));
    const third = await answerOf(world.octokit.rest.pulls.list(repo));
    time += 30_000;

    expect(first.status).toBe(200);
    expect(second).toMatchObject({
      status,
      message: expect.stringMatching(/^API rate limit exceeded for user ID \d+\.$/),
    });
    expect(second.headers).toMatchObject({
      'x-ratelimit-remaining': '0',
      'x-ratelimit-limit': '5000',
      'x-ratelimit-used': '5000',
      'x-ratelimit-reset': String(START / 1000 + 30),
      'x-ratelimit-resource': 'core',
    });
    expect(second.headers['retry-after']).toBeUndefined();
    expect(third).toMatchObject({ status: 403, headers: { 'x-ratelimit-remaining': '0' } });
    expect(await statusesOf(world.octokit, 1)).toEqual([200]);
  });

  it('of GraphQL is an error of a 200, and REST goes on', async () => {
    await using world = await createWorld();
    world.server.inject({ match: { operation: 'viewer' }, fault: { rateLimit: 'primary' } });

    const first = await graphql(world);
    const second = await graphql(world);

    expect(first.status).toBe(200);
    expect(first.body.errors).toEqual([
      { type: 'RATE_LIMITED', message: expect.stringContaining('API rate limit exceeded') },
    ]);
    expect(first.headers.get('x-ratelimit-resource')).toBe('graphql');
    expect(first.headers.get('x-ratelimit-remaining')).toBe('0');
    expect(second.body.errors).toEqual([expect.objectContaining({ type: 'RATE_LIMIT', code: 'graphql_rate_limit' })]);
    expect(await statusesOf(world.octokit, 1)).toEqual([200]);
  });

  it("is the caller's alone, and does nothing of the call", async () => {
    await using world = await createWorld();
    const { server, octokit } = world;
    const grace = octokitFor(server, await server.createToken({ login: 'grace' }));
    await pushBranch(world.clone, 'topic', [{ a: '1' }]);
    server.inject({ match: { access: 'write' }, fault: { rateLimit: 'primary' } });

    const opened = await answerOf(octokit.rest.pulls.create({ ...repo, title: 'T', head: 'topic', base: 'main' }));

    expect(opened.status).toBe(403);
    expect(world.repository.pullRequests()).toEqual([]);
    expect([await statusesOf(octokit, 1), await statusesOf(grace, 1)]).toEqual([[403], [200]]);
  });
});

describe('the secondary rate limit', () => {
  it.each([
    [undefined, undefined, 403, '60'],
    [429, 5, 429, '5'],
  ] as const)('with status %s and seconds %s answers %i and retry-after %s, for its calls alone', async (...row) => {
    const [status, seconds, expected, wait] = row;
    await using world = await createWorld();
    const fault = {
      rateLimit: 'secondary',
      ...(status === undefined ? {} : { status }),
      ...(seconds === undefined ? {} : { seconds }),
    } as const;
    world.server.inject({ fault, times: 2 });

    const rest = await answerOf(world.octokit.rest.repos.get(repo));
    const graph = await graphql(world);

    expect(rest).toMatchObject({
      status: expected,
      message: expect.stringContaining('exceeded a secondary rate limit'),
    });
    expect(rest.headers).toMatchObject({ 'retry-after': wait });
    expect(Number(rest.headers['x-ratelimit-remaining'])).toBeGreaterThan(0);
    expect(graph.status).toBe(expected);
    expect(graph.headers.get('retry-after')).toBe(wait);
    expect(await statusesOf(world.octokit, 1)).toEqual([200]);
    expect(world.server.log.filter(({ fault: met }) => met === 'secondary rate limit')).toHaveLength(2);
  });
});

it('a bad token is told before any limit', async () => {
  await using world = await createWorld();
  world.server.inject({ fault: { rateLimit: 'primary' } });

  expect(await statusesOf(octokitFor(world.server, 'ghs_none'), 1)).toEqual([401]);
});

describe('limits of a minute', () => {
  it('refuse what is beyond them, say when there is room, and count each caller by itself', async () => {
    let now = START;
    const secondaryLimits = { restPoints: 6, graphqlPoints: 100, content: 1 };
    await using world = await createWorld({ secondaryLimits, clock: () => new Date(now) });
    const { server, octokit, clone } = world;
    await pushBranch(clone, 'topic', [{ a: '1' }]);
    const open = () => octokit.rest.pulls.create({ ...repo, title: 'T', head: 'topic', base: 'main' });
    await open();
    now += 20_000;

    // 5 points for the pull request, one for each read
    expect(await statusesOf(octokit, 2)).toEqual([200, 403]);
    const refused = await answerOf(octokit.rest.repos.get(repo));
    expect(refused).toMatchObject({ status: 403, message: expect.stringContaining('secondary rate limit') });
    expect(refused.headers['retry-after']).toBe('40');
    expect(server.log.at(-1)?.refused).toBe('secondary rate limit');
    await octokit.graphql(VIEWER);
    const other = octokitFor(server, await server.createToken({ login: 'grace' }));
    expect(await statusesOf(other, 1)).toEqual([200]);
    now += 40_000;
    expect(await statusesOf(octokit, 1)).toEqual([200]);
  });
});
