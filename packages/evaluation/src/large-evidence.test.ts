import { readFile, writeFile } from 'node:fs/promises';
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

const resampling = { ...defaultResampling, resamples: 40 };

let folder: TemporaryFolder;
let session: TableSession;
const tables: Record<string, Table> = {};

/** 6,200 rows: more than are drawn one by one; a slice of more than 5,000, and one of fewer. Scores tie. */
beforeAll(async () => {
  folder = await temporaryFolder('large-evidence');
  session = await openTables({ threads: 2 });
  const random = (salt: string) => `((hash(i || '${salt}') >> 11)::DOUBLE / 9007199254740992)`;
  const base = `SELECT i AS id, ${random('y')} < 0.3 AS y, CASE WHEN ${random('c')} < 0.2 THEN 'a' WHEN ${random('c')} < 0.6 THEN 'b' ELSE 'c' END AS class,
    10 * ${random('x')} + 1 AS x, ${random('n')} AS n, greatest(0, ${random('w')} - 0.1) AS weight, 'user ' || (i % 5300) AS "user", 'team ' || (i % 61) AS team, floor(3 * n)::INTEGER AS grade,
    CASE WHEN i % 8 = 0 THEN 'north' END AS hub FROM range(6200) t(i)`;
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
    gates: names.map((metric) => createGate({ metric, slices: ['hub'] })),
    resampling,
    ...more,
  };
}

async function bothWays(question: EvidenceQuestion): Promise<[Evidence, Evidence]> {
  const { resampling } = question;
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
  const { delta, interval, production, candidate, equality, ...rest } = right as PairedMeasurement;
  expect(rest).toEqual({ level: left.level, method: left.method, problem: left.problem });
  expect(equality?.test).toBe(left.equality?.test);
  expect(Math.abs((equality?.pValue ?? 0) - (left.equality?.pValue ?? 0))).toBeLessThan(1e-12);
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
  ['a ranking of few queries', 'ranking', { label: 'grade', score: 'score', query: 'team' }],
  ['a ranking of many queries', 'ranking', { label: 'grade', score: 'score', query: 'user' }],
  ['a regression', 'regression', { label: 'x', prediction: 'estimate' }],
  ['a weighted regression', 'regression', { label: 'x', prediction: 'estimate', weight: 'weight' }],
];

/** Of those that weights and units treat alike. */
const some = new Set(['roc_auc', 'ks', 'accuracy', 'f1_macro', 'log_loss', 'mape', 'r2']);

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
      metric.tasks.includes(task) && notInEngine(metric) === null && (isPlain || some.has(name)) ? [name] : [],
    );
    const own = Object.keys(declared).filter((name) => task === 'binary' || name === 'high');
    const names = [...named, ...own];
    const [inMemory, inEngine] = await bothWays(ask(task, columns, names, { declared }));

    expect(inEngine).toMatchObject({ rows: 6200, evaluationDigest: inMemory.evaluationDigest, hasProduction: true });
    expect(inEngine.weighing).toBe(inMemory.weighing);
    expect(inEngine.slices).toEqual(inMemory.slices.map(({ column, values }) => ({ column, values })));
    for (const name of names) {
      expectEqual(name, inMemory, inEngine);
      const parts = inMemory.parts('hub');
      expect(inEngine.parts('hub').map(({ rows, weighing }) => [rows, weighing])).toEqual(
        parts.map(({ rows, weighing }) => [rows, weighing]),
      );
      for (const [code, part] of parts.entries()) expectEqual(name, part, inEngine.parts('hub')[code]!);
    }
  });

  it.each([
    ['alike', {}],
    ['that are weighed', { weight: 'weight' }],
  ])('for gaps between groups of rows %s', async (_, weight) => {
    const gap = { kind: 'fairness', measure: 'equalised-odds', by: 'class', as: 'difference', minRows: 100 };
    const declared = {
      odds: gap,
      parity: { ...gap, measure: 'demographic-parity', as: 'ratio', by: 'hub' },
      few: { ...gap, minRows: 1000 },
    } as NonNullable<Model['metrics']>;
    const names = ['odds', 'parity', 'few', 'accuracy'];
    const [inMemory, inEngine] = await bothWays(ask('binary', { ...binary, ...weight }, names, { declared }));
    for (const name of names) {
      const metric = metricNamed(name, inMemory.declared)!;
      expectEqual(name, inMemory, inEngine);
      expect(inEngine.insufficiency(metric)).toBe(inMemory.insufficiency(metric));
      expect(inEngine.groups(name, metric)).toEqual(inMemory.groups(name, metric));
      for (const [code, part] of inMemory.parts('hub').entries()) {
        expectEqual(name, part, inEngine.parts('hub')[code]!);
        expect(inEngine.parts('hub')[code]!.groups(name, metric)).toEqual(part.groups(name, metric));
      }
    }
    expect(inEngine.insufficiency(metricNamed('few', inEngine.declared)!)).toContain('insufficient evidence');
  });
});

const binary = { score: 'score', prediction: 'prediction', positive: 1 } as const;

describe('rankings of too many rows to be walked anew in each resample', () => {
  const few = { resampling: { ...resampling, steps: 100_000 } };
  const declared = { caught: { kind: 'recall-at-precision', precision: 0.6 } } as NonNullable<Model['metrics']>;
  const scores = { label: 'class', prediction: 'predicted_class', scores: { a: 'sa', b: 'sb', c: 'sc' } };
  it.each<[string, Model['task'], Partial<Model['columns']>, string[]]>([
    ['of a binary model', 'binary', binary, ['pr_auc', 'ks', 'caught']],
    ['of weighted rows', 'binary', { ...binary, weight: 'weight' }, ['roc_auc', 'pr_auc', 'ks', 'caught']],
    ['of many units', 'binary', { ...binary, unit: 'user' }, ['roc_auc', 'pr_auc']],
    ['of few units', 'binary', { ...binary, unit: 'team', weight: 'weight' }, ['roc_auc', 'ks']],
    ['of a multiclass model', 'multiclass', scores, ['roc_auc_ovr']],
  ])('leave groups out in one walk, %s', async (_, task, columns, names) => {
    const [inMemory, inEngine] = await bothWays(ask(task, columns, names, { declared, ...few }));
    for (const name of names) {
      const metric = metricNamed(name, inEngine.declared)!;
      const measured = [inEngine, ...inEngine.parts('hub')].map((rows) => rows.paired(name, metric));
      // All rows, those of the north, which are few, and those of no hub.
      const [jackknife, bootstrap] = ['delete-a-group jackknife', 'paired bootstrap'].map((text) => ({
        method: expect.stringContaining(text),
        interval: expect.any(Array),
      }));
      expect(measured).toMatchObject([jackknife, bootstrap, jackknife]);
      expectEqual(name, inMemory, inEngine);
      for (const [code, part] of inMemory.parts('hub').entries()) {
        expectEqual(name, part, inEngine.parts('hub')[code]!);
      }
    }
  });
});

describe('what rows in memory are refused for, rows in the engine are', () => {
  const broken: [string, Partial<EvidenceQuestion>, Record<string, string>, string[]?][] = [
    ['a repeated key', {}, { candidate: 'SELECT * FROM candidate UNION ALL FROM candidate WHERE id = 7' }],
    ['a missing row', {}, { candidate: 'FROM candidate WHERE id <> 7' }],
    ['another row', {}, { production: 'SELECT * REPLACE (CASE id WHEN 7 THEN -7 ELSE id END AS id) FROM production' }],
    [
      'NaN',
      {},
      { candidate: "SELECT * REPLACE (CASE id WHEN 7 THEN 'NaN'::DOUBLE ELSE score END AS score) FROM candidate" },
    ],
    [
      'an infinite score',
      {},
      { production: "SELECT * REPLACE (CASE id WHEN 7 THEN '-inf'::DOUBLE ELSE score END AS score) FROM production" },
    ],
    ['a row without label', {}, { dataset: 'SELECT * REPLACE (CASE WHEN id <> 7 THEN y END AS y) FROM dataset' }],
    ['one class', {}, { dataset: 'SELECT * REPLACE (true AS y) FROM dataset' }],
    ['a constant score', {}, { candidate: 'SELECT * REPLACE (0.5::DOUBLE AS score) FROM candidate' }],
    [
      'a score that is no probability',
      {},
      { candidate: 'SELECT * REPLACE (score + (id = 7)::INTEGER AS score) FROM candidate' },
      ['log_loss'],
    ],
    [
      'another label encoding',
      {},
      { candidate: "SELECT * REPLACE (CASE prediction WHEN 1 THEN 'yes' ELSE 'no' END AS prediction) FROM candidate" },
    ],
    [
      'a negative weight',
      { columns: { key: ['id'], label: 'y', weight: 'weight', ...binary } },
      { dataset: 'SELECT * REPLACE (weight - 0.5 AS weight) FROM dataset' },
    ],
    [
      'weights of nothing',
      { columns: { key: ['id'], label: 'y', weight: 'weight', ...binary } },
      { dataset: 'SELECT * REPLACE (0.0 AS weight) FROM dataset' },
    ],
    [
      'a row without unit',
      { columns: { key: ['id'], label: 'y', unit: 'user', ...binary } },
      { dataset: 'SELECT * REPLACE (nullif("user", \'user 7\') AS "user") FROM dataset' },
    ],
    ['too many slices', {}, { dataset: 'SELECT * REPLACE (id AS hub) FROM dataset' }],
  ];

  it.each(broken)('%s', async (_, more, queries, names = ['accuracy']) => {
    const changed: Record<string, Table> = {};
    for (const [name, query] of Object.entries(queries)) {
      changed[name] = await session.derive(query.replaceAll(`FROM ${name}`, `FROM ${tables[name]!.relation}`), name);
    }
    const question = { ...ask('binary', binary, names, more), ...changed };
    const message = (most?: number) =>
      evidenceOfTables({ ...question, ...(most === undefined ? {} : { most }) }).then(
        () => 'nothing was refused',
        (error: Error) => error.message,
      );

    const inMemory = await message();
    expect(inMemory).not.toBe('nothing was refused');
    expect(await message(0)).toBe(inMemory);
  });
});

it('names the limit where a metric needs the rows in memory', async () => {
  const declared = {
    calibration: { kind: 'calibration-error', bins: 10, strategy: 'quantile' },
  } as NonNullable<Model['metrics']>;
  const question = { ...ask('binary', binary, ['accuracy', 'calibration'], { declared }), most: 6200 * 5 };

  await expect(evidenceOfTables(question)).rejects.toMatchObject({
    message: expect.stringContaining('of more than 31000 values the rows stay in the engine'),
    hint: expect.stringContaining('Score 5166 rows or fewer'),
  });
});

it('leaves out a slice without rows and one class in a slice, as rows in memory do', async () => {
  const dataset = await session.derive(
    `SELECT * REPLACE (CASE WHEN y THEN hub ELSE coalesce(hub, 'south') END AS hub) FROM ${tables.dataset!.relation}`,
    'dataset',
  );
  const [inMemory, inEngine] = await bothWays({ ...ask('binary', binary, ['roc_auc', 'recall', 'f1']), dataset });

  for (const name of ['roc_auc', 'recall', 'f1']) {
    for (const [code, part] of inMemory.parts('hub').entries()) expectEqual(name, part, inEngine.parts('hub')[code]!);
  }
});

it('has no R² of one label in a slice, far from the mean of all, as rows in memory have none', async () => {
  const dataset = await session.derive(
    `SELECT * REPLACE (CASE WHEN hub IS NULL THEN x ELSE 7.7 END AS x) FROM ${tables.dataset!.relation}`,
    'dataset',
  );
  const question = ask('regression', { label: 'x', prediction: 'estimate' }, ['r2']);
  const [inMemory, inEngine] = await bothWays({ ...question, dataset });

  for (const [code, part] of inMemory.parts('hub').entries()) expectEqual('r2', part, inEngine.parts('hub')[code]!);
  expect(inEngine.parts('hub')[0]!.alone('r2', metrics.r2!, 'candidate')).toMatch(/undefined/);
});

describe('a footer that promises 1,000,000,000 rows', () => {
  /** The counts of rows in the footer: of the file first, of the only row group last, of the columns between. */
  async function promise(changes: (place: number, places: number) => boolean): Promise<string> {
    const name = 'promise.parquet';
    const bytes = await readFile(path.join(folder.path, 'candidate.parquet'));
    const start = bytes.length - 8 - bytes.readUInt32LE(bytes.length - 8);
    const footer = bytes.subarray(start, -8);
    const [old, claimed] = [6200, 1_000_000_000].map((rows) => Buffer.from([0x16, ...zigzag(rows)])) as [
      Buffer,
      Buffer,
    ];
    const parts = split(footer, old);
    const changed = Buffer.concat(
      parts.flatMap((part, i) => (i === 0 ? [part] : [changes(i - 1, parts.length - 1) ? claimed : old, part])),
    );
    const length = Buffer.alloc(4);
    length.writeUInt32LE(changed.length);
    await writeFile(
      path.join(folder.path, name),
      Buffer.concat([bytes.subarray(0, start), changed, length, Buffer.from('PAR1')]),
    );
    return name;
  }

  it('is refused by what the file holds', async () => {
    const name = await promise((place, places) => place === 0 || place === places - 1);
    await using fresh = await openTables({ threads: 1 });
    const open = (uri: string) => fresh.open({ uri, root: folder.path });
    const [dataset, candidate] = [await open('dataset.parquet'), await open(name)];

    expect(candidate.rows).toBe(1_000_000_000);
    await expect(
      evidenceOfTables({
        ...ask('binary', binary, ['accuracy']),
        session: fresh,
        dataset,
        production: null,
        candidate,
      }),
    ).rejects.toMatchObject({
      message: expect.stringMatching(/^promise.parquet says that it has 1000000000 rows, and can't be read to its end/),
      file: name,
    });
  });

  it('is not believed where the row groups say otherwise', async () => {
    const name = await promise((place) => place === 0);
    await using fresh = await openTables({ threads: 1 });

    expect(await fresh.open({ uri: name, root: folder.path })).toMatchObject({ rows: 6200 });
  });
});

/** As Thrift's compact protocol writes a whole number. */
function zigzag(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = 2 * value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return [...bytes, rest];
    bytes.push((rest % 128) | 128);
  }
}

function split(bytes: Buffer, by: Buffer): Buffer[] {
  const at = bytes.indexOf(by);
  return at < 0 ? [bytes] : [bytes.subarray(0, at), ...split(bytes.subarray(at + by.length), by)];
}
