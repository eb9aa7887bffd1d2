/**
 * How often the 95 % interval of the paired difference of two equally good models holds 0, by simulation: for the metrics of
 * every task, for rankings, and for rows that belong to units.
 *
 *     node bench/coverage.ts [--rows 200,2000] [--trials 100,50] [--family ranking] [--metrics mrr,map_at_5] [--first 10001] [--write]
 *
 * `--first` is the number of the first pair: other numbers are other pairs. `--write` puts all of it into docs/gate-rates.md.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { createRandom } from '@passloop/statistics';
import { type EvaluationFrame, predictionsOf } from '../packages/evaluation/src/frame.ts';
import { defaultResampling, measurePaired } from '../packages/evaluation/src/measure.ts';
import { metricNamed } from '../packages/evaluation/src/metrics.ts';
import { normalPair, scoredFrame } from '../packages/evaluation/src/testing/frames.ts';
import { numberFrame } from './simulation/models.ts';
import { between, markdownTable, percent } from './simulation/shares.ts';

const { values } = parseArgs({
  options: {
    trials: { type: 'string', default: '100,50,10' },
    rows: { type: 'string', default: '200,2000,20000' },
    family: { type: 'string', default: '' },
    metrics: { type: 'string', default: '' },
    first: { type: 'string', default: '1' },
    write: { type: 'boolean', default: false },
  },
});

/** Queries of ten rows; a row's score is its relevance and a noise, of which both models share a half. */
function rankedFrame(seed: number, queries: number): EvaluationFrame {
  const random = createRandom(seed);
  const rows = 10 * queries;
  const labels = Float64Array.from({ length: rows }, () => Math.max(0, random.integer(5) - 2));
  const shared = labels.map(() => normalPair(random)[0]);
  const side = () =>
    predictionsOf({ score: labels.map((label, row) => label + 0.8 * shared[row]! + 0.8 * normalPair(random)[0]) });
  const units = Uint32Array.from({ length: rows }, (_, row) => Math.floor(row / 10));
  const [production, candidate] = [side(), side()];
  return {
    ...scoredFrame({ rows: 2 }),
    task: 'ranking',
    rows,
    classes: [],
    labels,
    units,
    production,
    candidate,
    slices: [],
  };
}

/** Units of ten rows that agree in label and score but for a little: one unit tells hardly more than one row. */
function clusteredFrame(seed: number, units: number, isNamed: boolean): EvaluationFrame {
  const random = createRandom(seed + 1_000_000);
  const base = scoredFrame({ rows: units, seed });
  const each = (values: Float64Array, noise: number) =>
    Float64Array.from({ length: 10 * units }, (_, row) => values[Math.floor(row / 10)]! + noise * random.uniform());
  const side = ({ score }: EvaluationFrame['candidate']) => {
    const scores = each(score!, 0.02);
    return predictionsOf({ score: scores, prediction: scores.map((value) => (value > 0.5 ? 1 : 0)) });
  };
  return {
    ...base,
    rows: 10 * units,
    labels: each(base.labels, 0),
    units: isNamed ? Uint32Array.from({ length: 10 * units }, (_, row) => Math.floor(row / 10)) : null,
    production: side(base.production!),
    candidate: side(base.candidate),
    slices: [],
  };
}

/** Three classes; a class's score is its evidence and a noise, of which both models share the larger part. */
function multiclassFrame(seed: number, rows: number): EvaluationFrame {
  const random = createRandom(seed);
  const labels = Float64Array.from({ length: rows }, () => Math.min(2, random.integer(5) >> 1));
  const shared = [0, 1, 2].map(() => labels.map(() => normalPair(random)[0]));
  const side = () => {
    const logits = shared.map((noise, code) =>
      labels.map((label, row) => (label === code ? 1.5 : 0) + 0.9 * noise[row]! + 0.45 * normalPair(random)[0]),
    );
    const totals = labels.map((_, row) => logits.reduce((total, column) => total + Math.exp(column[row]!), 0));
    return predictionsOf({
      scores: logits.map((column) => column.map((value, row) => Math.exp(value) / totals[row]!)),
      prediction: labels.map((_, row) => {
        const [first, second, third] = logits.map((column) => column[row]!) as [number, number, number];
        return first >= second && first >= third ? 0 : second >= third ? 1 : 2;
      }),
    });
  };
  const [production, candidate] = [side(), side()];
  return {
    ...scoredFrame({ rows: 2 }),
    task: 'multiclass',
    rows,
    classes: ['0', '1', '2'],
    labels,
    production,
    candidate,
    slices: [],
  };
}

type Family = { title: string; names: string[]; sizes: { name: string; frame: (seed: number) => EvaluationFrame }[] };

const sizes = values.rows.split(',').map(Number);
/** As many rows cost as much time: each number of them has its own number of trials. */
const trials = values.trials.split(',').map(Number);
const first = Number(values.first);
const ofRows = (frame: (rows: number, seed: number) => EvaluationFrame): Family['sizes'] =>
  sizes.map((rows) => ({ name: `${rows.toLocaleString('en')} rows`, frame: (seed) => frame(rows, seed) }));

const families: Family[] = [
  {
    title: 'binary, 30 % positive',
    names: [
      ...['accuracy', 'balanced_accuracy', 'precision', 'recall', 'f1', 'f1_macro', 'mcc', 'roc_auc', 'pr_auc', 'ks'],
      ...['recall_at_precision_60', 'log_loss', 'brier', 'calibration_error'],
    ],
    sizes: ofRows((rows, seed) => scoredFrame({ rows, seed })),
  },
  {
    title: 'three classes',
    names: ['accuracy', 'f1_macro', 'f1_weighted', 'mcc', 'log_loss', 'roc_auc_ovr'],
    sizes: ofRows((rows, seed) => multiclassFrame(seed, rows)),
  },
  {
    title: 'regression',
    names: ['mae', 'rmse', 'mape', 'smape', 'r2', 'pinball_90'],
    sizes: ofRows((rows, seed) => numberFrame({ rows, seed, production: 1, candidate: 1 })),
  },
  {
    title: 'ranking, queries of 10 rows',
    names: ['ndcg_at_5', 'map_at_5', 'mrr', 'recall_at_5'],
    sizes: [100, 1000].map((queries) => ({
      name: `${queries.toLocaleString('en')} queries`,
      frame: (seed) => rankedFrame(seed, queries),
    })),
  },
  {
    title: 'binary, 100 units of 10 rows that are alike',
    names: ['roc_auc', 'accuracy', 'f1'],
    sizes: [
      { name: 'the unit is named', frame: (seed) => clusteredFrame(seed, 100, true) },
      { name: 'nobody names it', frame: (seed) => clusteredFrame(seed, 100, false) },
    ],
  },
];

function covered(name: string, frameOf: (seed: number) => EvaluationFrame, trials: number): string {
  let measured = 0;
  let holds = 0;
  for (let trial = 0; trial < trials; trial += 1) {
    const found = measurePaired(metricNamed(name)!, frameOf(first + trial), defaultResampling);
    if (typeof found === 'string' || found.interval === null) continue;
    measured += 1;
    if (found.interval[0] <= 0 && found.interval[1] >= 0) holds += 1;
  }
  return percent(holds, measured);
}

const asked = families.filter(({ title }) => title.startsWith(values.family));
const isMetricAsked = (name: string) => values.metrics === '' || values.metrics.split(',').includes(name);
const tables = asked.map(({ title, names, sizes: all }) => {
  const body = names.filter(isMetricAsked).map((name) => {
    const row = [`\`${name}\``, ...all.map(({ frame }, size) => covered(name, frame, trials[size] ?? trials[0]!))];
    console.log(`${title}: ${row.join(' | ')}`);
    return row;
  });
  return markdownTable([title, ...all.map(({ name }) => name)], body);
});

if (values.write && asked.length === families.length && values.metrics === '') {
  const listed = trials.map((one) => one.toLocaleString('en')).join(', ');
  const file = path.join(import.meta.dirname, '../docs/gate-rates.md');
  const intro = `${listed} simulated pairs of equally good models a cell, from left to right; percent ± one standard error of the simulation. \`node bench/coverage.ts --trials ${values.trials} --write\` makes these tables anew.`;
  writeFileSync(file, between(readFileSync(file, 'utf8'), 'coverage', [intro, ...tables].join('\n\n')));
}
