import {
  appendFile,
  copyFile,
  cp,
  mkdir,
  readdir,
  readFile,
  rename,
  rm,
  symlink,
  truncate,
  writeFile,
} from 'node:fs/promises';
import path from 'node:path';
import { type TemporaryFolder, temporaryFolder } from '@passloop/core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { datasetIdentity, findTableFiles, openTables, type TableSession } from '../index.ts';
import { notedAndRead } from '../testing/notes.ts';
import { pasted, textOf } from '../testing/pasted-query.ts';

/** Tables of another implementation (golden/delta/make.py), and what it reads at each version of them. */
const golden = path.resolve(import.meta.dirname, '../../golden/delta');
const expected = JSON.parse(await readFile(path.join(golden, 'expected.json'), 'utf8')) as Record<
  string,
  { columns: string[]; rows: (string | null)[][] }
>;

let folder: TemporaryFolder;
let session: TableSession;
let count = 0;
/** A fresh copy of `plain`, and of `partitioned`, by their folders' names. */
let plain: string;
let partitioned: string;

beforeAll(async () => {
  folder = await temporaryFolder('delta-test');
  session = await openTables({ threads: 2 });
});
afterAll(async () => {
  await session?.[Symbol.asyncDispose]();
  await folder?.[Symbol.asyncDispose]();
});
beforeEach(async () => {
  count++;
  plain = `plain-${count}`;
  partitioned = `partitioned-${count}`;
  await cp(path.join(golden, 'plain'), path.join(folder.path, plain), { recursive: true });
  await cp(path.join(golden, 'partitioned'), path.join(folder.path, partitioned), { recursive: true });
});

function commit(version: number, table = plain): string {
  return path.join(folder.path, table, '_delta_log', `${String(version).padStart(20, '0')}.json`);
}

async function write(version: number, ...actions: unknown[]): Promise<void> {
  await writeFile(commit(version), actions.map((action) => JSON.stringify(action)).join('\n'));
}

async function identity(uri: string, root = folder.path) {
  return datasetIdentity(await findTableFiles(uri, root));
}

describe('the tables of another implementation', () => {
  it.each(Object.keys(expected))('%s has the same columns and rows, printed and not', async (uri) => {
    const { columns, rows } = expected[uri] as (typeof expected)[string];
    const table = await session.open({ uri, root: golden });
    expect(table.columns.map(({ name }) => name)).toEqual(columns);
    expect(await session.rows(textOf(columns, table.relation))).toEqual(rows);
    const { noted, read } = await notedAndRead(session, table);
    expect(noted).toEqual(read);

    expect(await pasted(textOf(columns, table.printed), { folder: golden, zone: 'UTC' })).toEqual(rows);
    expect(table.printed).not.toContain(golden);
  });

  it('are read at the newest version where none is named', async () => {
    for (const [name, newest] of [
      ['plain', 5],
      ['partitioned', 2],
      ['evolved', 2],
    ] as const) {
      const found = await findTableFiles(name, golden);
      expect(found.delta?.version).toBe(newest);
      expect(await identity(name, golden)).toEqual(await identity(`${name}@v${newest}`, golden));
    }
  });

  it('of many files are printed in short', async () => {
    await write(
      6,
      ...Array.from({ length: 20 }, (_, index) => ({
        add: { path: `copy-${index}.parquet`, size: 0, partitionValues: {} },
      })),
    );
    const [file = ''] = (await findTableFiles(`${plain}@v5`, folder.path)).files;
    const bytes = await readFile(file);
    await writeFile(commit(6), (await readFile(commit(6), 'utf8')).replaceAll('"size":0', `"size":${bytes.length}`));
    for (let index = 0; index < 20; index++)
      await copyFile(file, path.join(folder.path, plain, `copy-${index}.parquet`));
    expect((await session.open({ uri: plain, root: folder.path })).printed).toBe(`delta_scan('${plain}')`);
    const named = await session.open({ uri: `${plain}@v6`, root: folder.path });
    expect(named.printed).toBe(`delta_scan('${plain}', version => 6)`);
    expect(named.rows).toBeGreaterThan(20);
  });

  it('hold the same moments for who pastes the SQL elsewhere', async () => {
    const { printed, relation } = await session.open({ uri: 'typed', root: golden });
    const query = 'SELECT epoch_us(by_moment)::VARCHAR, epoch_us("at")::VARCHAR FROM';
    const moments = await session.rows(`${query} ${relation} ORDER BY id`);
    expect(await pasted(`${query} ${printed} ORDER BY id`, { folder: golden, zone: 'America/New_York' })).toEqual(
      moments,
    );
  });

  it('have types of their schema', async () => {
    const table = await session.open({ uri: 'partitioned', root: golden });
    expect(table.columns.map(({ name, engineType }) => `${name} ${engineType}`)).toEqual([
      'id BIGINT',
      'name VARCHAR',
      'day DATE',
      'year INTEGER',
      'price DOUBLE',
    ]);
  });
});

describe('the log', () => {
  it('needs no commit before a checkpoint, and the checkpoint says what they say', async () => {
    const before = await identity(`${plain}@v3`);
    for (const version of [0, 1, 2]) await rm(commit(version));
    expect(await identity(`${plain}@v3`)).toEqual(before);
    await expect(identity(`${plain}@v1`)).rejects.toThrow('its log lacks version 0, and has no checkpoint after it');
  });

  it('is read without a checkpoint too', async () => {
    const before = await identity(plain);
    await rm(path.join(folder.path, plain, '_delta_log/00000000000000000002.checkpoint.parquet'));
    expect(await identity(plain)).toEqual(before);
  });

  it('may have a checkpoint in parts, and one whose writer was stopped', async () => {
    const log = path.join(folder.path, plain, '_delta_log');
    const before = await identity(plain);
    const whole = path.join(log, '00000000000000000002.checkpoint.parquet');
    await copyFile(whole, path.join(log, '00000000000000000003.checkpoint.0000000001.0000000002.parquet'));
    expect(await identity(plain)).toEqual(before);
    await rename(whole, path.join(log, '00000000000000000002.checkpoint.0000000001.0000000001.parquet'));
    await rm(commit(0));
    expect(await identity(plain)).toEqual(before);
  });

  it.each<[string, () => Promise<unknown>, RegExp]>([
    ['with a gap', () => rm(commit(4)), /its log lacks version 4/],
    [
      'with a broken line',
      () => appendFile(commit(5), '\n{"add":'),
      /line \d+ of 0{19}5\.json in its log is no action/,
    ],
    ['with a wrong action', () => write(6, { add: { path: 7 } }), /line 1 of 0{19}6\.json in its log is no action/],
    [
      'that is empty',
      () =>
        rm(path.join(folder.path, plain, '_delta_log'), { recursive: true }).then(() =>
          mkdir(path.join(folder.path, plain, '_delta_log')),
        ),
      /its log is empty/,
    ],
    [
      'with a broken checkpoint',
      () => truncate(path.join(folder.path, plain, '_delta_log/00000000000000000002.checkpoint.parquet'), 900),
      /checkpoint\.parquet/,
    ],
    [
      'that removes every file',
      async () =>
        write(
          6,
          ...(await findTableFiles(plain, folder.path)).files.map((file) => ({
            remove: { path: path.basename(file) },
          })),
        ),
      /has no file at version 6/,
    ],
    [
      'with a link for a commit',
      () =>
        rename(commit(5), path.join(folder.path, `moved-${count}`)).then(() =>
          symlink(path.join(folder.path, `moved-${count}`), commit(5)),
        ),
      /is no regular file/,
    ],
  ])('%s is refused', async (_name, arrange, message) => {
    await arrange();
    await expect(identity(plain)).rejects.toMatchObject({
      code: 'configuration',
      message: expect.stringMatching(message),
    });
  });

  it('has no version after the newest', async () => {
    await expect(identity(`${plain}@v9`)).rejects.toThrow(`${plain}@v9 has no version 9; the newest is 5.`);
  });
});

describe('what is not read is refused by its name', () => {
  beforeEach(async () => {
    // Without it no engine has to be started for the log.
    await rm(path.join(folder.path, plain, '_delta_log/00000000000000000002.checkpoint.parquet'));
  });
  const protocol = (minReaderVersion: number, ...readerFeatures: string[]) => ({
    protocol: { minReaderVersion, minWriterVersion: 7, ...(minReaderVersion < 3 ? {} : { readerFeatures }) },
  });
  const schema = (type: unknown) =>
    JSON.stringify({ type: 'struct', fields: [{ name: 'id', type, nullable: true, metadata: {} }] });
  const metaData = (more: object) => ({
    metaData: {
      id: 'x',
      format: { provider: 'parquet' },
      schemaString: schema('long'),
      partitionColumns: [],
      configuration: {},
      ...more,
    },
  });
  const add = (file: string, more: object = {}) => ({
    add: { path: file, size: 1, partitionValues: {}, modificationTime: 0, dataChange: true, ...more },
  });

  it.each<[string, unknown[], RegExp]>([
    ['a later reader version', [protocol(4)], /a Delta table with reader version 4, which this version doesn't read/],
    [
      'features that nobody here knows',
      [protocol(3, 'timestampNtz', 'typeWidening', 'variantType')],
      /with typeWidening, variantType, which/,
    ],
    ['checkpoints with sidecars', [protocol(3, 'v2Checkpoint')], /with v2Checkpoint, which/],
    [
      'column mapping',
      [protocol(2), metaData({ configuration: { 'delta.columnMapping.mode': 'name' } })],
      /with column mapping by name, which/,
    ],
    [
      'deletion vectors',
      [protocol(3, 'deletionVectors'), add('x.parquet', { deletionVector: { storageType: 'u' } })],
      /with deletion vectors, which/,
    ],
    ['another format', [metaData({ format: { provider: 'orc' } })], /with files of the format orc, which/],
    ['another type', [metaData({ schemaString: schema('interval') })], /with the type interval \(column "id"\), which/],
    ['a schema that is none', [metaData({ schemaString: '{' })], /its schema can’t be read/],
    [
      'a partition column that is none',
      [metaData({ partitionColumns: ['nope'] })],
      /partitioned by "nope", which is no column/,
    ],
    [
      'a partition without a value',
      [metaData({ partitionColumns: ['id'] })],
      /a file has no value of the partition column "id"/,
    ],
    ['an absolute path', [add('/etc/passwd')], /has a file outside of its folder: "\/etc\/passwd"/],
    ['a path upwards', [add('../plain-1/x.parquet')], /outside of its folder/],
    ['an encoded path upwards', [add('a/%2e%2e/%2e%2e/x.parquet')], /outside of its folder/],
    ['a file of another host', [add('s3://elsewhere/x.parquet')], /outside of its folder: "s3:\/\/elsewhere/],
    ['a file of this machine', [add('file:///etc/passwd')], /outside of its folder: "file:/],
    ['a path with a backslash', [add('..\\x.parquet')], /outside of its folder/],
    ['a path that is no URL', [add('%zz.parquet')], /by what is no URL/],
    ['a name that the engine takes for a pattern', [add('*.parquet')], /\*\.parquet of version 6 isn't there/],
    [
      'a file that is gone',
      [add('gone.parquet')],
      /gone\.parquet of version 6 isn't there; it was vacuumed, or not fetched/,
    ],
  ])('%s', async (_name, actions, message) => {
    await write(6, ...actions);
    await expect(identity(plain)).rejects.toMatchObject({
      code: 'configuration',
      message: expect.stringMatching(message),
    });
  });

  it('a feature that is only declared is no obstacle', async () => {
    const before = await identity(plain);
    await write(6, protocol(3, 'deletionVectors', 'columnMapping', 'vacuumProtocolCheck'));
    expect(await identity(plain)).toEqual(before);
  });

  it('files that were cut off, and links', async () => {
    const [file = '', other = ''] = (await findTableFiles(plain, folder.path)).files;
    await truncate(file, 100);
    await expect(identity(plain)).rejects.toThrow(/of version 5 has 100 bytes, and \d+ in the log/);
    await rm(file);
    await symlink(other, file);
    await expect(identity(plain)).rejects.toThrow(/is or lies behind a symbolic link/);
  });

  it('a glob into a table, a table below a folder, and an Iceberg table', async () => {
    await expect(identity(`${plain}/*.parquet`)).rejects.toThrow('names files of a Delta table');
    await mkdir(path.join(folder.path, `above-${count}`));
    await rename(path.join(folder.path, plain), path.join(folder.path, `above-${count}`, 'sales'));
    await expect(identity(`above-${count}`)).rejects.toThrow(`above-${count} holds a Delta table, sales;`);
    await mkdir(path.join(folder.path, `ice-${count}/metadata`), { recursive: true });
    await writeFile(path.join(folder.path, `ice-${count}/metadata/v1.metadata.json`), '{}');
    await expect(identity(`ice-${count}`)).rejects.toThrow('is an Iceberg table');
  });
});

describe('the digest of a table', () => {
  it('changes with a file, a partition value and a column, and not with a checkpoint or an empty commit', async () => {
    const before = await identity(partitioned);
    await write(9, {});
    await rm(commit(9));
    await writeFile(commit(3, partitioned), JSON.stringify({ commitInfo: { operation: 'OPTIMIZE' } }));
    expect(await identity(partitioned)).toEqual(before);

    const text = await readFile(commit(1, partitioned), 'utf8');
    await writeFile(commit(1, partitioned), text.replace('"name":"plain"', '"name":"other"'));
    const other = await identity(partitioned);
    expect(other.bytes).toBe(before.bytes);
    expect(other.digest).not.toBe(before.digest);
    await writeFile(commit(1, partitioned), text);
    expect(await identity(partitioned)).toEqual(before);

    const [file = ''] = (await findTableFiles(partitioned, folder.path)).files;
    const bytes = await readFile(file);
    bytes[20] = (bytes[20] ?? 0) ^ 1;
    await writeFile(file, bytes);
    expect((await identity(partitioned)).digest).not.toBe(before.digest);
    expect(await readdir(path.join(folder.path, partitioned, '_delta_log'))).toContain('00000000000000000003.json');
  });
});
