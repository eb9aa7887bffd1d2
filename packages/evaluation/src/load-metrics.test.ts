import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { ConfigurationError, type TemporaryFolder, temporaryFolder } from '@passloop/core';
import { openTables, type TableSession } from '@passloop/tables';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compareModels } from './compare.ts';
import type { EvaluationFrame } from './frame.ts';
import { type FrameQuestion, loadFrame } from './load-frame.ts';
import { metricNamed, metricValue } from './metrics.ts';
import { createGate, createRequest } from './testing/frames.ts';

/** What a frame reads beside labels, scores and predictions: weights, units, queries, classes' scores, metrics' own columns. */
let folder: TemporaryFolder;
let session: TableSession;

beforeAll(async () => {
  folder = await temporaryFolder('load-metrics');
  session = await openTables({ threads: 2 });
});
afterAll(async () => {
  await session[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

type Row = Record<string, unknown>;
let files = 0;

async function load(
  rows: { dataset: Row[]; candidate: Row[]; production?: Row[] },
  question: Partial<FrameQuestion> & Pick<FrameQuestion, 'columns'>,
): Promise<EvaluationFrame> {
  files += 1;
  const root = path.join(folder.path, String(files));
  await mkdir(root);
  const source = async (name: string, content: Row[]) => {
    await writeFile(path.join(root, `${name}.jsonl`), content.map((row) => `${JSON.stringify(row)}\n`).join(''));
    return { uri: `${name}.jsonl`, root };
  };
  return loadFrame({
    session,
    task: 'binary',
    slices: [],
    dataset: await source('dataset', rows.dataset),
    production: rows.production === undefined ? null : await source('production', rows.production),
    candidate: await source('candidate', rows.candidate),
    ...question,
  });
}

async function refusal(...asked: Parameters<typeof load>): Promise<string> {
  const error = await load(...asked).catch((thrown: unknown) => thrown);
  if (!(error instanceof ConfigurationError)) throw new Error(`it was not refused: ${String(error)}`);
  return error.message;
}

const value = (frame: EvaluationFrame, name: string) =>
  metricValue(metricNamed(name, frame.declared)!, frame, frame.candidate);

const dataset = [
  { id: 4, y: 1, w: 2, user: 'b', price: 10 },
  { id: 1, y: 0, w: 1, user: 'a', price: 20 },
  { id: 3, y: 1, w: 0, user: 'c', price: 5 },
  { id: 2, y: 0, w: 0.5, user: 'a', price: 40 },
];
const candidate = [
  { id: 1, s: 0.2, p: 1, w: 99, user: 'z', price: 1000 },
  { id: 2, s: 0.4, p: 0, w: 99, user: 'z', price: 1000 },
  { id: 3, s: 0.6, p: 1, w: 99, user: 'z', price: 1000 },
  { id: 4, s: 0.8, p: 1, w: 99, user: 'z', price: 1000 },
];
const columns = { key: ['id'], label: 'y', score: 's', prediction: 'p', positive: 1 };

describe('weights and units', () => {
  it('come from the dataset, in the order of the key', async () => {
    const frame = await load({ dataset, candidate }, { columns: { ...columns, weight: 'w', unit: 'user' } });

    expect(frame.weights).toEqual(Float64Array.of(1, 0.5, 0, 2));
    expect(frame.units).toEqual(Uint32Array.of(1, 1, 3, 2));
    expect(value(frame, 'accuracy')).toBe(2.5 / 3.5);
  });

  it.each([
    ['a negative weight', 'w', -1, '`w` is negative in 1 of 4 rows (id: 3); columns.weight names it.'],
    ['no weight', 'w', null, '`w` is NULL, NaN or infinite in 1 of 4 rows (id: 3); columns.weight names it.'],
    [
      'a weight that is text',
      'w',
      'x',
      '`w` is NaN, infinite or no number in 1 of 4 rows (id: 3); columns.weight names it.',
    ],
    ['no unit', 'user', null, '`user` is NULL, NaN or infinite in 1 of 4 rows (id: 3); columns.unit names it.'],
  ])('refuses %s', async (_, column, wrong, message) => {
    const rows = dataset.map((row) => (row.id === 3 ? { ...row, [column]: wrong } : row));

    expect(
      await refusal({ dataset: rows, candidate }, { columns: { ...columns, weight: 'w', unit: 'user' } }),
    ).toContain(message);
  });

  it('refuses weights that are all 0, and a column that is not there', async () => {
    const none = dataset.map((row) => ({ ...row, w: 0 }));

    expect(await refusal({ dataset: none, candidate }, { columns: { ...columns, weight: 'w' } })).toContain(
      'The weights `w` of dataset.jsonl have the sum 0',
    );
    expect(await refusal({ dataset, candidate }, { columns: { ...columns, weight: 'weight' } })).toContain(
      'dataset.jsonl has no column `weight`; columns.weight names it.',
    );
  });
});

describe('scores', () => {
  const same = (s: number) => candidate.map((row) => ({ ...row, s }));
  it.each([
    ['the candidate', { dataset, candidate: same(0.5) }, 'candidate.jsonl of the candidate: `s` is 0.5 in every row'],
    [
      'production',
      { dataset, candidate, production: same(0) },
      'production.jsonl of production: `s` is 0 in every row',
    ],
  ])('that are the same in every row of %s tell no rows apart', async (_, rows, message) => {
    expect(await refusal(rows, { columns })).toContain(message);
  });

  const three = ['a', 'b', 'c'].map((y, id) => ({ id, y }));
  const scored = [
    { id: 0, sa: 0.5, sb: 0.25, sc: 0.25, p: 'a' },
    { id: 1, sa: 0.25, sb: 0.5, sc: 0.25, p: 'b' },
    { id: 2, sa: 0.5, sb: 0.25, sc: 0.25, p: 'a' },
  ];
  const classes = { key: ['id'], label: 'y', prediction: 'p', scores: { c: 'sc', a: 'sa', b: 'sb' } };

  it('of a multiclass model are in the order of its classes, however they are written', async () => {
    const frame = await load({ dataset: three, candidate: scored }, { task: 'multiclass', columns: classes });

    expect(frame.candidate.scores?.map((column) => column[0])).toEqual([0.5, 0.25, 0.25]);
    expect(value(frame, 'log_loss')).toBeCloseTo(-(Math.log(0.5) * 2 + Math.log(0.25)) / 3, 12);

    const numbers = await load(
      { dataset: three.map(({ id }) => ({ id, y: id })), candidate: scored.map(({ p: _, ...row }) => row) },
      { task: 'multiclass', columns: { key: ['id'], label: 'y', scores: { '2.0': 'sc', '0': 'sa', '1': 'sb' } } },
    );
    expect(numbers.candidate.scores).toEqual(frame.candidate.scores);
  });

  it.each([
    [
      'a class without a column',
      { ...classes, scores: { a: 'sa', b: 'sb' } },
      'columns.scores names no column for the classes c.',
    ],
    [
      'a column that is not there',
      { ...classes, scores: { a: 'x', b: 'sb', c: 'sc' } },
      'has no column `x`; columns.scores.a names it.',
    ],
    [
      'no scores',
      { key: ['id'], label: 'y', prediction: 'p' },
      'The metric log_loss needs columns.scores, which is not given.',
    ],
  ])('refuses %s', async (_, given, message) => {
    const question = { task: 'multiclass' as const, columns: given, metrics: ['log_loss'] };
    expect(await refusal({ dataset: three, candidate: scored }, question)).toContain(message);
  });

  it('refuses probabilities outside 0..1, and those whose sum is not 1 are not measured', async () => {
    const question = { task: 'multiclass' as const, columns: classes, metrics: ['brier'] };
    const above = scored.map((row) => ({ ...row, sb: row.id === 1 ? 1.5 : row.sb }));
    expect(await refusal({ dataset: three, candidate: above }, question)).toContain(
      '`sb` is outside 0..1 (brier: probabilities are needed) in 1 of 3 rows (id: 1); columns.scores.b names it.',
    );

    const short = scored.map((row) => ({ ...row, sb: 0 }));
    const frame = await load({ dataset: three, candidate: short }, question);
    const gates = [createGate({ metric: 'brier', direction: 'lower', max: 9 })];
    const [metric] = compareModels(createRequest({ outcome: 'first', gates, frame, production: null })).metrics;
    expect(metric).toMatchObject({
      verdict: 'not-comparable',
      gate: 'fail',
      reason: 'it needs probabilities, and the scores of a row of the candidate have the sum 0.75',
    });
  });
});

describe('rankings and forecasts', () => {
  const ranked = [
    { id: 1, q: 'x', rel: 2, w: 1 },
    { id: 2, q: 'x', rel: 0, w: 1 },
    { id: 3, q: 'y', rel: 0, w: 3 },
    { id: 4, q: 'y', rel: 1, w: 3 },
  ];
  const scores = [0.9, 0.1, 0.7, 0.3].map((s, i) => ({ id: i + 1, s }));
  const ranking = { key: ['id'], label: 'rel', score: 's', query: 'q' };

  it('measures a ranking query by query', async () => {
    const frame = await load({ dataset: ranked, candidate: scores }, { task: 'ranking', columns: ranking });
    expect(value(frame, 'mrr')).toBe((1 + 1 / 2) / 2);

    const weighted = { ...ranking, weight: 'w' };
    const heavy = await load({ dataset: ranked, candidate: scores }, { task: 'ranking', columns: weighted });
    expect(value(heavy, 'mrr')).toBe((1 + 3 / 2) / 4);
  });

  it.each<[string, Row[], Partial<FrameQuestion['columns']>, string]>([
    [
      'a relevance below 0',
      [{ ...ranked[0], rel: -1 }, ...ranked.slice(1)],
      {},
      '`rel` is below 0, which is no relevance, in 1 of 4 rows',
    ],
    [
      'a query with two weights',
      [{ ...ranked[0], w: 2 }, ...ranked.slice(1)],
      { weight: 'w' },
      '`w` is 2 and 1 in rows of one `q`; a query has one weight.',
    ],
    ['no query', ranked, { query: undefined }, 'columns.query is not given'],
    ['a unit beside the query', ranked, { unit: 'q' }, 'columns.unit is given beside a query'],
  ])('refuses %s', async (_, rows, more, message) => {
    const question = { task: 'ranking' as const, columns: { ...ranking, ...more } };
    expect(await refusal({ dataset: rows, candidate: scores }, question)).toContain(message);
  });

  it('reads a forecast by series and horizon, and each quantile from its own column', async () => {
    const rows = [0, 1, 2, 3].map((id) => ({ id, y: 10 * id, series: id % 2, horizon: id < 2 ? 1 : 7 }));
    const predicted = rows.map(({ id }) => ({ id, mid: 10 * id, high: 10 * id + 4 }));
    const frame = await load(
      { dataset: rows, candidate: predicted },
      {
        task: 'forecast',
        columns: { key: ['id'], label: 'y', prediction: 'mid', unit: 'series' },
        slices: ['horizon'],
        metrics: ['mae', 'p90'],
        declared: { p90: { kind: 'pinball', quantile: 0.9, column: 'high' } },
      },
    );

    expect(value(frame, 'mae')).toBe(0);
    expect(value(frame, 'p90')).toBeCloseTo(0.4, 12);
    expect([frame.units, frame.slices[0]?.values]).toEqual([Uint32Array.of(1, 2, 1, 2), ['1', '7']]);
  });
});

describe('metrics in SQL', () => {
  const sql = (text: string): Pick<FrameQuestion, 'columns' | 'metrics' | 'declared'> => ({
    columns,
    metrics: ['lost'],
    declared: { lost: { kind: 'sql', sql: text } },
  });

  it('reads the dataset, and of the predictions only what `columns` names', async () => {
    const text = 'sum(CASE WHEN y <> p THEN price ELSE 0 END) / sum(price)';
    const production = candidate.map((row) => ({ ...row, p: 0, s: row.s / 2 }));
    const frame = await load({ dataset, candidate, production }, sql(text));

    expect(value(frame, 'lost')).toBe(20 / 75);
    expect(metricValue(metricNamed('lost', frame.declared)!, frame, frame.production!)).toBe(15 / 75);
    expect(metricNamed('lost')).toBeNull();
  });

  it.each([
    ['a subquery', 'sum((SELECT 1))', 'a subquery is not allowed'],
    ['another column of the predictions file', 'sum(other)', 'has no column `other`'],
    ['a text in a sum', 'sum(user)', 'metrics.lost: the engine refuses it'],
    ['what is infinite', 'sum(1e300 * 1e300 * price)', 'metrics.lost: a sum gets NaN or Infinity from'],
  ])('refuses %s', async (_, text, message) => {
    const rows = { dataset, candidate: candidate.map((row) => ({ ...row, other: 1 })) };
    expect(await refusal(rows, sql(text))).toContain(message);
  });

  it('is judged by the direction that the gate gives, and is not comparable where it divides by zero', async () => {
    const production = candidate.map((row) => ({ ...row, p: 0 }));
    const frame = await load({ dataset, candidate, production }, sql('sum(p) / count_if(price > 1000)'));
    const gates = [createGate({ metric: 'lost', direction: 'lower', margin: 1, minRows: 2 })];

    expect(compareModels(createRequest({ gates, frame })).metrics[0]).toMatchObject({
      verdict: 'not-comparable',
      gate: 'fail',
      reason: 'it is undefined for production on these 4 rows',
    });
  });
});

describe('costs', () => {
  const costs = (table: Record<string, Record<string, number>>) => ({
    columns,
    metrics: ['waste'],
    declared: { waste: { kind: 'cost' as const, costs: table } },
  });
  const judge = (frame: EvaluationFrame) => {
    const gates = [createGate({ metric: 'waste', direction: 'lower', max: 100 })];
    return compareModels(createRequest({ outcome: 'first', gates, frame, production: null })).metrics[0];
  };

  it('are of what a row is and what it was taken for', async () => {
    const frame = await load({ dataset, candidate }, costs({ '0': { '1': 8 }, '1': { '0': 40, '1': 1 } }));
    expect(judge(frame)).toMatchObject({ candidate: '2.5', verdict: 'within' });
  });

  it.each([
    [{ '0': { '1': 8 } }, '`costs` does not say what 0 costs where it is 1'],
    [{ '0': { '1': 8 }, '1': { '0': 1 }, late: { '0': 1 } }, '`costs` names the class late; there are 0, 1'],
  ])('are refused with a reason: %j', async (table, reason) => {
    expect(judge(await load({ dataset, candidate }, costs(table as never)))).toMatchObject({ gate: 'fail', reason });
  });

  it('are refused in a few words, whatever the classes are called', async () => {
    const long = (id: number) => `${'`<!--\u202e@everyone'.repeat(300)}${id}`;
    const rows = Array.from({ length: 12 }, (_, id) => ({ id, y: long(id), p: long(id) }));
    const frame = await load(
      { dataset: rows, candidate: rows },
      { ...costs({}), task: 'multiclass', columns: { key: ['id'], label: 'y', prediction: 'p' } },
    );

    const { reason } = judge(frame)!;
    expect(reason).toMatch(/^`costs` does not say what /);
    expect(reason!.length).toBeLessThan(300);
    expect(reason).not.toContain('\u202e');
  });
});
