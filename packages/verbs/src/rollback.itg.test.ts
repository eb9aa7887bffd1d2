import { spawn } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { sha256, type TemporaryFolder, temporaryFolder } from '@passloop/core';
import { parseDocument, type RecordDocument, type RollbackDocument } from '@passloop/documents';
import { octokitForge } from '@passloop/github';
import { promote } from '@passloop/gitops';
import { type CandidateRecord, openRegistry } from '@passloop/record';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createWorld, type World } from '../../../test/world/world.ts';

/** `passloop rollback` as people send it: twice, and with its process killed after each call to GitHub. */
const command = path.resolve(import.meta.dirname, '../../cli/src/main.ts');
const manifestType = 'application/vnd.oci.image.manifest.v1+json';
const ports = { sleep: async () => {}, random: () => 0.5 };
const recordFile = '.passloop/prod/flight-delay.json';
let folder: TemporaryFolder;
let worlds = 0;

beforeAll(async () => {
  folder = await temporaryFolder('rollback');
});
afterAll(() => folder[Symbol.asyncDispose]());

/** A team whose prod merges rollbacks by itself and ran `first`, `second` and `third`, whose images are in a real registry. */
async function rollbackWorld(): Promise<World> {
  worlds += 1;
  const world = await createWorld({ folder: path.join(folder.path, `world-${worlds}`), command });
  const file = path.join(world.flightsClone, 'passloop.yaml');
  const text = await readFile(file, 'utf8');
  await writeFile(file, text.replace('merge: review', 'merge: review\n          rollback: {merge: auto}'));
  await world.git(world.flightsClone, 'commit', '-qam', 'Merge rollbacks');
  const registry = openRegistry({ repository: world.image, credentials: null });
  await registry.pushBlob(sha256('{}'), { text: '{}' });
  const forge = octokitForge({
    repository: 'acme/deploy',
    token: world.tokens.deploy,
    baseUrl: world.github.restUrl,
    sleep: async () => {},
  });
  const target = { kind: 'kustomize' as const, file: 'apps/flight-delay/prod/kustomization.yaml', image: world.image };
  const query = {
    model: 'flight-delay',
    identity: 'acme/flights#flight-delay',
    environments: [{ name: 'prod', targets: [target] }],
    branch: null,
  };
  for (const version of ['first', 'second', 'third']) {
    const config = { mediaType: 'application/vnd.oci.image.config.v1+json', digest: sha256('{}'), size: 2 };
    const annotations = { version };
    const manifest = JSON.stringify({ schemaVersion: 2, mediaType: manifestType, config, layers: [], annotations });
    const digest = sha256(manifest);
    await registry.pushManifest(digest, manifestType, manifest);
    const candidate: CandidateRecord = {
      schema: 'passloop/record/v1',
      identity: query.identity,
      model: query.model,
      version,
      modelDigest: sha256(`model ${version}`),
      image: { reference: `${world.image}@${digest}`, digest, imageKey: null, bytes: null },
      runKey: null,
      source: null,
      data: [],
      params: [],
      seeds: [],
      environment: null,
      code: [],
      metrics: [],
      evaluation: null,
      predictionsDigest: null,
      gates: [],
      overrides: [],
      comparedWith: null,
      reproduction: null,
      trust: 'writers',
    };
    const evidence = { comparison: null, changes: [], facts: [], previousImage: null };
    const request = { environment: 'prod', candidate, evidence, at: '2026-11-22T10:10:00Z' };
    expect(await promote(forge, query, request, { merge: 'auto', ports })).toMatchObject({ merged: true });
  }
  return world;
}

async function rollback(world: World, exitCode = 0): Promise<RollbackDocument> {
  const answer = await world.passloop(['rollback', '--reason', 'precision fell', '--json', '-']);
  expect(answer.exitCode, answer.stdout + answer.stderr).toBe(exitCode);
  return parseDocument('rollback', answer.stdout, 'rollback.json');
}

async function production(world: World): Promise<RecordDocument> {
  return parseDocument('record', await world.git(world.deploy.directory, 'show', `main:${recordFile}`), recordFile);
}

it('goes back once though the command is sent twice', async () => {
  await using world = await rollbackWorld();

  expect(await rollback(world)).toMatchObject({ outcome: 'created', merged: true, to: { version: 'second' } });
  const from = world.github.log.length;
  expect(await rollback(world)).toMatchObject({
    outcome: 'already-promoted',
    reason: expect.stringContaining('--to first'),
  });

  expect(world.github.counts(from)).toMatchObject({ total: 1, writes: 0 });
  expect((await production(world)).version).toBe('second');
});

it('comes to one result where its process is killed after any of its calls and the command is sent again', async () => {
  for (let nth = 1; nth <= 6; nth += 1) {
    await using world = await rollbackWorld();
    const pulls = world.deploy.pullRequests().length;
    // The work is done, the answer never comes: what a process knows that dies right after its call.
    const fault = world.github.inject({ match: { nth }, fault: 'timeout-after' });
    const child = spawn(process.execPath, [command, 'rollback', '--reason', 'precision fell', '--quiet'], {
      cwd: world.flightsClone,
      env: { ...process.env, GITHUB_API_URL: world.github.restUrl, PASSLOOP_DEPLOY_TOKEN: world.tokens.deploy },
      stdio: 'ignore',
    });
    const ended = new Promise((resolve) => child.once('exit', resolve));
    while (fault.fired === 0 && child.exitCode === null) await sleep(20);
    child.kill('SIGKILL');
    await ended;
    expect(fault.fired, `call ${nth}`).toBe(1);
    fault.remove();

    expect(['created', 'unchanged', 'already-promoted']).toContain((await rollback(world)).outcome);
    expect(await rollback(world)).toMatchObject({ outcome: 'already-promoted' });

    const record = await production(world);
    expect(record).toMatchObject({ version: 'second', deployment: { cause: 'rollback' } });
    const manifest = await world.git(world.deploy.directory, 'show', 'main:apps/flight-delay/prod/kustomization.yaml');
    expect(manifest).toContain(record.image.digest);
    expect(world.deploy.pullRequests().length, `call ${nth}`).toBe(pulls + 1);
  }
});
