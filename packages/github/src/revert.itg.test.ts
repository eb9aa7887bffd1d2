import { type DeployState, promote, readDeployState, rollback } from '@passloop/gitops';
import { expect, it } from 'vitest';
import { candidate, deployWorld, git, manifest, noWait, promotionOf, pull, query } from './testing/deploy-world.ts';

const auto = { merge: 'auto' as const, ports: noWait };
const setting = { squash: 'allowSquashMerge', rebase: 'allowRebaseMerge', merge: 'allowMergeCommit' } as const;
type Method = keyof typeof setting;

function holdsOf(state: DeployState) {
  return state.environments[0]?.holds.map(({ modelDigest, source }) => [modelDigest, source]);
}

it.each([
  'squash',
  'rebase',
  'merge',
] as Method[])('holds after a revert by pull request where the repository allows %s only, and a required check lets all of them through', async (method) => {
  const disallowed = Object.entries(setting).filter(([name]) => name !== method);
  await using world = await deployWorld({ settings: Object.fromEntries(disallowed.map(([, name]) => [name, false])) });
  await world.repository.protectBranch('main', { requiredChecks: ['deploy-check'] });
  const land = async (commit: string | null) => {
    await world.repository.setStatus({ sha: commit ?? '', context: 'deploy-check', state: 'success' });
  };
  for (const name of ['a', 'b']) {
    const waiting = await promote(world.forge, query(), promotionOf(candidate(name)), auto);
    expect(waiting).toMatchObject({ outcome: 'created', merged: false });
    await land(waiting.commit);
    const merged = await promote(world.forge, query(), promotionOf(candidate(name)), auto);
    expect(merged).toMatchObject({ outcome: 'unchanged', merged: true });
  }
  expect(await world.show(manifest)).toContain(candidate('b').image.digest);

  // As GitHub's Revert button does: a branch with the revert, a pull request, a merge.
  await pull(world.clone);
  await git(world.clone, 'checkout', '--quiet', '-b', 'revert-2');
  const mainline = method === 'merge' ? ['-m', '1'] : [];
  await git(world.clone, 'revert', '--no-edit', ...mainline, 'HEAD');
  await git(world.clone, 'push', '--quiet', 'origin', 'revert-2');
  const head = (await git(world.clone, 'rev-parse', 'HEAD')).trim();
  await land(head);
  const opened = await world.forge.openPullRequest({ title: 'Revert', body: '', head: 'revert-2', base: 'main' });
  await world.forge.merge(opened, { head, method, headline: 'Revert', body: '' });

  expect(await world.show(manifest)).toContain(candidate('a').image.digest);
  const state = await readDeployState(world.forge, query());
  expect(state.environments[0]).toMatchObject({
    production: { record: { version: candidate('a').version } },
    drift: [],
  });
  expect(holdsOf(state)).toEqual([[candidate('b').modelDigest, 'history']]);
  expect(await promote(world.forge, query(), promotionOf(candidate('b')), auto)).toMatchObject({ outcome: 'held' });

  // Forward again, and back by our own rollback through the same check.
  const next = await promote(world.forge, query(), promotionOf(candidate('c')), auto);
  await land(next.commit);
  const request = {
    environment: 'prod',
    to: { kind: 'previous' as const },
    reason: 'it is bad',
    by: 'ada',
    at: '2026-11-22T12:00:00Z',
  };
  if (!next.merged) await promote(world.forge, query(), promotionOf(candidate('c')), auto);
  const back = await rollback(world.forge, query(), request, { ...auto, hasImage: async () => true });
  await land(back.commit);
  await rollback(
    world.forge,
    query(),
    { ...request, leave: candidate('c').version },
    { ...auto, hasImage: async () => true },
  );
  expect(await world.show(manifest)).toContain(candidate('a').image.digest);
  const after = await readDeployState(world.forge, query());
  expect(after.environments[0]?.production?.record.deployment.cause).toBe('rollback');
  expect(new Set(holdsOf(after)?.map(([digest]) => digest))).toEqual(
    new Set([candidate('b').modelDigest, candidate('c').modelDigest]),
  );
});

it('brings nothing back whose image is gone, and nothing that never ran there', async () => {
  await using world = await deployWorld();
  await promote(world.forge, query(), promotionOf(candidate('a')), auto);
  const request = { environment: 'prod', reason: 'bad', by: 'ada', at: '2026-11-22T12:00:00Z' };
  const options = { ...auto, hasImage: async () => false };
  const previous = { ...request, to: { kind: 'previous' as const } };

  expect(await rollback(world.forge, query(), previous, options)).toMatchObject({
    outcome: 'blocked',
    reason: expect.stringContaining('no earlier record'),
  });
  await promote(world.forge, query(), promotionOf(candidate('b')), auto);
  expect(await rollback(world.forge, query(), previous, options)).toMatchObject({
    outcome: 'blocked',
    reason: expect.stringContaining(`gone from its registry: ${candidate('a').image.reference}`),
  });
  const unknown = { ...request, to: { kind: 'named' as const, name: 'v9' } };
  await expect(rollback(world.forge, query(), unknown, options)).rejects.toMatchObject({
    code: 'configuration',
    hint: expect.stringContaining(candidate('a').version),
  });
  expect(world.repository.pullRequests().filter(({ state }) => state === 'open')).toEqual([]);
});
