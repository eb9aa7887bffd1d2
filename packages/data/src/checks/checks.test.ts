import { readFileSync } from 'node:fs';
import { cp, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { type TemporaryFolder, temporaryFolder } from '@passloop/core';
import { type CheckResult, DataReport } from '@passloop/documents';
import { Check, checkAliases, checkKinds, checkLoosens, parseChecks } from '@passloop/model';
import { openTables, type TableSession, writeParquet } from '@passloop/tables';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { spiedSession } from '../testing/spied-session.ts';
import { validateDataset } from '../validate.ts';
import { caseFiles, checkCases } from './check-cases.ts';

const page = path.resolve(import.meta.dirname, '../../../../docs/checks.md');
const now = new Date('2026-11-22T10:10:00Z');
const kinds = Object.keys(checkCases) as (keyof typeof checkCases)[];
let folder: TemporaryFolder;
let session: TableSession;

beforeAll(async () => {
  folder = await temporaryFolder('checks', path.join(process.cwd(), 'node_modules/.tmp'));
  for (const [name, lines] of Object.entries(caseFiles))
    await writeFile(path.join(folder.path, name), `${lines.join('\n')}\n`);
  session = await openTables({ threads: 2 });
});
afterAll(async () => {
  await session[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

async function report(
  texts: readonly string[],
  dataset = 'orders.csv',
  using: TableSession = session,
): Promise<DataReport> {
  const checks = parseChecks(texts.map((text) => `- ${text}`).join('\n'), 'checks.yaml');
  const root = process.cwd();
  const uri = (name: string) => path.relative(root, path.join(folder.path, name));
  return DataReport.parse(
    await validateDataset({
      session: using,
      dataset: { name: 'orders', uri: uri(dataset), root },
      checks,
      profile: null,
      now,
      otherDataset: async () => ({ uri: uri('past.csv'), root }),
    }),
  );
}

async function one(text: string, dataset?: string): Promise<CheckResult> {
  const [result] = (await report([text], dataset)).checks;
  if (result === undefined) throw new Error('there is no result');
  return result;
}

describe('each kind', () => {
  it.each(kinds)('%s: a change from what stops this data to what lets it through loosens', (kind) => {
    const { passes, fails } = checkCases[kind];
    const [base, head] = parseChecks(`- ${fails}\n- ${passes}\n`, 'checks.yaml');
    expect(checkLoosens(base as Check, head as Check)).toBe(true);
  });

  it.each(kinds)('%s holds, and is broken', async (kind) => {
    const { passes, fails, observed, failingRows } = checkCases[kind];
    expect(await one(passes), passes).toMatchObject({ kind, verdict: 'pass' });
    const broken = await one(fails);
    if (observed === '')
      expect(broken).toMatchObject({ kind, verdict: 'fail', reason: expect.stringMatching(/^not executed/) });
    else expect(broken, fails).toMatchObject({ kind, verdict: 'fail', observed, failingRows });
    expect(await one(fails.replace(/}$/, ', severity: warn}'))).toMatchObject({
      verdict: observed === '' ? 'fail' : 'warn',
    });
  });

  it('prints SQL that anybody can paste; where single rows are broken it returns them', async () => {
    const plain = await (await DuckDBInstance.create(':memory:')).connect();
    const results = (await report(kinds.map((kind) => checkCases[kind].fails))).checks;
    for (const { id, kind, sql, failingRows } of results) {
      if (sql === null) continue;
      const rows = (await plain.runAndReadAll(sql)).getRows();
      const isWhole = failingRows !== null && failingRows > 0 && kind !== 'variants';
      if (isWhole) expect([id, rows.length]).toEqual([id, failingRows]);
    }
    plain.closeSync();
  });

  it('gives the same bytes each time, whatever the threads', async () => {
    const texts = kinds.map((kind) => checkCases[kind].fails);
    const first = JSON.stringify(await report(texts));
    for (let run = 0; run < 20; run += 1) {
      await using other = await openTables({ threads: 1 + (run % 3) });
      expect(JSON.stringify(await report(texts, 'orders.csv', other))).toBe(first);
    }
  }, 120_000);

  it.each([
    ["{kind: regex, column: note, pattern: '('}", /the pattern \( is none/],
    ['{kind: regex, column: amount, pattern: x}', /`amount` is float; regex needs text/],
    ['{kind: finite, column: note}', /only numbers are finite/],
    ['{kind: aggregate, column: note, function: mean, min: 1}', /mean needs numbers/],
    ['{kind: aggregate, column: amount, function: mean, min: abc}', /a bound is none for `amount`, which is float/],
    ['{kind: aggregate, column: placed, function: max, max: soon}', /a bound is none for `placed`, which is date/],
    ['{kind: aggregate, column: placed, function: max, max: 31.12.2025}', /a bound is none/],
    ['{kind: aggregate, column: placed, function: max, max: 2026-13-45}', /a bound is none/],
    ["{kind: expression, expression: '(SELECT 1) = 1'}", /subquery is not allowed/],
    ["{kind: expression, expression: \"read_text('/etc/passwd') = ''\"}", /the function read_text is not allowed/],
    ['{kind: freshness, column: note, within: 1d}', /needs dates or timestamps/],
    ['{kind: correlation, columns: [amount, discount], max: 0.9}', /a column is constant/],
    ['{kind: references, columns: [note], dataset: past}', /has no column `note`/],
    [
      '{kind: references, columns: [country], dataset: past, to: [amount]}',
      /`country` is string here and float in past/,
    ],
    ['{kind: leakage, dataset: past, by: columns, columns: [note]}', /has no column `note`/],
    ['{kind: leakage, dataset: past, by: rows, columns: [customer]}', /leave one of the two/],
    ['{kind: leakage, dataset: past, by: time, columns: [placed, amount]}', /one column: that of the time/],
    ['{kind: leakage, dataset: past, columns: [customer], except: [id]}', /for rows alone/],
    ['{kind: outliers, column: discount, method: iqr}', /half of the values are equal/],
    ['{kind: outliers, column: discount, method: mad}', /half of the values are equal/],
    ["{kind: set, column: id, values: ['007']}", /"007" can't be a value of `id`, which is integer/],
    ['{kind: identifier-like, columns: [nothing]}', /has no column `nothing`/],
    ["{kind: unique, columns: [id], where: 'id > 99'}", /there are no rows/],
  ])('that can not run fails and says why: %s', async (text, reason) => {
    expect(await one(text)).toMatchObject({ verdict: 'fail', reason: expect.stringMatching(reason) });
  });

  it('never ends a pattern late: its time is linear', async () => {
    await writeFile(path.join(folder.path, 'long.csv'), `a\n${'a'.repeat(100_000)}!\n`);
    const result = await one("{kind: regex, column: a, pattern: '^(a+)+$'}", 'long.csv');
    expect(result).toMatchObject({ verdict: 'fail', failingRows: 1 });
  });
});

describe('what must not pass', () => {
  async function typed(query: string, past: string, text: string): Promise<CheckResult | undefined> {
    const [here, there] = ['typed.parquet', 'typed-past.parquet'].map((name) => path.join(folder.path, name)) as [
      string,
      string,
    ];
    await writeParquet(session, query, here);
    await writeParquet(session, past, there);
    const report = await validateDataset({
      session,
      dataset: { name: 'typed', uri: 'typed.parquet', root: folder.path },
      checks: parseChecks(`- ${text}`, 'checks.yaml'),
      profile: null,
      now,
      otherDataset: async () => ({ uri: 'typed-past.parquet', root: folder.path }),
    });
    return report.checks[0];
  }
  const times = "SELECT i AS id, DATE '2026-01-01' + i::INTEGER AS at FROM range(10) t(i)";
  const never = 'SELECT i AS id, NULL::DATE AS at FROM range(10) t(i)';

  it.each([
    [
      'times that nobody knows here',
      never,
      times,
      '{kind: leakage, dataset: past, by: time, columns: [at]}',
      /^not executed/,
    ],
    [
      'times that nobody knows there',
      times,
      never,
      '{kind: leakage, dataset: past, by: time, columns: [at]}',
      /^not executed/,
    ],
    [
      'a nested feature',
      'SELECT 1 AS id, {a: 1} AS s',
      'SELECT 1 AS id',
      '{kind: duplicate-rows}',
      /`s` holds several values in one/,
    ],
    [
      'a nested feature that is named',
      "SELECT 1 AS id, {a: 1} AS s, 'x' AS y",
      'SELECT 1 AS id',
      '{kind: conflicting-labels, label: y, features: [s]}',
      /holds several/,
    ],
  ])('%s', async (_, query, past, text, reason) => {
    expect(await typed(query, past, text)).toMatchObject({ verdict: 'fail', reason: expect.stringMatching(reason) });
  });

  it.each([
    [
      'an id of both, whatever the other columns',
      times,
      `SELECT 9 AS id, NULL::DATE AS at`,
      '{kind: leakage, dataset: past, columns: [id]}',
      1,
    ],
    ['one class alone', times, times, '{kind: class-balance, column: at, min: 0}', null],
  ])('%s', async (name, query, past, text, failingRows) => {
    const only = name === 'one class alone' ? "SELECT 1 AS id, DATE '2026-01-01' AS at" : query;
    expect(await typed(only, past, text)).toMatchObject({ verdict: 'fail', failingRows });
  });

  it('ids that are missing on both sides, which are nobody’s', async () => {
    const found = await typed(
      'SELECT unnest([1, NULL, NULL]) AS id',
      'SELECT unnest([7, NULL]) AS id',
      '{kind: leakage, dataset: past, columns: [id]}',
    );
    expect(found).toMatchObject({ verdict: 'pass', observed: '0 of 1 rows are in past too (0 %)' });
  });

  const large = "SELECT 1000000000001::BIGINT AS n, TIMESTAMPTZ '2026-11-01 00:00:00Z' AS at";
  it.each([
    ['{kind: aggregate, column: n, function: max, max: 1000000000000}', 'fail', 'max 1000000000001'],
    ['{kind: aggregate, column: n, function: sum, max: 1000000000001}', 'pass', 'sum 1000000000001'],
    [
      "{kind: aggregate, column: at, function: min, min: '2026-11-01T02:00:00+02:00'}",
      'pass',
      'min 2026-11-01 00:00:00+00',
    ],
    ["{kind: aggregate, column: at, function: max, max: '2026-10-31T23:59:59Z'}", 'fail', 'max 2026-11-01 00:00:00+00'],
  ])('a number or a time beyond its bound by one: %s', async (text, verdict, observed) => {
    expect(await typed(large, times, text)).toMatchObject({ verdict, observed });
  });

  const judges = async (values: string, text: string) => typed(`SELECT unnest(${values}) AS n, 1 AS one`, times, text);
  it.each([
    ["[1, 'nan'::DOUBLE]", 'min: 0', 'fail', '1.0 .. 1.0; 1 of 2 rows are outside (50 %)'],
    ["[1, 2, 'inf'::DOUBLE]", 'min: 0', 'pass', '1.0 .. 2.0; 0 of 3 rows are outside'],
    ["[1, '-inf'::DOUBLE]", 'min: 0', 'fail', '1.0 .. 1.0; 1 of 2 rows are outside (50 %)'],
    ["['nan'::DOUBLE]", 'max: 0', 'fail', '1 of 1 rows are outside (100 %)'],
    ['[1, NULL, 3]', 'min: 1, max: 3', 'pass', '1 .. 3; 0 of 2 rows are outside'],
    ['[1, 9, 3]', 'max: 3', 'fail', '1 .. 9; 1 of 3 rows are outside (33.3 %)'],
    ['[1, 9, 3]', "max: 9, where: 'n > 1'", 'pass', '0 of 2 rows are outside; all rows: 1 .. 9'],
    ['[1, 9, 3]', "max: 3, where: 'n < 9'", 'pass', '1 .. 3; 0 of 2 rows are outside'],
    ['[1, 9, 3]', "max: 3, where: 'n > 1'", 'fail', '3 .. 9; 1 of 2 rows are outside (50 %)'],
    ['[0.1::FLOAT, 0.2::FLOAT]', 'max: 0.5', 'pass', '0.1 .. 0.2; 0 of 2 rows are outside'],
    ['[1.5::DECIMAL(4,1), 99.5]', 'max: 99.4', 'fail', '1.5 .. 99.5; 1 of 2 rows are outside (50 %)'],
    ["[DATE '2026-01-31', DATE '2026-02-01']", "max: '2026-01-31'", 'fail', /^2026-01-31 .. 2026-02-01; 1 of 2/],
  ])('a range of %s with %s: %s', async (values, bounds, verdict, observed) => {
    const result = await judges(values, `{kind: range, column: n, ${bounds}}`);
    expect(result).toMatchObject({
      verdict,
      observed: typeof observed === 'string' ? observed : expect.stringMatching(observed),
    });
  });

  it.each([
    ['[3, -5, 0]', '', 'pass', 'all 3 rows differ'],
    ['[3, -5, NULL]', '', 'pass', 'all 3 rows differ'],
    ['[3, NULL, NULL]', '', 'fail', '1 repeated, in 2 rows'],
    ['[3, -5, 3, 4]', '', 'fail', '1 repeated, in 2 rows'],
    ['[3, -5, 3]', ", where: 'n < 3'", 'pass', 'all 1 rows differ'],
    ['[3, -5, 3]', ", where: 'n > 0'", 'fail', '1 repeated, in 2 rows'],
    ['[18446744073709551615::UBIGINT, 18446744073709551614]', '', 'pass', 'all 2 rows differ'],
    ["['-9223372036854775808'::BIGINT, 9223372036854775807]", '', 'pass', 'all 2 rows differ'],
    ["['170141183460469231731687303715884105727'::HUGEINT, 1]", '', 'pass', 'all 2 rows differ'],
    ['[1::TINYINT, 2, 2]', '', 'fail', '1 repeated, in 2 rows'],
    ['range(0, 100000000, 10000000)', '', 'pass', 'all 10 rows differ'],
  ])('a key of %s%s: %s', async (values, where, verdict, observed) => {
    expect(await judges(values, `{kind: unique, columns: [n]${where}}`)).toMatchObject({ verdict, observed });
  });

  it.each([
    ['[1::TINYINT, 2, NULL]', '[1, 2, 5000000000]', 'pass', '0 of 2 rows have another value'],
    ['[1::TINYINT, 3]', '[1, 5000000000]', 'fail', '1 of 2 rows have another value (50 %)'],
    ['[1, 2]', '[1, 1.5, 2]', 'pass', '0 of 2 rows have another value'],
    ['[0.1, 0.2]::DOUBLE[]', '[0.1, 0.2]', 'pass', '0 of 2 rows have another value'],
    ["['a', 'b''c']", '[a, "b\'c"]', 'pass', '0 of 2 rows have another value'],
    ['[9007199254740993]', '["9007199254740993"]', 'pass', '0 of 1 rows have another value'],
    ['[9007199254740993]', '["9007199254740992", 5]', 'fail', '1 of 1 rows have another value (100 %)'],
    [
      '[0.12345678901234567890::DECIMAL(38, 20)]',
      '["0.12345678901234567890"]',
      'pass',
      '0 of 1 rows have another value',
    ],
    ["['a', 'A', '']", '[a, ""]', 'fail', '1 of 3 rows have another value (33.3 %)'],
    ["['a', 'b']::ENUM('a', 'b')[]", '[a]', 'fail', '1 of 2 rows have another value (50 %)'],
  ])('values of %s in %s: %s', async (values, list, verdict, observed) => {
    expect(await judges(values, `{kind: set, column: n, values: ${list}}`)).toMatchObject({ verdict, observed });
  });

  it.each(['DOUBLE', 'FLOAT'])('each %s is what it is written as', async (type) => {
    const numbers = [-0.0000036376544802376613, 0.013158989138901234, 123456.78901234567, 1e-7, 1.5, 3e38, 0.1];
    const own = type === 'FLOAT' ? numbers.map(Math.fround) : numbers;
    const column = `[${own.map((number) => `'${number}'::DOUBLE::${type}`).join(', ')}]`;
    const set = await judges(column, `{kind: set, column: n, values: [${own.join(', ')}]}`);
    expect(set).toMatchObject({ verdict: 'pass', failingRows: 0 });
    for (const [at, number] of own.entries()) {
      const one = `['${number}'::DOUBLE::${type}]`;
      const range = await judges(one, `{kind: range, column: n, min: ${numbers[at]}, max: ${number}}`);
      expect([number, range?.verdict]).toEqual([number, 'pass']);
    }
  });

  it.each([
    ['mean', 'pass', 'mean -5.66666666667e+307', null],
    ['median', 'pass', 'median -1.7e+308', null],
    ['sd', 'fail', null, 'not executed: the number is larger than any that can be written'],
  ])('%s of values that are further apart than any double is large', async (name, verdict, observed, reason) => {
    const check = `{kind: aggregate, column: n, function: ${name}, max: 5}`;
    const result = await judges('[1.7e308, -1.7e308, -1.7e308]', check);
    expect(result).toMatchObject({ verdict, observed, reason });
  });

  it.each(['z', 'iqr', 'mad'])('outliers by %s of such values, which have no fences', async (method) => {
    const result = await judges('[1.7e308, -1.7e308, 0.0]', `{kind: outliers, column: n, method: ${method}, k: 9}`);
    expect(result).toMatchObject({ verdict: 'fail', reason: expect.stringMatching(/^not executed: the number/) });
  });

  const features = `SELECT i AS id, CASE WHEN i % 3 = 0 THEN 'a' WHEN i % 7 < 4 THEN 'b' END AS values, (i * i) % 11 + i / 5.0 AS number,
    i % 2 = 0 AS flag, i % 4 AS code, DATE '2026-01-01' AS day, 1.5 AS constant,
    CASE WHEN i % 3 = 0 THEN 'x' WHEN i % 5 < 3 THEN 'y' ELSE 'z' END AS label FROM range(40) t(i)`;
  const shuffled = features
    .replace("WHEN i % 7 < 4 THEN 'b' END", "ELSE 'b' END")
    .replace('i % 3 = 0', 'i % 5 = 0')
    .replace('AS number', 'AS other');

  // By scipy and numpy: Bergsma's V, the root of adjusted eta2, the root of adjusted r2.
  it.each([
    ['label', 'values', '0.981980506062'],
    ['label', 'number', '0.0290357667318'],
    ['id', 'number', '0.632999098317'],
    ['number', 'code', '0'],
    ['label', 'flag', '0'],
  ])('what tells of %s: %s', async (label, feature, power) => {
    const found = await typed(features, times, `{kind: label-power, label: ${label}, features: [${feature}], max: 1}`);
    expect(found).toMatchObject({ verdict: 'pass', observed: `at most ${feature} ${power}, of 1 features` });
  });

  it.each([
    ['', 'fail', 'values 0.981980506062; not judged: day, constant'],
    [', severity: warn', 'warn', 'values 0.981980506062; not judged: day, constant'],
    [', except: [values, day, constant]', 'pass', 'at most number 0.0290357667318, of 4 features'],
    [', except: [day, constant], max: 1', 'pass', 'at most values 0.981980506062, of 5 features'],
    [', features: [values], max: 1, dataset: past', 'fail', 'values 0.981980506062, and 0.210818897665 in past'],
    [
      ', features: [values], max: 1, dataset: past, maxChange: 0.9',
      'pass',
      'at most values 0.981980506062, of 1 features',
    ],
    [', features: [values, day], except: [values]', 'fail', null],
    [', features: [values], maxChange: 0.1', 'fail', null],
    [', features: [values, day], max: 1', 'fail', null],
    [
      ', max: 1, dataset: past, maxChange: 1',
      'pass',
      'at most values 0.981980506062, of 5 features; not judged: day, constant; not compared: number',
    ],
  ])('a feature that is the label: {kind: label-power%s}', async (fields, verdict, observed) => {
    const found = await typed(features, shuffled, `{kind: label-power, label: label${fields}}`);
    expect(found).toMatchObject({ verdict, observed });
    if (observed === null) expect(found?.reason).toMatch(/^not executed: /);
  });

  it.each([
    ['{kind: range, column: x, max: 5}', 'fail', 2],
    ['{kind: expression, expression: "x <= 0"}', 'fail', 2],
    ["{kind: unique, columns: [i], where: 'x > 0'}", 'fail', 2],
    ["{kind: range, column: i, max: 5, where: 'x > 100000'}", 'fail', 2],
  ])('NaN in a file whose extremes leave it out: %s', async (text, verdict, failingRows) => {
    const file = path.resolve(import.meta.dirname, '../../golden/nan-beyond-extremes.parquet');
    await cp(file, path.join(folder.path, 'nan.parquet'));
    const broken = await one(text, 'nan.parquet');
    expect(broken).toMatchObject({ verdict, failingRows });
    const plain = await (await DuckDBInstance.create(':memory:')).connect();
    expect((await plain.runAndReadAll(broken.sql ?? '')).getRows()).toHaveLength(failingRows);
    plain.closeSync();
    const { reason } = (await one('{kind: not-null, column: x}', 'nan.parquet')) as CheckResult;
    expect(reason).toContain('2 rows are NaN');
  });

  it.each([
    ["'infinity'::TIMESTAMP", 'infinity'],
    ["TIMESTAMP '290000-01-01'", '290000-01-01 00:00:00'],
  ])('a newest time that no calendar has: %s', async (time, shown) => {
    const query = `SELECT ${time} AS at UNION ALL SELECT TIMESTAMP '2026-01-01'`;
    expect(await typed(query, times, '{kind: freshness, column: at, within: 9999d}')).toMatchObject({
      verdict: 'fail',
      observed: `the newest is ${shown}, in the future`,
      reason: null,
    });
  });

  it.each([
    ['{kind: set, column: v, values: [a]}', 2],
    ['{kind: not-in-set, column: v, values: [x]}', 0],
    ["{kind: regex, column: v, pattern: '[13]'}", 1],
    ["{kind: like, column: v, pattern: '%1%'}", 1],
    ['{kind: length, column: v, max: 1}', 2],
    ['{kind: null-like, column: v}', 0],
    ['{kind: variants, column: v}', 0],
  ])('text of a type of its own: %s', async (text, failingRows) => {
    for (const type of ['UUID', 'INTERVAL', 'JSON']) {
      const [one, other] =
        type === 'UUID'
          ? ['10000000-0000-0000-0000-000000000000', '20000000-0000-0000-0000-000000000000']
          : type === 'JSON'
            ? ['{"a":1}', '{"a":2}']
            : ['1 day', '2 days'];
      const query = `SELECT '${one}'::${type} AS v UNION ALL SELECT '${other}'::${type}`;
      expect([type, await typed(query, times, text)]).toEqual([
        type,
        expect.objectContaining({ verdict: failingRows === 0 ? 'pass' : 'fail', failingRows, reason: null }),
      ]);
    }
  });

  it('a smallest value of 0, which a file notes as -0', async () => {
    const file = path.resolve(import.meta.dirname, '../../golden/nan-beyond-extremes.parquet');
    await cp(file, path.join(folder.path, 'zero.parquet'));
    const { verdict, observed } = await one('{kind: range, column: zero, min: 0}', 'zero.parquet');
    expect([verdict, observed]).toEqual(['pass', '0.0 .. 2.5; 0 of 3 rows are outside']);
  });

  it('a condition that names the table in a text', async () => {
    const text = '{kind: expression, expression: "order_ref <> \'\\"passloop_1\\" \\"passloop_1\\"\'"}';
    expect((await report([text])).scans).toBe(1);
  });

  it('a thousand equal columns, each compared once', async () => {
    const columns = Array.from({ length: 1000 }, (_, at) => `0 AS c${at}`).join(', ');
    const found = await typed(`SELECT ${columns}, 1 AS other FROM range(3)`, times, '{kind: duplicate-columns}');
    expect(found).toMatchObject({ verdict: 'fail', observed: expect.stringMatching(/^c0 = c1; c0 = c2; /) });
  });

  it.each([
    ['0.9', 'fail', 'a = b'],
    ['0.95', 'pass', '4 columns differ'],
    ['0.2', 'fail', 'a = b; a = c; b = c'],
  ])('columns that are the same in %s of the rows that have a value', async (share, verdict, observed) => {
    // 20 rows, and 80 without any value; b differs from a in two of them, c in 15.
    const query = `SELECT i AS a, CASE WHEN i < 2 THEN -1 ELSE i END AS b, CASE WHEN i < 15 THEN -2 ELSE i END AS c,
      NULL::INTEGER AS d FROM range(20) t(i) UNION ALL SELECT NULL, NULL, NULL, NULL FROM range(80)`;
    const found = await typed(query, times, `{kind: duplicate-columns, share: ${share}}`);
    expect(found).toMatchObject({ verdict, observed });
  });

  it('columns without any value, which are no duplicates', async () => {
    const found = await typed(
      'SELECT 1 AS id, NULL::INTEGER AS a, NULL::INTEGER AS b',
      times,
      '{kind: duplicate-columns}',
    );
    expect(found).toMatchObject({ verdict: 'pass' });
  });
});

describe('passes over the table', () => {
  it('are one for all that one scan can answer, and as many more as the kind says', async () => {
    const shared = kinds.filter((kind) => checkKinds[kind].passes === 0).map((kind) => checkCases[kind].passes);
    expect((await report(shared)).scans).toBe(1);
    for (const kind of kinds) {
      const { passes } = checkKinds[kind];
      const [least, most] = typeof passes === 'number' ? [passes, passes] : passes;
      for (const text of [checkCases[kind].passes, checkCases[kind].fails]) {
        // The one scan is made for whatever is in the plan, be it nothing but a count.
        const own = ((await report([text])).scans ?? 0) - 1;
        expect([text, own, own >= least && own <= most]).toEqual([text, own, true]);
      }
    }
  });

  it('are shared by aggregates of one column', async () => {
    const aggregate = (name: string) => `{kind: aggregate, column: amount, function: ${name}, min: -1}`;
    expect((await report(['min', 'max', 'null-share'].map(aggregate))).scans).toBe(1);
    expect((await report(['mean', 'sd', 'variance', 'sum'].map(aggregate))).scans).toBe(3);
    expect((await report(['distinct', 'distinct-share'].map(aggregate))).scans).toBe(2);
    expect((await report(['{kind: aggregate, column: id, function: sum, min: 1}'])).scans).toBe(1);
    const unique = (id: string) => `{kind: unique, columns: [order_ref], id: ${id}}`;
    expect((await report(['a', 'b', 'c'].map(unique))).scans).toBe(2);
  });

  it('are several where the values of all columns would not fit into memory together', async () => {
    const columns = Array.from({ length: 5 }, (_, at) => `i % ${at + 2} AS c${at}`).join(', ');
    await writeParquet(session, `SELECT ${columns} FROM range(3_000_000) t(i)`, path.join(folder.path, 'tall.parquet'));
    const { scans, checks } = await report(['{kind: identifier-like, below: 0.000002}'], 'tall.parquet');
    // Three times two columns, and the number of rows.
    expect(scans).toBe(4);
    expect(checks[0]?.observed).toBe('c4');
  });

  it("are as many as the engine's own plans read", async () => {
    const alone = kinds.filter((kind) => !checkCases[kind].fails.includes('dataset: '));
    const { spied, queries } = spiedSession(session);
    const { scans } = await report(
      alone.map((kind) => checkCases[kind].fails),
      'orders.csv',
      spied,
    );
    let read = 0;
    for (const sql of queries.filter((text) => !text.includes('DESCRIBE') && text.includes('passloop_'))) {
      const [row] = await session.rows(`EXPLAIN (FORMAT JSON) ${sql}`);
      read += String(row?.[1]).split('"name": "READ_CSV"').length - 1;
    }
    expect(read).toBeGreaterThan(0);
    expect(scans).toBe(read);
  });
});

it('shows each kind, with what it costs and the names that others have for it', async () => {
  const text = readFileSync(page, 'utf8');
  const names = (kind: string) =>
    Object.entries(checkAliases)
      .filter(([, alias]) => alias.kind === kind)
      .map(([name]) => `\`${name}\``);
  const cost = (passes: number | readonly [number, number]) =>
    typeof passes === 'number' ? String(passes) : `${passes[0]} to ${passes[1]}`;
  const rows = (Object.keys(checkKinds) as Check['kind'][]).map(
    (kind) =>
      `| \`${kind}\` | ${checkKinds[kind].meaning} | ${fieldsOf(kind)} | ${cost(checkKinds[kind].passes)} | ${names(kind).join(', ')} |`,
  );
  const shown = kinds.map((kind) => {
    const { passes, fails, observed } = checkCases[kind];
    return `| \`${passes.replaceAll('|', '\\|')}\` | \`${fails.replaceAll('|', '\\|')}\` | ${observed === '' ? 'not executed: no row is left' : observed.replaceAll('|', '\\|')} |`;
  });
  // Against a profile, and its versions: history-check.test.ts and drift.test.ts have the data.
  shown.push(
    '| `{kind: history, measure: mean, column: amount, k: 4, versions: 4}` | | mean of amount 68.2; median of 5 versions 22.9 |',
    '| `{kind: drift, maxShare: 0.2}` | | 3 of 12 columns drifted: amount, country, note |',
  );
  const table = ['| kind | what it asks | fields | passes | other names |', '|---|---|---|---|---|', ...rows].join(
    '\n',
  );
  const files = Object.entries(caseFiles).map(
    ([name, lines]) => `\`${name}\`\n\n\`\`\`csv\n${lines.join('\n')}\n\`\`\``,
  );
  const examples = ['| holds | is broken | then says |', '|---|---|---|', ...shown].join('\n');
  await expect(
    between(between(text, 'kinds', table), 'examples', `${files.join('\n\n')}\n\n${examples}`),
  ).toMatchFileSnapshot(page);
});

type JsonSchema = { properties: Record<string, { const?: string }>; required?: string[] };

/** Its own fields, those in bold that it needs. */
function fieldsOf(kind: string): string {
  const { oneOf } = z.toJSONSchema(Check, { io: 'input' }) as unknown as { oneOf: JsonSchema[] };
  const found = oneOf.find(({ properties }) => properties.kind?.const === kind);
  const names = Object.keys(found?.properties ?? {}).filter((name) => !['kind', 'id', 'severity'].includes(name));
  return names.map((name) => (found?.required?.includes(name) ? `**\`${name}\`**` : `\`${name}\``)).join(', ');
}

function between(text: string, name: string, inner: string): string {
  const [start, end] = [`<!-- ${name}-start -->`, `<!-- ${name}-end -->`];
  return `${text.slice(0, text.indexOf(start) + start.length)}\n\n${inner}\n\n${text.slice(text.indexOf(end))}`;
}
