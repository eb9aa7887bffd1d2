import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type TemporaryFolder, temporaryFolder } from '@passloop/core';
import type { DataReport } from '@passloop/documents';
import { type Check, parseChecks } from '@passloop/model';
import { openTables, type TableSession, writeParquet, writeRows } from '@passloop/tables';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { caseFiles, checkCases } from '../checks/check-cases.ts';
import { driftBetween } from '../drift-between.ts';
import type { Profile } from '../profile.ts';
import { profileTable } from '../profile-table.ts';
import { validateDataset } from '../validate.ts';
import { sparkEnvironment } from './spark-environment.ts';
import { openSparkTables } from './spark-session.ts';

const kinds = Object.keys(checkCases) as (keyof typeof checkCases)[];
const page = path.resolve(import.meta.dirname, '../../../../docs/spark-agreement.md');
const now = new Date('2026-11-22T10:10:00Z');
let folder: TemporaryFolder;
let duckdb: TableSession;
let spark: TableSession;

/** Tables are small and queries many: compiling each would take most of the time. */
const fast = [
  'spark.ui.enabled=false',
  'spark.sql.shuffle.partitions=3',
  'spark.sql.codegen.wholeStage=false',
  'spark.sql.codegen.factoryMode=NO_CODEGEN',
  'spark.sql.adaptive.enabled=false',
];

/** Three thousand rows of every kind of column; `shift` moves some of them. */
function mixed(shift: number): string {
  return `SELECT i AS id, (i * 7919) % 1000 AS amount, ((i * 104729) % 100003) / 7.0 + ${shift} AS price,
    CASE WHEN i % 50 = 0 THEN NULL WHEN i % 51 = 0 THEN 'nan'::DOUBLE WHEN i % 53 = 0 THEN '-inf'::DOUBLE ELSE ((i * 31) % 97)::DOUBLE * 1e-7 END AS rate,
    CASE WHEN i % 10 < ${3 + shift} THEN 'a' WHEN i % 7 = 0 THEN '' WHEN i % 11 = 0 THEN 'it''s "ü"' ELSE 'z' || (i % 5) END AS label,
    i % 3 = 0 AS flag, ((i % 400) / 100)::DECIMAL(10, 2) AS cost, DATE '2026-01-01' + ((i / 30)::INTEGER + ${shift}) AS day,
    TIMESTAMP '2026-01-01 00:00:00' + INTERVAL (i * 61) SECOND AS moment, 5 AS constant, (i % 20)::TINYINT AS grade,
    ((i * 7) % 10)::FLOAT / 10 AS short
    FROM range(3000) t(i)`;
}

beforeAll(async () => {
  folder = await temporaryFolder('agreement', path.join(process.cwd(), 'node_modules/.tmp'));
  duckdb = await openTables({ threads: 2 });
  for (const [name, lines] of Object.entries(caseFiles)) {
    await writeFile(path.join(folder.path, name), `${lines.join('\n')}\n`);
    const table = await duckdb.open({ uri: name, root: folder.path });
    await writeParquet(duckdb, `SELECT * FROM ${table.relation}`, inFolder(name.replace('.csv', '.parquet')));
  }
  await writeParquet(duckdb, mixed(0), inFolder('reference.parquet'));
  await writeParquet(duckdb, mixed(2), inFolder('current.parquet'));
  spark = await openSparkTables(await localSpark());
}, 300_000);
afterAll(async () => {
  await spark?.[Symbol.asyncDispose]();
  await duckdb[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

function inFolder(name: string): string {
  return path.join(folder.path, name);
}

async function localSpark() {
  const bin = await sparkEnvironment();
  return {
    master: 'local[2]',
    submit: path.join(bin, 'spark-submit'),
    conf: fast,
    env: {
      PATH: process.env.PATH ?? '',
      HOME: process.env.HOME ?? '',
      PYSPARK_PYTHON: path.join(bin, 'python'),
      PYSPARK_DRIVER_PYTHON: path.join(bin, 'python'),
    },
  };
}

async function report(
  session: TableSession,
  checks: readonly string[],
  { dataset = 'orders.parquet', profile = null }: { dataset?: string; profile?: Profile | null } = {},
): Promise<DataReport> {
  return validateDataset({
    session,
    dataset: { name: 'orders', uri: dataset, root: folder.path },
    checks: parseChecks(checks.map((check) => `- ${check}`).join('\n'), 'checks.yaml') as Check[],
    profile,
    now,
    otherDataset: async () => ({ uri: 'past.parquet', root: folder.path }),
  });
}

/** The rows that break the checks of a kind, as their files have them. */
async function failingRows(session: TableSession, kind: (typeof kinds)[number]): Promise<unknown[]> {
  const files: string[] = [];
  await validateDataset({
    session,
    dataset: { name: 'orders', uri: 'orders.parquet', root: folder.path },
    checks: parseChecks(`- ${checkCases[kind].fails}`, 'checks.yaml') as Check[],
    profile: null,
    now,
    otherDataset: async () => ({ uri: 'past.parquet', root: folder.path }),
    onFailing: async (_result, query) => {
      const file = inFolder(`failing/${session.engine.slice(0, 2)}-${kind}-${files.length}.parquet`);
      await writeRows(session, query, 'ALL', file, 'mark');
      files.push(file);
    },
  });
  const found: unknown[] = [];
  for (const file of files) {
    const { relation, columns } = await duckdb.open({ uri: file, root: '/' });
    found.push(columns, await duckdb.rows(`SELECT COLUMNS(*)::VARCHAR FROM ${relation}`));
  }
  return found;
}

/** All but the engine's name, its passes and its SQL. */
function judged({ checks, drift, distributions, rows, verdict, executed }: DataReport): object {
  return { rows, verdict, executed, drift, distributions, checks: checks.map(({ sql: _, ...check }) => check) };
}

async function profile(session: TableSession, uri: string): Promise<Profile> {
  const table = await session.open({ uri, root: folder.path });
  return profileTable({ session, table, dataset: { name: 'mixed', uri, digest: null }, key: ['id'] });
}

describe('Spark', () => {
  it('judges every kind of check as DuckDB does, with the same numbers', async () => {
    const rows: string[] = [];
    for (const side of ['passes', 'fails'] as const) {
      const checks = kinds.map((kind) => checkCases[kind][side]);
      const [here, there] = [await report(duckdb, checks), await report(spark, checks)];
      expect(judged(there)).toEqual(judged(here));
      expect(there.engine).toMatch(/^spark \d+\.\d+\.\d+/);
      for (const [at, check] of there.checks.entries()) {
        const other = here.checks[at];
        rows.push(`| ${check.kind} | ${other?.verdict} | ${check.verdict} | ${check.observed ?? check.reason} |`);
      }
    }
    await expect(
      [
        '# Both engines, check by check\n',
        'Written by a test that runs every kind of check twice (on data that holds and on data that breaks it) in DuckDB and in',
        'Spark, and fails where a verdict or a number differs. What was observed is the same text from both.\n',
        '| check | DuckDB | Spark | observed |\n|---|---|---|---|',
        ...rows.sort(),
        '',
      ].join('\n'),
    ).toMatchFileSnapshot(page);
  }, 300_000);

  it('prints SQL that Spark takes, and that gives the failing rows', async () => {
    const { checks } = await report(spark, ['{kind: range, column: amount, min: 0, max: 100}']);
    expect(checks[0]?.sql).toMatch(/^SELECT \* FROM parquet\.`orders\.parquet` WHERE /);
  });

  it('profiles a table to the same bytes', async () => {
    const here = await profile(duckdb, 'reference.parquet');
    expect(await profile(spark, 'reference.parquet')).toEqual({ ...here, engine: spark.engine });
  }, 300_000);

  it('ranks values that differ in every row, in as many tasks as there are', async () => {
    const values = ({ relation }: { relation: string }) => `SELECT price AS v FROM ${relation} WHERE price > 7`;
    const source = { uri: 'reference.parquet', root: folder.path };
    const ranks = [1, 2, 30, 299, 300, 1500, 2998];
    const here = await duckdb.ranked(values(await duckdb.open(source)), ranks);
    expect(here.points).toHaveLength(ranks.length);
    expect(await spark.ranked(values(await spark.open(source)), ranks)).toEqual(here);
  }, 300_000);

  it('writes the same failing rows', async () => {
    for (const kind of ['range', 'duplicate-rows', 'monotonic'] as const) {
      const here = await failingRows(duckdb, kind);
      expect(here).not.toEqual([]);
      expect(await failingRows(spark, kind)).toEqual(here);
    }
    const { relation } = await spark.open({ uri: 'orders.parquet', root: folder.path });
    const write = () =>
      writeRows(spark, `SELECT * FROM ${relation} WHERE id > 6`, 'ALL', `file://${inFolder('cluster')}`, 'mark');
    await write();
    const written = await duckdb.open({ uri: 'cluster', root: folder.path });
    const orders = await duckdb.open({ uri: 'orders.parquet', root: folder.path });
    const rows = (from: string) => duckdb.rows(`SELECT COLUMNS(*)::VARCHAR FROM ${from} ORDER BY ALL`);
    expect(await rows(written.relation)).toEqual(await rows(`${orders.relation} WHERE id > 6`));
    await expect(write()).rejects.toMatchObject({ code: 'configuration', message: expect.stringContaining('EXISTS') });
  }, 300_000);

  it('measures the same drift of one table against another', async () => {
    const between = async (session: TableSession, columns: string[], compat?: 'evidently') => {
      const [reference, current] = [
        await session.open({ uri: 'reference.parquet', root: folder.path }),
        await session.open({ uri: 'current.parquet', root: folder.path }),
      ];
      return judged(
        await driftBetween({ session, reference, current, method: 'auto', columns, compat, showValues: true }),
      );
    };
    const columns = ['rate', 'label', 'grade'];
    const there = await between(spark, columns);
    expect(there).toEqual(await between(duckdb, columns));
    expect(there).toMatchObject({ distributions: [{ column: 'label', kind: 'values' }] });
    expect(await between(spark, ['rate'], 'evidently')).toEqual(await between(duckdb, ['rate'], 'evidently'));
  }, 300_000);

  it('measures the same drift against a profile', async () => {
    const reference = await profile(duckdb, 'reference.parquet');
    const asked = { dataset: 'current.parquet', profile: reference };
    const [here, there] = [
      await report(duckdb, ['{kind: drift}'], asked),
      await report(spark, ['{kind: drift}'], asked),
    ];
    expect(there.drift.length).toBeGreaterThan(5);
    expect(judged(there)).toEqual(judged(here));
  }, 300_000);

  it('reckons conditions as DuckDB does, and refuses what it does not know to be the same', async () => {
    // A variable's name in a text is a text.
    const variable = ['$', '{env:HOME}'].join('');
    const conditions = [
      'amount / 0 > 1 OR amount // 7 = 3',
      'rate / (amount - 500) > 0',
      'id % 7 <> 3 AND (id - 1500) % 7 <> -3',
      'id // 7 = 5 OR id / 2 > 1400.5',
      'rate > 0.000001 AND NOT isnan(rate) AND NOT isinf(rate)',
      'isfinite(rate) IS NOT NULL',
      'CAST(price AS INTEGER) % 2 = 0',
      "label LIKE 'z%' OR label = 'it''s \"ü\"'",
      "label NOT LIKE '%\\%'",
      "regexp_matches(label, '^z[0-3]$') OR regexp_full_match(label, 'a|') OR label ILIKE 'IT%'",
      "length(label) < 5 AND lower(label) <> 'Z4' AND substr(label, 1, 1) <> 'q'",
      `label <> '${variable}' AND '${variable}' LIKE '$%'`,
      "regexp_matches(label, '(?i)Ü') OR regexp_matches(label || '\n', '^a$') OR regexp_matches(label, '^[]\"]|[$]')",
      'CAST(cost AS INTEGER) = 3 OR CAST(cost + 0.0 > 1 AS INTEGER) = 1',
      "regexp_full_match(label || '\r', '.+')",
      "regexp_matches(label || '\v', '\\s$') OR CAST(amount AS VARCHAR) = '7'",
      "starts_with(label, 'z') OR contains(label, '\"') OR suffix(label, '') IS NULL",
      "coalesce(nullif(label, ''), 'none') IN ('a', 'none', 'z1')",
      'CASE WHEN flag THEN cost > 1 ELSE cost BETWEEN 0.5 AND 3 END',
      "day >= DATE '2026-02-01' AND moment < TIMESTAMP '2026-01-02 12:00:00'",
      'year(day) = 2026 AND month(day) > 2 AND day(day) < 28',
      'greatest(amount, grade) = amount AND least(amount, NULL) < 900',
      'abs(price - 7000.0) < 5000 AND floor(price) = ceil(price)',
      'round(price) > 100 AND abs(price) < 9000',
      'rate IS NOT DISTINCT FROM NULL OR rate <= rate',
      'short <= 0.1 OR short IN (0.3, 0.7) OR 0.9 = short',
      'short BETWEEN 0.2 AND 0.4 AND abs(short) <> 0.3 AND -short < -0.2',
      'short = rate OR short < grade OR short >= cost OR short > 1e-7',
      'short + 0 = 0.1 OR 0.3 >= short + 0 OR short + 0 = grade',
    ];
    const checks = conditions.map((text) => `{kind: expression, expression: ${JSON.stringify(text)}}`);
    const dataset = 'reference.parquet';
    const [here, there] = [await report(duckdb, checks, { dataset }), await report(spark, checks, { dataset })];
    expect(judged(there)).toEqual(judged(here));
    expect(here.checks.filter(({ reason }) => reason?.startsWith('not executed'))).toEqual([]);
    const refused = [
      "levenshtein(label, 'a') < 9",
      'hash(id) % 10 = 3',
      'CAST(price + 0 AS INTEGER) = 2',
      'price // 2 > 1',
      "substr(label, 0, 2) = 'a'",
      "upper(label) = 'A'",
      'sqrt(price) > 1',
      "regexp_matches(label, '^[a-c&&d]$')",
      "regexp_matches(label, '[[:alpha:]]')",
      "regexp_matches(label, '\\Qa$\\E')",
      "CAST(rate AS VARCHAR) = '1e-07'",
      "CAST(price * 2 AS VARCHAR) LIKE '1%'",
      'CAST(price AS DECIMAL(10, 1)) > 1',
      'short * 2 > 1',
      'coalesce(short, 0.1) > 1',
      'short > grade + 1',
      'CAST(label AS BOOLEAN)',
      "regexp_replace(label, '(a)', '$0', 'g') = 'a'",
      `id${' / 2'.repeat(20)} > 0`,
    ].map((text) => `{kind: expression, expression: ${JSON.stringify(text)}}`);
    for (const { id, reason } of (await report(spark, refused, { dataset })).checks)
      expect([id, reason]).toEqual([id, expect.stringMatching(/^not executed: .*(Spark)/)]);
    // What Spark says of a value stays there.
    const [cast] = (await report(spark, ['{kind: expression, expression: "CAST(label AS INTEGER) = 1"}'], { dataset }))
      .checks;
    expect(cast?.reason).toBe('not executed: [CAST_INVALID_INPUT] the value of a row is not one that this takes');
  }, 300_000);

  it('holds short floats against what was written', async () => {
    const checks = [
      '{kind: range, column: short, max: 0.7}',
      '{kind: range, column: short, min: 0.1, max: 0.9}',
      '{kind: set, column: short, values: [0.1, 0.2, 0.3]}',
      '{kind: not-in-set, column: short, values: [0.3]}',
      '{kind: aggregate, column: short, function: max, max: 0.9}',
      "{kind: range, column: id, max: 3, where: 'short > 0.7'}",
      '{kind: monotonic, column: short, by: id}',
      '{kind: outliers, column: short, method: mad}',
      '{kind: duplicate-columns, share: 0.9}',
    ];
    const dataset = 'reference.parquet';
    const [here, there] = [await report(duckdb, checks, { dataset }), await report(spark, checks, { dataset })];
    expect(judged(there)).toEqual(judged(here));
    expect(here.checks.filter(({ reason }) => reason?.startsWith('not executed'))).toEqual([]);
    expect(here.checks.map(({ failingRows }) => failingRows).slice(0, 4)).toEqual([600, 300, 2100, 300]);
  }, 300_000);

  it('has the columns that folders name', async () => {
    const folders = ['y=01/day=2026-01-01', 'y=2/day=2026-01-02', 'y=__HIVE_DEFAULT_PARTITION__/day=2026-01-02'];
    for (const [at, name] of folders.entries())
      await writeParquet(duckdb, `SELECT ${at} AS a`, inFolder(`hive/${name}/1.parquet`));
    const checks = [
      '{kind: columns, types: {a: integer, y: string, day: date}, exact: true}',
      '{kind: set, column: "y", values: ["01", "2"]}',
      '{kind: not-null, column: "y"}',
      '{kind: range, column: day, max: 2026-01-01}',
    ];
    const dataset = 'hive';
    const [here, there] = [await report(duckdb, checks, { dataset }), await report(spark, checks, { dataset })];
    expect(judged(there)).toEqual(judged(here));
    expect(here.checks.map(({ failingRows }) => failingRows)).toEqual([null, 0, 1, 2]);
  }, 300_000);

  it('sees NaN in a Parquet file whose extremes leave it out', async () => {
    const dataset = path.resolve(import.meta.dirname, '../../golden/nan-beyond-extremes.parquet');
    const checks = [
      '{kind: range, column: x, max: 5}',
      '{kind: expression, expression: "x <= 0"}',
      "{kind: unique, columns: [i], where: 'x > 0'}",
      "{kind: range, column: i, max: 5, where: 'x > 100000'}",
      '{kind: not-null, column: x}',
    ];
    const [here, there] = [await report(duckdb, checks, { dataset }), await report(spark, checks, { dataset })];
    expect(judged(there)).toEqual(judged(here));
    expect(there.checks.map(({ failingRows }) => failingRows)).toEqual([2, 2, 2, 2, 0]);
  });

  it('reads CSV and JSON lines, and says which file it cannot', async () => {
    const { rows } = await report(spark, ['{kind: not-null, column: id}'], { dataset: 'orders.csv' });
    expect(rows).toBe(8);
    await writeFile(inFolder('broken.csv'), 'a,b\n1,2\n3,4,5\n6\n');
    await expect(report(spark, ['{kind: not-null, column: a}'], { dataset: 'broken.csv' })).rejects.toThrow(
      /broken\.csv|MALFORMED/,
    );
    await mkdir(inFolder('swapped'));
    await writeFile(inFolder('swapped/1.csv'), 'a,b\n1,2\n');
    await writeFile(inFolder('swapped/2.csv'), 'b,a\n3,4\n');
    await expect(report(spark, ['{kind: range, column: b, max: 2}'], { dataset: 'swapped' })).rejects.toThrow(
      /2\.csv.*header has other columns/,
    );
    await writeParquet(duckdb, 'SELECT 1 AS a', inFolder('grown/1.parquet'));
    await writeParquet(duckdb, 'SELECT 2 AS a, 3 AS b', inFolder('grown/2.parquet'));
    const grown = ['{kind: columns, types: {a: integer}, exact: true}', '{kind: not-null, column: b}'];
    expect((await report(spark, grown, { dataset: 'grown' })).checks).toMatchObject([
      { verdict: 'fail', observed: 'b is not expected' },
      { verdict: 'fail', failingRows: 1 },
    ]);
    await writeFile(inFolder('lines.csv'), 's,n\n"a\nb",1\nc,2\n');
    expect((await report(spark, ['{kind: not-null, column: s}'], { dataset: 'lines.csv' })).rows).toBe(2);
    await writeFile(inFolder('cut.parquet'), 'PAR1 and no more');
    await writeFile(inFolder('lines.jsonl'), '{"a": 1}\n{"a": 2}\n');
    expect((await report(spark, ['{kind: range, column: a, max: 2}'], { dataset: 'lines.jsonl' })).verdict).toBe(
      'pass',
    );
    await expect(report(spark, ['{kind: not-null, column: id}'], { dataset: 'cut.parquet' })).rejects.toThrow(
      /^cut\.parquet cannot be read as a table/,
    );
    const tables = path.resolve(import.meta.dirname, '../../../tables/golden');
    for (const [name, what] of [
      ['delta/plain', 'a Delta'],
      ['iceberg/plain', 'an Iceberg'],
    ] as const) {
      for (const dataset of [path.join(tables, name), `file://${tables}/${name}`])
        await expect(report(spark, ['{kind: not-null, column: id}'], { dataset })).rejects.toThrow(`is ${what} table`);
    }
    await writeFile(inFolder('odd[1].parquet'), '');
    await expect(report(spark, ['{kind: not-null, column: id}'], { dataset: 'odd[1].parquet' })).rejects.toThrow(
      /pattern|No file matches/,
    );
  }, 300_000);
});

describe('a Spark that does not start', () => {
  it('says what is missing', async () => {
    const env = { PATH: process.env.PATH ?? '' };
    await expect(openSparkTables({ submit: '/nowhere/spark-submit', env })).rejects.toThrow(/there is no Spark here/);
    await expect(openSparkTables({ submit: 'false', env })).rejects.toThrow(/^Spark ended: it said nothing/);
    const dying = inFolder('dying-submit');
    const dies = 'import socket,sys; socket.socket(socket.AF_UNIX).connect(sys.argv[-1]); sys.exit("out of memory")';
    await writeFile(dying, `#!/bin/sh\nexec python3 -c '${dies}' "$@"\n`, { mode: 0o755 });
    await expect(openSparkTables({ submit: dying, env })).rejects.toThrow(/^Spark ended: out of memory/);
  });
});
