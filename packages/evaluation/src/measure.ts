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
import { bucketSums, type Metric, metricValue, type SummedMetric } from './metrics.ts';

/** A paired measurement of one metric on one frame. `delta` is candidate − production, raw. */
export type PairedMeasurement = {
  production: number;
  candidate: number;
  delta: number;
  /** Two-sided, of delta; null where so many resamples have no value that a bound is unknown. */
  interval: [number, number] | null;
  level: number;
  method: string;
};

export type Resampling = { resamples: number; seed: number; level: number };

export const defaultResampling: Resampling = { resamples: 2000, seed: 7, level: 0.95 };

/**
 * The paired difference with a two-sided interval: DeLong for ranks; Tango's score interval for a share of rows; for other
 * sums the BCa bootstrap over rows (up to 5,000) or over 1,000 random buckets of rows. Buckets are drawn from the seed in
 * key order: the same rows and seed give the same bits.
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
  const ofProduction = measuredValue(metric, frame, production, 'production');
  if (typeof ofProduction === 'string') return ofProduction;
  const ofCandidate = measuredValue(metric, frame, candidate, 'the candidate');
  if (typeof ofCandidate === 'string') return ofCandidate;
  const interval = intervalOf(metric, frame, { production, candidate }, resampling);
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
export function measureAlone(metric: Metric, frame: EvaluationFrame): number | string {
  return measuredValue(metric, frame, frame.candidate, 'the candidate');
}

function measuredValue(metric: Metric, frame: EvaluationFrame, side: Predictions, who: string): number | string {
  const values = side[metric.needs];
  if (values === null) return `${who} has no ${metric.needs} column: columns.${metric.needs} names it`;
  if (metric.kind === 'sums' && metric.probabilities) {
    const outside = values.findIndex((value) => !(value >= 0 && value <= 1));
    if (outside >= 0) return `it needs probabilities, and a score of ${who} is ${values[outside]}`;
  }
  const value = metricValue(metric, frame, side);
  return Number.isFinite(value) ? value : `it is undefined for ${who} on these ${frame.rows} rows`;
}

type Sides = { production: Predictions; candidate: Predictions };
type Interval = Pick<PairedMeasurement, 'interval' | 'method'>;

function intervalOf(metric: Metric, frame: EvaluationFrame, sides: Sides, resampling: Resampling): Interval | string {
  if (metric.kind === 'sums') {
    return metric.proportion
      ? scoreInterval(frame, sides, resampling.level)
      : resampled(metric, frame, sides, resampling);
  }
  try {
    const { interval, status } = delong(
      frame.labels,
      sides.production.score as Float64Array,
      sides.candidate.score as Float64Array,
      { level: resampling.level },
    );
    return { interval, method: status === 'estimated' ? 'DeLong' : `DeLong (${status})` };
  } catch (error) {
    // One row of a class has an area but no variance.
    if (error instanceof RangeError) return error.message;
    throw error;
  }
}

function scoreInterval(frame: EvaluationFrame, { production, candidate }: Sides, level: number): Interval {
  const old = production.prediction as Float64Array;
  const fresh = candidate.prediction as Float64Array;
  let productionOnly = 0;
  let candidateOnly = 0;
  for (let row = 0; row < frame.rows; row += 1) {
    const label = frame.labels[row];
    const right = fresh[row] === label;
    if (right === (old[row] === label)) continue;
    if (right) candidateOnly += 1;
    else productionOnly += 1;
  }
  const { interval } = tango({ rows: frame.rows, candidateOnly, productionOnly }, { level });
  return { interval, method: 'Tango score' };
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
      statistic: (sums) => metric.of(sums, classes),
    });
    return {
      interval: estimate.interval.every(Number.isFinite) ? estimate.interval : null,
      method: `paired bootstrap (${estimate.method}, ${byRow ? 'rows' : `${count} buckets`})`,
    };
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
