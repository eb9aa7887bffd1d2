import { spawn } from 'node:child_process';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type TemporaryFolder, temporaryFolder } from '@passloop/core';
import { parseDocument, type RecordDocument, type RollbackDocument } from '@passloop/documents';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { World } from '../../../test/world/world.ts';
import { command, deploy, deployedWorld, manifestFile, recordFile } from './testing/deployed-world.ts';

/** `passloop rollback` as people send it: twice, and with its process killed after each call to GitHub. */
let folder: TemporaryFolder;
let worlds = 0;

beforeAll(async () => {
  folder = await temporaryFolder('rollback');
});
afterAll(() => folder[Symbol.asyncDispose]());

async function rollbackWorld(): Promise<World> {
  worlds += 1;
  const world = await deployedWorld(path.join(folder.path, `world-${worlds}`));
  for (const version of ['first', 'second', 'third']) await deploy(world, version);
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

it('plans what it would do, and says that an image is gone before anybody relies on it', async () => {
  await using world = await rollbackWorld();
  const plan = async (to: string) => {
    const answer = await world.passloop(['rollback', '--to', to, '--plan', '--json', '-']);
    return { exitCode: answer.exitCode, document: parseDocument('rollback', answer.stdout, 'rollback.json') };
  };
  const pulls = world.deploy.pullRequests().length;

  const planned = await plan('first');
  expect(planned).toMatchObject({ exitCode: 0, document: { outcome: 'unchanged', to: { version: 'first' } } });
  expect(planned.document.edits.map(({ file }) => file)).toContain(manifestFile);

  const digest = planned.document.to?.imageDigest ?? '';
  const blobs = path.join(world.registry?.storage ?? '', 'docker/registry/v2/blobs/sha256');
  await rm(path.join(blobs, digest.slice(7, 9), digest.slice(7)), { recursive: true });
  expect(await plan('first')).toMatchObject({
    exitCode: 1,
    document: { outcome: 'blocked', reason: expect.stringContaining('gone from its registry') },
  });
  expect(world.deploy.pullRequests()).toHaveLength(pulls);
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
    const manifest = await world.git(world.deploy.directory, 'show', `main:${manifestFile}`);
    expect(manifest).toContain(record.image.digest);
    expect(world.deploy.pullRequests().length, `call ${nth}`).toBe(pulls + 1);
  }
});
