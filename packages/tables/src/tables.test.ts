import { cp, mkdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { ConfigurationError, sha256, type TemporaryFolder, temporaryFolder } from '@passloop/core';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  checkKey,
  compareKeys,
  datasetIdentity,
  evaluationDigest,
  findTableFiles,
  type HeldColumns,
  joinByKey,
  openTables,
  quoteIdentifier,
  quoteText,
  readColumns,
  requireColumn,
  requireKey,
  type Table,
  type TableSession,
  writeParquet,
} from './index.ts';
import { noteQuestions } from './testing/notes.ts';

let folder: TemporaryFolder;
let session: TableSession;

beforeAll(async () => {
  folder = await temporaryFolder('tables-test');
  session = await openTables({ threads: 2 });
});
afterAll(async () => {
  await session[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

async function csv(name: string, text: string | Uint8Array): Promise<Table> {
  await writeFile(path.join(folder.path, name), text);
  return session.open({ uri: name, root: folder.path });
}

async function parquet(name: string, query: string): Promise<Table> {
  await writeParquet(session, query, path.join(folder.path, name));
  return session.open({ uri: name, root: folder.path });
}

function open(uri: string): Promise<Table> {
  return session.open({ uri, root: folder.path });
}

async function write(name: string, text: string): Promise<void> {
  const file = path.join(folder.path, name);
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, text);
}

/** All of its bytes but the checksum: every row is there, and nothing says so. */
const cutGzip = (text: string) => gzipSync(text).subarray(0, -8);
const names = (count: number) => Array.from({ length: count }, (_, i) => `c${i}`);

describe('open', () => {
  it('reads a CSV by RFC 4180: quotes, delimiters and newlines in fields, types of the whole column', async () => {
    const rows = Array.from({ length: 30_000 }, (_, i) => `${i},${i},x`).join('\n');
    const table = await csv('quoted.csv', `id,late_text,"a ""b"", c"\n${rows}\n30000,oops,"two\nlines, ""q"""\n`);
    expect(table.rows).toBe(30_001);
    expect(table.columns.map((column) => [column.name, column.type])).toEqual([
      ['id', 'integer'],
      ['late_text', 'string'],
      ['a "b", c', 'string'],
    ]);
    const [values] = await readColumns(session, table, { columns: ['a "b", c'], orderBy: ['id'] });
    expect(values?.values[30_000]).toBe('two\nlines, "q"');
  });

  it('tells the types of all formats in the words of users', async () => {
    const table = await parquet(
      'types.parquet',
      `SELECT 1::TINYINT AS i, 1.5::FLOAT AS f, 1.50::DECIMAL(5,2) AS n, 'x' AS s, true AS b, DATE '2001-02-03' AS d,
         TIMESTAMP '2001-02-03 04:05:06' AS t, TIME '04:05:06' AS h, 'ab'::BLOB AS y, [1, 2] AS l, {'a': 1} AS m, 1::UBIGINT AS u`,
    );
    expect(Object.fromEntries(table.columns.map((column) => [column.name, column.type]))).toEqual({
      i: 'integer',
      f: 'float',
      n: 'decimal',
      s: 'string',
      b: 'boolean',
      d: 'date',
      t: 'timestamp',
      h: 'time',
      y: 'binary',
      l: 'nested',
      m: 'nested',
      u: 'integer',
    });
  });

  it('takes dates of a CSV for dates where the year comes first, and guesses none', async () => {
    const types = async (name: string, text: string) => (await csv(name, text)).columns.map((column) => column.type);
    expect(await types('iso.csv', 'd,t,z\n2001-02-03,2001-02-03 04:05:06,2001-02-03T04:05:06Z\n')).toEqual([
      'date',
      'timestamp',
      'timestamp',
    ]);
    expect(await types('slash.csv', 'd,t\n01/02/2001,01/02/2001 04:05:06\n')).toEqual(['string', 'string']);
    expect(await types('day.csv', 'd,e\n31/01/2001,31.01.2001\n')).toEqual(['string', 'string']);
  });

  it('takes infinities alone for numbers', async () => {
    const { columns, relation } = await csv('inf.csv', 'x,day\ninf,2001-01-31\n,2001-02-01\n-Infinity,2001-02-02\n');
    expect(columns).toMatchObject([{ type: 'float' }, { type: 'date' }]);
    expect(await session.rows(`SELECT count_if(isinf(x)) FROM ${relation}`)).toEqual([[2n]]);
  });

  it('keeps whole numbers beyond 64 bits apart', async () => {
    const long = await csv(
      'long-1.csv',
      'a,b,c,d\n12345678901234567890,-5,7,12345678901234567890\n12345678901234567891,12345678901234567890,,1.5\n',
    );
    expect(long.columns.map(({ engineType }) => engineType)).toEqual(['UBIGINT', 'HUGEINT', 'BIGINT', 'DOUBLE']);
    expect(await session.rows(`SELECT count(DISTINCT a) FROM ${long.relation}`)).toEqual([[2n]]);
    await csv('long-2.csv', 'a,b,c,d\n1,2,3,4\n');
    const merged = await session.open({ uri: 'long-*.csv', root: folder.path });
    expect(merged.columns.map(({ engineType }) => engineType)).toEqual(['HUGEINT', 'HUGEINT', 'BIGINT', 'DOUBLE']);
    const late = `x\n${'7\n'.repeat(2000)}12345678901234567890\n`;
    expect((await csv('late.csv', late)).columns).toMatchObject([{ type: 'integer' }]);
    expect((await csv('later.csv', `${late}1.5\n`)).columns).toMatchObject([{ type: 'float' }]);
  });

  it('opens TSV, JSON lines, gzip, several files of a glob and of a folder', async () => {
    expect((await csv('t.tsv', 'a\tb\n1\tx,y\n')).columns.map((column) => column.name)).toEqual(['a', 'b']);
    const lines = await csv('l.jsonl', '{"a":1,"d":"2001-01-31"}\n{"a":null,"d":"2001-02-01"}\n');
    expect(lines.columns.map((column) => column.type)).toEqual(['integer', 'date']);
    expect((await csv('z.csv.gz', gzipSync('a;b\n1;2\n'))).columns).toHaveLength(2);
    await parquet('many/part-1.parquet', 'SELECT 1 AS a');
    await parquet('many/deep/part-2.parquet', 'SELECT 2 AS a');
    const whole = await session.open({ uri: 'many', root: folder.path });
    expect(whole).toMatchObject({ rows: 2, printed: "read_parquet('many/**/*.parquet')" });
    expect((await session.open({ uri: 'many/*.parquet', root: folder.path })).rows).toBe(1);
    await csv('p-1.csv', 'a,b\n1,2\n');
    await csv('p-2.csv', 'a,b\n1.5,x\n');
    const merged = await session.open({ uri: 'p-*.csv', root: folder.path });
    expect(merged.columns.map((column) => column.type)).toEqual(['float', 'string']);
  });

  it('parses a large CSV once more for all queries to come, and its values, types and printed query stay', async () => {
    await using own = await openTables({ threads: 2 });
    const query = `SELECT i AS id, i % 7 = 0 AS even, DATE '2001-01-01' + (i % 500)::INTEGER AS day,
        TIMESTAMP '2001-01-01' + to_seconds(i) AS at, TIME '00:00:01' AS t, CASE WHEN i % 3 = 0 THEN NULL WHEN i % 3 = 1 THEN 'NaN'::DOUBLE ELSE i / 7 END AS x,
        'a, "b"' || chr(10) || repeat('é', i % 40) AS s FROM range(220000) t(i)`;
    await own.run(`COPY (${query}) TO ${quoteText(path.join(own.scratch, 'large.csv'))} (FORMAT csv, HEADER)`);
    await cp(path.join(own.scratch, 'large.csv'), path.join(folder.path, 'large.csv'));
    expect((await stat(path.join(folder.path, 'large.csv'))).size).toBeGreaterThan(17 << 20);

    const table = await own.open({ uri: 'large.csv', root: folder.path });

    expect(table.columns.map(({ type }) => type)).toEqual([
      'integer',
      'boolean',
      'date',
      'timestamp',
      'time',
      'float',
      'string',
    ]);
    expect(table).toMatchObject({ rows: 220_000, printed: expect.stringMatching(/^read_csv\('large\.csv'/) });
    await writeFile(path.join(folder.path, 'large.csv'), 'id\n');
    await writeFile(path.join(folder.path, 'other.csv'), 'a\n1\n');
    await own.open({ uri: 'other.csv', root: folder.path });
    const [[left, right] = []] = await own.rows(
      `SELECT (SELECT count(*) FROM (FROM ${table.relation} EXCEPT ALL (${query}))), (SELECT count(*) FROM ((${query}) EXCEPT ALL FROM ${table.relation}))`,
    );
    expect([Number(left), Number(right)]).toEqual([0, 0]);
  });

  it.each([
    ['a row with too many fields', 'x1.csv', 'a,b\n1,2\n3,4,5\n', /x1\.csv .* line 3 has 3 fields, the header 2\./],
    ['a row with too few', 'x9.csv', 'a,b\n1,2\n3\n', /line 3 has 1 fields, the header 2\./],
    ['one far down', 'x10.csv', `a,b\n${'1,2\n'.repeat(30_000)}1,2,3\n`, /line 30002 has 3 fields, the header 2\./],
    ['a file in another encoding', 'x13.csv', Buffer.from('a,b\n1,caf\xe9\n', 'latin1'), /line 2 is not UTF-8\./],
    ['a header in another encoding', 'x14.csv', Buffer.from('a,\xe9\n1,2\n', 'latin1'), /line 1 is not UTF-8\./],
    ['a name that is a pattern, and no match', 'pattern[0].csv', 'a\n1\n', /takes for a pattern/],
    ['a quote that never ends', 'x11.csv', 'a,b\n1,"x\n3,4\n', /line 2 is broken\./],
    ['a .gz that is none', 'x12.csv.gz', 'a,b\n1,2\n', /cannot be decompressed/],
    [
      'a .csv.gz cut off at the end of a row',
      'x24.csv.gz',
      cutGzip('a,b\n1,2\n'),
      /x24\.csv\.gz cannot be decompressed/,
    ],
    ['a .jsonl.gz cut off so', 'x25.jsonl.gz', cutGzip('{"a":1}\n'), /x25\.jsonl\.gz cannot be decompressed/],
    ['a .csv.zst cut off so', 'x26.csv.zst', zstdCompressSync('a,b\n1,2\n').subarray(0, -3), /cannot be decompressed/],
    [
      'a .csv.gz with another checksum',
      'x27.csv.gz',
      Buffer.concat([cutGzip('a\n1\n'), Buffer.alloc(8)]),
      /cannot be decompressed/,
    ],
    ['an empty file', 'x2.csv', '', /x2\.csv/],
    ['two columns of one name', 'x3.csv', 'a,b,a\n1,2,3\n', /two columns `a`/],
    ['columns that differ in case', 'x4.csv', 'a,A\n1,2\n', /letter case/],
    ['columns that differ in spaces only', 'x21.csv', 'x, x\n1,2\n', /two columns `x`/],
    ['a column named by a space', 'x22.csv', 'a," "\n1,2\n', /without a name/],
    ['a column named by a space that no ASCII has', 'x23.csv', 'a,\u00a0\n1,2\n', /without a name/],
    ['a column without a name', 'x5.csv', 'a,\n1,2\n', /without a name/],
    ['a file that only claims to be Parquet', 'x6.parquet', 'PAR1 no', /x6\.parquet/],
    ['an ending that says nothing', 'x7.xlsx', 'PK', /no ending/],
    [
      'a broken row after a long one',
      'x15.csv',
      `a,b\n1,${'x'.repeat(3000)},3\n`,
      /line 2 has 3 fields, the header 2\./,
    ],
    ['a row of 2 MB', 'x16.csv', `a,b\n1,${'x'.repeat(2_000_001)}\n`, /line 2 is longer than 2,000,000 bytes\./],
    ['a header of 2 MB', 'x17.csv', `a,${'x'.repeat(2_000_001)}\n1,2\n`, /line 1 is longer than 2,000,000 bytes\./],
    [
      'a header that never ends',
      'x18.csv',
      `a,"b\n${'1,2\n'.repeat(600_000)}`,
      /line 1 is longer than 2,000,000 bytes\./,
    ],
    ['columns that no memory holds', 'x19.csv', `${names(10_001).join()}\n`, /has more than 10,000 columns/],
    [
      'keys that no memory holds',
      'x20.jsonl',
      `${JSON.stringify(Object.fromEntries(names(10_001).map((name) => [name, 1])))}\n`,
      /has more than 10,000 columns/,
    ],
    ['JSON that is cut', 'x8.jsonl', '{"a":1}\n{"a":', /x8\.jsonl/],
  ])('refuses %s', async (_, name, text, message) => {
    const error = await csv(name, text).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ConfigurationError);
    expect((error as Error).message).toMatch(message);
  });

  it('reads several Parquet files by types that hold the values of all of them', async () => {
    const at = (name: string) => path.join(folder.path, name);
    const values = async (uri: string, column: string) => {
      const { relation } = await open(uri);
      const rows = await session.rows(`SELECT ${column}::VARCHAR FROM ${relation} ORDER BY 1`);
      return rows.map(([value]) => value);
    };
    await writeParquet(session, "SELECT 1::BIGINT AS a, 'x' AS b", at('wide/1.parquet'));
    await writeParquet(session, "SELECT 'x' AS b, 1.5::DOUBLE AS A", at('wide/2.parquet'));
    expect(await values('wide', 'a')).toEqual(['1.0', '1.5']);
    expect((await open('wide')).columns).toMatchObject([{ name: 'a', engineType: 'DOUBLE' }, { name: 'b' }]);
    expect((await open('wide')).printed).toBe("read_parquet('wide/**/*.parquet', union_by_name = true)");
    await writeParquet(session, 'SELECT 1::INTEGER AS a', at('long/y=1/1.parquet'));
    await writeParquet(session, 'SELECT 1099511627776::BIGINT AS a', at('long/y=2/1.parquet'));
    expect(await values('long', "a || '/' || y")).toEqual(['1/1', '1099511627776/2']);
    await writeParquet(session, "SELECT 'x' AS b, 2::BIGINT AS a", at('order/1.parquet'));
    await writeParquet(session, "SELECT 1::BIGINT AS a, 'x' AS b", at('order/2.parquet'));
    expect(await values('order', 'a')).toEqual(['1', '2']);
    expect((await open('order')).printed).toBe("read_parquet('order/**/*.parquet')");
    await writeParquet(session, 'SELECT {b: 1} AS a, {d: 3} AS c', at('moved/1.parquet'));
    await writeParquet(session, 'SELECT {d: 5} AS a, {b: 7} AS c', at('moved/2.parquet'));
    expect(await values('moved', 'coalesce(a.b, a.d) || coalesce(c.b, c.d)')).toEqual(['13', '57']);
  });

  it('prints a table that is opened twice as one that is opened once', async () => {
    const sql = async () => {
      const { printed } = await parquet('again.parquet', 'SELECT 1.5::DOUBLE AS x');
      return session.shown(`SELECT * FROM ${printed} WHERE x > 3`);
    };
    expect([await sql(), await sql()]).toEqual(
      Array(2).fill(`SELECT * FROM (SELECT * REPLACE ("x" * 1 AS "x") FROM read_parquet('again.parquet')) WHERE x > 3`),
    );
  });

  it('refuses Parquet files of other columns', async () => {
    const at = (name: string) => path.join(folder.path, name);
    await writeParquet(session, 'SELECT 1 AS a, 2 AS b', at('less/1.parquet'));
    await writeParquet(session, 'SELECT 1 AS a, 2 AS "c,d"', at('less/2.parquet'));
    await expect(open('less')).rejects.toMatchObject({
      message: '2.parquet has other columns than 1.parquet: it lacks b and has c,d besides.',
      file: 'less/2.parquet',
    });
    await writeParquet(session, 'SELECT 1 AS a', at('more/1.parquet'));
    await writeParquet(session, 'SELECT 1 AS a, 2 AS b', at('more/2.parquet'));
    await expect(open('more')).rejects.toThrow('2.parquet has other columns than 1.parquet: it has b besides.');
  });

  it('says what is wrong with line ends, an encoding and a key that comes twice, and nothing of a row', async () => {
    await expect(csv('ends.csv', 'a,b\r\n1,2\n3,4\r\n')).rejects.toThrow(/its lines end in two ways, CRLF and LF/);
    await expect(csv('utf16.csv', Buffer.from('\ufeffa,b\n1,2\n', 'utf16le'))).rejects.toThrow(/line 1 is not UTF-8/);
    await write('twice.jsonl', '{"a":1}\n{"a":1,"a":"secret"}\n');
    const { relation } = await open('twice.jsonl');
    const error = await session.rows(`SELECT a FROM ${relation}`).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ message: expect.stringMatching(/in line 2: an object has a key twice$/) });
    expect(String(error)).not.toContain('secret');
    const far = await csv('far.csv', 'd,x\n2026-11-01,1\n290000-01-01,2\n');
    await expect(session.rows(`SELECT max(d) FROM ${far.relation}`)).rejects.toThrow(
      /^Conversion Error: CSV Error on Line: 3: the value of column "d" is no DATE$/,
    );
    expect((await csv('inner.csv', 'a,b\r\n1,"x\ny"\r\n')).rows).toBe(1);
  });

  it('refuses a missing file, a glob without a match, mixed formats, a link in a folder, a remote address', async () => {
    await expect(open('nowhere.parquet')).rejects.toThrow('There is no table at nowhere.parquet.');
    await expect(open('nowhere-*.parquet')).rejects.toThrow('No file matches');
    await expect(open('s3://bucket/x.parquet')).rejects.toThrow('remote');
    await parquet('mixed/a.parquet', 'SELECT 1 AS a');
    await writeFile(path.join(folder.path, 'mixed/b.csv'), 'a\n1\n');
    await expect(open('mixed')).rejects.toThrow('mixes formats');
    await parquet('linked/a.parquet', 'SELECT 1 AS a');
    await symlink('/etc/passwd', path.join(folder.path, 'linked/b.csv'));
    await expect(open('linked')).rejects.toThrow('symbolic link');
    await expect(open('linked/*.csv')).rejects.toThrow('symbolic link');
    await write('outside/a.csv', 'a\n1\n');
    await write('inside/b/c.csv', 'a\n1\n');
    await symlink(path.join(folder.path, 'outside'), path.join(folder.path, 'inside/b/away'));
    await expect(open('inside/*/away/a.csv')).rejects.toThrow('b/away/a.csv is or lies behind a symbolic link');
    expect((await open('mixed/a.parquet')).rows).toBe(1);
  });

  it('leaves out spaces around the names of a header', async () => {
    const table = await csv('spaces.csv', 'id, age,"\tname ",a b\n1,2,3,4\n');
    expect(table.columns.map(({ name }) => name)).toEqual(['id', 'age', 'name', 'a b']);
    expect(await session.rows(`SELECT "age"::INTEGER FROM ${table.relation}`)).toEqual([[2]]);
  });

  it('reads a header longer than a megabyte, and JSON objects of more keys than a map has', async () => {
    const long = 'x'.repeat(1_500_000);
    expect((await csv('header.csv', `a,${long}\n1,2\n`)).columns.map(({ name }) => name)).toEqual(['a', long]);
    const wide = await csv(
      'keys.jsonl',
      `${JSON.stringify(Object.fromEntries(names(300).map((name) => [name, 1])))}\n`,
    );
    expect(wide.columns).toHaveLength(300);
  });

  it.each([
    ['an array', '[{"a":1},{"a":2}]', 1],
    ['a broken line', '{"a":1}\n\n{"a":nul', 3],
    ['two objects on a line', '{"a":1}{"a":2}\n', 1],
    ['a number', '{"a":1}\nnull\n5\n', 3],
  ])('says which line of JSON lines is no object: %s', async (_, text, line) => {
    await write(`lines-${line}.jsonl`, text);
    const error = await open(`lines-${line}.jsonl`).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      message: `lines-${line}.jsonl cannot be read as a table: line ${line} is no JSON object.`,
      file: `lines-${line}.jsonl`,
      line,
    });
  });

  it('refuses keys of JSON lines that differ in letter case only, which would be columns of NULL', async () => {
    await write('case.jsonl', '{"a":1,"A":2}\n');
    await expect(open('case.jsonl')).rejects.toThrow('differ in letter case only');
    await write('numbered.jsonl', '{"a":1,"a_1":2}\nnull\n');
    expect((await open('numbered.jsonl')).columns.map((column) => column.name)).toEqual(['a', 'a_1']);
  });

  it('leaves out of a folder what tools put there, and refuses a Delta table and a Git LFS pointer', async () => {
    for (const [file, text] of [
      ['beside/a.csv', 'a\n1\n'],
      ['beside/.ipynb_checkpoints/a.csv', 'a\n2\n'],
      ['beside/_temporary/0/b.csv', 'a\n3\n'],
      ['delta/a.csv', 'a\n1\n'],
      ['delta/_delta_log/1.json', '{}\n'],
      ['ice/metadata/v1.metadata.json', '{}\n'],
      ['ice/data/a.csv', 'a\n1\n'],
    ] as const) {
      await write(file, text);
    }
    expect((await open('beside')).rows).toBe(1);
    await expect(open('delta')).rejects.toThrow('is a Delta table');
    await expect(open('ice')).rejects.toThrow('is an Iceberg table');
    await write('lfs.csv', `version https://git-lfs.github.com/spec/v1\noid sha256:${'0'.repeat(64)}\nsize 12345\n`);
    await expect(open('lfs.csv')).rejects.toThrow('lfs.csv is a Git LFS pointer');
  });

  it('names files in messages as the user wrote them', async () => {
    await write('several/a.csv', 'a,b\n1,2\n');
    await write('several/b.csv', 'a,b\n1\n');
    await write('cut.parquet', 'PAR1');
    for (const [uri, file] of [
      ['several', 'several/b.csv'],
      ['several/*.csv', 'several/b.csv'],
      ['cut.parquet', 'cut.parquet'],
    ] as const) {
      const error = await open(uri).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ file });
      expect((error as Error).message).not.toContain(folder.path);
    }
  });

  it('loses no other table when a file is gone', async () => {
    await using own = await openTables({ threads: 2 });
    for (const name of ['stays', 'goes', 'comes']) await writeFile(path.join(folder.path, `${name}.csv`), 'a\n1\n');
    const stays = await own.open({ uri: 'stays.csv', root: folder.path });
    await own.open({ uri: 'goes.csv', root: folder.path });
    await rm(path.join(folder.path, 'goes.csv'));
    await own.open({ uri: 'comes.csv', root: folder.path });
    expect(await own.rows(`SELECT a::INTEGER FROM ${stays.relation}`)).toEqual([[1]]);
  });

  it('holds columns until they are let go, also when another table is opened meanwhile', async () => {
    const table = await csv('held.csv', 'a,b"b,c\n1,x,\n2,y,3\n');
    const [a, b] = table.columns;
    const held = await session.hold(table, [a, b] as (typeof table.columns)[0][]);
    const relation = held?.table.relation ?? '';
    const rows = () => session.rows(`SELECT * FROM ${relation} ORDER BY a`);
    const kind = async () =>
      (
        await session.rows(
          `SELECT table_type FROM information_schema.tables WHERE table_name = ${quoteText(relation.slice(1, -1))}`,
        )
      )[0]?.[0];
    const expected = [
      [1n, 'x'],
      [2n, 'y'],
    ];

    expect(await kind()).toBe('LOCAL TEMPORARY');
    expect(await rows()).toEqual(expected);
    await csv('another.csv', 'a\n1\n');
    expect(await rows()).toEqual(expected);
    await held?.[Symbol.asyncDispose]();
    await expect(rows()).rejects.toThrow('does not exist');

    const again = await session.hold(table, [a] as (typeof table.columns)[0][]);
    await again?.[Symbol.asyncDispose]();
    await expect(session.rows(`SELECT * FROM ${again?.table.relation}`)).rejects.toThrow('does not exist');
  });

  it('holds nothing for which there is no room', async () => {
    await using small = await openTables({ threads: 1, memoryLimit: '50MB' });
    const table = await small.derive(`SELECT repeat('x', 100_000_000 + i::INTEGER) AS a FROM range(2) t(i)`, 'large');

    expect(await small.hold(table, table.columns)).toBeNull();
    expect(await small.rows(`SELECT count(*) FROM ${table.relation}`)).toEqual([[2n]]);
  });

  it('keeps hostile column names and a Parquet that was cut in half apart from a table', async () => {
    const names = [
      'a"b',
      "'; DROP TABLE x; --",
      '::error::x',
      '<img src=x onerror=1>',
      'select',
      'a\nb',
      ' ',
      '$1',
      'é',
    ];
    const table = await parquet(
      'hostile.parquet',
      `SELECT ${names.map((n, i) => `${i} AS ${quoteIdentifier(n)}`).join(', ')}`,
    );
    expect(table.columns.map((column) => column.name)).toEqual(names);
    const columns = await readColumns(session, table, { columns: names });
    expect(columns.map((column) => column.values[0])).toEqual(names.map((_, i) => i));
    const bytes = await readFile(path.join(folder.path, 'hostile.parquet'));
    await expect(csv('half.parquet', bytes.subarray(0, bytes.length / 2))).rejects.toThrow('half.parquet');
  });
});

describe('what a file notes', () => {
  const everyKind = `SELECT 7 - i AS i, i / 4 AS "x ""1""", 'v' || i AS s, DATE '2001-01-01' + i::INTEGER AS day, nullif(i, 3) AS n,
    NULL::INTEGER AS nothing, i % 2 = 0 AS b, i::DECIMAL(30, 2) AS d, '01:00:00+00'::TIMETZ AS z FROM range(7) t(i)`;
  const unnoted = (table: Table) => noteQuestions(table).map(() => undefined);

  it('tells extremes and that no row lacks a value, and reads no row for it', async () => {
    await parquet('noted-whole.parquet', everyKind);
    const bytes = await readFile(path.join(folder.path, 'noted-whole.parquet'));
    const footer = bytes.readUInt32LE(bytes.length - 8) + 8;
    await writeFile(path.join(folder.path, 'noted.parquet'), bytes.fill(0, 4, bytes.length - footer));
    const table = await open('noted.parquet');

    const answers = await session.noted(table, noteQuestions(table));

    expect(Object.fromEntries(table.columns.map(({ name }, at) => [name, answers.slice(2 * at, 2 * at + 2)]))).toEqual({
      i: ['1 7', 7n],
      'x "1"': ['0.0 1.5', 7n],
      s: [undefined, 7n],
      day: ['2001-01-01 2001-01-07', 7n],
      n: ['0 6', undefined],
      nothing: [undefined, undefined],
      b: [undefined, 7n],
      d: ['0.00 6.00', 7n],
      z: [undefined, undefined],
    });
    await expect(session.rows(`SELECT sum(i) FROM ${table.relation}`)).rejects.toThrow();
    await parquet('noted-other.parquet', 'SELECT 1 AS a');
    expect(await session.noted(table, noteQuestions(table))).toEqual(answers);
    expect(await session.noted(table, [])).toEqual([]);
  });

  it('tells nothing where the rows are not those of one file', async () => {
    await parquet('noted-two/1.parquet', everyKind);
    await parquet('noted-two/2.parquet', everyKind);
    const table = await parquet('noted-one.parquet', everyKind);
    const few = await session.derive(`SELECT * FROM ${table.relation} WHERE i > 3`, 'few');
    for (const other of [await open('noted-two'), few, await csv('noted.csv', 'a,b\n1,2\n')])
      expect(await session.noted(other, noteQuestions(other))).toEqual(unnoted(other));
    await using held = (await session.hold(table, table.columns)) as HeldColumns;
    expect(await session.noted(held.table, noteQuestions(held.table))).toEqual(unnoted(table));
  });
});

describe('the sandbox', () => {
  it('opens no other file, writes nowhere else, loads nothing, and its settings stay', async () => {
    const secret = path.join(folder.path, 'secret.csv');
    await writeFile(secret, 'a\n1\n');
    await expect(session.rows(`SELECT * FROM read_csv(${quoteText(secret)})`)).rejects.toThrow('Permission');
    await expect(session.rows(`SELECT * FROM read_text('/etc/passwd')`)).rejects.toThrow();
    await expect(session.run(`COPY (SELECT 1) TO ${quoteText(path.join(folder.path, 'evil.csv'))}`)).rejects.toThrow();
    await expect(session.run(`ATTACH ${quoteText(path.join(folder.path, 'evil.db'))}`)).rejects.toThrow();
    await expect(session.run('INSTALL httpfs')).rejects.toThrow();
    await expect(session.run('LOAD httpfs')).rejects.toThrow();
    await expect(session.rows(`SELECT * FROM 'http://127.0.0.1:1/x.parquet'`)).rejects.toThrow();
    await expect(session.run('SET enable_external_access = true')).rejects.toThrow();
    await expect(session.run(`SET threads = 1`)).rejects.toThrow('locked');
  });
});

describe('an error of the engine', () => {
  it.each([
    'CAST(s AS INTEGER)',
    's::DATE',
    "strptime(s, '%Y')",
    'n::TINYINT',
    'n * n * n',
    'make_date(n, 1, 1)',
    's::DECIMAL(3, 1)',
  ])('of %s says nothing of what stands in a row', async (expression) => {
    const table = await csv('private.csv', 's,n\nsec\'ret,9223372036854771234\n"a ""secret"" b",9223372036854771234\n');
    const error = await session.rows(`SELECT min(hash(${expression})) FROM ${table.relation}`).then(
      () => 'it was computed',
      (thrown: Error) => thrown.message,
    );
    expect(error).toMatch(/^(Conversion|Out of Range|Invalid Input) Error: .*(a row|…)/);
    expect(error).not.toMatch(/ret|922337/);
  });
});

describe('keys', () => {
  it('counts rows without a key and repeated keys exactly', async () => {
    const table = await csv('keys.csv', 'k,v\n1,a\n2,b\n2,c\n,d\n3,e\n3,f\n3,g\n');
    expect(await checkKey(session, table, ['k'])).toEqual({
      key: ['k'],
      rows: 7,
      nullRows: 1,
      duplicateKeys: 2,
      duplicateRows: 5,
      examples: [['2'], ['3']],
    });
    await expect(requireKey(session, table, ['k'])).rejects.toThrow('keys.csv has 1 rows without a key');
  });

  it('says which column is missing, who names it and what there is', async () => {
    const table = await csv('predictions.csv', 'id,y,proba\n1,0,0.5\n');
    expect(() => requireColumn(table, 'score', 'evaluate.columns.score')).toThrow(
      'predictions.csv has no column `score`; evaluate.columns.score names it. The file has: id, y, proba.',
    );
    expect(() => requireColumn(table, 'ID')).toThrow('no column `ID`');
    await expect(requireKey(session, await csv('none.csv', 'id\n'), ['id'])).rejects.toThrow('none.csv has no rows.');
  });

  it('compares the keys of two tables and joins what matches', async () => {
    const base = await csv('base.csv', 'id,late,hub\n1,0,a\n2,1,b\n3,0,c\n');
    const other = await csv('other.csv', 'id,score\n4,0.4\n3,0.3\n2,0.2\n2,0.9\n');
    const difference = await compareKeys(session, base, other, ['id']);
    expect(difference).toMatchObject({
      matched: 2,
      missing: { count: 1, examples: [['1']] },
      extra: { count: 1, examples: [['4']] },
      other: { duplicateKeys: 1, duplicateRows: 2, examples: [['2']] },
    });
    const production = await csv('production.csv', 'id,score\n3,0.33\n1,0.11\n2,0.22\n');
    const joined = await joinByKey(
      session,
      [
        { table: base, columns: { label: 'late', hub: 'hub' } },
        { table: production, columns: { production: 'score' } },
      ],
      ['id'],
      'joined',
    );
    const [label, production_] = await readColumns(session, joined, {
      columns: ['label', 'production'],
      orderBy: ['id'],
    });
    expect([...(label?.values as Float64Array)]).toEqual([0, 1, 0]);
    expect([...(production_?.values as Float64Array)]).toEqual([0.11, 0.22, 0.33]);
    const text = await csv('text.csv', 'id,score\n007x,1\n');
    await expect(compareKeys(session, base, text, ['id'])).rejects.toThrow(
      'integer in base.csv and string in text.csv',
    );
  });
});

describe('readColumns', () => {
  it('keeps NULL, NaN and the infinities apart, and ids that no double holds', async () => {
    const table = await parquet(
      'apart.parquet',
      `SELECT * FROM (VALUES (1, 'NaN'::DOUBLE, 9007199254740993, true), (2, NULL, 9007199254740992, NULL), (3, '-Infinity'::DOUBLE, 1, false)) t(k, x, big, b)`,
    );
    const [x, big, b] = await readColumns(session, table, { columns: ['x', 'big', 'b'], orderBy: ['k'] });
    expect(x).toMatchObject({ kind: 'number', nullCount: 1, nulls: Uint8Array.of(0, 1, 0) });
    expect([...(x?.values as Float64Array)]).toEqual([Number.NaN, Number.NaN, Number.NEGATIVE_INFINITY]);
    expect(big).toMatchObject({ kind: 'string', values: ['9007199254740993', '9007199254740992', '1'] });
    expect(b).toMatchObject({ kind: 'boolean', values: Uint8Array.of(1, 0, 0), nullCount: 1 });
  });
});

describe('evaluationDigest', () => {
  it('is the sha256 of the lines that a person would write', async () => {
    const table = await parquet(
      'lines.parquet',
      `SELECT * FROM (VALUES ('b', 2, 1.50::DECIMAL(9,2)), ('a', 10, NULL), ('a', 9, -0.25)) t(s, i, y)`,
    );
    expect(await evaluationDigest(session, table, ['s', 'i'], 'y')).toBe(
      sha256('["a",9,-0.25]\n["a",10,null]\n["b",2,1.5]\n'),
    );
  });

  it('writes numbers, text and times canonically', async () => {
    const table = await parquet(
      'scalars.parquet',
      `SELECT * FROM (VALUES
        (1, 1e20::DOUBLE, 100000000000000000000::HUGEINT, 'a"\\é' || chr(10), TIMESTAMP '2001-02-03 04:05:06.5', 12345678901234567.5::DECIMAL(20,1)),
        (2, 'NaN'::DOUBLE, 5, '', NULL, 0.10)) t(k, x, big, s, t, d)`,
    );
    const digest = (label: string) => evaluationDigest(session, table, ['k'], label);
    expect(await digest('x')).toBe(sha256('[1,"100000000000000000000"]\n[2,"NaN"]\n'));
    expect(await digest('big')).toBe(sha256('[1,"100000000000000000000"]\n[2,5]\n'));
    expect(await digest('s')).toBe(sha256('[1,"a\\"\\\\é\\n"]\n[2,""]\n'));
    expect(await digest('t')).toBe(sha256('[1,"2001-02-03T04:05:06.5"]\n[2,null]\n'));
    expect(await digest('d')).toBe(sha256('[1,"12345678901234567.5"]\n[2,0.1]\n'));
  });

  it.each([
    ['whole numbers that only a CSV of them reads exactly', 'DOUBLE', ['1152921504606847000', '-9007199254740994']],
    ['a number beyond all integer types', 'DOUBLE', ['1e23', '1e300']],
    ['ids of 64 bits', 'BIGINT', ['9007199254740993', '1152921504606846976']],
    ['decimals of 16 digits', 'DECIMAL(18,17)', ['0.1234567890123456', '0.1']],
  ])('is the same of CSV and Parquet: %s', async (_, type, numbers) => {
    const rows = numbers.map((y, id) => `(${id}, ${quoteText(y)}::${type})`).join(', ');
    const typed = await parquet('number.parquet', `SELECT * FROM (VALUES ${rows}) t(id, y)`);
    const text = await csv('number.csv', `id,y\n${numbers.map((y, id) => `${id},${y}\n`).join('')}`);
    expect(await evaluationDigest(session, text, ['id'], 'y')).toBe(
      await evaluationDigest(session, typed, ['id'], 'y'),
    );
  });

  it('keeps whole numbers apart that are one double', async () => {
    const digests = new Set<string>();
    for (const y of ['9007199254740992', '9007199254740993', '1152921504606846976', '1152921504606847000'])
      digests.add(await evaluationDigest(session, await csv('whole.csv', `id,y\n1,${y}\n`), ['id'], 'y'));
    expect(digests.size).toBe(4);
  });

  it('depends neither on the order of rows nor on the format', async () => {
    const large = fc.bigInt({ min: -(2n ** 64n), max: 2n ** 64n }).map(Number);
    const cell = fc.record({
      y: fc.oneof(fc.integer(), large, fc.double({ noNaN: true, noDefaultInfinity: true })),
      s: fc.string({ unit: 'binary-ascii' }).filter((t) => !/[\0]/.test(t)),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(cell, { minLength: 1, maxLength: 20 }),
        fc.infiniteStream(fc.double({ noNaN: true })),
        async (rows, noise) => {
          const keyed = rows.map((row, id) => ({ id, ...row }));
          const shuffled = keyed
            .map((row) => ({ row, at: noise.next().value as number }))
            .sort((a, b) => a.at - b.at)
            .map(({ row }) => row);
          const value = (row: (typeof keyed)[0]) =>
            `(${row.id}, ${quoteText(String(row.y))}::DOUBLE, ${quoteText(row.s)})`;
          const first = await parquet(
            'order-1.parquet',
            `SELECT * FROM (VALUES ${keyed.map(value).join(', ')}) t(id, y, s)`,
          );
          const second = await csv('order-2.csv', `id,y\n${shuffled.map((row) => `${row.id},${row.y}`).join('\n')}\n`);
          const third = await parquet(
            'order-3.parquet',
            `SELECT id::BIGINT AS id, s FROM (VALUES ${shuffled.map(value).join(', ')}) t(id, y, s)`,
          );
          expect(await evaluationDigest(session, second, ['id'], 'y')).toBe(
            await evaluationDigest(session, first, ['id'], 'y'),
          );
          expect(await evaluationDigest(session, third, ['id'], 's')).toBe(
            await evaluationDigest(session, first, ['id'], 's'),
          );
        },
      ),
      { numRuns: 15 },
    );
  });

  it('refuses an empty table, repeated keys and a missing label', async () => {
    await expect(evaluationDigest(session, await csv('e.csv', 'id,y\n'), ['id'], 'y')).rejects.toThrow('no rows');
    const twice = await csv('twice.csv', 'id,y\n1,0\n1,1\n');
    await expect(evaluationDigest(session, twice, ['id'], 'y')).rejects.toThrow('1 keys (`id`)');
    await expect(evaluationDigest(session, twice, ['id'], 'label')).rejects.toThrow('columns.label names it');
  });
});

describe('datasetIdentity', () => {
  it('is the sha256 of a file and dirHash1 of a folder or glob', async () => {
    await csv('ident/a.csv', '').catch(() => undefined);
    await parquet('identity/a.parquet', 'SELECT 1 AS a');
    await parquet('identity/b.parquet', 'SELECT 2 AS a');
    const bytes = await readFile(path.join(folder.path, 'identity/a.parquet'));
    const one = await datasetIdentity(await findTableFiles('identity/a.parquet', folder.path));
    expect(one).toEqual({ digest: sha256(bytes), bytes: bytes.length, files: 1 });
    const whole = await datasetIdentity(await findTableFiles('identity', folder.path));
    const glob = await datasetIdentity(await findTableFiles('identity/*.parquet', folder.path));
    const other = sha256(await readFile(path.join(folder.path, 'identity/b.parquet')));
    expect(whole).toEqual(glob);
    expect(whole.digest).toBe(sha256(`${one.digest.slice(7)}  a.parquet\n${other.slice(7)}  b.parquet\n`));
  });
});
