import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { ConfigurationError, InfrastructureError, type TemporaryFolder, temporaryFolder } from '@passloop/core';
import { DataReport, formatDocument } from '@passloop/documents';
import { Check, type CheckInput } from '@passloop/model';
import { openTables, quoteIdentifier, type TableSession, writeParquet } from '@passloop/tables';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { profileTable, validateDataset, validateTable } from './index.ts';

let folder: TemporaryFolder;
let session: TableSession;

beforeAll(async () => {
  // Below the working directory, so that printed queries with their relative path run as a person would paste them.
  folder = await temporaryFolder('validate-test', path.join(process.cwd(), 'node_modules/.tmp'));
  session = await openTables({ threads: 2 });
});
afterAll(async () => {
  await session[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

async function validate(name: string, text: string, checks: CheckInput[]): Promise<DataReport> {
  await mkdir(path.dirname(path.join(folder.path, name)), { recursive: true });
  await writeFile(path.join(folder.path, name), text);
  return validateFile(name, checks);
}

async function validateFile(name: string, checks: CheckInput[]): Promise<DataReport> {
  const dataset = { name: 'test', uri: name, root: folder.path };
  const report = await validateDataset({
    now: new Date('2026-11-22T10:10:00Z'),
    session,
    dataset,
    checks: checks.map((check) => Check.parse(check)),
    profile: null,
  });
  return DataReport.parse(report);
}

const people = 'id,age,hub,joined\n1,30,a,2001-01-05\n2,-4,b,2001-01-06\n3,,a,2001-02-01\n3,200,,2001-02-02\n5,41,c,\n';

describe('each kind of check', () => {
  it.each<[string, CheckInput, string, number | null, string | null]>([
    ['not-null', { kind: 'not-null', column: 'age' }, 'fail', 1, '1 of 5 rows are NULL (20 %)'],
    ['not-null, mostly', { kind: 'not-null', column: 'age', mostly: 0.8 }, 'pass', 1, '1 of 5 rows are NULL (20 %)'],
    ['not-null, where', { kind: 'not-null', column: 'age', where: 'id < 3' }, 'pass', 0, '0 of 2 rows are NULL'],
    [
      'range',
      { kind: 'range', column: 'age', min: 0, max: 120 },
      'fail',
      2,
      '-4 .. 200; 2 of 4 rows are outside (50 %)',
    ],
    [
      'range, warn',
      { kind: 'range', column: 'age', min: 0, severity: 'warn' },
      'warn',
      1,
      '-4 .. 200; 1 of 4 rows are outside (25 %)',
    ],
    [
      'range of dates',
      { kind: 'range', column: 'joined', max: '2001-01-31' },
      'fail',
      2,
      '2001-01-05 .. 2001-02-02; 2 of 4 rows are outside (50 %)',
    ],
    ['set', { kind: 'set', column: 'hub', values: ['a', 'b'] }, 'fail', 1, '1 of 4 rows have another value (25 %)'],
    [
      'set, where',
      { kind: 'set', column: 'hub', values: ['a', 'b'], where: "hub <> 'c'" },
      'pass',
      0,
      '0 of 3 rows have another value',
    ],
    [
      'set of numbers',
      { kind: 'set', column: 'id', values: [1, 2, 3, 5] },
      'pass',
      0,
      '0 of 5 rows have another value',
    ],
    ['unique', { kind: 'unique', columns: ['id'] }, 'fail', 2, '1 repeated, in 2 rows'],
    ['unique of two', { kind: 'unique', columns: ['id', 'age'] }, 'pass', 0, 'all 5 rows differ'],
    ['row-count', { kind: 'row-count', min: 6 }, 'fail', null, '5 rows'],
    ['row-count, both', { kind: 'row-count', min: 5, max: 5 }, 'pass', null, '5 rows'],
    ['columns', { kind: 'columns', types: { id: 'integer', joined: 'date' } }, 'pass', null, 'all 2 as expected'],
    [
      'columns, wrong',
      { kind: 'columns', types: { id: 'string', sex: 'string' } },
      'fail',
      null,
      'id is integer, not string; sex is missing',
    ],
    [
      'columns, exact',
      { kind: 'columns', types: { id: 'integer', age: 'integer', hub: 'string' }, exact: true },
      'fail',
      null,
      'joined is not expected',
    ],
  ])('%s', async (_, check, verdict, failingRows, observed) => {
    const report = await validate('people.csv', people, [check]);
    expect(report.checks[0]).toMatchObject({ verdict, failingRows, observed });
    expect(report).toMatchObject({ executed: 1, verdict, rows: 5, engine: expect.stringMatching(/^duckdb \d/) });
  });

  it('prints SQL that anybody can paste and that returns the failing rows', async () => {
    const uri = path.relative(process.cwd(), path.join(folder.path, 'paste.csv'));
    await writeFile(path.join(folder.path, 'paste.csv'), people);
    const checks: CheckInput[] = [
      { kind: 'range', column: 'age', min: 0, max: 120 },
      { kind: 'set', column: 'hub', values: ['a', "it's"], where: 'id > 1' },
      { kind: 'not-null', column: 'joined' },
      { kind: 'unique', columns: ['id'] },
    ];
    const dataset = { name: 'test', uri, root: process.cwd() };
    const report = await validateDataset({
      now: new Date('2026-11-22T10:10:00Z'),
      session,
      dataset,
      checks: checks.map((check) => Check.parse(check)),
      profile: null,
    });
    const plain = await (await DuckDBInstance.create(':memory:')).connect();
    for (const check of report.checks) {
      expect(check.sql).not.toContain(process.cwd());
      const rows = (await plain.runAndReadAll(check.sql as string)).getRows();
      expect([check.id, rows.length]).toEqual([check.id, check.failingRows]);
      expect(check.failingRows).toBeGreaterThan(0);
    }
    plain.closeSync();
  });

  it('keeps NaN, the infinities and NULL apart', async () => {
    const file = path.join(folder.path, 'apart.parquet');
    const values = ["'NaN'::DOUBLE", "'Infinity'::DOUBLE", "'-Infinity'::DOUBLE", 'NULL', '0.5', '1.5'];
    await writeParquet(session, `SELECT unnest([${values.join(', ')}]) AS x`, file);
    const report = await validateFile('apart.parquet', [
      { kind: 'not-null', column: 'x' },
      { kind: 'range', column: 'x', min: 0, max: 1 },
      { kind: 'range', column: 'x', min: 0, id: 'low' },
      { kind: 'range', column: 'x', max: 1, id: 'high' },
    ]);
    expect(report.checks.map((check) => check.failingRows)).toEqual([1, 4, 2, 3]);
    expect(report.checks[0]?.reason).toContain('1 rows are NaN, which is not NULL');
  });

  it('compares decimals and large integers without rounding', async () => {
    const file = path.join(folder.path, 'exact.parquet');
    await writeParquet(session, `SELECT 9007199254740993 AS big, 0.1::DECIMAL(4,2) AS d`, file);
    const report = await validateFile('exact.parquet', [
      { kind: 'range', column: 'big', max: '9007199254740992' },
      { kind: 'range', column: 'd', min: 0.1, max: 0.1 },
    ]);
    expect(report.checks.map((check) => check.verdict)).toEqual(['fail', 'pass']);
  });
});

describe('nothing ran is a failure', () => {
  it('with no check at all', async () => {
    expect(await validate('people.csv', people, [])).toMatchObject({ verdict: 'fail', executed: 0, checks: [] });
  });

  it('with an empty table, whatever the checks', async () => {
    const report = await validate('empty.csv', 'id,age\n', [
      { kind: 'not-null', column: 'age', severity: 'warn' },
      { kind: 'row-count', min: 0 },
      { kind: 'unique', columns: ['id'] },
      { kind: 'columns', types: { id: 'string' } },
    ]);
    expect(report.verdict).toBe('fail');
    expect(report.checks.map((check) => check.verdict)).toEqual(['fail', 'pass', 'fail', 'pass', 'fail']);
    expect(report.checks.at(-1)?.reason).toContain('empty table');
  });

  it.each<[string, CheckInput, RegExp]>([
    [
      'a missing column',
      { kind: 'not-null', column: 'agee', severity: 'warn' },
      /has no column `agee`.*The file has: id, age/,
    ],
    ['a missing column of a key', { kind: 'unique', columns: ['id', 'x'] }, /has no column `x`/],
    ['another case', { kind: 'range', column: 'AGE', min: 0 }, /has no column `AGE`/],
    ['a range on text', { kind: 'range', column: 'hub', min: 0 }, /is string; a range needs/],
    ['a bound that is none', { kind: 'range', column: 'age', min: '0; DROP TABLE x' }, /is no bound/],
    ['a date that is none', { kind: 'range', column: 'joined', min: '2001-02-30' }, /is no bound/],
    ['a set of another type', { kind: 'set', column: 'age', values: ['a'] }, /can't be a value of `age`/],
    [
      'a condition that leaves no row',
      { kind: 'not-null', column: 'age', where: 'id > 99' },
      /no row is left by `where`/,
    ],
    [
      'a condition that is a query',
      { kind: 'not-null', column: 'age', where: 'id IN (SELECT 1)' },
      /subquery is not allowed/,
    ],
    ['a condition on a missing column', { kind: 'not-null', column: 'age', where: 'x > 1' }, /has no column `x`/],
    ['drift without a profile', { kind: 'drift' }, /has no profile/],
    ['no columns named', { kind: 'columns', types: {} }, /names no column/],
  ])('%s', async (_, check, reason) => {
    const report = await validate('people.csv', people, [check]);
    expect(report).toMatchObject({ verdict: 'fail', executed: 0 });
    expect(report.checks[0]).toMatchObject({ verdict: 'fail', reason: expect.stringMatching(reason) });
    expect(report.checks[0]?.reason).toMatch(/^not executed: /);
  });

  it('with a column of NULL only', async () => {
    const report = await validate('null.csv', 'id,x\n1,\n2,\n', [{ kind: 'set', column: 'x', values: ['a'] }]);
    expect(report.checks[0]).toMatchObject({ verdict: 'fail', reason: 'not executed: every row is NULL' });
  });

  it('lets the other checks report when one breaks on a row', async () => {
    const report = await validate('people.csv', people, [
      { kind: 'not-null', column: 'id' },
      { kind: 'not-null', column: 'age', where: 'CAST(hub AS INTEGER) > 1' },
      { kind: 'range', column: 'id', min: 1 },
    ]);
    expect(report.checks.map((check) => check.verdict)).toEqual(['pass', 'fail', 'pass']);
    expect(report.checks[1]?.reason).toMatch(/not executed: .*Conversion/);
    expect(report.executed).toBe(2);
  });

  it('is no verdict when the engine runs out of memory: the data is not to blame', async () => {
    await using small = await openTables({ threads: 1, memoryLimit: '8MB' });
    const text = `md5(i::VARCHAR) || repeat('x', 100)`;
    const table = await small.derive(`SELECT ${text} AS x, i FROM range(300000) t(i)`, 'large');
    const checks = [Check.parse({ kind: 'unique', columns: ['x'] }), Check.parse({ kind: 'not-null', column: 'i' })];
    const dataset = { name: 'large', uri: 'large.parquet', root: folder.path };
    await expect(
      validateTable({ now: new Date('2026-11-22T10:10:00Z'), session: small, table, dataset, checks, profile: null }),
    ).rejects.toThrow(InfrastructureError);
  });

  it('refuses a file that is missing or broken', async () => {
    await expect(validateFile('nowhere.csv', [])).rejects.toBeInstanceOf(ConfigurationError);
  });
});

describe('hostile names', () => {
  const names = ['a"b', "x'; DROP TABLE y; --", '::error file=x::boo', '<script>', 'select', 'new\nline', '$1', 'ünï'];
  it('are columns like any other', async () => {
    const file = path.join(folder.path, 'hostile.parquet');
    await writeParquet(
      session,
      `SELECT ${names.map((name, i) => `${i} AS ${quoteIdentifier(name)}`).join(', ')}`,
      file,
    );
    const report = await validateFile(
      'hostile.parquet',
      names.flatMap((name, i): CheckInput[] => [
        { kind: 'range', column: name, min: i, max: i },
        { kind: 'unique', columns: [name] },
        { kind: 'not-null', column: name, where: `${quoteIdentifier(name)} = ${i}` },
      ]),
    );
    expect(report.checks.filter((check) => check.verdict !== 'pass')).toEqual([]);
    expect(report.executed).toBe(names.length * 3);
  });
});

describe('determinism', () => {
  const checks: CheckInput[] = [
    { kind: 'range', column: 'x', min: -1.5, max: 1.5, mostly: 0.8 },
    { kind: 'not-null', column: 'x' },
    { kind: 'set', column: 's', values: ['v1', 'v2', 'v3'] },
    { kind: 'unique', columns: ['s', 'x'] },
    { kind: 'drift', minRows: 10 },
  ];

  it('gives the same bytes ten times on two threads', async () => {
    const file = path.join(folder.path, 'ten.parquet');
    await writeParquet(
      session,
      `SELECT i AS id, sin(i * 12.9898) * 43758.5453 % 2 AS x, 'v' || (i % 7) AS s, DATE '2001-01-01' + (i // 4000)::INTEGER AS d FROM range(300000) t(i)`,
      file,
    );
    const table = await session.open({ uri: 'ten.parquet', root: folder.path });
    const dataset = { name: 'ten', uri: 'ten.parquet', root: folder.path };
    const seen = new Set<string>();
    for (let run = 0; run < 10; run++) {
      const profile = await profileTable({
        session,
        table,
        dataset: { name: 'ten', uri: 'ten.parquet', digest: null },
        key: ['id'],
      });
      const report = await validateDataset({
        now: new Date('2026-11-22T10:10:00Z'),
        session,
        dataset,
        checks: checks.map((check) => Check.parse(check)),
        profile,
      });
      seen.add(formatDocument('data-report', report) + JSON.stringify(profile));
    }
    expect(seen.size).toBe(1);
  });

  it('gives the same report and profile for any order of rows', async () => {
    const cell = fc.record({
      x: fc.option(fc.double({ noNaN: true }), { nil: null }),
      s: fc.constantFrom('v1', 'v2', 'v9'),
      order: fc.integer(),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(cell, { minLength: 1, maxLength: 40 }), async (rows) => {
        const reports: string[] = [];
        for (const ordered of [rows, [...rows].sort((a, b) => a.order - b.order)]) {
          const values = ordered.map((row) => `(${row.x === null ? 'NULL' : `'${row.x}'::DOUBLE`}, '${row.s}')`);
          await writeParquet(
            session,
            `SELECT * FROM (VALUES ${values.join(', ')}) t(x, s)`,
            path.join(folder.path, 'order.parquet'),
          );
          const table = await session.open({ uri: 'order.parquet', root: folder.path });
          const profile = await profileTable({
            session,
            table,
            dataset: { name: 'o', uri: 'order.parquet', digest: null },
          });
          const dataset = { name: 'o', uri: 'order.parquet', root: folder.path };
          const report = await validateDataset({
            now: new Date('2026-11-22T10:10:00Z'),
            session,
            dataset,
            checks: checks.map((check) => Check.parse(check)),
            profile,
          });
          reports.push(JSON.stringify([report, profile]));
        }
        expect(reports[0]).toBe(reports[1]);
      }),
      { numRuns: 15 },
    );
  });
});
