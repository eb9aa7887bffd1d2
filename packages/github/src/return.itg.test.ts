import {
  adopt,
  type DeployState,
  hold,
  promote,
  readDeployState,
  readStatus,
  returnsIn,
  rollback,
} from '@passloop/gitops';
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

const auto = { merge: 'auto' as const, ports: noWait };
const returning = { ...auto, hasImage: async () => true };
const by = { environment: 'prod', reason: 'it is bad', by: 'ada', at: '2026-11-22T12:00:00Z' };
const previous = { ...by, to: { kind: 'previous' as const } };
type World = Awaited<ReturnType<typeof deployWorld>>;

async function inProduction(...names: string[]): Promise<World> {
  const world = await deployWorld();
  for (const name of names) await promote(world.forge, query(), promotionOf(candidate(name)), auto);
  return world;
}

function holdsOf(state: DeployState): string[] {
  return (state.environments[0]?.holds ?? []).map(({ modelDigest }) => modelDigest);
}

it('goes back once, however often the same command is sent', async () => {
  await using world = await inProduction('a', 'b', 'c');

  const first = await rollback(world.forge, query(), previous, returning);
  const from = world.server.log.length;
  const second = await rollback(world.forge, query(), previous, returning);

  expect(first).toMatchObject({ outcome: 'created', merged: true, to: { version: candidate('b').version } });
  expect(second).toMatchObject({
    outcome: 'already-promoted',
    reason: `prod went back to ${candidate('b').version} already. To go further back, name the record: --to ${candidate('a').version}`,
  });
  expect(world.server.counts(from)).toMatchObject({ total: 1, writes: 0 });
  expect(await world.show(manifest)).toContain(candidate('b').image.digest);

  // Further back is asked for by name, and then once more changes nothing either.
  const named = { ...by, to: { kind: 'named' as const, name: candidate('a').version } };
  expect(await rollback(world.forge, query(), named, returning)).toMatchObject({ outcome: 'created', merged: true });
  expect(await rollback(world.forge, query(), named, returning)).toMatchObject({ outcome: 'already-promoted' });
  expect(await world.show(manifest)).toContain(candidate('a').image.digest);
});

it('goes back no further after somebody reverted by hand', async () => {
  await using world = await inProduction('a', 'b', 'c');
  await pull(world.clone);
  await git(world.clone, 'revert', '--no-edit', 'HEAD');
  await git(world.clone, 'push', '--quiet', 'origin', 'main');

  expect(await rollback(world.forge, query(), previous, returning)).toMatchObject({ outcome: 'already-promoted' });
  expect(await world.show(manifest)).toContain(candidate('b').image.digest);
});

it('goes back once where four people roll back at the same time', async () => {
  await using world = await inProduction('a', 'b', 'c');
  const ports = {
    ...noWait,
    attempts: 40,
    sleep: (ms: number) => new Promise<void>((done) => setTimeout(done, ms / 10)),
  };

  const results = await Promise.all(
    ['ada', 'bo', 'cy', 'di'].map((person) =>
      rollback(world.forgeWith({}), query(), { ...previous, by: person }, { ...returning, ports }),
    ),
  );

  expect(await world.show(manifest)).toContain(candidate('b').image.digest);
  for (const { outcome, merged } of results) {
    expect(merged || outcome === 'already-promoted', outcome).toBe(true);
  }
  const merges = world.repository.pullRequests().filter(({ mergedAt }) => mergedAt !== null);
  expect(merges).toHaveLength(4);
});

it('promotes what was lifted like any candidate, holds nothing for it, and takes an honest revert afterwards', async () => {
  await using world = await inProduction('a', 'b');
  await rollback(world.forge, query(), previous, returning);
  expect(await promote(world.forge, query(), promotionOf(candidate('b')), auto)).toMatchObject({ outcome: 'held' });
  const request = { ...by, environment: null, modelDigest: candidate('b').modelDigest, reason: 'it was the data' };
  expect(await hold(world.forge, query(), { ...request, action: 'lift' }, auto)).toMatchObject({ merged: true });

  const again = await promote(world.forge, query(), promotionOf(candidate('b')), auto);

  expect(again).toMatchObject({ outcome: 'created', merged: true, change: 'compared' });
  expect(holdsOf(await readDeployState(world.forge, query()))).toEqual([]);
  // What a revert in the model repository gives: the key of `a`, which ran before and was never refused.
  const back = { ...by, to: { kind: 'named' as const, name: candidate('a').runKey ?? '' } };
  expect(await rollback(world.forge, query(), back, returning)).toMatchObject({ outcome: 'created', merged: true });
  expect(await world.show(manifest)).toContain(candidate('a').image.digest);
  expect(holdsOf(await readDeployState(world.forge, query()))).toEqual([candidate('b').modelDigest]);
});

it('does not bring back what somebody replaced by hand and adopted', async () => {
  await using world = await inProduction('a', 'b');
  await pull(world.clone);
  const text = await world.show(manifest);
  const set = (name: string) => text.replace(candidate('b').image.digest, candidate(name).image.digest);
  const adoptIt = (name: string) =>
    adopt(
      world.forge,
      query(),
      {
        environment: 'prod',
        modelDigest: candidate(name).modelDigest,
        version: `adopted-${name}`,
        repository: image,
        imageDigest: null,
        known: {},
        at: '2026-11-22T12:00:00Z',
      },
      auto,
    );
  await pushFiles(world.clone, { [manifest]: set('a') }, 'Back to a by hand');
  expect(await adoptIt('a')).toMatchObject({ outcome: 'created', merged: true });

  expect(await promote(world.forge, query(), promotionOf(candidate('b')), auto)).toMatchObject({ outcome: 'held' });
  expect(await rollback(world.forge, query(), previous, returning)).toMatchObject({ outcome: 'already-promoted' });

  await pull(world.clone);
  await pushFiles(world.clone, { [manifest]: set('new') }, 'A hot fix by hand');
  expect(await adoptIt('new')).toMatchObject({ outcome: 'created', merged: true });
  const state = await readDeployState(world.forge, query());
  // `a` was replaced by the hot fix: it isn't held, and nothing returns to it by itself.
  expect(new Set(holdsOf(state))).toEqual(new Set([candidate('b').modelDigest]));
  // The hold is a file by now, and told by history too: a status says it once.
  expect((await readStatus(world.forge)).holds.map(({ source }) => source)).toEqual(['file']);
  expect(state.environments[0] && returnsIn(state.environments[0])).toEqual([]);
});
