import { readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { sha256, silentProgress, type TemporaryFolder, temporaryFolder } from '@passloop/core';
import { formatDocument, parseDocument } from '@passloop/documents';
import { deployRecord } from '@passloop/record';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { createWorld, type World } from '../../../test/world/world.ts';
import { checkDeploy } from './check-deploy.ts';
import { deploy, manifestFile, recordFile } from './testing/deployed-world.ts';

/** Pull requests of a deploy repository as its own check sees them: a checked-out merge, a real registry. */
let folder: TemporaryFolder;
let world: World;
const branch = 'promote/flight-delay/prod';

beforeAll(async () => {
  folder = await temporaryFolder('check-deploy');
  world = await createWorld({ folder: path.join(folder.path, 'world') });
  await deploy(world, 'first');
  await deploy(world, 'second', {}, 'review');
}, 60_000);
afterAll(async () => {
  await world?.[Symbol.asyncDispose]();
  await folder?.[Symbol.asyncDispose]();
});
beforeEach(async () => {
  await git('fetch', '-q', 'origin');
  await git('checkout', '-q', '-f', '--detach', 'origin/main');
});

function git(...args: string[]): Promise<string> {
  return world.git(world.deployClone, ...args);
}

function check(env: Record<string, string> = {}, against?: string) {
  const context = {
    cwd: world.deployClone,
    env: { PATH: process.env.PATH, HOME: folder.path, ...env },
    now: () => new Date('2026-11-25T10:00:00Z'),
    progress: silentProgress,
    version: '0.0.0',
  };
  return checkDeploy(context, { against });
}

/** As a pull request's job finds it: the merge of a branch into main. */
async function mergeOf(ref: string): Promise<void> {
  await git('checkout', '-q', '-f', '--detach', 'origin/main');
  await git('merge', '-q', '--no-ff', '-m', 'Merge', ref);
}

/** A change by hand on top of main, merged as a pull request would be. */
async function byHand(change: () => Promise<void>): Promise<void> {
  await change();
  await git('add', '--all');
  await git('commit', '-q', '-m', 'By hand');
  await mergeOf(await git('rev-parse', 'HEAD'));
}

function file(name: string): string {
  return path.join(world.deployClone, name);
}

it('passes a promotion, whose image its registry has', async () => {
  await mergeOf(`origin/${branch}`);
  expect(await check({ GITHUB_HEAD_REF: branch })).toMatchObject({
    verdict: 'pass',
    records: [{ file: recordFile, model: 'flight-delay', environment: 'prod', change: 'promotion' }],
    findings: [],
    base: await git('rev-parse', 'origin/main'),
  });
});

/** On top of main, by hand: the next record of what runs, with another image. */
async function imageByHand(reference: string, digest: string): Promise<void> {
  await byHand(async () => {
    const text = await readFile(file(recordFile), 'utf8');
    const base = parseDocument('record', text, recordFile);
    const next = deployRecord(
      { ...base, image: { ...base.image, digest, reference: `${reference}@${digest}` } },
      { ...base.deployment, targets: base.deployment.targets.map((target) => ({ ...target, value: digest })) },
      { record: base, digest: sha256(text) },
    );
    const manifest = await readFile(file(manifestFile), 'utf8');
    await writeFile(file(recordFile), formatDocument('record', next));
    await writeFile(file(manifestFile), manifest.replace(base.image.digest, digest));
  });
}

it('refuses a promotion whose image is gone', async () => {
  await imageByHand(world.image, sha256('gone'));
  const document = await check();
  expect(document.findings).toEqual([
    expect.objectContaining({
      rule: 'image',
      verdict: 'fail',
      message: expect.stringContaining('not in its registry'),
    }),
  ]);
  expect(document.verdict).toBe('fail');
});

it('asks no registry that only the change names', async () => {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? '');
    response.statusCode = 200;
    response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  await imageByHand(`${host}/x`, sha256('elsewhere'));
  const document = await check({ GITHUB_TOKEN: 'ghs_of-the-job' });
  server.close();
  expect(asked).toEqual([]);
  expect(document.findings).toEqual([
    expect.objectContaining({ rule: 'image', verdict: 'warn', message: expect.stringContaining('was not asked for') }),
  ]);
});

it('refuses a manifest that was edited by hand, on its line', async () => {
  await byHand(async () => {
    const manifest = await readFile(file(manifestFile), 'utf8');
    await writeFile(file(manifestFile), manifest.replace(/sha256:[0-9a-f]{64}/, sha256('hotfix')));
  });
  const { findings, records } = await check();
  const line =
    (await readFile(file(manifestFile), 'utf8')).split('\n').findIndex((text) => text.includes('sha256:')) + 1;
  expect(records).toEqual([]);
  expect(findings).toEqual([
    expect.objectContaining({ rule: 'unrecorded-edit', verdict: 'fail', file: manifestFile, line }),
  ]);
});

it('refuses a record that is a link, and a manifest behind a linked folder', async () => {
  await byHand(async () => {
    await rm(file(recordFile));
    await symlink('/etc/hostname', file(recordFile));
  });
  expect((await check()).findings[0]).toMatchObject({ rule: 'record', file: recordFile });

  await git('checkout', '-q', '-f', '--detach', 'origin/main');
  await byHand(async () => {
    const folder = path.dirname(file(manifestFile));
    await git('mv', path.dirname(manifestFile), 'elsewhere');
    await symlink('../../elsewhere', folder);
  });
  expect((await check()).findings).toEqual([expect.objectContaining({ rule: 'manifest', file: manifestFile })]);
});

it('names a revert by hand as the rollback that it is', async () => {
  await git('checkout', '-q', '-f', '--detach', 'origin/main');
  await git('merge', '-q', '--squash', `origin/${branch}`);
  await git('commit', '-q', '-m', 'promote');
  const promoted = await git('rev-parse', 'HEAD');
  await git('revert', '--no-edit', promoted);
  const document = await check({}, promoted);
  expect(document).toMatchObject({ verdict: 'pass', records: [{ change: 'rollback' }] });
  expect(document.findings).toEqual([
    expect.objectContaining({ rule: 'rollback', verdict: 'pass', message: expect.stringMatching(/returns to first/) }),
  ]);
});

it('needs the history, and something to compare with', async () => {
  await git('checkout', '-q', '-f', '--detach', 'origin/main~0');
  await expect(check()).rejects.toThrow(/Nobody says which commit/);
  await expect(check({}, 'nowhere')).rejects.toThrow(/is no commit/);
  const shallow = path.join(folder.path, 'shallow');
  await world.git(folder.path, 'clone', '-q', '--depth', '1', `file://${world.deployClone}`, shallow);
  const context = {
    cwd: shallow,
    env: { PATH: process.env.PATH, HOME: folder.path },
    now: () => new Date(0),
    progress: silentProgress,
    version: '0.0.0',
  };
  await expect(checkDeploy(context, { against: 'HEAD' })).rejects.toMatchObject({
    hint: expect.stringContaining('fetch-depth: 0'),
  });
});
