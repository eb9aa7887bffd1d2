import { sha256 } from '@passloop/core';
import { formatDocument, type RecordDocument } from '@passloop/documents';
import { adopt, hold, promote, readDeployState, readStatus, rollback } from '@passloop/gitops';
import { deployRecord } from '@passloop/record';
import { expect, it } from 'vitest';
import {
  candidate,
  type DeployWorld,
  deployWorld,
  git,
  gitWithInput,
  image,
  manifest,
  noWait,
  promotionOf,
  pull,
  query,
} from './testing/deploy-world.ts';

const auto = { merge: 'auto' as const, ports: noWait };
const record = '.passloop/prod/flight-delay.json';

/** Commits on main, each of which writes those files; made by `git fast-import`, a thousand in a moment. */
async function commits(world: DeployWorld, contents: readonly Record<string, string>[]): Promise<void> {
  const parts = contents.map((files, index) => {
    const data = (text: string) => `data ${Buffer.byteLength(text)}\n${text}\n`;
    const time = Math.floor(Date.UTC(2027, 0, 1) / 1000) + index;
    const from = index === 0 ? 'from refs/heads/main^0\n' : '';
    const changes = Object.entries(files).map(([path, text]) => `M 100644 inline ${path}\n${data(text)}`);
    return `commit refs/heads/main\ncommitter Ada <ada@example.com> ${time} +0000\n${data(`Change ${index}`)}${from}${changes.join('')}\n`;
  });
  await pull(world.clone);
  await git(world.clone, 'checkout', '--quiet', '--detach');
  await gitWithInput(world.clone, parts.join(''), 'fast-import', '--quiet', '--force');
  await git(world.clone, 'push', '--quiet', 'origin', 'main');
}

async function revertByHand(world: DeployWorld): Promise<void> {
  await pull(world.clone);
  await git(world.clone, 'revert', '--no-edit', 'HEAD');
  await git(world.clone, 'push', '--quiet', 'origin', 'main');
}

it('never lets a model in whose hold lies beyond what is read: a thousand changes by hand', async () => {
  await using world = await deployWorld();
  await promote(world.forge, query(), promotionOf(candidate('a')), auto);
  await promote(world.forge, query(), promotionOf(candidate('b')), auto);
  await revertByHand(world);
  const text = await world.show(record);
  await commits(
    world,
    Array.from({ length: 1000 }, (_, index) => ({ [record]: `${text}${' '.repeat(index % 7)}\n` })),
  );

  const from = world.server.log.length;
  const refused = await promote(world.forge, query(), promotionOf(candidate('b')), auto);

  expect(refused).toMatchObject({ outcome: 'blocked', reason: expect.stringMatching(/last 50 changes .* by hand/) });
  expect(world.server.counts(from)).toMatchObject({ total: 1, writes: 0 });
  expect(await readStatus(world.forge)).toMatchObject({ verdict: 'fail', rows: [{ state: 'invalid-record' }] });
  // The way out that the message names.
  const by = { reason: 'reverted long ago', by: 'ada', at: '2027-02-01T00:00:00Z' };
  const held = { ...by, action: 'hold' as const, modelDigest: candidate('b').modelDigest, environment: null };
  expect(await hold(world.forge, query(), held, auto)).toMatchObject({ merged: true });
  const running = {
    environment: 'prod',
    modelDigest: candidate('a').modelDigest,
    version: 'a',
    repository: image,
    imageDigest: null,
    known: {},
    at: '2027-02-01T00:00:00Z',
  };
  expect(await adopt(world.forge, query(), running, auto)).toMatchObject({ outcome: 'created', merged: true });
  expect(await promote(world.forge, query(), promotionOf(candidate('b')), auto)).toMatchObject({ outcome: 'held' });
  expect(await promote(world.forge, query(), promotionOf(candidate('c')), auto)).toMatchObject({ merged: true });
});

it('keeps a thousand promotions at one call, and the run of a held model out beyond what is read', async () => {
  await using world = await deployWorld();
  await promote(world.forge, query(), promotionOf(candidate('a')), auto);
  await promote(world.forge, query(), promotionOf(candidate('b')), auto);
  const request = { environment: 'prod', reason: 'bad', by: 'ada', at: '2026-11-22T12:00:00Z' };
  const back = { ...request, to: { kind: 'previous' as const } };
  await rollback(world.forge, query(), back, { ...auto, hasImage: async () => true });
  let text = await world.show(record);
  const kustomization = await world.show(manifest);
  const promotions: Record<string, string>[] = [];
  for (let index = 0; index < 1000; index += 1) {
    const from = candidate(`later-${index}`);
    const targets = [{ kind: 'kustomize', file: manifest, address: image, value: from.image.digest }];
    const at = new Date(Date.UTC(2027, 0, 1) + index * 1000).toISOString().replace('.000', '');
    const previous = { record: JSON.parse(text) as RecordDocument, digest: sha256(text) };
    text = formatDocument(
      'record',
      deployRecord(from, { environment: 'prod', cause: 'promotion', targets, at }, previous),
    );
    promotions.push({
      [record]: text,
      [manifest]: kustomization.replace(candidate('a').image.digest, from.image.digest),
    });
  }
  await commits(world, promotions);

  const from = world.server.log.length;
  const running = await promote(world.forge, query(), promotionOf(candidate('later-999')), auto);
  expect(running).toMatchObject({ outcome: 'already-promoted' });
  expect(world.server.counts(from)).toMatchObject({ total: 1, writes: 0 });
  // Trained again from the same key, with another digest.
  const again = candidate('other', { runKey: candidate('b').runKey });
  expect(await promote(world.forge, query(), promotionOf(again), auto)).toMatchObject({ outcome: 'held' });
  expect(await promote(world.forge, query(), promotionOf(candidate('new')), auto)).toMatchObject({ merged: true });
});

it('derives the hold of a record that is too long for one answer', async () => {
  await using world = await deployWorld();
  const code = Array.from({ length: 5000 }, (_, index) => ({
    path: `src/module_${index}.py`,
    digest: sha256(`${index}`),
  }));
  for (const name of ['a', 'b']) {
    await promote(world.forge, query(), promotionOf(candidate(name, { code })), auto);
  }
  expect((await world.show(record)).length).toBeGreaterThan(512_000);
  await revertByHand(world);

  const state = await readDeployState(world.forge, query());
  expect(state.environments[0]?.holds).toMatchObject([
    { source: 'history', modelDigest: candidate('b').modelDigest, runKey: candidate('b').runKey },
  ]);
  expect(await promote(world.forge, query(), promotionOf(candidate('b', { code })), auto)).toMatchObject({
    outcome: 'held',
  });
});

it.each([
  ['a record of a newer version', (text: string) => text.replace('record/v1', 'record/v2'), /v2/],
  ['a record that is no JSON', () => '{', /not JSON/],
  [
    'a record of a model that takes another one over',
    (text: string) => text.replaceAll('acme/flights', 'evil/flights'),
    /verify/,
  ],
  [
    'a record whose reference is another image',
    (text: string) => text.replace(/@sha256:[0-9a-f]{64}/, `@${sha256('x')}`),
    /reference/,
  ],
])('promotes nothing over %s, and nothing where that was reverted by hand unless it is no record', async (_, change, reason) => {
  await using world = await deployWorld();
  await promote(world.forge, query(), promotionOf(candidate('a')), auto);
  const text = await world.show(record);
  await commits(world, [{ [record]: change(text) }]);

  const refused = await promote(world.forge, query(), promotionOf(candidate('b')), auto);
  expect(refused).toMatchObject({ outcome: 'blocked', reason: expect.stringMatching(reason) });
  const back = {
    environment: 'prod',
    to: { kind: 'previous' as const },
    reason: 'bad',
    by: 'ada',
    at: '2026-11-22T12:00:00Z',
  };
  const rolled = await rollback(world.forge, query(), back, { ...auto, hasImage: async () => true });
  expect(rolled).toMatchObject({ outcome: 'blocked' });
  expect(await readStatus(world.forge)).toMatchObject({ verdict: 'fail', rows: [{ state: 'invalid-record' }] });

  await commits(world, [{ [record]: text }]);
  const isNewer = /v2/.test(reason.source);
  expect(await promote(world.forge, query(), promotionOf(candidate('b')), auto)).toMatchObject({
    outcome: isNewer ? 'blocked' : 'created',
  });
});
