import { parseDocument } from '@passloop/documents';
import { adopt, decide, openPromotion, promote, readDeployState, readStatus, rollback } from '@passloop/gitops';
import { expect, it } from 'vitest';
import {
  candidate,
  deployWorld,
  git,
  image,
  manifest,
  noWait,
  promotionOf,
  pull,
  pushFiles,
  query,
} from './testing/deploy-world.ts';

const review = { merge: 'review' as const, ports: noWait };
const auto = { merge: 'auto' as const, ports: noWait };
const record = '.passloop/prod/flight-delay.json';

async function decisionOf(world: Awaited<ReturnType<typeof deployWorld>>, name: string) {
  const { runKey, modelDigest, image: built } = candidate(name);
  const state = await readDeployState(world.forge, query());
  const [environment] = state.environments;
  if (environment === undefined) throw new Error('no environment');
  return decide(environment, {
    runKey,
    imageKey: built.imageKey,
    modelDigest,
    imageDigest: built.digest,
    inStore: true,
  });
}

it('promotes by one commit and one pull request in five calls, and does nothing the second time in one', async () => {
  await using world = await deployWorld();
  const from = world.server.log.length;

  const first = await promote(world.forge, query(), promotionOf(candidate('a')), review);

  expect(world.server.log.slice(from).map(({ operations }) => operations.join())).toEqual([
    'repository',
    'git/create-tree',
    'git/create-commit',
    'updateRefs',
    'createPullRequest',
  ]);
  expect(world.server.counts(from)).toMatchObject({ total: 5, writes: 4 });
  expect(first).toMatchObject({
    outcome: 'created',
    change: 'first',
    branch: 'promote/flight-delay/prod',
    merged: false,
  });
  const text = await world.show(manifest, 'promote/flight-delay/prod');
  const before = await world.show(manifest);
  expect(text).toBe(before.replace('newTag: v0', `digest: ${candidate('a').image.digest}`));
  const written = parseDocument('record', await world.show(record, 'promote/flight-delay/prod'), record);
  expect(written.deployment).toMatchObject({ cause: 'promotion', previous: null, promotionId: first.promotionId });
  const trailers = await git(
    world.repository.directory,
    'log',
    '-1',
    '--format=%(trailers:only,unfold)',
    'promote/flight-delay/prod',
  );
  expect(trailers).toContain(`Promotion-Id: ${first.promotionId}\nPromotion-Source: acme/flights@`);
  expect(trailers).toContain('Gate: roc_auc pass 0.75');

  const again = world.server.log.length;
  const second = await promote(
    world.forge,
    query(),
    promotionOf(candidate('a'), { at: '2026-11-23T00:00:00Z' }),
    review,
  );

  expect(second).toMatchObject({ outcome: 'unchanged', commit: first.commit, pullRequest: first.pullRequest });
  expect(world.server.counts(again)).toMatchObject({ total: 1, writes: 0 });
});

it('knows a promotion that waits in its pull request, until what it stands on moves', async () => {
  await using world = await deployWorld();
  const waiting = async () => {
    const state = await readDeployState(world.forge, query());
    const [environment] = state.environments;
    return environment === undefined ? null : openPromotion(state, environment);
  };
  expect(await waiting()).toBeNull();
  await promote(world.forge, query(), promotionOf(candidate('a')), review);
  expect(await waiting()).toMatchObject({ version: candidate('a').version });

  await pull(world.clone);
  await pushFiles(world.clone, { 'README.md': 'Elsewhere.\n' }, 'Another file');
  expect(await waiting()).toMatchObject({ version: candidate('a').version });
  await pushFiles(world.clone, { [manifest]: `${await world.show(manifest)}namespace: flights\n` }, 'The same file');
  expect(await waiting()).toBeNull();
});

it('supersedes the open pull request in place', async () => {
  await using world = await deployWorld();
  const first = await promote(world.forge, query(), promotionOf(candidate('a')), review);
  const from = world.server.log.length;
  const second = await promote(world.forge, query(), promotionOf(candidate('b')), review);

  expect(second).toMatchObject({ outcome: 'updated', pullRequest: first.pullRequest });
  expect(world.server.counts(from)).toMatchObject({ total: 5, writes: 4 });
  expect(world.repository.pullRequests()).toHaveLength(1);
  expect(world.repository.pullRequests()[0]).toMatchObject({ title: expect.stringContaining('2026.11.22-b') });
  expect(await world.show(manifest, 'promote/flight-delay/prod')).toContain(candidate('b').image.digest);
});

it('merges by itself where the environment says so, and knows production then', async () => {
  await using world = await deployWorld();
  const from = world.server.log.length;

  const merged = await promote(world.forge, query(), promotionOf(candidate('a')), auto);

  expect(merged).toMatchObject({ outcome: 'created', merged: true });
  expect(world.server.counts(from)).toMatchObject({ total: 6, writes: 5 });
  expect(await world.show(manifest)).toContain(candidate('a').image.digest);
  expect((await decisionOf(world, 'a')).kind).toBe('already-promoted');
  const again = world.server.log.length;
  const second = await promote(world.forge, query(), promotionOf(candidate('a')), auto);
  expect(second).toMatchObject({ outcome: 'already-promoted', pullRequest: null });
  expect(world.server.counts(again)).toMatchObject({ total: 1, writes: 0 });
  const message = await git(world.repository.directory, 'log', '-1', '--format=%B', 'main');
  expect(message).toMatch(/^promote\(flight-delay\/prod\): 2026\.11\.22-a \(#1\)\n\nPromotion-Id: sha256:/);
  expect(await readStatus(world.forge)).toMatchObject({
    verdict: 'pass',
    rows: [{ model: 'flight-delay', environment: 'prod', state: 'recorded', version: '2026.11.22-a' }],
  });
});

it('waits for required checks by auto-merge, and merges at the reviewed head when they pass', async () => {
  await using world = await deployWorld({ autoMerge: true });
  await world.repository.protectBranch('main', { requiredChecks: ['deploy-check'] });
  const from = world.server.log.length;

  const promotion = await promote(world.forge, query(), promotionOf(candidate('a')), auto);

  expect(promotion).toMatchObject({ outcome: 'created', merged: false });
  expect(world.server.counts(from)).toMatchObject({ total: 6, writes: 5 });
  const again = world.server.log.length;
  expect(await promote(world.forge, query(), promotionOf(candidate('a')), auto)).toMatchObject({
    outcome: 'unchanged',
  });
  expect(world.server.counts(again)).toMatchObject({ total: 1 });
  await world.repository.setStatus({ sha: promotion.commit ?? '', context: 'deploy-check', state: 'success' });
  expect(await world.show(manifest)).toContain(candidate('a').image.digest);
});

it('leaves auto-merge on also where GitHub first calls the pull request unstable', async () => {
  await using world = await deployWorld({ autoMerge: true });
  await world.repository.protectBranch('main', { requiredChecks: ['deploy-check'] });
  const errors = [{ type: 'UNPROCESSABLE', message: 'Pull request Pull request is in unstable status' }];
  world.server.inject({ match: { operation: 'enablePullRequestAutoMerge' }, fault: { status: 200, body: { errors } } });

  const promotion = await promote(world.forge, query(), promotionOf(candidate('a')), auto);

  expect(promotion).toMatchObject({ outcome: 'created', merged: false });
  expect(world.repository.pullRequests()[0]?.autoMerge).toMatchObject({ method: expect.any(String) });
});

it('rolls back to the previous record in six calls and one for its merge, holds the model that is left, and keeps it out', async () => {
  await using world = await deployWorld();
  await promote(world.forge, query(), promotionOf(candidate('a')), auto);
  await promote(world.forge, query(), promotionOf(candidate('b')), auto);
  const from = world.server.log.length;
  const request = {
    environment: 'prod',
    to: { kind: 'previous' as const },
    leave: candidate('b').modelDigest,
    reason: 'precision fell',
    by: 'ada',
    at: '2026-11-22T12:00:00Z',
  };
  const options = { ...auto, hasImage: async () => true };

  const back = await rollback(world.forge, query(), request, options);

  expect(world.server.log.slice(from).map(({ operations }) => operations.join())).toEqual([
    'repository',
    'repository',
    'git/create-tree',
    'git/create-commit',
    'updateRefs',
    'createPullRequest',
    'mergePullRequest',
  ]);
  const hold = `.passloop/holds/flight-delay/${candidate('b').modelDigest.replace(':', '-')}.json`;
  expect(back).toMatchObject({
    outcome: 'created',
    change: 'rollback',
    merged: true,
    hold,
    from: { version: '2026.11.22-b' },
    to: { version: '2026.11.22-a' },
  });
  expect(await world.show(manifest)).toContain(candidate('a').image.digest);
  expect(JSON.parse(await world.show(hold))).toMatchObject({ reason: 'precision fell', environment: 'prod' });
  expect(JSON.parse(await world.show(record)).deployment).toMatchObject({ cause: 'rollback' });
  expect(await decisionOf(world, 'b')).toMatchObject({ kind: 'held', hold: { source: 'file' } });
  const again = world.server.log.length;
  expect(await promote(world.forge, query(), promotionOf(candidate('b')), auto)).toMatchObject({ outcome: 'held' });
  expect(await rollback(world.forge, query(), request, options)).toMatchObject({ outcome: 'already-promoted' });
  expect(world.server.counts(again)).toMatchObject({ total: 2, writes: 0 });
});

it('takes a revert in the model repository for a rollback: by key, or by the commits that it undoes', async () => {
  await using world = await deployWorld();
  await promote(world.forge, query(), promotionOf(candidate('a')), auto);
  await promote(world.forge, query(), promotionOf(candidate('b')), auto);

  expect(await decisionOf(world, 'a')).toMatchObject({ kind: 'rollback', to: { record: { version: '2026.11.22-a' } } });
  const by = { environment: 'prod', reason: 'reverted in acme/flights', by: 'ada', at: '2026-11-22T12:00:00Z' };
  const options = { ...review, hasImage: async () => true };
  const commits = [candidate('b').source?.commit ?? ''];
  const byCommit = await rollback(world.forge, query(), { ...by, to: { kind: 'before', commits } }, options);
  const byKey = await rollback(
    world.forge,
    query(),
    { ...by, to: { kind: 'named', name: candidate('a').runKey ?? '' } },
    options,
  );

  expect(byCommit).toMatchObject({ outcome: 'created', to: { version: '2026.11.22-a' } });
  expect(byKey).toMatchObject({ outcome: 'unchanged', promotionId: byCommit.promotionId });
  const other = { ...by, to: { kind: 'before' as const, commits: ['f'.repeat(40)] } };
  expect(await rollback(world.forge, query(), other, options)).toMatchObject({ outcome: 'already-promoted' });
  expect(await promote(world.forge, query(), promotionOf(candidate('c')), review)).toMatchObject({
    outcome: 'blocked',
    reason: expect.stringContaining('A rollback is open'),
  });
});

it('holds what `git revert` by hand took back, with no code of ours having run', async () => {
  await using world = await deployWorld();
  await promote(world.forge, query(), promotionOf(candidate('a')), auto);
  await promote(world.forge, query(), promotionOf(candidate('b')), auto);
  const before = await world.show(record, 'main~1');
  await pull(world.clone);
  await git(world.clone, 'revert', '--no-edit', 'HEAD');
  await git(world.clone, 'push', '--quiet', 'origin', 'main');

  expect(await world.show(record)).toBe(before);
  expect(await world.show(manifest)).toContain(candidate('a').image.digest);
  expect(await decisionOf(world, 'b')).toMatchObject({ kind: 'held', hold: { source: 'history', by: 'Ada' } });
  expect(await promote(world.forge, query(), promotionOf(candidate('b')), auto)).toMatchObject({ outcome: 'held' });
  // The same training again, under another digest, is the same run.
  const retrained = candidate('b', { modelDigest: candidate('x').modelDigest, image: candidate('x').image });
  expect(await promote(world.forge, query(), promotionOf(retrained), auto)).toMatchObject({ outcome: 'held' });
  expect(await readStatus(world.forge)).toMatchObject({
    verdict: 'pass',
    rows: [{ version: '2026.11.22-a' }],
    holds: [{ modelDigest: candidate('b').modelDigest, source: 'history', environment: 'prod' }],
  });

  // The next promotion writes it down: later ones needn't read as far back.
  expect(await promote(world.forge, query(), promotionOf(candidate('c')), auto)).toMatchObject({ merged: true });
  const hold = `.passloop/holds/flight-delay/${candidate('b').modelDigest.replace(':', '-')}.json`;
  expect(JSON.parse(await world.show(hold))).toMatchObject({ modelDigest: candidate('b').modelDigest });
});

it('refuses to guess where a manifest was changed by hand, and adopts what runs', async () => {
  await using world = await deployWorld();
  await promote(world.forge, query(), promotionOf(candidate('a')), auto);
  await pull(world.clone);
  const text = await world.show(manifest);
  const other = candidate('hand').image.digest;
  await pushFiles(world.clone, { [manifest]: text.replace(candidate('a').image.digest, other) }, 'By hand');

  expect(await decisionOf(world, 'b')).toMatchObject({ kind: 'blocked', reason: expect.stringContaining('drifted') });
  expect(await promote(world.forge, query(), promotionOf(candidate('b')), auto)).toMatchObject({ outcome: 'blocked' });
  expect(await readStatus(world.forge)).toMatchObject({
    verdict: 'fail',
    rows: [{ state: 'drifted', drift: [{ found: other }] }],
  });
  const adopted = await adopt(
    world.forge,
    query(),
    {
      environment: 'prod',
      modelDigest: candidate('hand').modelDigest,
      version: 'by-hand',
      repository: image,
      imageDigest: null,
      known: {},
      at: '2026-11-22T13:00:00Z',
    },
    auto,
  );
  expect(adopted).toMatchObject({ outcome: 'created', merged: true });
  expect(await world.show(manifest)).toBe(text.replace(candidate('a').image.digest, other));
  expect(await readStatus(world.forge)).toMatchObject({
    verdict: 'pass',
    rows: [{ state: 'recorded', cause: 'adopt' }],
  });
  expect(await promote(world.forge, query(), promotionOf(candidate('b')), auto)).toMatchObject({ outcome: 'created' });
});
