import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type TemporaryFolder, temporaryFolder } from '@passloop/core';
import { parseDocument, type RecordDocument, type RollbackDocument } from '@passloop/documents';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { World } from '../../../test/world/world.ts';
import { deploy, deployedWorld, recordFile } from './testing/deployed-world.ts';

/** `passloop rollback --abort`: what Flagger or Argo Rollouts gave up in the cluster goes back in Git, and only that. */
let folder: TemporaryFolder;
let worlds = 0;

beforeAll(async () => {
  folder = await temporaryFolder('abort');
});
afterAll(() => folder[Symbol.asyncDispose]());

async function world(): Promise<World> {
  worlds += 1;
  return deployedWorld(path.join(folder.path, `world-${worlds}`));
}

async function abort(world: World, event: unknown, exitCode: number, ...more: string[]): Promise<RollbackDocument> {
  const file = path.join(world.folder, 'event.json');
  await writeFile(file, typeof event === 'string' ? event : JSON.stringify(event));
  const answer = await world.passloop(['rollback', '--abort', file, '--json', '-', ...more]);
  expect(answer.exitCode, answer.stdout + answer.stderr).toBe(exitCode);
  return parseDocument('rollback', answer.stdout, 'rollback.json');
}

async function production(world: World): Promise<RecordDocument> {
  return parseDocument('record', await world.git(world.deploy.directory, 'show', `main:${recordFile}`), recordFile);
}

function rollout(image: string) {
  return {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Rollout',
    metadata: { name: 'flight-delay', namespace: 'flight-delay' },
    spec: { template: { spec: { containers: [{ name: 'model', image }] } } },
    status: { abort: true, abortedAt: new Date().toISOString(), message: 'metric "errors" failed\n::error::x' },
  };
}

function flagger(at: Date, overrides: object = {}) {
  return {
    name: 'flight-delay',
    namespace: 'flight-delay',
    phase: 'Failed',
    metadata: { eventMessage: 'Canary failed! Scaling down', timestamp: String(at.getTime()) },
    ...overrides,
  };
}

it('goes back from the image that a Rollout gave up, once, and holds it', async () => {
  await using here = await world();
  const first = await deploy(here, 'first');
  const second = await deploy(here, 'second');
  const event = rollout(`${here.image}@${second.image.digest}`);

  const planned = await abort(here, event, 0, '--plan');
  expect(planned).toMatchObject({ outcome: 'unchanged', to: { version: 'first' } });
  expect((await production(here)).version).toBe('second');

  const done = await abort(here, event, 0);
  expect(done).toMatchObject({
    outcome: 'created',
    merged: true,
    from: { version: 'second' },
    to: { version: 'first' },
  });
  expect((await production(here)).modelDigest).toBe(first.modelDigest);
  const hold = JSON.parse(await here.git(here.deploy.directory, 'show', `main:${done.hold ?? ''}`));
  expect(hold).toMatchObject({
    modelDigest: second.modelDigest,
    reason: 'Argo Rollouts gave up flight-delay/flight-delay: metric "errors" failed ::error::x',
  });

  const from = here.github.log.length;
  const again = await abort(here, event, 0);
  expect(again).toMatchObject({
    outcome: 'already-promoted',
    reason: expect.stringMatching(/in production no more: prod runs first/),
  });
  expect(here.github.counts(from)).toMatchObject({ writes: 0 });
}, 60_000);

it('leaves closed what people closed, however often the event comes; a person may still go back', async () => {
  await using here = await world();
  await deploy(here, 'first');
  const second = await deploy(here, 'second');
  const modelFile = path.join(here.flightsClone, 'passloop.yaml');
  await writeFile(modelFile, (await readFile(modelFile, 'utf8')).replace('merge: auto', 'merge: review'));
  await here.git(here.flightsClone, 'commit', '-qam', 'Look at each promotion');
  const event = rollout(`${here.image}@${second.image.digest}`);
  const { pullRequest } = await abort(here, event, 0);
  const closed = await fetch(`${here.github.restUrl}/repos/acme/deploy/pulls/${pullRequest?.number}`, {
    method: 'PATCH',
    headers: { authorization: `Bearer ${here.tokens.team}` },
    body: JSON.stringify({ state: 'closed' }),
  });
  expect(closed.status).toBe(200);
  const from = here.github.log.length;

  expect(await abort(here, event, 1)).toMatchObject({ outcome: 'blocked', reason: expect.stringMatching(/closed/) });
  expect(here.github.counts(from)).toMatchObject({ writes: 0 });
  const byHand = await here.passloop(['rollback', '--reason', 'it is bad', '--json', '-']);
  expect(parseDocument('rollback', byHand.stdout, 'rollback.json')).toMatchObject({ outcome: 'created' });
}, 60_000);

it('never goes back for an image that is not production', async () => {
  await using here = await world();
  const first = await deploy(here, 'first');
  await deploy(here, 'second');
  const from = here.github.log.length;

  const other = await abort(here, rollout(`${here.image}@${first.image.digest}`), 0);
  expect(other).toMatchObject({ outcome: 'already-promoted', environment: 'prod' });
  const unknown = await abort(here, rollout(`${here.image}@sha256:${'7'.repeat(64)}`), 0);
  expect(unknown).toMatchObject({ outcome: 'already-promoted' });

  expect(here.github.counts(from)).toMatchObject({ writes: 0 });
  expect((await production(here)).version).toBe('second');
}, 60_000);

it("takes Flagger's word by its time, and by the namespace and name that the manifests have", async () => {
  await using here = await world();
  await deploy(here, 'first');
  await deploy(here, 'second');
  const landed = new Date(await here.git(here.deploy.directory, 'log', '-1', '--format=%cI', 'main'));
  const later = new Date(landed.getTime() + 60_000);
  const from = here.github.log.length;

  const early = await abort(here, flagger(new Date(landed.getTime() - 1000)), 0);
  expect(early).toMatchObject({ outcome: 'already-promoted', reason: expect.stringMatching(/before second landed/) });
  expect(await abort(here, flagger(later, { phase: 'Progressing' }), 0)).toMatchObject({
    outcome: 'unchanged',
    reason: 'Nothing was given up: Flagger says Progressing of flight-delay/flight-delay.',
  });
  expect(await abort(here, flagger(later, { namespace: 'elsewhere' }), 1)).toMatchObject({
    outcome: 'blocked',
    reason: expect.stringMatching(
      /^No record's manifests make elsewhere\/flight-delay \(records: flight-delay in prod\)/,
    ),
  });
  expect(await abort(here, flagger(later, { metadata: {} }), 1)).toMatchObject({
    outcome: 'blocked',
    reason: expect.stringMatching(/no image by its digest and no time/),
  });
  expect(here.github.counts(from)).toMatchObject({ writes: 0 });

  expect(await abort(here, { action: 'passloop-abort', client_payload: flagger(later) }, 0)).toMatchObject({
    outcome: 'created',
    to: { version: 'first' },
  });
}, 60_000);

it('leaves alone what belongs to another repository, and names a file that is none', async () => {
  await using here = await world();
  const { image } = await deploy(here, 'first', { identity: 'other/flights#flight-delay' });
  expect(await abort(here, rollout(`${here.image}@${image.digest}`), 1)).toMatchObject({
    outcome: 'blocked',
    reason: expect.stringMatching(/this repository has no record here/),
  });
  const missing = await here.passloop(['rollback', '--abort', 'none.json']);
  expect(missing.exitCode).toBe(2);
  expect(missing.stderr).toMatch(/There is no file none\.json/);
}, 60_000);
