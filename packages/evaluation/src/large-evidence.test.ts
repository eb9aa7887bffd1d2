import path from 'node:path';
import { type TemporaryFolder, temporaryFolder } from '@passloop/core';
import type { Model } from '@passloop/model';
import { openTables, type Table, type TableSession, writeParquet } from '@passloop/tables';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Evidence, evidenceOfFrame } from './evidence.ts';
import type { EvaluationFrame } from './frame.ts';
import { notInEngine } from './large-evidence.ts';
import { type EvidenceQuestion, evidenceOfTables } from './load-evidence.ts';
import { defaultResampling, type PairedMeasurement } from './measure.ts';
import { metricNamed, metrics } from './metrics.ts';
import { createGate } from './testing/frames.ts';

const resampling = { ...defaultResampling, resamples: 200 };

let folder: TemporaryFolder;
let session: TableSession;
const tables: Record<string, Table> = {};

/** 6,200 rows: more than are drawn one by one; a slice of more than 5,000, and one of fewer. Scores tie. */
beforeAll(async () => {
  folder = await temporaryFolder('large-evidence');
  session = await openTables({ threads: 2 });
  const random = (salt: string) => `((hash(i || '${salt}') >> 11)::DOUBLE / 9007199254740992)`;
  const base = `SELECT i AS id, ${random('y')} < 0.3 AS y, CASE WHEN ${random('c')} < 0.2 THEN 'a' WHEN ${random('c')} < 0.6 THEN 'b' ELSE 'c' END AS class,
    10 * ${random('x')} + 1 AS x, ${random('n')} AS n, ${random('w')} AS weight, 'user ' || (i % 5300) AS "user", 'team ' || (i % 61) AS team,
    CASE WHEN i % 8 = 0 THEN 'north' END AS hub, i % 3 = 0 AS weekend FROM range(6200) t(i)`;
  const side = (salt: string, skill: number) => `SELECT id,
    least(1, round(${skill} * y::INTEGER + 0.5 * n + ${0.5 - skill} * ${random(salt).replaceAll('i ||', 'id ||')}, 3)) AS score,
    (CASE WHEN score > 0.5 THEN 1 ELSE 0 END) AS prediction,
    CASE WHEN n < ${skill} THEN class WHEN n < 0.6 THEN 'b' ELSE 'a' END AS predicted_class,
    CASE class WHEN 'a' THEN 0.4 ELSE 0.2 END + 0.1 * n AS sa, 0.3 - 0.1 * n AS sb, 1 - sa - sb AS sc,
    x + ${1 - skill} * (n - 0.4) AS estimate, 1.2 * estimate AS high FROM (${base})`;
  const queries = { dataset: base, production: side('p', 0.2), candidate: side('q', 0.22) };
  for (const [name, query] of Object.entries(queries)) {
    await writeParquet(session, `FROM (${query}) ORDER BY hash(id)`, path.join(folder.path, `${name}.parquet`));
    tables[name] = await session.open({ uri: `${name}.parquet`, root: folder.path });
  }
});

afterAll(async () => {
  await session[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

function ask(
  task: Model['task'],
  columns: Partial<Model['columns']>,
  names: readonly string[],
  more: Partial<EvidenceQuestion> = {},
): EvidenceQuestion {
  return {
    session,
    task,
    columns: { key: ['id'], label: 'y', ...columns } as Model['columns'],
    dataset: tables.dataset!,
    production: tables.production!,
    candidate: tables.candidate!,
    gates: names.map((metric) => createGate({ metric, slices: ['hub', 'weekend'] })),
    resampling,
    ...more,
  };
}

async function bothWays(question: EvidenceQuestion): Promise<[Evidence, Evidence]> {
  const inMemory = await evidenceOfTables(question);
  const inEngine = await evidenceOfTables({ ...question, most: 0 });
  expect('labels' in inMemory).toBe(true);
  expect('labels' in inEngine).toBe(false);
  return [evidenceOfFrame(inMemory as EvaluationFrame, resampling), inEngine as Evidence];
}

function expectEqual(name: string, inMemory: Evidence, inEngine: Evidence): void {
  const metric = metricNamed(name, inMemory.declared)!;
  for (const of of ['production', 'candidate'] as const) {
    const [left, right] = [inMemory.alone(name, metric, of), inEngine.alone(name, metric, of)];
    if (typeof left === 'string') expect(right).toBe(left);
    else expect(relative(left, right as number)).toBeLessThan(1e-12);
  }
  const [left, right] = [inMemory.paired(name, metric), inEngine.paired(name, metric)];
  if (typeof left === 'string') {
    expect(right).toBe(left);
    return;
  }
  const { delta, interval, production, candidate, ...rest } = right as PairedMeasurement;
  expect(rest).toEqual({ level: left.level, method: left.method, problem: left.problem });
  expect(relative(left.production, production)).toBeLessThan(1e-12);
  expect(relative(left.candidate, candidate)).toBeLessThan(1e-12);
  expect(Math.abs(left.delta - delta)).toBeLessThan(1e-12 * Math.max(1, Math.abs(left.candidate)));
  expect(interval === null).toBe(left.interval === null);
  for (const [i, bound] of (left.interval ?? []).entries()) {
    expect(Math.abs(bound - interval![i]!)).toBeLessThan(1e-12 * Math.max(1, Math.abs(left.candidate)));
  }
}

function relative(left: number, right: number): number {
  return Math.abs(left - right) / Math.max(Number.MIN_VALUE, Math.abs(left));
}

const cases: [string, Model['task'], Partial<Model['columns']>, Partial<EvidenceQuestion>?][] = [
  ['a binary model', 'binary', { score: 'score', prediction: 'prediction', positive: 1 }],
  ['weighted rows', 'binary', { score: 'score', prediction: 'prediction', positive: 1, weight: 'weight' }],
  ['many units', 'binary', { score: 'score', prediction: 'prediction', positive: 1, unit: 'user' }],
  ['few units', 'binary', { score: 'score', prediction: 'prediction', positive: 1, unit: 'team' }],
  [
    'a multiclass model',
    'multiclass',
    { label: 'class', prediction: 'predicted_class', scores: { a: 'sa', b: 'sb', c: 'sc' } },
  ],
  ['a regression', 'regression', { label: 'x', prediction: 'estimate' }],
  ['a weighted regression', 'regression', { label: 'x', prediction: 'estimate', weight: 'weight' }],
];

describe('rows that stay in the engine give what rows in memory give', () => {
  it.each(cases)('for %s', async (_, task, columns) => {
    const declared: NonNullable<Model['metrics']> = {
      bins: { kind: 'calibration-error', bins: 7, strategy: 'uniform' },
      ...(task === 'regression' ? { high: { kind: 'pinball', quantile: 0.9, column: 'high' } } : {}),
      ...(task === 'binary'
        ? { profit: { kind: 'sql', sql: 'sum(prediction * (y::INTEGER * 7 - 2)) / count(*)' } }
        : {}),
    } as NonNullable<Model['metrics']>;
    const isPlain = columns.weight === undefined && columns.unit === undefined;
    const named = Object.entries(metrics).flatMap(([name, metric]) =>
      metric.tasks.includes(task) && notInEngine(metric, isPlain) === null ? [name] : [],
    );
    const own = Object.keys(declared).filter((name) => task === 'binary' || name === 'high');
    const names = [...named, ...own];
    const [inMemory, inEngine] = await bothWays(ask(task, columns, names, { declared }));

    expect(inEngine).toMatchObject({ rows: 6200, evaluationDigest: inMemory.evaluationDigest, hasProduction: true });
    expect(inEngine.slices).toEqual(inMemory.slices.map(({ column, values }) => ({ column, values })));
    for (const name of names) {
      expectEqual(name, inMemory, inEngine);
      for (const column of ['hub', 'weekend']) {
        const parts = inMemory.parts(column);
        expect(inEngine.parts(column).map(({ rows }) => rows)).toEqual(parts.map(({ rows }) => rows));
        for (const [code, part] of parts.entries()) expectEqual(name, part, inEngine.parts(column)[code]!);
      }
    }
  });
});
