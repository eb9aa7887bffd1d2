/**
 * How often the 95 % interval of the paired difference of two equally good models holds 0, by simulation: for metrics of a
 * ranking, whose intervals no formula gives, and for rows that belong to units.
 *
 *     node bench/coverage.ts [trials]
 */
import { createRandom } from '@passloop/statistics';
import { type EvaluationFrame, predictionsOf } from '../packages/evaluation/src/frame.ts';
import { defaultResampling, measurePaired } from '../packages/evaluation/src/measure.ts';
import { metricNamed } from '../packages/evaluation/src/metrics.ts';
import { normalPair, scoredFrame } from '../packages/evaluation/src/testing/frames.ts';

const trials = Number(process.argv[2] ?? 400);
const resampling = { ...defaultResampling, resamples: 400 };

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

const binary = (rows: number) => (seed: number) => scoredFrame({ rows, seed });
const cases: [string, (seed: number) => EvaluationFrame, string[]][] = [
  ['200 rows', binary(200), ['pr_auc', 'ks', 'recall_at_precision_60', 'calibration_error', 'brier']],
  ['2,000 rows', binary(2000), ['pr_auc', 'ks', 'recall_at_precision_60', 'calibration_error', 'brier']],
  ['100 queries', (seed) => rankedFrame(seed, 100), ['ndcg_at_5', 'map_at_5', 'mrr', 'recall_at_5']],
  ['100 units of 10 rows, named', (seed) => clusteredFrame(seed, 100, true), ['roc_auc', 'accuracy', 'f1']],
  ['100 units of 10 rows, not named', (seed) => clusteredFrame(seed, 100, false), ['roc_auc', 'accuracy', 'f1']],
];
for (const [title, frameOf, names] of cases) {
  for (const name of names) {
    let measured = 0;
    let covered = 0;
    for (let trial = 1; trial <= trials; trial += 1) {
      const found = measurePaired(metricNamed(name)!, frameOf(trial), resampling);
      if (typeof found === 'string' || found.interval === null) continue;
      measured += 1;
      if (found.interval[0] <= 0 && found.interval[1] >= 0) covered += 1;
    }
    console.log(`${title}: ${name} ${((100 * covered) / measured).toFixed(1)} % of ${measured}`);
  }
}
