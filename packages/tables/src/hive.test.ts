import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { type TemporaryFolder, temporaryFolder } from '@passloop/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hivePartitions } from './hive.ts';
import { datasetIdentity, findTableFiles, openTables, type TableSession, writeParquet } from './index.ts';

let folder: TemporaryFolder;
let session: TableSession;

beforeAll(async () => {
  folder = await temporaryFolder('hive-test');
  session = await openTables({ threads: 2 });
});
afterAll(async () => {
  await session?.[Symbol.asyncDispose]();
  await folder?.[Symbol.asyncDispose]();
});

async function put(name: string, text: string): Promise<void> {
  const file = path.join(folder.path, name);
  await mkdir(path.dirname(file), { recursive: true });
  if (name.endsWith('.parquet')) await writeParquet(session, text, file);
  else await writeFile(file, text);
}

async function open(uri: string) {
  return session.open({ uri, root: folder.path });
}

/** What a person gets who pastes the printed expression in the folder of the model file. */
async function pasted(sql: string): Promise<string[]> {
  const instance = await DuckDBInstance.create(':memory:', { file_search_path: folder.path });
  const connection = await DuckDBConnection.create(instance);
  try {
    const reader = await connection.runAndReadAll(sql);
    return reader.getRowsJson().map((row) => JSON.stringify(row));
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

async function rowsOf(sql: string): Promise<string[]> {
  return (await session.rows(sql)).map((row) => JSON.stringify(row));
}

describe('a partitioned table', () => {
  it('has a column for each key of its folders, and its SQL can be pasted', async () => {
    for (const year of [2023, 2024])
      for (const month of ['01', '10'])
        await put(
          `run=7/sales/year=${year}/month=${month}/part.parquet`,
          `SELECT ${year} * 100 + ${Number(month)} AS id`,
        );
    await put('run=7/sales/year=2024/month=__HIVE_DEFAULT_PARTITION__/part.parquet', 'SELECT 5 AS id');

    const whole = await open('run=7/sales');
    expect(whole.columns.map(({ name, engineType }) => `${name} ${engineType}`)).toEqual([
      'id INTEGER',
      'month VARCHAR',
      'year BIGINT',
    ]);
    const columns = 'SELECT id::VARCHAR, "month"::VARCHAR, "year"::VARCHAR FROM';
    const rows = await rowsOf(`${columns} ${whole.relation} ORDER BY id`);
    expect(rows).toEqual([
      '["5",null,"2024"]',
      '["202301","01","2023"]',
      '["202310","10","2023"]',
      '["202401","01","2024"]',
      '["202410","10","2024"]',
    ]);
    expect(whole.printed).toBe(
      `(SELECT * EXCLUDE ("run") FROM read_parquet('run=7/sales/**/*.parquet', hive_partitioning = true, hive_types = {'month': VARCHAR, 'year': BIGINT}))`,
    );
    expect(await pasted(`${columns} ${whole.printed} ORDER BY id`)).toEqual(rows);

    const one = await open('run=7/sales/year=2024/*/*.parquet');
    expect(one.columns.map(({ name }) => name)).toEqual(['id', 'month']);
    expect(await pasted(`SELECT count(*)::VARCHAR, count("month")::VARCHAR FROM ${one.printed}`)).toEqual([
      '["3","2"]',
    ]);
    const file = await open('run=7/sales/year=2024/month=01/part.parquet');
    expect(file.columns.map(({ name }) => name)).toEqual(['id']);
    expect(await pasted(`SELECT id::VARCHAR, columns(*)::VARCHAR FROM ${file.printed}`)).toEqual([
      '["202401","202401"]',
    ]);
  });

  it.each(['csv', 'jsonl'])('is read from %s', async (ending) => {
    const text = ending === 'csv' ? 'id\n1\n' : '{"id":1}\n';
    await put(`${ending}s/day=2024-02-29/a.${ending}`, text);
    await put(`${ending}s/day=2024-03-01/a.${ending}`, text.replace('1', '2'));
    const table = await open(`${ending}s`);
    expect(table.columns.map(({ name, type }) => `${name} ${type}`)).toEqual(['id integer', 'day date']);
    const query = `SELECT "day"::VARCHAR, id::VARCHAR FROM`;
    const rows = await rowsOf(`${query} ${table.relation} ORDER BY ALL`);
    expect(rows).toEqual(['["2024-02-29","1"]', '["2024-03-01","2"]']);
    expect(await pasted(`${query} ${table.printed} ORDER BY ALL`)).toEqual(rows);
  });

  it('takes hostile names and values as text', async () => {
    const hostile: [string, string][] = [
      ["a'b", "a'b"],
      ['%27%29%3B%20DROP%20TABLE%20x%3B--', "'); DROP TABLE x;--"],
      ['%3A%3Aerror%3A%3A%0A', '::error::\n'],
      ['..%2F..%2Fetc', '../../etc'],
      ['x%3Dy', 'x=y'],
      ['"', '"'],
      ['ü', 'ü'],
      ['', ''],
    ];
    const key = `k'"`;
    for (const [index, [written]] of hostile.entries())
      await put(`hostile/${key}=${written}/a.parquet`, `SELECT ${index} AS id`);
    const table = await open('hostile');
    const query = `SELECT id::VARCHAR, "k'"""::VARCHAR FROM`;
    const rows = await rowsOf(`${query} ${table.relation} ORDER BY id`);
    expect(rows).toEqual(hostile.map(([, value], index) => JSON.stringify([String(index), value])));
    expect(await pasted(`${query} ${table.printed} ORDER BY id`)).toEqual(rows);
  });

  it('keeps the digest of its files', async () => {
    await put('digest/k=1/a.csv', 'id\n1\n');
    const before = await datasetIdentity(await findTableFiles('digest', folder.path));
    await open('digest');
    expect(await datasetIdentity(await findTableFiles('digest', folder.path))).toEqual(before);
  });

  it('may have the column in its files too, with the same values', async () => {
    await put('same/year=2023/a.parquet', 'SELECT 1 AS id, 2023::SMALLINT AS "year"');
    await put('same/year=2024/a.parquet', 'SELECT 2 AS id, 2024::SMALLINT AS "year"');
    const table = await open('same');
    expect(table.columns.map(({ name, engineType }) => `${name} ${engineType}`)).toEqual([
      'id INTEGER',
      'year SMALLINT',
    ]);
    expect(await pasted(`SELECT id::VARCHAR, "year"::VARCHAR FROM ${table.printed} ORDER BY id`)).toEqual([
      '["1","2023"]',
      '["2","2024"]',
    ]);
  });
});

describe('refused is', () => {
  it.each<[string, Record<string, string>, RegExp]>([
    [
      'a column with another value than the folder',
      { 'year=2023/a.parquet': 'SELECT 2023 AS "Year"', 'year=2024/b.parquet': 'SELECT 2023 AS "Year"' },
      /^b\.parquet has a column `Year` with another value than its folder year=…/,
    ],
    [
      'a column with no value',
      { 'year=2023/a.parquet': 'SELECT NULL::INTEGER AS "year"' },
      /^a\.parquet has a column `year` with another value/,
    ],
    [
      'a file without the folder',
      { 'a.parquet': 'SELECT 1 AS id', 'year=2024/b.parquet': 'SELECT 2 AS id' },
      /is partitioned unevenly: by its `key=value` folders, a\.parquet in none, but year=2024\/b\.parquet in year\./,
    ],
    [
      'another order of folders',
      { 'a=1/b=1/x.parquet': 'SELECT 1 AS id', 'b=1/a=1/x.parquet': 'SELECT 2 AS id' },
      /in a, b, but b=1\/a=1\/x\.parquet in b, a\./,
    ],
    ['one key twice', { 'a=1/A=2/x.parquet': 'SELECT 1 AS id' }, /name "a" and "A", one column to the engine/],
    ['an encoded name', { 'a%20b=1/x.parquet': 'SELECT 1 AS id' }, /name "a%20b", an encoded name/],
    ['a NUL', { 'a=%00/x.parquet': 'SELECT 1 AS id' }, /NUL/],
    [
      'a column of the name by which files are known',
      { 'a=1/x.parquet': 'SELECT 1 AS file_index' },
      /has a column `file_index`/,
    ],
    [
      'a folder above with the name of a column',
      { 'id=3/t/a=1/x.parquet': 'SELECT 1 AS id' },
      /is partitioned below a folder id=…, and has a column of that name itself/,
    ],
  ])('%s', async (name, files, message) => {
    const at = `refused/${name.replaceAll(' ', '-')}`;
    for (const [file, sql] of Object.entries(files)) await put(`${at}/${file}`, sql);
    const uri = name.startsWith('a folder above') ? `${at}/id=3/t` : at;
    await expect(open(uri)).rejects.toMatchObject({ code: 'configuration', message: expect.stringMatching(message) });
  });
});

it('tells types only where every value has them', () => {
  const typed = (...values: string[]) =>
    hivePartitions(
      values.map((value) => `k=${value}/a.csv`),
      't',
    )[0]?.type;
  expect(typed('1', '-20', '0')).toBe('BIGINT');
  expect(typed('1', '02')).toBe('VARCHAR');
  expect(typed('1234567890123456789')).toBe('VARCHAR');
  expect(typed('2024-02-29')).toBe('DATE');
  expect(typed('2023-02-29')).toBe('VARCHAR');
  expect(typed('__HIVE_DEFAULT_PARTITION__')).toBe('VARCHAR');
  expect(typed('__HIVE_DEFAULT_PARTITION__', '3')).toBe('BIGINT');
});
