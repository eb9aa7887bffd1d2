import { appendFile, cp, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { ConfigurationError, sha256, type TemporaryFolder, temporaryFolder } from '@passloop/core';
import { formatLock, parseLock } from '@passloop/model';
import { openTables, type TableSession } from '@passloop/tables';
import { afterAll, beforeEach, expect, it } from 'vitest';
import { lockDatasets, verifyLock } from './index.ts';

let folder: TemporaryFolder;
const session: TableSession = await openTables({ threads: 2 });

beforeEach(async () => {
  await folder?.[Symbol.asyncDispose]();
  folder = await temporaryFolder('lock-test');
  await mkdir(path.join(folder.path, 'data/parts'), { recursive: true });
  await writeFile(path.join(folder.path, 'data/train.csv'), 'id,y\n1,0\n2,1\n');
  await writeFile(path.join(folder.path, 'data/parts/a.csv'), 'id\n1\n');
  await writeFile(path.join(folder.path, 'data/parts/b.csv'), 'id\n2\n3\n');
});
afterAll(async () => {
  await session[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

const uris = ['data/train.csv', 'data/parts', 'data/train.csv'];

it('locks files and folders with digest, bytes and rows, and verifies what it wrote', async () => {
  const lock = await lockDatasets({ session, root: folder.path, uris });
  expect(lock.datasets.map(({ uri, bytes, rows }) => ({ uri, bytes, rows }))).toEqual([
    { uri: 'data/parts', bytes: 12, rows: 3 },
    { uri: 'data/train.csv', bytes: 13, rows: 2 },
  ]);
  expect(lock.datasets[1]?.digest).toBe(sha256('id,y\n1,0\n2,1\n'));
  const read = parseLock(formatLock(lock), 'passloop.lock');
  const [verified] = await verifyLock(read, { root: folder.path, uris: ['data/train.csv'] });
  expect(verified).toEqual({ ...lock.datasets[1], found: expect.objectContaining({ uri: 'data/train.csv' }) });
});

it('says which file is stale, both digests, and what to run', async () => {
  const lock = await lockDatasets({ session, root: folder.path, uris });
  await appendFile(path.join(folder.path, 'data/train.csv'), '3,1\n');
  await rm(path.join(folder.path, 'data/parts/a.csv'));
  const error = await verifyLock(lock, { root: folder.path, uris }).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(ConfigurationError);
  const { message, hint } = error as ConfigurationError;
  expect(message).toContain(`data/train.csv is not what passloop.lock says: expected ${lock.datasets[1]?.digest}`);
  expect(message).toContain(`found ${sha256('id,y\n1,0\n2,1\n3,1\n')}`);
  expect(message).toContain('data/parts is not what');
  expect(hint).toContain('passloop data lock');
});

it('refuses what is not locked, not there, or remote', async () => {
  const lock = await lockDatasets({ session, root: folder.path, uris });
  await expect(verifyLock(null, { root: folder.path, uris })).rejects.toThrow('there is no passloop.lock');
  await expect(verifyLock(lock, { root: folder.path, uris: ['data/test.csv'] })).rejects.toThrow('is not locked');
  await rm(path.join(folder.path, 'data/train.csv'));
  await expect(verifyLock(lock, { root: folder.path, uris })).rejects.toThrow('There is no table at data/train.csv.');
  await expect(lockDatasets({ session, root: folder.path, uris: ['s3://b/x.csv'] })).rejects.toThrow('remote');
});

it('locks a version of a Delta table, and says which one is there where it is another', async () => {
  const golden = path.resolve(import.meta.dirname, '../../tables/golden/delta/evolved');
  await cp(golden, path.join(folder.path, 'sales'), { recursive: true });
  const uris = ['sales', 'sales@v1'];
  const lock = await lockDatasets({ session, root: folder.path, uris });
  expect(lock.datasets.map(({ uri, version, rows }) => [uri, version, rows])).toEqual([
    ['sales', 'delta:2', 3],
    ['sales@v1', 'delta:1', 6],
  ]);
  await verifyLock(parseLock(formatLock(lock), 'passloop.lock'), { root: folder.path, uris });

  await rm(path.join(folder.path, 'sales/_delta_log/00000000000000000002.json'));
  await expect(verifyLock(lock, { root: folder.path, uris })).rejects.toThrow(
    /^sales is not what passloop\.lock says: .* The lock is of version 2; the table is at version 1\.$/,
  );
});

it('locks a snapshot of an Iceberg table, and says which one is there where it is another', async () => {
  const golden = path.resolve(import.meta.dirname, '../../tables/golden/iceberg/plain');
  await cp(golden, path.join(folder.path, 'sales'), { recursive: true });
  const uris = ['sales', 'sales@2024-q1'];
  const lock = await lockDatasets({ session, root: folder.path, uris });
  expect(lock.datasets.map(({ uri, version, rows }) => [uri, version, rows])).toEqual([
    ['sales', expect.stringMatching(/^iceberg:\d+$/), 8],
    ['sales@2024-q1', expect.stringMatching(/^iceberg:\d+$/), 15],
  ]);
  await verifyLock(parseLock(formatLock(lock), 'passloop.lock'), { root: folder.path, uris });

  const metadata = path.join(folder.path, 'sales/metadata');
  const files = (await readdir(metadata)).filter((name) => name.endsWith('.json')).sort();
  await rm(path.join(metadata, files.at(-1) ?? ''));
  await expect(verifyLock(lock, { root: folder.path, uris })).rejects.toThrow(
    /^sales is not what passloop\.lock says: .* The lock is of version \d+; the table is at version \d+\.$/,
  );
});
