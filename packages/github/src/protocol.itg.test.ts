import { adopt, hold, promote, readDeployState, rollback } from '@passloop/gitops';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import {
  candidate,
  type DeployWorld,
  deployWorld,
  git,
  image,
  manifest,
  noWait,
  promotionOf,
  pull,
  pushFiles,
  query,
  writeFiles,
} from './testing/deploy-world.ts';

/** Every way of writing, by the requests that it makes; and what a deploy repository may be like. */
const review = { merge: 'review' as const, ports: noWait };
const auto = { merge: 'auto' as const, ports: noWait };
const by = { reason: 'precision fell', by: 'ada', at: '2026-11-22T12:00:00Z' };
const back = { ...by, environment: 'prod', to: { kind: 'previous' as const } };
const writing = ['repository', 'git/create-tree', 'git/create-commit', 'updateRefs', 'createPullRequest'];
const running = {
  environment: 'prod',
  modelDigest: candidate('a').modelDigest,
  version: 'a',
  repository: image,
  imageDigest: candidate('a').image.digest,
  known: {},
  at: by.at,
};

type Change = { outcome: string; commit: string | null };
type Way = {
  name: string;
  production: string[];
  act(world: DeployWorld, options: typeof auto | typeof review): Promise<Change>;
};

const ways: Way[] = [
  {
    name: 'adopt',
    production: [],
    act: (world, options) => adopt(world.forge, query(), running, options),
  },
  {
    name: 'promote',
    production: ['a'],
    act: (world, options) => promote(world.forge, query(), promotionOf(candidate('b')), options),
  },
  {
    name: 'rollback',
    production: ['a', 'b'],
    act: (world, options) => rollback(world.forge, query(), back, { ...options, hasImage: async () => true }),
  },
  {
    name: 'hold',
    production: ['a'],
    act: (world, options) =>
      hold(
        world.forge,
        query(),
        { ...by, action: 'hold', environment: null, modelDigest: candidate('z').modelDigest },
        options,
      ),
  },
];

async function inProduction(names: readonly string[], options = {}): Promise<DeployWorld> {
  const world = await deployWorld(options);
  for (const name of names) await promote(world.forge, query(), promotionOf(candidate(name)), auto);
  return world;
}

async function requests<T>(world: DeployWorld, act: () => Promise<T>): Promise<{ result: T; operations: string[] }> {
  const from = world.server.log.length;
  const result = await act();
  return { result, operations: world.server.log.slice(from).map(({ operations }) => operations.join()) };
}

/** A person at GitHub. */
async function patch(world: DeployWorld, path: string, body: Record<string, string>): Promise<void> {
  const token = await world.server.createToken({
    login: 'ada',
    permissions: { administration: 'write', contents: 'write', pull_requests: 'write' },
  });
  const answer = await fetch(`${world.server.restUrl}/repos/acme/deploy${path}`, {
    method: 'PATCH',
    headers: { Authorization: `Bearer ${token}` },
    body: JSON.stringify(body),
  });
  expect(answer.status, await answer.text()).toBe(200);
}

it.each(
  ways,
)('$name is one read (two where an older commit is looked at) and four writes, one more to merge, and then one read', async ({
  name,
  production,
  act,
}) => {
  await using world = await inProduction(production);
  const first = await requests(world, () => act(world, review));
  const looking = name === 'rollback' ? ['repository'] : [];
  expect(first.operations).toEqual([...looking, ...writing]);
  expect(first.result.outcome).toBe('created');
  const again = await requests(world, () => act(world, review));
  expect(again.operations).toEqual([...looking, 'repository']);
  expect(again.result).toMatchObject({ outcome: 'unchanged', commit: first.result.commit });

  await using merging = await inProduction(production);
  const merged = await requests(merging, () => act(merging, auto));
  expect(merged.operations).toEqual([...looking, ...writing, 'mergePullRequest']);
  expect(merged.result).toMatchObject({ merged: true });
  const done = await requests(merging, () => act(merging, auto));
  expect(done.operations).toEqual(['repository']);
  expect(['already-promoted', 'unchanged']).toContain(done.result.outcome);
});

it('asks for auto-merge first where the repository has it: a pull request that was just opened may need it', async () => {
  await using world = await inProduction(['a'], { autoMerge: true });
  const promoting = () => promote(world.forge, query(), promotionOf(candidate('b')), auto);
  const merged = await requests(world, promoting);
  expect(merged.operations).toEqual([...writing, 'enablePullRequestAutoMerge', 'mergePullRequest']);

  await using guarded = await inProduction(['a'], { autoMerge: true });
  await guarded.repository.protectBranch('main', { requiredChecks: ['deploy-check'] });
  const waiting = await requests(guarded, () => promote(guarded.forge, query(), promotionOf(candidate('b')), auto));
  expect(waiting.operations).toEqual([...writing, 'enablePullRequestAutoMerge']);
  expect(waiting.result).toMatchObject({ outcome: 'created', merged: false });
});

it('costs the same calls whatever the deploy repository holds, and the same again', async () => {
  const files = (applications: number) =>
    Object.fromEntries(
      Array.from({ length: applications }, (_, index) => [
        `apps/team-${index % 97}/app-${index}/kustomization.yaml`,
        `images:\n  - name: ghcr.io/acme/app-${index}\n    newTag: v1\n`,
      ]),
    );
  for (const applications of [10, 10_000]) {
    const small = { [manifest]: `images:\n  - name: ${image}\n    newTag: v1\n` };
    await using world = await deployWorld({ files: { ...files(applications), ...small } });
    const first = await requests(world, () => promote(world.forge, query(), promotionOf(candidate('a')), review));
    expect(first.operations).toEqual(writing);
    const nothing = await requests(world, () => promote(world.forge, query(), promotionOf(candidate('a')), review));
    expect(nothing.operations).toEqual(['repository']);
    const merged = await requests(world, () => promote(world.forge, query(), promotionOf(candidate('a')), auto));
    expect(merged.operations).toEqual(['repository', 'mergePullRequest']);
    const changed = await git(world.repository.directory, 'diff', '--name-only', 'main~1', 'main');
    expect(changed.trim().split('\n')).toEqual(['.passloop/prod/flight-delay.json', manifest]);
  }
});

it('opens a pull request anew that somebody closed where it is asked for again, and after its branch is gone', async () => {
  await using world = await inProduction(['a']);
  const again = () => promote(world.forge, query(), promotionOf(candidate('b'), { again: true }), review);
  await again();
  await patch(world, '/pulls/2', { state: 'closed' });
  // The branch is there and right: only the pull request is missing.
  expect((await requests(world, again)).operations).toEqual(['repository', 'createPullRequest']);
  await patch(world, '/pulls/3', { state: 'closed' });
  await git(world.clone, 'push', '--quiet', 'origin', ':promote/flight-delay/prod');
  expect((await requests(world, again)).operations).toEqual(writing);
  const open = world.repository.pullRequests().filter(({ state }) => state === 'open');
  expect(open).toHaveLength(1);
});

it.each(ways)('$name waits where branch protection asks for a review, and says what stands', async ({
  production,
  act,
}) => {
  await using world = await inProduction(production, { autoMerge: true });
  await world.repository.protectBranch('main', { requiredReviews: 1 });
  const before = await world.show(manifest);
  expect(await act(world, auto)).toMatchObject({ outcome: 'created', merged: false });
  expect(await world.show(manifest)).toBe(before);
  expect(await act(world, auto)).toMatchObject({ outcome: 'unchanged', merged: false });
});

it('works on the default branch whatever its name, and on the one that is named', async () => {
  await using world = await deployWorld();
  await git(world.clone, 'push', '--quiet', 'origin', 'main:live');
  await patch(world, '', { default_branch: 'live' });
  const main = await world.show(manifest);

  expect(await promote(world.forge, query(), promotionOf(candidate('a')), auto)).toMatchObject({ merged: true });

  expect(await world.show(manifest, 'live')).toContain(candidate('a').image.digest);
  expect(await world.show(manifest, 'main')).toBe(main);
  const named = query({ branch: 'main' });
  expect(await promote(world.forge, named, promotionOf(candidate('b')), auto)).toMatchObject({
    merged: true,
    change: 'first',
  });
  expect(await world.show(manifest, 'main')).toContain(candidate('b').image.digest);
  expect(await world.show(manifest, 'live')).toContain(candidate('a').image.digest);
  await expect(readDeployState(world.forge, query({ branch: 'gone' }))).rejects.toThrow(/no branch "gone"/);
});

const shared = `# two models
x-image: &image
  name: ghcr.io/acme/other # anchored
images:
  - <<: *image
    newTag: v3
  - name: ${image}   # ours
    newTag: "1.20"
    # a comment of ours`;

it.each([
  ['comments, an anchor and no newline at the end', shared],
  ['line ends of Windows', shared.replaceAll('\n', '\r\n')],
])('moves one of two models of a kustomization with %s, and back to the byte', async (_, text) => {
  await using world = await deployWorld({ files: { [manifest]: text } });
  const before = `newTag: "1.20"`;
  await promote(world.forge, query(), promotionOf(candidate('a')), auto);
  const after = await world.show(manifest);
  expect(after).toBe(text.replace(before, `digest: "${candidate('a').image.digest}"`));
  expect((parse(after, { merge: true }) as { images: unknown[] }).images[0]).toMatchObject({ newTag: 'v3' });
  await promote(world.forge, query(), promotionOf(candidate('b')), auto);
  await rollback(world.forge, query(), back, { ...auto, hasImage: async () => true });
  expect(await world.show(manifest)).toBe(after);
  await pull(world.clone);
  await pushFiles(world.clone, { [manifest]: after.replace('newTag: v3', 'newTag: v4') }, 'The other model');
  expect((await readDeployState(world.forge, query())).environments[0]?.drift).toEqual([]);
});

it('leaves a rollback that waits to people: neither a promotion nor an adoption takes its place', async () => {
  await using world = await inProduction(['a', 'b']);
  await rollback(world.forge, query(), back, { ...review, hasImage: async () => true });
  const [adopting] = ways;
  await pull(world.clone);
  const text = await world.show(manifest);
  await pushFiles(
    world.clone,
    { [manifest]: text.replace(/sha256:[0-9a-f]{64}/, candidate('a').image.digest) },
    'By hand',
  );

  expect(await adopting?.act(world, review)).toMatchObject({
    outcome: 'blocked',
    reason: expect.stringContaining('pull/3'),
  });
  await pushFiles(world.clone, { [manifest]: text }, 'And back');
  const next = promote(world.forge, query(), promotionOf(candidate('c')), review);
  expect(await next).toMatchObject({ outcome: 'blocked', reason: expect.stringContaining('A rollback is open') });
});

it('asks where a manifest pulls the image by a name that it was not pushed to', async () => {
  const text = `images:\n  - name: ${image}\n    newName: mirror.local/flight\n    newTag: v0\n`;
  await using world = await deployWorld({ files: { [manifest]: text } });
  await promote(world.forge, query(), promotionOf(candidate('a')), review);
  expect(world.repository.pullRequests()[0]?.body).toContain('**Look at** `mirror.local/flight`');
});

it('brings a promotion that merges by itself forward where branches must be up to date', async () => {
  await using world = await deployWorld({ autoMerge: true });
  await world.repository.protectBranch('main', { requiredChecks: ['deploy-check'], strict: true });
  const pass = (sha: string | null) =>
    world.repository.setStatus({ sha: sha ?? '', context: 'deploy-check', state: 'success' });
  const first = await promote(world.forge, query(), promotionOf(candidate('a')), auto);
  await pull(world.clone);
  await writeFiles(world.clone, { 'README.md': 'Elsewhere.\n' });
  await git(world.clone, 'add', '.');
  await git(world.clone, 'commit', '--quiet', '-m', 'Another file');
  await git(world.clone, 'push', '--quiet', world.repository.directory, 'HEAD:main');
  await pass(first.commit);
  expect(await world.show(manifest)).not.toContain(candidate('a').image.digest);

  // What people merge stays as it was approved.
  expect(await promote(world.forge, query(), promotionOf(candidate('a')), review)).toMatchObject({
    outcome: 'unchanged',
    commit: first.commit,
  });
  const second = await promote(world.forge, query(), promotionOf(candidate('a')), auto);
  expect(second).toMatchObject({ outcome: 'updated', pullRequest: first.pullRequest, promotionId: first.promotionId });
  await pass(second.commit);

  expect(await world.show(manifest)).toContain(candidate('a').image.digest);
  expect(await world.show('README.md')).toBe('Elsewhere.\n');
});
