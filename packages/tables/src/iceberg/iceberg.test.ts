import { cp, mkdir, readdir, readFile, rename, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { type TemporaryFolder, temporaryFolder } from '@passloop/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { datasetIdentity, findTableFiles, openTables, type TableSession, versionOf } from '../index.ts';
import { type TableOverrides, writeIcebergTable } from '../testing/iceberg-table.ts';
import { notedAndRead } from '../testing/notes.ts';
import { pasted, textOf } from '../testing/pasted-query.ts';
import { currentMetadata } from './metadata.ts';

/** Tables of another implementation (golden/iceberg/make.py), and what it reads at each snapshot of them. */
const golden = path.resolve(import.meta.dirname, '../../golden/iceberg');
const expected = JSON.parse(await readFile(path.join(golden, 'expected.json'), 'utf8')) as Record<
  string,
  { columns: string[]; rows: (string | null)[][] }
>;
const filled = Object.keys(expected).filter((uri) => expected[uri]?.rows.length !== 0);
const empty = Object.keys(expected).filter((uri) => expected[uri]?.rows.length === 0);

let folder: TemporaryFolder;
let session: TableSession;
let count = 0;

beforeAll(async () => {
  folder = await temporaryFolder('iceberg-test');
  session = await openTables({ threads: 2 });
});
afterAll(async () => {
  await session?.[Symbol.asyncDispose]();
  await folder?.[Symbol.asyncDispose]();
});

describe('the tables of another implementation', () => {
  it.each(filled)('%s has the same columns and rows, printed and not', async (uri) => {
    const { columns, rows } = expected[uri] as (typeof expected)[string];
    const table = await session.open({ uri, root: golden });
    expect(table.columns.map(({ name }) => name)).toEqual(columns);
    expect(await session.rows(textOf(columns, table.relation))).toEqual(rows);
    const { noted, read } = await notedAndRead(session, table);
    expect(noted).toEqual(read);

    expect(await pasted(textOf(columns, table.printed), { folder: golden, zone: 'UTC' })).toEqual(rows);
    expect(table.printed).not.toContain(golden);
  });

  it('without rows are refused', async () => {
    expect(empty).not.toEqual([]);
    for (const uri of empty) await expect(findTableFiles(uri, golden)).rejects.toThrow('there are no rows to read');
  });
});

/** A fresh table of one file, by its folder's name. */
async function table(overrides: TableOverrides = {}): Promise<string> {
  const name = `table-${++count}`;
  await writeIcebergTable(path.join(folder.path, name), overrides);
  return name;
}

/** A fresh copy of a golden table. */
async function copy(name: string): Promise<string> {
  const target = `${name}-${++count}`;
  await cp(path.join(golden, name), path.join(folder.path, target), { recursive: true });
  return target;
}

async function identity(uri: string, root = folder.path) {
  return datasetIdentity(await findTableFiles(uri, root));
}

async function opened(uri: string, root = folder.path) {
  return session.open({ uri, root });
}

const id = { id: 1, name: 'id', required: false, type: 'long' };
const age = { id: 2, name: 'age', required: false, type: 'int' };
const schema = (...fields: object[]) => ({ schemas: [{ 'schema-id': 0, fields }] });

describe('an address', () => {
  it('may name a metadata file, a snapshot by its id, a tag or a branch, or both', async () => {
    const names = (await readdir(path.join(golden, 'plain/metadata'))).filter((name) => name.endsWith('.json')).sort();
    const newest = `plain/metadata/${names.at(-1)}`;
    expect(await identity(newest, golden)).toEqual(await identity('plain', golden));
    expect(await identity(`${newest}@2024-q1`, golden)).toEqual(await identity('plain@2024-q1', golden));
    expect(await identity(`./metadata/${names.at(-1)}`, path.join(golden, 'plain'))).toEqual(
      await identity('plain', golden),
    );
    const first = await findTableFiles(`plain/metadata/${names[1]}`, golden);
    expect(versionOf(first)).not.toBe(versionOf(await findTableFiles('plain', golden)));
    expect((await opened(`plain/metadata/${names[1]}`, golden)).rows).toBe(10);
  });

  it('of a snapshot that is not there is told which are', async () => {
    await expect(identity(`${await table()}@77`)).rejects.toMatchObject({
      message: expect.stringContaining('has no snapshot, tag or branch 77.'),
      hint: 'Its last snapshots are 1.',
    });
  });

  it('of a tag that has the name of another snapshot is refused', async () => {
    const snapshot = (one: number) => ({
      'snapshot-id': one,
      'manifest-list': 's3://bucket/warehouse/table/metadata/list.avro',
    });
    const metadata = { snapshots: [snapshot(1), snapshot(2)], refs: { 1: { 'snapshot-id': 2, type: 'tag' } } };
    await expect(identity(`${await table({ metadata })}@1`)).rejects.toThrow('1 is the id of a snapshot, and the name');
  });

  it('into a table, and of a folder above one, is refused', async () => {
    const name = await table();
    for (const glob of [`${name}/data/*.parquet`, `${name}/*.parquet`])
      await expect(identity(glob)).rejects.toThrow('names files of an Iceberg table');
    await mkdir(path.join(folder.path, `above-${count}`));
    await rename(path.join(folder.path, name), path.join(folder.path, `above-${count}`, 'sales'));
    await expect(identity(`above-${count}`)).rejects.toThrow(`above-${count} holds an Iceberg table, sales;`);
  });
});

describe('which metadata file is current', () => {
  it.each<[string, string[], string | null, string]>([
    ['the highest', ['v1.metadata.json', 'v10.metadata.json', 'v9.metadata.json'], null, 'v10.metadata.json'],
    ['that of a catalog', ['00000-a.metadata.json', '00001-b.metadata.json'], null, '00001-b.metadata.json'],
    ['the one of the hint', ['v1.metadata.json', 'v2.metadata.json', 'v4.metadata.json'], '2\n', 'v2.metadata.json'],
    ['what follows the hint', ['v1.metadata.json', 'v2.metadata.json', 'v3.metadata.json'], '1', 'v3.metadata.json'],
    ['one that is packed', ['v1.gz.metadata.json', 'v2.metadata.json.gz'], null, 'v2.metadata.json.gz'],
    ['a name in the hint', ['00001-b.metadata.json', '00002-c.metadata.json'], '00001-b', '00001-b.metadata.json'],
  ])('%s', (_name, names, hint, expected) => {
    expect(currentMetadata('t', names, hint)).toBe(expected);
  });

  it.each<[string, string[], string | null, RegExp]>([
    [
      'two of one number',
      ['00001-a.metadata.json', '00001-b.metadata.json'],
      null,
      /whose catalog knows what is current/,
    ],
    [
      'two ways of counting',
      ['00001-a.metadata.json', 'v1.metadata.json'],
      null,
      /whose catalog knows what is current/,
    ],
    ['a hint to nothing', ['v1.metadata.json'], '7', /version-hint\.text says 7, and there is no such file/],
    ['a hint upwards', ['v1.metadata.json'], '../../x', /version-hint\.text names no metadata file/],
    ['no file', ['m0.avro'], null, /has no metadata file/],
  ])('is not known with %s', (_name, names, hint, message) => {
    expect(() => currentMetadata('t', names, hint)).toThrow(message);
  });
});

describe('what is not read is refused by its name', () => {
  const elsewhere = (address: string): TableOverrides => ({ entries: [{ path: address }] });
  const below = (file: string) => elsewhere(`s3://bucket/warehouse/table/${file}`);

  it.each<[string, TableOverrides, RegExp]>([
    ['a later version', { metadata: { 'format-version': 3 } }, /an Iceberg table with format version 3, which/],
    ['a manifest of deletes', { manifest: { content: 1 }, entries: [{ content: 1 }] }, /with delete files, which/],
    ['a delete file among data files', { entries: [{ content: 2 }] }, /with delete files, which/],
    ['manifests of something else', { manifest: { content: 2 } }, /with manifests of the content 2, which/],
    ['ORC', { entries: [{ format: 'ORC' }] }, /with files of the format ORC, which/],
    [
      'a snapshot without a list',
      { metadata: { snapshots: [{ 'snapshot-id': 1, manifests: [] }] } },
      /without a manifest list/,
    ],
    ['another type', { metadata: schema({ ...id, type: 'variant' }) }, /with the type variant \(column "id"\), which/],
    ['no snapshot', { metadata: { 'current-snapshot-id': -1 } }, /has no snapshot: there are no rows to read/],
    ['no files', { entries: [{ status: 2 }] }, /has no file in the snapshot 1: there are no rows/],
    ['a file on this machine', elsewhere('/etc/passwd'), /has a file outside of its folder: "\/etc\/passwd"/],
    ['a file of this machine', elsewhere('file:///etc/passwd'), /outside of its folder: "file:/],
    ['a file of another bucket', elsewhere('s3://bucket/warehouse/tables/a.parquet'), /outside of its folder: "s3:/],
    ['a path upwards', below('../x.parquet'), /outside of its folder/],
    ['a path upwards inside', below('data/../../x.parquet'), /outside of its folder/],
    ['a path with a backslash', below('data\\..\\x.parquet'), /outside of its folder/],
    ['an empty part', below('data//a.parquet'), /outside of its folder/],
    ['a line break', below('data/a\n.parquet'), /outside of its folder/],
    ['a name that the engine takes for a pattern', below('data/*.parquet'), /data\/\*\.parquet isn't there/],
    ['a file that is gone', below('data/gone.parquet'), /data\/gone\.parquet isn't there; it expired/],
    ['a file of another size', { entries: [{ bytes: 7 }] }, /data\/a\.parquet has \d+ bytes, and 7 in its manifest/],
    ['a file twice', { entries: [{}, {}] }, /its manifests name one file twice/],
    ['a status that is none', { entries: [{ status: 3 }] }, /an entry has the status 3/],
    ['a manifest elsewhere', { manifest: { path: '/etc/passwd' } }, /outside of its folder: "\/etc\/passwd"/],
    ['a manifest of another size', { manifest: { bytes: 7 } }, /m0\.avro has \d+ bytes, and 7 in the manifest list/],
    ['manifests without end', { manifest: { bytes: 2 ** 40 } }, /with more than 10000 manifests, or 1 GiB/],
    ['a bomb for a manifest', { avro: { codec: 'deflate', data: Buffer.alloc(65 << 20) } }, /longer than 64 MiB/],
    ['a snapshot that is gone', { metadata: { snapshots: [] } }, /its metadata lacks the snapshot 1/],
    ['a schema that is gone', { metadata: { 'current-schema-id': 9 } }, /its metadata lacks the schema/],
    [
      'a partition spec that is gone',
      { metadata: { 'partition-specs': [] } },
      /its metadata lacks the partition spec 0/,
    ],
    ['an id for two columns', { metadata: schema(id, { ...age, id: 1 }) }, /its schema gives the id 1 twice/],
    ['metadata of wrong types', { metadata: { location: 7 } }, /its metadata file has a wrong location/],
  ])('%s', async (_name, overrides, message) => {
    await expect(identity(await table(overrides))).rejects.toMatchObject({
      code: 'configuration',
      message: expect.stringMatching(message),
    });
  });

  it.each<[string, object, RegExp]>([
    [
      'a narrower type',
      schema({ ...id, type: 'int' }),
      /column "id" is of the type BIGINT, and of INTEGER in the schema/,
    ],
    ['another type', schema({ ...id, type: 'string' }), /column "id" is of the type BIGINT, and of VARCHAR/],
    ['names that differ in case', schema(id, { ...age, name: 'ID' }), /differ in letter case only/],
  ])('%s, once the files are opened', async (_name, metadata, message) => {
    const name = await table({ metadata: metadata as Record<string, unknown> });
    await expect(opened(name)).rejects.toMatchObject({
      code: 'configuration',
      message: expect.stringMatching(message),
    });
  });

  it('files that have no ids, and nested columns that were changed', async () => {
    const name = await table();
    const file = path.join(folder.path, name, 'data/a.parquet');
    const instance = await DuckDBInstance.create(':memory:');
    const connection = await DuckDBConnection.create(instance);
    const rewritten = async (query: string, ids: string, metadata: object) => {
      await connection.run(`COPY (${query}) TO '${file}' (FORMAT parquet${ids})`);
      const { length } = await readFile(file);
      const bytes = await readFile(file);
      await writeIcebergTable(path.join(folder.path, name), {
        metadata: metadata as Record<string, unknown>,
        entries: [{ bytes: length }],
      });
      await writeFile(file, bytes);
      return opened(name);
    };
    try {
      await expect(rewritten('SELECT 1::BIGINT AS id', '', {})).rejects.toThrow(
        'with a file whose column "id" has no field id (a name mapping), which',
      );
      const struct = (type: string) => ({ type: 'struct', fields: [{ id: 4, name: type, type: 'int' }] });
      const query = "SELECT 1::BIGINT AS id, {'a': 7} AS s";
      const ids = ', FIELD_IDS {id: 1, s: {__duckdb_field_id: 3, a: 4}}';
      const nested = await rewritten(query, ids, schema(id, { id: 3, name: 's', type: struct('a') }));
      expect(await session.rows(`SELECT s.a FROM ${nested.relation}`)).toEqual([[7]]);
      await expect(rewritten(query, ids, schema(id, { id: 3, name: 's', type: struct('b') }))).rejects.toThrow(
        'with a nested column, "s", whose fields were changed after a file was written, which',
      );
      await expect(rewritten(query, ids, schema(id, { id: 3, name: 's', type: 'int' }))).rejects.toThrow(
        'column "s" is of the type a nested one, and of INTEGER',
      );
    } finally {
      connection.closeSync();
      instance.closeSync();
    }
  });

  it('files that were cut off, and links', async () => {
    const name = await table();
    const at = (below: string) => path.join(folder.path, name, below);
    await truncate(at('data/a.parquet'), 100);
    await expect(identity(name)).rejects.toThrow('data/a.parquet has 100 bytes, and');
    await rename(at('data/a.parquet'), at('data/b.parquet'));
    await symlink(at('data/b.parquet'), at('data/a.parquet'));
    await expect(identity(name)).rejects.toThrow('data/a.parquet is no regular file, or lies behind a symbolic link');
    await rename(at('metadata/m0.avro'), at('m0.avro'));
    await symlink(at('m0.avro'), at('metadata/m0.avro'));
    await expect(identity(name)).rejects.toThrow('metadata/m0.avro is no regular file, or lies behind');
    await writeFile(at('metadata/v1.metadata.json'), '{');
    await expect(identity(name)).rejects.toThrow('its metadata file is no JSON');
    await rm(at('metadata/v1.metadata.json'));
    await symlink('/etc/passwd', at('metadata/v1.metadata.json'));
    await expect(identity(name)).rejects.toThrow('metadata/v1.metadata.json is no regular file');
  });
});

it('spellings of one place are one', async () => {
  for (const [location, file] of [
    ['file:///a/b', 'file:/a/b/data/a.parquet'],
    ['/a/b/', 'file:///a/b/data/a.parquet'],
    ['s3a://x/y', 's3://x/y/data/a.parquet'],
  ] as const) {
    const base = location.replace(/\/$/, '');
    const metadata = { location, snapshots: [{ 'snapshot-id': 1, 'manifest-list': `${base}/metadata/list.avro` }] };
    const manifest = { path: `${base}/metadata/m0.avro` };
    expect((await identity(await table({ metadata, manifest, entries: [{ path: file }] }))).files).toBe(1);
  }
});

it('of many files is printed in short', async () => {
  const names = Array.from({ length: 17 }, (_, index) => `data/${index}.parquet`);
  const entries = names.map((name) => ({ path: `s3://bucket/warehouse/table/${name}` }));
  const name = await table({ entries });
  for (const file of names)
    await cp(path.join(folder.path, name, 'data/a.parquet'), path.join(folder.path, name, file));
  const { printed, rows } = await opened(name);
  expect(printed).toBe(
    `iceberg_scan('${name}/metadata/v1.metadata.json', allow_moved_paths => true, snapshot_from_id => 1)`,
  );
  expect(rows % 17).toBe(0);
});

describe('the digest of a table', () => {
  it('changes with a column, a partition value and a file, and not with metadata that says the same', async () => {
    const name = await copy('typed');
    const before = await identity(name);
    const metadata = path.join(folder.path, name, 'metadata');
    const newest = (await readdir(metadata))
      .filter((one) => one.endsWith('.json'))
      .sort()
      .at(-1) as string;
    const text = await readFile(path.join(metadata, newest), 'utf8');
    const next = (old: string, fresh: string) =>
      writeFile(path.join(metadata, '00009-x.metadata.json'), text.replaceAll(old, fresh));

    await next('"last-updated-ms"', '"last-updated"');
    expect(await identity(name)).toEqual(before);
    await next('"name":"whole"', '"name":"other"');
    expect((await identity(name)).digest).not.toBe(before.digest);
    await next('"transform":"identity"', '"transform":"void"');
    expect((await identity(name)).digest).not.toBe(before.digest);
    await rm(path.join(metadata, '00009-x.metadata.json'));
    expect(await identity(name)).toEqual(before);

    const [file = ''] = (await findTableFiles(name, folder.path)).files;
    const bytes = await readFile(file);
    bytes[20] = (bytes[20] ?? 0) ^ 1;
    await writeFile(file, bytes);
    expect((await identity(name)).digest).not.toBe(before.digest);
  });
});
