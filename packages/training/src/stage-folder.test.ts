import { cp, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type GitRepository, type PassloopError, sha256, type TemporaryFolder, temporaryFolder } from '@passloop/core';
import { datasetIdentity, findTableFiles } from '@passloop/tables';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type FetchDataset, layOutStage } from './stage-folder.ts';
import type { PlannedStage, TrainingPlan } from './training-plan.ts';

const rows = 'id,age\n1,30\n';
const uri = 's3://acme-data/train.csv';
let folder: TemporaryFolder;

beforeEach(async () => {
  folder = await temporaryFolder('stage-folder');
  await mkdir(path.join(folder.path, 'cache/day=1'), { recursive: true });
  await writeFile(path.join(folder.path, 'cache/table.csv'), rows);
  await writeFile(path.join(folder.path, 'cache/day=1/a.csv'), rows);
});
afterEach(async () => {
  await folder[Symbol.asyncDispose]();
});

async function layOut(
  digest: string,
  fetchDataset: FetchDataset | undefined,
  place: string | null = null,
): Promise<string> {
  const project = path.join(folder.path, 'project');
  await mkdir(project);
  const locked = { uri, version: null, digest, bytes: rows.length, rows: 1 };
  const plan = { model: { file: 'passloop.yaml', folder: '', lineOf: () => 7 } } as unknown as TrainingPlan;
  const planned = {
    code: [],
    params: null,
    data: [{ name: 'train', path: place, uri: place ?? uri, locked }],
    stage: { outputs: ['out/model'] },
  } as unknown as PlannedStage;
  const repository = { readBlobs: async () => new Map() } as unknown as GitRepository;
  await layOutStage(plan, planned, { repository, workTree: folder.path, fetchDataset }, [], project);
  return project;
}

it('lays a fetched file out read-only, under a name of ours', async () => {
  const files = [path.join(folder.path, 'cache/table.csv')];
  const project = await layOut(sha256(rows), async () => ({ files, folder: null }));
  const copy = path.join(project, '.passloop/data/train/table.csv');
  expect(await readFile(copy, 'utf8')).toBe(rows);
  expect((await stat(copy)).mode & 0o777).toBe(0o444);
});

it('lays several files out below the prefix, and holds them against the lock', async () => {
  const cache = path.join(folder.path, 'cache');
  const files = [path.join(cache, 'day=1/a.csv')];
  const digest = sha256(`${sha256(rows).slice(7)}  day=1/a.csv\n`);
  const project = await layOut(digest, async () => ({ files, folder: cache }));
  expect(await readFile(path.join(project, '.passloop/data/train/day=1/a.csv'), 'utf8')).toBe(rows);
});

it('refuses a copy that is not what the lock says, and what nobody fetches', async () => {
  const files = [path.join(folder.path, 'cache/table.csv')];
  const stale = layOut(sha256('other'), async () => ({ files, folder: null }));
  await expect(stale).rejects.toThrow(`The lock is stale: ${uri} is ${sha256(rows)}`);
  await folder[Symbol.asyncDispose]();
  folder = await temporaryFolder('stage-folder');
  const error: PassloopError = await layOut(sha256(rows), undefined).catch((thrown) => thrown);
  expect(error.message).toBe(`The dataset train is remote (${uri}), and nothing is fetched here.`);
  expect([error.exitCode, error.line]).toEqual([2, 7]);
});

it('lays out the active files of a Delta table, and its log up to the locked version', async () => {
  const golden = path.resolve(import.meta.dirname, '../../tables/golden/delta/plain');
  await cp(golden, path.join(folder.path, 'data/sales'), { recursive: true });
  const { digest } = await datasetIdentity(await findTableFiles('data/sales@v3', folder.path));
  const project = await layOut(digest, undefined, 'data/sales@v3');

  const there = await readdir(path.join(project, 'data/sales/_delta_log'));
  expect(there.sort()).toEqual(['00000000000000000002.checkpoint.parquet', '00000000000000000003.json']);
  const newest = await findTableFiles('data/sales', project);
  expect(newest.delta?.version).toBe(3);
  expect((await datasetIdentity(newest)).digest).toBe(digest);
  expect((await readdir(path.join(project, 'data/sales'))).length).toBe(newest.files.length + 1);

  await folder[Symbol.asyncDispose]();
  folder = await temporaryFolder('stage-folder');
  await cp(golden, path.join(folder.path, 'data/sales'), { recursive: true });
  await expect(layOut(digest, undefined, 'data/sales')).rejects.toThrow('The lock is stale: data/sales is sha256:');
});

it('lays out the files of an Iceberg table, and the metadata that tells of them', async () => {
  const golden = path.resolve(import.meta.dirname, '../../tables/golden/iceberg/plain');
  for (const [uri, count] of [
    ['data/sales', 3],
    ['data/sales@2024-q1', 3],
  ] as const) {
    await folder[Symbol.asyncDispose]();
    folder = await temporaryFolder('stage-folder');
    await cp(golden, path.join(folder.path, 'data/sales'), { recursive: true });
    const { digest } = await datasetIdentity(await findTableFiles(uri, folder.path));
    const project = await layOut(digest, undefined, uri);

    const there = await readdir(path.join(project, 'data/sales/metadata'));
    expect(there.filter((name) => name.endsWith('.metadata.json'))).toHaveLength(1);
    expect(there.filter((name) => name.endsWith('-m0.avro'))).toHaveLength(2);
    expect(await readdir(path.join(project, 'data/sales/data'))).toHaveLength(2);
    expect(there).toHaveLength(1 + count);
    expect((await datasetIdentity(await findTableFiles(uri, project))).digest).toBe(digest);
  }
});

it('lays out a plain folder that has one of the name `metadata`', async () => {
  for (const file of ['data/sales/a.csv', 'data/sales/metadata/readme.txt']) {
    await mkdir(path.dirname(path.join(folder.path, file)), { recursive: true });
    await writeFile(path.join(folder.path, file), rows);
  }
  const { digest } = await datasetIdentity(await findTableFiles('data/sales', folder.path));
  const project = await layOut(digest, undefined, 'data/sales');
  expect(await readFile(path.join(project, 'data/sales/metadata/readme.txt'), 'utf8')).toBe(rows);
});
