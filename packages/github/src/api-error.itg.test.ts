import { mkdir, symlink } from 'node:fs/promises';
import { InfrastructureError } from '@passloop/core';
import { promote, readDeployState } from '@passloop/gitops';
import { startLocalGithub } from '@passloop/local-github';
import { expect, it } from 'vitest';
import { githubClient } from './client.ts';
import {
  candidate,
  deployWorld,
  manifest,
  mortal,
  noWait,
  promotionOf,
  pushFiles,
  query,
} from './testing/deploy-world.ts';

const review = { merge: 'review' as const, ports: noWait };

function promoteOnce(world: Awaited<ReturnType<typeof deployWorld>>, forge = world.forge) {
  return promote(forge, query(), promotionOf(candidate('a')), { merge: 'review', ports: mortal });
}

it('names the permission that a token lacks, and the line to write', async () => {
  await using world = await deployWorld();
  const withPermissions = async (permissions: Record<string, 'read' | 'write'>, repositories?: string[]) =>
    world.forgeWith({
      token: await world.server.createToken({
        login: 'bot[bot]',
        kind: 'installation',
        permissions,
        ...(repositories === undefined ? {} : { repositories }),
      }),
    });

  await expect(
    promoteOnce(world, await withPermissions({ contents: 'read', pull_requests: 'write' })),
  ).rejects.toMatchObject({
    code: 'configuration',
    message: expect.stringContaining('lacks `contents: write` on acme/deploy'),
    hint: expect.stringContaining('permissions:\n  contents: write'),
  });
  await expect(promoteOnce(world, await withPermissions({ contents: 'write' }))).rejects.toMatchObject({
    code: 'configuration',
    message: expect.stringContaining('lacks `pull-requests: read`'),
    hint: expect.stringContaining('Pull requests: Read and write'),
  });
  const reading = await withPermissions({ contents: 'write', pull_requests: 'read' });
  await expect(promoteOnce(world, reading)).rejects.toMatchObject({
    code: 'configuration',
    message: expect.stringContaining('lacks `pull-requests: write`'),
  });
  await expect(promoteOnce(world, await withPermissions({ contents: 'write' }, ['acme/other']))).rejects.toMatchObject({
    code: 'configuration',
    message: expect.stringContaining('shows no acme/deploy'),
    hint: expect.stringContaining('GITHUB_TOKEN reaches its own repository only'),
  });
  await expect(promoteOnce(world, world.forgeWith({ token: 'ghs_nothing' }))).rejects.toMatchObject({
    code: 'configuration',
    message: expect.stringContaining('401'),
  });
  await expect(promoteOnce(world, world.forgeWith({ repository: 'acme/missing' }))).rejects.toMatchObject({
    code: 'configuration',
  });
  expect(world.repository.pullRequests()).toHaveLength(0);
  expect(() => githubClient({ repository: 'https://x', token: 't', sleep: async () => {} })).toThrow(
    /no repository's name/,
  );
});

it('waits for a rate limit as long as it asks and as it may, and sends the same call again', async () => {
  await using world = await deployWorld();
  const waits: number[] = [];
  const forge = world.forgeWith({ maxWaitMs: 90_000, sleep: async (milliseconds) => void waits.push(milliseconds) });
  const secondary = { status: 403, body: { message: 'You have exceeded a secondary rate limit.' } };
  world.server.inject({
    match: { operation: 'git/create-commit' },
    fault: { status: 429, body: {}, headers: { 'Retry-After': '7' } },
  });
  world.server.inject({ match: { operation: 'createPullRequest' }, fault: secondary });

  expect(await promote(forge, query(), promotionOf(candidate('a')), { merge: 'review', ports: mortal })).toMatchObject({
    outcome: 'created',
  });

  expect(waits).toEqual([7000, 60_000]);
  world.server.inject({ fault: { status: 429, body: {}, headers: { 'Retry-After': '3600' } } });
  await expect(readDeployState(forge, query())).rejects.toThrow(/asks to wait 3600 s/);
});

it('waits until the hour is over where GraphQL has none left, which says so with status 200', async () => {
  await using world = await deployWorld();
  const folder = `${world.clone}-limited`;
  let now = Date.parse('2026-11-01T12:00:00Z');
  await using server = await startLocalGithub({ root: folder, rateLimit: 1, clock: () => new Date(now) });
  await server.createRepository({ owner: 'acme', name: 'deploy', private: true });
  const waits: number[] = [];
  const client = githubClient({
    repository: 'acme/deploy',
    baseUrl: server.restUrl,
    token: await server.createToken({ login: 'ada' }),
    maxWaitMs: Number.POSITIVE_INFINITY,
    sleep: async (milliseconds) => {
      waits.push(milliseconds);
      now += 3_600_000;
    },
  });
  const ask = () => client.graphql({ what: 'asking', permission: 'contents', level: 'read' }, '{ viewer { login } }');

  await ask();

  expect(await ask()).toEqual({ viewer: { login: 'ada' } });
  expect(waits).toHaveLength(1);
});

it('says so where the deploy repository does not answer, or nobody listens', async () => {
  await using world = await deployWorld();
  world.server.inject({ fault: 'timeout', times: 3 });
  await expect(
    promote(world.forgeWith({ timeoutMs: 100 }), query(), promotionOf(candidate('a')), review),
  ).rejects.toThrow(/didn't answer within 100 ms: reading the deploy repository/);
  const gone = await startLocalGithub({ root: `${world.clone}-gone` });
  await gone.close();
  const error = await promote(
    world.forgeWith({ baseUrl: gone.restUrl }),
    query(),
    promotionOf(candidate('a')),
    review,
  ).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(InfrastructureError);
  expect(error).toMatchObject({ message: expect.stringContaining("can't be reached"), exitCode: 3 });
});

it('reads again after a stale answer and after a lagging read', async () => {
  await using world = await deployWorld();
  const stale = { status: 200, body: { errors: [{ type: 'STALE_DATA', message: 'x is at y but expected z' }] } };
  world.server.inject({ match: { operation: 'updateRefs' }, fault: stale, times: 2 });
  expect(await promote(world.forge, query(), promotionOf(candidate('a')), review)).toMatchObject({
    outcome: 'created',
  });
  world.server.inject({ match: { operation: 'repository' }, fault: 'lag' });
  const again = await promote(world.forge, query(), promotionOf(candidate('a')), review);
  expect(again.pullRequest).toMatchObject({ number: 1 });
  expect(world.repository.pullRequests()).toHaveLength(1);
});

it.each([
  ['git/create-commit', { status: 422, body: { message: 'Tree SHA does not exist' } }],
  ['updateRefs', { status: 200, body: { errors: [{ type: 'UNPROCESSABLE', message: 'Object does not exist' }] } }],
  [
    'createPullRequest',
    {
      status: 200,
      body: { errors: [{ type: 'UNPROCESSABLE', message: "Head sha can't be blank, Head ref must be a branch" }] },
    },
  ],
])('reads again where %s does not see yet what was just written', async (operation, fault) => {
  await using world = await deployWorld();
  world.server.inject({ match: { operation }, fault, times: 2 });
  const promoted = await promote(world.forge, query(), promotionOf(candidate('a')), review);
  expect(promoted).toMatchObject({ outcome: 'created' });
  expect(world.repository.pullRequests()).toHaveLength(1);
});

it('edits a manifest with a byte order mark, a long one and one of Windows, and no link', async () => {
  const long = `# ${'x'.repeat(600_000)}\r\nimages:\r\n- name: ghcr.io/acme/flight\r\n  newTag: v1`;
  for (const text of [`\ufeffimages:\n- name: ghcr.io/acme/flight\n  newTag: v1\n`, long]) {
    await using world = await deployWorld({ files: { [manifest]: text } });
    const promotion = await promote(world.forge, query(), promotionOf(candidate('a')), {
      merge: 'auto',
      ports: noWait,
    });
    expect(promotion.merged).toBe(true);
    expect(await world.show(manifest)).toBe(text.replace('newTag: v1', `digest: ${candidate('a').image.digest}`));
  }
  await using world = await deployWorld({ files: { 'README.md': 'x' } });
  await expect(promoteOnce(world)).rejects.toThrow(/no file apps\/flight\/prod\/kustomization\.yaml/);
  await mkdir(`${world.clone}/apps/flight/prod`, { recursive: true });
  await symlink('../../../README.md', `${world.clone}/${manifest}`);
  await pushFiles(world.clone, {}, 'A link');
  await expect(promoteOnce(world)).rejects.toThrow(/no regular text file/);
});
