import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { sha256, type TemporaryFolder, temporaryFolder } from '@passloop/core';
import { createRandom } from '@passloop/statistics';
import { openTables, type TableSession } from '@passloop/tables';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { compareFiles } from './compare-files.ts';
import { parseGateFlag } from './gate-flag.ts';
import { defaultResampling } from './measure.ts';
import { parseMetricFlags } from './metric-flag.ts';
import { normalPair } from './testing/frames.ts';

let folder: TemporaryFolder;
let session: TableSession;
const rows = 400;
const files = new Map<string, string>();

/** Rows with labels and a hub; a model's score is evidence for the label, noise of the row and noise of its own. */
const random = createRandom(3);
const labels = Array.from({ length: rows }, () => (random.uniform() < 0.4 ? 1 : 0));
const shared = labels.map(() => normalPair(random)[0]);

function model(evidence: number, change: (lines: string[]) => string[] = (lines) => lines): string {
  const lines = labels.map((label, row) => {
    const value = evidence * (label - 0.5) + 0.9 * shared[row]! + 0.4 * normalPair(random)[0];
    return `${row},${1 / (1 + Math.exp(-value))},${value > 0 ? 1 : 0}`;
  });
  return `id,s,p\n${change(lines).join('\n')}\n`;
}

beforeAll(async () => {
  folder = await temporaryFolder('compare-seeds');
  session = await openTables({ threads: 2 });
  files.set('rows.csv', `id,y,hub\n${labels.map((label, row) => `${row},${label},${row % 2}`).join('\n')}\n`);
  for (const seed of [1, 2, 3, 4]) {
    files.set(`a${seed}.csv`, model(1));
    files.set(`b${seed}.csv`, model(1.4));
    // Trainings of very different luck.
    files.set(`wild${seed}.csv`, model(0.5 * seed));
  }
  const [header, ...lines] = files.get('b1.csv')!.trim().split('\n');
  files.set('b1-shuffled.csv', `${header}\n${lines.reverse().join('\n')}\n`);
  files.set('b1-copy.csv', files.get('b1.csv')!);
  files.set(
    'short.csv',
    model(1.4, (all) => all.slice(1)),
  );
  files.set(
    'twice.csv',
    model(1.4, (all) => [...all.slice(1), all[1]!]),
  );
  files.set(
    'words.csv',
    model(1.4, (all) => all.map((line) => line.replace(/,([01])$/, (_, p) => `,${p === '1' ? 'late' : 'fine'}`))),
  );
  files.set(
    'truths.csv',
    model(1.4, (all) => all.map((line) => line.replace(/,([01])$/, (_, p) => `,${p === '1'}`))),
  );
  files.set('empty.csv', 'id,s,p\n');
  files.set(
    'constant.csv',
    model(1.4, (all) => all.map((line) => line.replace(/,[^,]+,/, ',0.5,'))),
  );
  for (const [name, text] of files) await writeFile(path.join(folder.path, name), text);
});
afterAll(async () => {
  await session[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

type More = { flags?: string[]; define?: string[]; mostValues?: number };

function run(
  production: string[],
  candidate: string[],
  { flags = ['roc_auc:higher:0.02'], define = [], ...more }: More = {},
) {
  const source = (uri: string) => ({ uri, root: folder.path });
  const declared = parseMetricFlags(define);
  return compareFiles({
    session,
    production: production.map(source),
    candidate: candidate.map(source),
    dataset: source('rows.csv'),
    columns: { key: ['id'], label: 'y', score: 's', prediction: 'p' },
    task: 'binary',
    gates: flags.map((flag) => parseGateFlag(flag, declared)),
    declared,
    resampling: { ...defaultResampling, resamples: 300 },
    inconclusive: 'block',
    ...more,
  });
}

const a = ['a1.csv', 'a2.csv', 'a3.csv'];
const b = ['b1.csv', 'b2.csv', 'b3.csv'];

it('states the claim, the seeds and their spread, and judges as a gate does', async () => {
  const flags = [
    'roc_auc:higher:0.02:slice=hub',
    'accuracy:higher:0.05',
    'f1:higher:0.02:min=0.2',
    'log_loss:lower:0.1',
  ];
  const document = await run(a, b, { flags });

  expect(document).toMatchObject({
    outcome: 'compared',
    claim: 'pipeline',
    verdict: 'pass',
    curvesLeftOut: true,
    production: { seeds: a.map((name) => sha256(files.get(name)!)) },
    candidate: { seeds: b.map((name) => sha256(files.get(name)!)) },
  });
  expect(document.metrics.map(({ name, verdict, method }) => [name, verdict, method])).toEqual([
    ['roc_auc', 'better', 'Student over 3 and 3 seeds; rows: DeLong'],
    ['accuracy', 'better', 'Student over 3 and 3 seeds; rows: paired bootstrap (rows)'],
    ['f1', 'better', 'Student over 3 and 3 seeds; rows: paired bootstrap (rows)'],
    ['log_loss', 'better', 'Student over 3 and 3 seeds; rows: paired bootstrap (rows)'],
  ]);
  const [area] = document.metrics;
  const single = await Promise.all(a.map((name) => run([name], ['b1.csv'])));
  const alone = single.map(({ metrics }) => Number(metrics[0]!.production)).sort();
  expect(area!.seeds!.production).toMatchObject({ lowest: String(alone[0]), highest: String(alone[2]) });
  expect(Number(area!.production)).toBeCloseTo(
    alone.reduce((total, value) => total + value / 3, 0),
    10,
  );
  expect(document.slices).toMatchObject([
    { slice: { value: '0' }, rows: 200, seeds: { needed: null }, adjustedPValue: expect.any(String) },
    { slice: { value: '1' }, rows: 200, seeds: { needed: null }, adjustedPValue: expect.any(String) },
  ]);
});

it('says the same whatever the order of the files', async () => {
  const [first, second] = await Promise.all([run(a, b), run([...a].reverse(), ['b2.csv', 'b1.csv', 'b3.csv'])]);
  expect(second.candidate.digest).toBe(first.candidate.digest);
  expect(second.metrics).toEqual(first.metrics);
});

it('asks for seeds where the trainings differ more than the rows can blur', async () => {
  const wild = ['wild1.csv', 'wild2.csv', 'wild3.csv', 'wild4.csv'];
  const document = await run(['a1.csv'], wild, { flags: ['roc_auc:higher:0.001'] });

  expect(document).toMatchObject({ claim: 'pipeline-against-artifact', verdict: 'inconclusive' });
  expect(document.production).not.toHaveProperty('seeds');
  const [area] = document.metrics;
  expect(area).toMatchObject({ verdict: 'inconclusive', rowsNeeded: null });
  expect(area!.seeds!.needed).toBeGreaterThan(4);
  expect(area!.seeds!.production.standardDeviation).toBeNull();
  expect(Number(area!.seeds!.seedError)).toBeGreaterThan(3 * Number(area!.seeds!.rowError));
  expect((await run(wild, ['a1.csv'])).claim).toBe('artifact-against-pipeline');
});

it('claims no more of two files than it did', async () => {
  const document = await run(['a1.csv'], ['b1.csv']);
  expect(document).toMatchObject({ claim: 'artifact', curves: expect.any(Object) });
  expect(document.metrics[0]).toMatchObject({ method: 'DeLong' });
  expect(document.metrics[0]).not.toHaveProperty('seeds');
});

it('takes other writings of the same classes', async () => {
  const document = await run(a, [...b, 'truths.csv'], { flags: ['accuracy:higher:0.05'] });
  expect(document).toMatchObject({ claim: 'pipeline', verdict: 'pass' });
});

it('calls the same files on both sides unchanged', async () => {
  const [b1, b2] = await Promise.all(
    ['b1.csv', 'b2.csv'].map(async (name) => {
      await writeFile(path.join(folder.path, `same-${name}`), files.get(name)!);
      return `same-${name}`;
    }),
  );
  const document = await run(['b1.csv', 'b2.csv'], [b2!, b1!]);
  expect(document).toMatchObject({
    outcome: 'unchanged',
    metrics: [],
    reason: expect.stringContaining('nothing was compared'),
  });
});

const one = ['a1.csv'];
const two = ['b1.csv', 'b2.csv'];

it.each<[string, string[], string[], More, RegExp]>([
  ['a file given twice', one, ['b1.csv', './b1.csv'], {}, /are the same file/],
  [
    'a copy',
    one,
    ['b1.csv', 'b1-copy.csv'],
    {},
    /^b1\.csv of the candidate and b1-copy\.csv of the candidate predict the same of every row/,
  ],
  ['the same predictions in another order', one, ['b1.csv', 'b1-shuffled.csv'], {}, /predict the same of every row/],
  ['one model on both sides', ['b1-copy.csv', 'a1.csv'], ['b1.csv', 'b2.csv'], {}, /predict the same of every row/],
  [
    'a missing row',
    one,
    ['b1.csv', 'short.csv'],
    {},
    /^short\.csv of the candidate has other rows than .*1 rows are missing/,
  ],
  ['a row twice', [...one, 'twice.csv'], b, {}, /^twice\.csv of production/],
  ['no rows', one, ['b1.csv', 'empty.csv'], {}, /empty\.csv of the candidate/],
  [
    'a constant score',
    one,
    ['b1.csv', 'constant.csv'],
    {},
    /^constant\.csv of the candidate: `s` is 0\.5 in every row/,
  ],
  ['other words', one, ['b1.csv', 'words.csv'], {}, /words\.csv of the candidate: `p` holds fine, late/],
  [
    'a hundred files',
    one,
    Array.from({ length: 100 }, (_, i) => `b${i}.csv`),
    {},
    /^100 files of the candidate are given; 50 are the most/,
  ],
  [
    'more values than are held',
    one,
    two,
    { mostValues: 100 },
    /^Several seeds are compared in memory, and 400 rows with 7 columns/,
  ],
  [
    'a gap between groups',
    one,
    two,
    { define: ['gap={kind: fairness, measure: equal-opportunity, by: hub, as: difference}'], flags: ['gap:lower:0.1'] },
    /^gap is a gap between groups/,
  ],
])('refuses %s', async (_, production, candidate, more, message) => {
  await expect(run(production, candidate, more)).rejects.toThrow(message);
});
