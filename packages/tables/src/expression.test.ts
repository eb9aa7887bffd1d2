import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { ConfigurationError, type TemporaryFolder, temporaryFolder } from '@passloop/core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openTables, scalarExpression, type Table, type TableSession } from './index.ts';

let folder: TemporaryFolder;
let session: TableSession;
let table: Table;

beforeAll(async () => {
  folder = await temporaryFolder('expression-test');
  session = await openTables({ threads: 2 });
  await writeFile(path.join(folder.path, 't.csv'), 'a,b,"c d",s,day\n1,2,3,x,2001-02-03\n4,5,,y,2001-03-04\n');
  table = await session.open({ uri: 't.csv', root: folder.path });
});
afterAll(async () => {
  await session[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

it.each([
  ['a < b AND "c d" IS NULL', 1],
  ["s IN ('x', 'z') OR day >= DATE '2001-03-01'", 2],
  ['a BETWEEN 1 AND 3', 1],
  ["regexp_full_match(s, '[a-x]')", 1],
  ["CASE WHEN a > 1 THEN s LIKE 'y%' ELSE false END", 1],
  ['abs(a - b) = 1 -- a comment at the end', 2],
  ['month(day) = 2', 1],
  ['try_cast(s AS INTEGER) IS NULL', 2],
  ['coalesce("c d", 0) = 0', 1],
  ["substring(s, 1, 1) = 'x' AND substr(s, 1) = 'x'", 1],
  ["'é€' <> s AND SUBSTRING (s FROM 1 FOR 1) IN ('x', 'y')", 2],
  ["trim(s) = 'x' OR trim(both 'y' from s) = ''", 2],
  ["trim(leading 'x' from s) || trim(trailing from s) = 'x'", 1],
  ['extract(month from day) = 2', 1],
  ["position('y' in s) = 1", 1],
  ["s LIKE 'x%' ESCAPE '!' OR s NOT LIKE 'x%' ESCAPE '!'", 2],
  ["s ILIKE 'X%' ESCAPE '!' AND s NOT ILIKE 'Y' ESCAPE '!'", 1],
  [`s <> '"schema":"main"' AND substring(s, 1, 1) = 'x'`, 1],
])('takes %s', async (text, rows) => {
  const expression = await scalarExpression(session, table, text);
  const [[count] = []] = await session.rows(`SELECT count(*) FROM ${table.relation} WHERE ${expression}`);
  expect(Number(count)).toBe(rows);
});

it('prints calls as their author wrote them, without the schema that the grammar adds', async () => {
  const expression = await scalarExpression(session, table, `substring(s, 1, 1) <> '"schema":"main"'`);
  expect(expression).toBe(`(("substring"(s, 1, 1) != '"schema":"main"'))`);
});

it.each([
  "1 = 1) FROM read_text('/etc/passwd') --",
  "a > 1); COPY (SELECT 1) TO '/tmp/evil'; SELECT (true",
  "a IN (SELECT length(content) FROM read_text('/etc/passwd'))",
  "EXISTS (SELECT 1 FROM 'x.csv')",
  'count(*) > 0',
  'a > max(b)',
  'row_number() OVER () > 1',
  'random() > 0.5',
  "getenv('HOME') = 'x'",
  "current_setting('threads') = '1'",
  'now() > day',
  "nextval('x') > 0",
  "repeat('a', 1000000000) = s",
  'list_sum(range(1000000000)) > 0',
  "error('x') IS NULL",
  'a > $1',
  'a > ?',
  '#1 > 0',
  '*',
  'COLUMNS(*) > 0',
  't.a > 1',
  'rowid > 0',
  'nowhere > 1',
  'A > 1',
  'a + b',
  "'yes'",
  'a >',
  '',
  'a > 1, b > 1',
  'a > 1e400',
  'a > 1 ORDER BY 1',
  'a > 1 UNION SELECT true',
  "query('select 1') = 1",
  'main.abs(a) > 1',
  "main.substring(s, 1, 1) = 'x'",
  `"main" . "substring"(s, 1, 1) = 'x'`,
  "main/* substring( */.substring(s, 1, 1) = 'x'",
  "substring(main.substring(s, 1, 1), 1, 1) = 'x'",
  "system.main.substring(s, 1, 1) = 'x'",
  "pg_catalog.substring(s, 1, 1) = 'x'",
  "substring.substring(s, 1, 1) = 'x'",
  "main.date_part('month', day) = 2",
  "main.like_escape(s, 'x', '!')",
  "s LIKE 'x' ESCAPE main.trim('!')",
  'list_value(a) = [1]',
  "day AT TIME ZONE 'UTC' IS NULL",
  "overlay(s placing 'x' from 1) = 'x'",
  'list_filter([a], lambda x: x > 1) = [1]',
  "s COLLATE NOCASE = 'X'",
  "write_log('x') IS NULL",
])('refuses %s', async (text) => {
  await expect(scalarExpression(session, table, text)).rejects.toBeInstanceOf(ConfigurationError);
});

it.each([
  's::INTEGER > 0',
  's::DATE > day',
  "(s || ' to DOUBLE')::DOUBLE > 0",
  "(s || '\n\n')::DOUBLE > 0",
  "(s || ' when casting from source column s')::DECIMAL(4,2) > 0",
  'a::TINYINT % 2 = 0',
  '(a + 9223372036854775807) % 2 = 0',
  "strptime(s, '%Y') > day",
])('tells no value of a row where %s breaks on it', async (text) => {
  await writeFile(path.join(folder.path, 'secret.csv'), 'a,s,day\n424242,hunter2,2001-02-03\n');
  const secret = await session.open({ uri: 'secret.csv', root: folder.path });
  const expression = await scalarExpression(session, secret, text);
  const thrown = await session
    .rows(`SELECT count(*) FROM ${secret.relation} WHERE ${expression}`)
    .catch((error: unknown) => error);

  expect(thrown).toBeInstanceOf(ConfigurationError);
  expect((thrown as Error).message).toMatch(/^(Conversion|Out of Range|Invalid Input) Error: the .* row/);
  expect((thrown as Error).message).not.toMatch(/hunter2|424242/);
});

it.each([
  "regexp_matches('x', s)",
  's ~ s',
  "regexp_replace(s, s, 'x') = s",
  'date_part(s, day) = 1',
  'strptime(s, s) > day',
])('refuses %s, which the engine would repeat', async (text) => {
  await expect(scalarExpression(session, table, text)).rejects.toThrow(/must be a constant/);
});

const longer = (text: string) => `replace(${text}, 'a', 'aaaaaaaaaa')`;

it.each([
  [longer(longer(longer('s'))), /more than 2 calls/],
  [`upper(${longer(`lower(regexp_replace(${longer('s')}, '', '-', 'g'))`)})`, /more than 2 calls/],
  ["replace(s, 'a', s)", /puts in must be a constant/],
  ["regexp_replace(s, 'a', s || s, 'g')", /puts in must be a constant/],
  [`replace(s, 'a', '${'a'.repeat(65)}')`, /at most 64/],
])('refuses what would multiply a text: %s', async (text, why) => {
  await expect(scalarExpression(session, table, `length(${text}) > 0`)).rejects.toThrow(why);
});

it.each([
  "replace(replace(replace(replace(s, ',', '.'), ' ', ''), '-', '_'), 'x', 'y')",
  longer(longer('s')),
  "regexp_replace(regexp_replace(regexp_replace(s, '[^0-9]', '', 'g'), '^0', ''), ' ', '-')",
])('takes %s', async (text) => {
  const [[longest] = []] = await session.rows(
    `SELECT max(length(${text})) FROM ${table.relation} WHERE ${await scalarExpression(session, table, `${text} IS NOT NULL`)}`,
  );
  expect(Number(longest)).toBeLessThan(200);
});
