import { parseDocument } from '@passloop/documents';
import { adopt, hold, promote, readDeployState, readStatus, rollback, rollbackTogether } from '@passloop/gitops';
import { expect, it } from 'vitest';
import { candidate, git, manifest, noWait, promotionOf, pull, pushFiles, query } from '../testing/deploy-world.ts';
import { type GitWorld, gitWorld } from './testing/git-world.ts';

const review = { merge: 'review' as const, ports: noWait };
const auto = { merge: 'auto' as const, ports: noWait };
const branch = 'promote/flight-delay/prod';
const record = '.passloop/prod/flight-delay.json';
const hasImage = async () => true;
const back = {
  environment: 'prod',
  to: { kind: 'previous' as const },
  reason: 'precision fell',
  by: 'ada',
  at: '2026-11-22T12:00:00Z',
};

async function land(world: GitWorld, ...names: string[]): Promise<void> {
  for (const name of names) {
    const landed = await promote(world.forge(), query(), promotionOf(candidate(name)), auto);
    expect(landed).toMatchObject({ outcome: 'created', merged: true, pullRequest: null });
  }
}

async function mergedBy(world: GitWorld, ...how: string[]): Promise<void> {
  await pull(world.clone);
  await git(world.clone, ...how);
  if (how.includes('--squash')) await git(world.clone, 'commit', '--quiet', '-m', 'New model (squashed)');
  await git(world.clone, 'push', '--quiet', 'origin', 'HEAD:main');
}

it('promotes by one commit on one branch, and says with which text the pull request is opened', async () => {
  await using world = await gitWorld();
  const main = await world.inBare('rev-parse', 'main');

  const done = await promote(world.forge(), query(), promotionOf(candidate('a')), review);

  expect(done).toMatchObject({ outcome: 'created', change: 'first', branch, pullRequest: null, merged: false });
  expect(done.proposal).toMatchObject({
    title: 'promote(flight-delay → prod): 2026.11.22-a',
    url: `${world.url} ${branch}`,
  });
  expect(done.proposal?.body).toContain(`<!-- passloop promotion ${done.promotionId} -->`);
  expect(await world.inBare('log', '-1', '--format=%(trailers:key=Promotion-Id,valueonly)', branch)).toContain(
    done.promotionId,
  );
  expect(await world.inBare('rev-parse', branch)).toBe(`${done.commit}\n`);
  expect(await world.inBare('log', '--format=%P', '-1', branch)).toBe(main);
  expect(await world.inBare('rev-parse', 'main')).toBe(main);
  const before = await world.show(manifest);
  expect(await world.show(manifest, branch)).toBe(
    before.replace('newTag: v0', `digest: ${candidate('a').image.digest}`),
  );
  const written = parseDocument('record', await world.show(record, branch), record);
  expect(written.deployment).toMatchObject({ cause: 'promotion', previous: null, promotionId: done.promotionId });
});

it('pushes nothing the second time, and a newer candidate replaces the branch', async () => {
  await using world = await gitWorld();
  const first = await promote(world.forge(), query(), promotionOf(candidate('a')), review);
  const again = await promote(
    world.forge(),
    query(),
    promotionOf(candidate('a'), { at: '2026-11-23T00:00:00Z' }),
    review,
  );
  expect(again).toMatchObject({
    outcome: 'unchanged',
    commit: first.commit,
    proposal: { title: first.proposal?.title },
  });

  const second = await promote(world.forge(), query(), promotionOf(candidate('b')), review);

  expect(second).toMatchObject({ outcome: 'updated', branch });
  expect(await world.inBare('rev-list', '--count', `main..${branch}`)).toBe('1\n');
  expect(await world.inBare('for-each-ref', '--format=%(refname)')).toBe(`refs/heads/main\nrefs/heads/${branch}\n`);
});

it.each([
  ['a merge', ['merge', '--no-ff', '--quiet', '-m', 'Merge', `origin/${branch}`]],
  ['a squash', ['merge', '--squash', '--quiet', `origin/${branch}`]],
  ['a cherry-pick', ['cherry-pick', '-x', `origin/${branch}`]],
  ['a fast forward', ['merge', '--ff-only', '--quiet', `origin/${branch}`]],
])('knows a branch that people brought in by %s', async (_, how) => {
  await using world = await gitWorld();
  await promote(world.forge(), query(), promotionOf(candidate('a')), review);
  await pull(world.clone);
  await pushFiles(world.clone, { 'README.md': 'meanwhile\n' }, 'Meanwhile');
  const open = await readStatus(world.forge());
  expect(open.rows).toEqual([]);
  if (how.includes('--ff-only')) await git(world.clone, 'push', '--quiet', '--force', 'origin', 'HEAD~1:main');

  await mergedBy(world, ...how);

  const status = await readStatus(world.forge());
  expect(status).toMatchObject({ verdict: 'pass', repository: world.url });
  expect(status.rows).toMatchObject([{ state: 'recorded', version: '2026.11.22-a', openPullRequest: null }]);
  expect(status.rows[0]).not.toHaveProperty('openBranch');
  const again = await promote(world.forge(), query(), promotionOf(candidate('a')), review);
  expect(again).toMatchObject({ outcome: 'already-promoted' });
  const next = await promote(world.forge(), query(), promotionOf(candidate('b')), review);
  expect(next).toMatchObject({ outcome: 'created', branch });
  expect((await readStatus(world.forge())).rows).toMatchObject([{ openBranch: branch }]);
});

it('brings the base branch forward at the very commit where `merge: auto` says so, and rolls back', async () => {
  await using world = await gitWorld();
  await land(world, 'a', 'b');
  expect(await world.inBare('rev-list', '--count', '--merges', 'main')).toBe('0\n');

  const returned = await rollback(world.forge(), query(), back, { ...auto, hasImage });

  expect(returned).toMatchObject({ outcome: 'created', merged: true, to: { version: '2026.11.22-a' } });
  expect(await world.show(manifest)).toContain(candidate('a').image.digest);
  expect(await promote(world.forge(), query(), promotionOf(candidate('b')), auto)).toMatchObject({ outcome: 'held' });
  const status = await readStatus(world.forge());
  expect(status.rows).toMatchObject([{ state: 'recorded', cause: 'rollback', version: '2026.11.22-a' }]);
  expect(status.holds).toMatchObject([{ source: 'file', modelDigest: candidate('b').modelDigest }]);
});

it('lets nothing pass a rollback of several models that waits in its branch', async () => {
  await using world = await gitWorld();
  await land(world, 'a', 'b');
  const group = [{ query: query(), request: back }];
  const waiting = await rollbackTogether(world.forge(), 'prod', group, { ...review, hasImage });
  expect(waiting).toMatchObject({ outcome: 'created', branch: expect.stringMatching(/^rollback\/prod\//) });

  const next = await promote(world.forge(), query(), promotionOf(candidate('c')), auto);
  expect(next).toMatchObject({ outcome: 'blocked', reason: expect.stringContaining(`${world.url} ${waiting.branch}`) });
  expect((await readStatus(world.forge())).rows).toMatchObject([{ openBranch: waiting.branch }]);

  await mergedBy(world, 'merge', '--squash', '--quiet', `origin/${waiting.branch}`);
  const later = await promote(world.forge(), query(), promotionOf(candidate('c')), auto);
  expect(later).toMatchObject({ outcome: 'created', merged: true });
});

it('brings a branch that waits forward before it merges it, where the base moved on', async () => {
  await using world = await gitWorld();
  const waiting = await promote(world.forge(), query(), promotionOf(candidate('a')), review);
  await pushFiles(world.clone, { 'README.md': 'meanwhile\n' }, 'Meanwhile');

  const merged = await promote(world.forge(), query(), promotionOf(candidate('a')), auto);

  expect(merged).toMatchObject({ merged: true });
  expect(merged.commit).not.toBe(waiting.commit);
  expect(await world.show('README.md')).toBe('meanwhile\n');
});

it('names the branch of a held model that waits: nothing can be closed here', async () => {
  await using world = await gitWorld();
  await land(world, 'a');
  await promote(world.forge(), query(), promotionOf(candidate('b')), review);

  const { modelDigest } = candidate('b');
  const asked = { action: 'hold' as const, modelDigest, environment: null, reason: 'it is bad', by: 'ada' };
  const held = await hold(world.forge(), query(), { ...asked, at: '2026-11-22T13:00:00Z' }, review);

  expect(held).toMatchObject({ outcome: 'created', reason: `Delete what would promote it: ${branch}` });
});

it('holds what people reverted with `git revert`, until the hold is lifted', async () => {
  await using world = await gitWorld();
  await land(world, 'a', 'b');
  await mergedBy(world, 'revert', '--no-edit', 'origin/main');

  expect(await promote(world.forge(), query(), promotionOf(candidate('b')), review)).toMatchObject({ outcome: 'held' });
  expect((await readStatus(world.forge())).holds).toMatchObject([{ source: 'history', by: 'Ada' }]);

  const lift = { action: 'lift' as const, modelDigest: candidate('b').modelDigest, environment: null };
  const asked = { ...lift, reason: 'mended', by: 'ada', at: '2026-11-22T13:00:00Z' };
  const lifted = await hold(world.forge(), query(), asked, review);
  expect(lifted).toMatchObject({
    outcome: 'created',
    pullRequest: null,
    proposal: { title: expect.stringContaining('lift') },
  });
  expect(await hold(world.forge(), query(), asked, review)).toMatchObject({
    outcome: 'unchanged',
    commit: lifted.commit,
  });
  await mergedBy(world, 'merge', '--quiet', '--no-edit', `origin/${lifted.branch}`);

  expect((await readStatus(world.forge())).holds).toEqual([]);
  expect(await hold(world.forge(), query(), { ...asked, action: 'hold' }, review)).toMatchObject({
    outcome: 'created',
  });
});

it('adopts what runs, and then says what drifted', async () => {
  const digest = candidate('a').image.digest;
  const running = `images:\n  - name: ghcr.io/acme/flight\n    digest: ${digest}\n`;
  await using world = await gitWorld({ [manifest]: running });
  const { modelDigest, version } = candidate('a');
  const adopted = await adopt(
    world.forge(),
    query(),
    {
      environment: 'prod',
      modelDigest,
      version,
      repository: 'ghcr.io/acme/flight',
      imageDigest: null,
      known: {},
      at: '2026-11-22T10:10:00Z',
    },
    review,
  );
  expect(adopted).toMatchObject({ outcome: 'created', change: 'first', pullRequest: null });
  await mergedBy(world, 'merge', '--squash', '--quiet', `origin/${branch}`);
  await pushFiles(world.clone, { [manifest]: running.replace(digest, candidate('b').image.digest) }, 'By hand');

  const status = await readStatus(world.forge());

  expect(status).toMatchObject({ verdict: 'fail', rows: [{ state: 'drifted', cause: 'adopt' }] });
  expect(status.rows[0]?.drift).toEqual([{ file: manifest, recorded: digest, found: candidate('b').image.digest }]);
});

it('reads records of a long history, each with the commit that wrote it', async () => {
  await using world = await gitWorld();
  await land(world, 'a', 'b', 'c', 'd');

  const state = await readDeployState(world.forge(), query());

  const versions = state.environments[0]?.history.map(({ version }) => version?.record.version);
  expect(versions).toEqual(['d', 'c', 'b', 'a'].map((name) => `2026.11.22-${name}`));
  const commits = (await world.inBare('rev-list', '--max-count=4', 'main')).trim().split('\n');
  expect(state.environments[0]?.history.map(({ commit }) => commit)).toEqual(commits);
});
