import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { ConfigurationError, type TemporaryFolder, temporaryFolder } from '@passloop/core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { aggregateExpression, openTables, type Table, type TableSession } from './index.ts';

let folder: TemporaryFolder;
let session: TableSession;
let table: Table;

beforeAll(async () => {
  folder = await temporaryFolder('aggregate-test');
  session = await openTables({ threads: 2 });
  await writeFile(path.join(folder.path, 't.csv'), 'a,b,"c d",s,ok\n1,2,3,x,true\n4,5,,y,false\n-2,0.5,1,z,true\n');
  table = await session.open({ uri: 't.csv', root: folder.path });
});
afterAll(async () => {
  await session[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

it.each([
  'sum(a)',
  'sum(a * b) / sum(b)',
  'avg("c d")',
  'mean(a) - 1.25',
  'count(*)',
  'count("c d") / count(*)',
  "count_if(a > 0 AND s <> 'y') * 100.0 / count(*)",
  'sum(b) FILTER (WHERE ok) / count(*) FILTER (WHERE a > 0)',
  'avg(b) FILTER (WHERE "c d" > 0)',
  'sqrt(avg(a * a)) + abs(-sum(b)) ^ 2',
  'greatest(sum(a), sum(b), 1e2) - least(exp(0.5), ln(3))',
  'sum(CASE WHEN ok THEN a ELSE -0.125 END)::DOUBLE',
  'sum(a + 9007199254740993 - 9007199254740992)',
  'sum(a <> b) / count(*)',
  "sum(ok) + sum(a BETWEEN 0 AND 2 AND s <> 'y')",
  'sum(round(b)) -- a comment at the end',
])('is what the engine makes of %s', async (text) => {
  const expression = await aggregateExpression(session, table, text);
  const [[expected] = []] = await session.rows(`SELECT (${text}\n)::DOUBLE FROM ${table.relation}`);

  const rows = await session.rows(`SELECT ${expression.terms.join(', ')} FROM ${table.relation}`);
  const sums = expression.terms.map((_, i) => rows.reduce((total, row) => total + (row[i] as number), 0));
  expect(expression.of(sums)).toBeCloseTo(expected as number, 12);
});

it('is undefined, not infinite, where it divides by zero', async () => {
  const expression = await aggregateExpression(session, table, 'sum(a) / count_if(a > 100)');
  expect(expression.of([3, 0])).toBeNaN();
  expect(expression.columns).toEqual(['a']);
});

it('adds nothing to 0, where the engine has NULL', async () => {
  const expression = await aggregateExpression(session, table, 'sum(a) FILTER (WHERE a > 100)');
  const rows = await session.rows(`SELECT ${expression.terms.join(', ')} FROM ${table.relation}`);
  expect(rows).toEqual([[0], [0], [0]]);
});

it.each([
  ["sum(a)) FROM read_text('/etc/passwd') --", 'not an SQL expression'],
  ['sum(a); SELECT 1', 'not an SQL expression'],
  ["sum((SELECT length(content) FROM read_text('/etc/passwd')))", 'a subquery'],
  ['sum(a) OVER ()', 'a window function'],
  ['sum(random())', 'the function random'],
  ["sum(length(getenv('HOME')))", 'the function getenv'],
  ['sum(sum(a))', 'the function sum is not allowed'],
  ['max(a)', 'the function max is not allowed outside of a sum'],
  ['median(a)', 'the function median'],
  ['approx_count_distinct(a)', 'the function approx_count_distinct'],
  ['count(DISTINCT a)', 'DISTINCT'],
  ["string_agg(s, ',')", 'the function string_agg'],
  ['a + sum(b)', 'the column `a` stands outside of a sum'],
  ['1 + 2', 'it has no sum'],
  ["sum(a) || 'x'", 'the function || is not allowed'],
  ['CASE WHEN sum(a) > 0 THEN 1 ELSE 0 END', 'case is not allowed'],
  ['sum(nowhere)', 'has no column `nowhere`'],
  ['sum(a) FILTER (WHERE random() > 0.5)', 'the function random'],
  ['sum(a)::VARCHAR', 'the only cast is to DOUBLE'],
  ['sum(a) + NULL', 'constants are numbers'],
  ['sum(a) * 1e400', 'too large'],
  ['sum(a, b)', 'arguments'],
  ['sum(*)', 'sum has 0 arguments; one is needed'],
  ['', 'not an SQL expression'],
  [`sum(a${' + a'.repeat(2000)})`, 'longer than'],
])('refuses %s', async (text, why) => {
  const thrown = await aggregateExpression(session, table, text).catch((error: unknown) => error);

  expect(thrown).toBeInstanceOf(ConfigurationError);
  expect((thrown as Error).message).toContain(why);
});
