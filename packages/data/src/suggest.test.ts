import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type TemporaryFolder, temporaryFolder } from '@passloop/core';
import { parseChecks } from '@passloop/model';
import { openTables, type TableSession, writeParquet } from '@passloop/tables';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { profileTable, suggestChecks, suggestionText, validateDataset } from './index.ts';

let folder: TemporaryFolder;
let session: TableSession;

beforeAll(async () => {
  folder = await temporaryFolder('suggest');
  session = await openTables({ threads: 2 });
});
afterAll(async () => {
  await session[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

/** Suggests from a file, reads what was printed, and runs it on the same file. */
async function suggested(uri: string, key: string[] = []) {
  const table = await session.open({ uri, root: folder.path });
  const dataset = { name: 'test', uri, root: folder.path };
  const profile = await profileTable({ session, table, dataset: { ...dataset, digest: null }, key });
  const text = suggestionText(suggestChecks(profile), []);
  const report = await validateDataset({
    session,
    dataset,
    checks: parseChecks(text, 'checks.yaml'),
    profile,
    now: new Date(0),
  });
  return { text, report };
}

it('knows columns of several values in one', async () => {
  const rows = "SELECT i AS id, [i] AS tags, {a: i} AS origin, MAP {'k': i} AS counts FROM range(9) t(i)";
  await writeParquet(session, rows, path.join(folder.path, 'nested.parquet'));
  const { text, report } = await suggested('nested.parquet');
  expect(text).toContain(
    '{kind: columns, types: {counts: nested, id: integer, origin: nested, tags: nested}}   # what the table has',
  );
  expect(report.verdict).toBe('pass');
  const whole = '- {kind: columns, types: {id: integer, tags: nested, origin: nested, counts: nested}, exact: true}';
  const checks = parseChecks(`${whole}\n- {kind: type, column: tags, types: [string, nested]}`, 'checks.yaml');
  const dataset = { name: 'test', uri: 'nested.parquet', root: folder.path };
  expect(await validateDataset({ session, dataset, checks, profile: null, now: new Date(0) })).toMatchObject({
    verdict: 'pass',
    executed: 2,
  });
});

it('suggests what held for all of many rows, with the reason', async () => {
  const rows =
    "SELECT i AS id, (i * 37 % 1000) / 10.0::DOUBLE AS amount, 'k' || (i % 3) AS hub, CASE WHEN i % 5 = 0 THEN NULL ELSE i % 40 END AS age, -i AS low FROM range(2000) t(i)";
  await writeParquet(session, rows, path.join(folder.path, 'many.parquet'));
  const { text, report } = await suggested('many.parquet', ['id']);
  expect(text.split('\n')).toEqual([
    '- {kind: columns, types: {age: integer, amount: float, hub: string, id: integer, low: integer}}   # what the table has',
    '- {kind: row-count, min: 1000}   # half of the 2000 rows',
    '- {kind: unique, columns: [id]}   # the key names one row',
    '- {kind: range, column: age, min: 0}   # the smallest of 2000 rows is 1',
    '- {kind: not-null, column: amount}   # none of 2000 rows is NULL',
    '- {kind: finite, column: amount}   # no value is NaN or infinite',
    expect.stringMatching(/^- \{kind: range, column: amount, min: 0\}/),
    '- {kind: not-null, column: hub}   # none of 2000 rows is NULL',
    '- {kind: set, column: hub, values: [k0, k1, k2]}   # all 3 values that came',
    '- {kind: not-null, column: id}   # none of 2000 rows is NULL',
    '- {kind: not-null, column: low}   # none of 2000 rows is NULL',
    '- {kind: drift}   # distributions as in the profile',
    '',
  ]);
  expect(report).toMatchObject({ verdict: 'pass' });
});

it('says little of few rows', async () => {
  await writeFile(path.join(folder.path, 'few.csv'), 'a,b\n1,x\n2,y\n');
  const { text, report } = await suggested('few.csv');
  expect(text.split('\n').map((line) => /kind: ([a-z-]+)/.exec(line)?.[1])).toEqual([
    'columns',
    'row-count',
    undefined,
  ]);
  expect(report.verdict).toBe('pass');
});

it('suggests nothing that its own data breaks', async () => {
  let made = 0;
  const name = fc
    .string({ minLength: 1, maxLength: 12, unit: 'grapheme' })
    .filter((text) => !/[\0\r\n]/.test(text) && text.trim() === text && text !== '');
  const names = fc.uniqueArray(name, { minLength: 3, maxLength: 3, selector: (text) => text.toLowerCase() });
  const kinds = fc.constantFrom(
    'i',
    'i % 7',
    '-i / 3.0::DOUBLE',
    "'v' || (i % 4)",
    "CASE WHEN i % 9 = 0 THEN NULL ELSE 'x' END",
    "'NaN'::DOUBLE",
    'i % 2 = 0',
    "DATE '2026-01-01' + (i % 90)::INTEGER",
    "chr(34) || '# - {' || (i % 3)",
  );
  await fc.assert(
    fc.asyncProperty(names, fc.tuple(kinds, kinds, kinds), fc.constantFrom(3, 1200), async (columns, values, rows) => {
      made += 1;
      const quoted = columns.map((column) => `"${column.replaceAll('"', '""')}"`);
      const file = `random-${made}.parquet`;
      await writeParquet(
        session,
        `SELECT ${values.map((value, at) => `${value} AS ${quoted[at]}`).join(', ')} FROM range(${rows}) t(i)`,
        path.join(folder.path, file),
      );
      const { text, report } = await suggested(file);
      const broken = report.checks.filter(({ kind, verdict }) => verdict !== 'pass' && kind !== 'drift');
      expect(broken, text).toEqual([]);
      // Identical data can't drift; where nothing can be judged the check says so.
      expect(report.drift.filter(({ verdict }) => verdict === 'fail')).toEqual([]);
    }),
    { numRuns: 40 },
  );
}, 120_000);
