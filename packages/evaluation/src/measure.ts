import {
  createRandom,
  delong,
  HASH_BUCKETS,
  normalQuantile,
  pairedBootstrap,
  ROW_LEVEL_LIMIT,
  tango,
} from '@passloop/statistics';
import type { EvaluationFrame, Predictions } from './frame.ts';
import { bucketSums, type Metric, metricValue, type SummedMetric, sumsOf } from './metrics.ts';

/** A paired measurement of one metric on one frame. `delta` is candidate − production, raw. */
export type PairedMeasurement = {
  production: number;
  candidate: number;
  delta: number;
  /** Two-sided, of delta; null where the rows can't give one, with the reason in `problem`. */
  interval: [number, number] | null;
  problem: string | null;
  level: number;
  method: string;
};

export type Resampling = { resamples: number; seed: number; level: number };

export const defaultResampling: Resampling = { resamples: 2000, seed: 7, level: 0.95 };

/** Of each class, for an area: with two or three, DeLong's variance is a guess, and a tie of all of them looks like certainty. */
const fewestOfClass = 10;

/**
 * The paired difference with a two-sided interval: DeLong for ranks; Tango's score interval for a share of rows; for other
 * sums the percentile bootstrap over rows (up to 5,000) or over 1,000 random buckets of rows. Buckets are drawn from the
 * seed in key order: the same rows and seed give the same bits.
 *
 * Not BCa: where few rows tell the two models apart, its corrections are noise. Simulated on 110 rows with 10 positives,
 * its 95 % interval of balanced accuracy covers 86 %, of F1 92 %; the percentile interval covers 93 % and 95 %.
 *
 * @returns a reason where there is no such measurement (undefined on these rows)
 */
export function measurePaired(
  metric: Metric,
  frame: EvaluationFrame,
  resampling: Resampling,
): PairedMeasurement | string {
  const { production, candidate } = frame;
  if (production === null) return 'there are no predictions of production';
  if (frame.rows < 2) return `${frame.rows} rows are too few`;
  if (metric.kind === 'rank') return ranked(frame, { production, candidate }, resampling.level);
  const ofProduction = measuredValue(metric, frame, production, 'production');
  if (typeof ofProduction === 'string') return ofProduction;
  const ofCandidate = measuredValue(metric, frame, candidate, 'the candidate');
  if (typeof ofCandidate === 'string') return ofCandidate;
  const interval = metric.proportion
    ? scoreInterval(metric.proportion, frame, { production, candidate }, resampling.level)
    : resampled(metric, frame, { production, candidate }, resampling);
  if (typeof interval === 'string') return interval;
  return {
    production: ofProduction,
    candidate: ofCandidate,
    delta: ofCandidate - ofProduction,
    level: resampling.level,
    ...interval,
  };
}

/** One model's value alone, or a reason why it has none. */
export function measureAlone(metric: Metric, frame: EvaluationFrame, of: 'production' | 'candidate'): number | string {
  const side = frame[of];
  if (side === null) return 'there are no predictions of production';
  return measuredValue(metric, frame, side, of === 'candidate' ? 'the candidate' : of);
}

function measuredValue(metric: Metric, frame: EvaluationFrame, side: Predictions, who: string): number | string {
  const values = side[metric.needs];
  if (values === null) return missingColumn(who, metric.needs);
  if (metric.kind === 'sums' && metric.probabilities) {
    const outside = values.findIndex((value) => !(value >= 0 && value <= 1));
    if (outside >= 0) return `it needs probabilities, and a score of ${who} is ${values[outside]}`;
  }
  const value = metricValue(metric, frame, side);
  return Number.isFinite(value) ? value : `it is undefined for ${who} on these ${frame.rows} rows`;
}

type Sides = { production: Predictions; candidate: Predictions };
type Interval = Pick<PairedMeasurement, 'interval' | 'method' | 'problem'>;

/** Areas and interval from one ranking of each model's scores: sorting is what a comparison of areas costs. */
function ranked(frame: EvaluationFrame, sides: Sides, level: number): PairedMeasurement | string {
  const scores = { production: sides.production.score, candidate: sides.candidate.score };
  if (scores.production === null) return missingColumn('production', 'score');
  if (scores.candidate === null) return missingColumn('the candidate', 'score');
  try {
    const found = delong(frame.labels, scores.production, scores.candidate, { level });
    const { production, candidate, delta, interval, status } = found;
    const method = status === 'estimated' ? 'DeLong' : `DeLong (${status})`;
    const fewest = Math.min(found.positives, found.negatives);
    const problem = fewest < fewestOfClass ? `${fewest} rows of one class; ${fewestOfClass} are needed` : null;
    return { production, candidate, delta, interval: problem === null ? interval : null, level, method, problem };
  } catch (error) {
    // One class only has no area; one row of a class has an area but no variance.
    if (error instanceof RangeError) return error.message;
    throw error;
  }
}

function missingColumn(who: string, column: Metric['needs']): string {
  return `${who} has no ${column} column: columns.${column} names it`;
}

function scoreInterval(
  of: 'rows' | 'positives',
  frame: EvaluationFrame,
  { production, candidate }: Sides,
  level: number,
): Interval {
  const old = production.prediction as Float64Array;
  const fresh = candidate.prediction as Float64Array;
  let rows = 0;
  let productionOnly = 0;
  let candidateOnly = 0;
  for (let row = 0; row < frame.rows; row += 1) {
    const label = frame.labels[row];
    if (of === 'positives' && label !== 1) continue;
    rows += 1;
    const right = fresh[row] === label;
    if (right === (old[row] === label)) continue;
    if (right) candidateOnly += 1;
    else productionOnly += 1;
  }
  const { interval } = tango({ rows, candidateOnly, productionOnly }, { level });
  return { interval, method: 'Tango score', problem: null };
}

function resampled(
  metric: SummedMetric,
  frame: EvaluationFrame,
  { production, candidate }: Sides,
  resampling: Resampling,
): Interval | string {
  const classes = frame.classes.length;
  const byRow = frame.rows <= ROW_LEVEL_LIMIT;
  const count = byRow ? frame.rows : HASH_BUCKETS;
  const bucketOf = byRow ? (row: number) => row : bucketsOf(frame.rows, resampling.seed);
  try {
    const estimate = pairedBootstrap({
      buckets: {
        count,
        width: metric.width(classes),
        production: bucketSums(metric, frame, production, count, bucketOf),
        candidate: bucketSums(metric, frame, candidate, count, bucketOf),
      },
      resamples: resampling.resamples,
      seed: resampling.seed,
      level: resampling.level,
      method: 'percentile',
      statistic: (sums) => metric.of(sums, classes),
    });
    const method = `paired bootstrap (percentile, ${byRow ? 'rows' : `${count} buckets`})`;
    if (!estimate.interval.every(Number.isFinite)) {
      const problem = `it is undefined in ${estimate.undefinedResamples} of ${estimate.resamples} resamples of these rows: more rows are needed`;
      return { interval: null, method, problem };
    }
    if (estimate.interval[0] === estimate.interval[1] && estimate.delta === 0 && metric.restsOn !== undefined) {
      // No resample can show a difference that no row has. That none of m rows has one proves only so much.
      const rows = Math.min(
        ...[production, candidate].map((side) => metric.restsOn?.(sumsOf(metric, frame, side), classes) ?? 0),
      );
      const none = { rows, candidateOnly: 0, productionOnly: 0 };
      const { interval } = tango(none, { level: resampling.level });
      return { interval, method: `Tango score (no difference on the ${rows} rows that count)`, problem: null };
    }
    return { interval: estimate.interval, method, problem: null };
  } catch (error) {
    // A sum that overflows.
    if (error instanceof RangeError) return error.message;
    throw error;
  }
}

/** A random bucket for each row. Another stream than the resamples', which would otherwise repeat its draws. */
function bucketsOf(rows: number, seed: number): (row: number) => number {
  const random = createRandom(BigInt(seed) + (1n << 32n));
  const buckets = Uint16Array.from({ length: rows }, () => random.integer(HASH_BUCKETS));
  return (row) => buckets[row] as number;
}

/** The standard error that an interval of this level stands for, under normality. */
export function standardErrorOf(interval: readonly [number, number], level: number): number {
  return (interval[1] - interval[0]) / (2 * normalQuantile(0.5 + level / 2));
}
