import {
  createRandom,
  delong,
  HASH_BUCKETS,
  normalQuantile,
  pairedBootstrap,
  ROW_LEVEL_LIMIT,
} from '@passloop/statistics';
import type { EvaluationFrame } from './frame.ts';
import { type Metric, metricValue, type SummedMetric } from './metrics.ts';

/** A paired measurement of one metric on one frame. `delta` is candidate − production, raw. */
export type PairedMeasurement = {
  production: number;
  candidate: number;
  delta: number;
  interval: [number, number];
  standardError: number;
  level: number;
  method: string;
};

export type Resampling = { resamples: number; seed: number; level: number };

export const defaultResampling: Resampling = { resamples: 2000, seed: 7, level: 0.95 };

/**
 * The paired difference with a two-sided interval: DeLong for ranks; for sums, the BCa bootstrap over rows (under 5,000) or
 * over 1,000 random buckets of rows. Buckets are drawn from the seed in key order: the same rows and seed give the same bits.
 * @returns a reason where there is no such measurement (undefined on these rows)
 */
export function measurePaired(
  metric: Metric,
  frame: EvaluationFrame,
  resampling: Resampling,
): PairedMeasurement | string {
  if (frame.production === null) return 'there are no predictions of production';
  if (frame.production[metric.needs] === null) return `production's predictions have no ${metric.needs}`;
  if (frame.candidate[metric.needs] === null) return `the candidate's predictions have no ${metric.needs}`;
  if (frame.rows < 2) return `${frame.rows} rows are too few`;
  try {
    return metric.kind === 'rank' ? rankPaired(frame, resampling) : summedPaired(metric, frame, resampling);
  } catch (error) {
    // The statistics refuse what has no value: one class only, a constant label, no positive prediction.
    if (error instanceof RangeError) return error.message;
    throw error;
  }
}

function rankPaired(frame: EvaluationFrame, resampling: Resampling): PairedMeasurement {
  const result = delong(frame.labels, frame.production?.score as Float64Array, frame.candidate.score as Float64Array, {
    level: resampling.level,
  });
  return {
    production: result.production,
    candidate: result.candidate,
    delta: result.delta,
    interval: result.interval,
    standardError: result.standardError,
    level: resampling.level,
    method: result.status === 'estimated' ? 'DeLong' : `DeLong (${result.status})`,
  };
}

function summedPaired(metric: SummedMetric, frame: EvaluationFrame, resampling: Resampling): PairedMeasurement {
  const classes = frame.classes.length;
  const width = metric.width(classes);
  const byRow = frame.rows <= ROW_LEVEL_LIMIT;
  const count = byRow ? frame.rows : HASH_BUCKETS;
  const production = new Float64Array(count * width);
  const candidate = new Float64Array(count * width);
  const ofProduction = frame.production?.[metric.needs] as Float64Array;
  const ofCandidate = frame.candidate[metric.needs] as Float64Array;
  const random = createRandom(resampling.seed);
  for (let row = 0; row < frame.rows; row += 1) {
    const bucket = byRow ? row : random.integer(count);
    const label = frame.labels[row] as number;
    metric.add(production, bucket * width, label, ofProduction[row] as number, classes);
    metric.add(candidate, bucket * width, label, ofCandidate[row] as number, classes);
  }
  const estimate = pairedBootstrap({
    buckets: { count, width, production, candidate },
    resamples: resampling.resamples,
    seed: resampling.seed,
    level: resampling.level,
    statistic: (sums) => metric.of(sums, classes),
  });
  return {
    production: estimate.production,
    candidate: estimate.candidate,
    delta: estimate.delta,
    interval: estimate.interval,
    standardError: estimate.standardError,
    level: resampling.level,
    method: `paired bootstrap (${estimate.method}, ${byRow ? 'rows' : `${count} buckets`})`,
  };
}

/** One model's value alone, or a reason why it has none. */
export function measureAlone(metric: Metric, frame: EvaluationFrame): number | string {
  if (frame.candidate[metric.needs] === null) return `the candidate's predictions have no ${metric.needs}`;
  const value = metricValue(metric, frame, frame.candidate);
  return Number.isFinite(value) ? value : 'it is undefined on these rows';
}

/** The standard error that an interval of this level stands for, under normality. */
export function standardErrorOf(interval: readonly [number, number], level: number): number {
  return (interval[1] - interval[0]) / (2 * normalQuantile(0.5 + level / 2));
}
