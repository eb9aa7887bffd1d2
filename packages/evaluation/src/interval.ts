import type { Predictions } from './frame.ts';

export type Resampling = {
  resamples: number;
  seed: number;
  level: number;
  /** Tests by permutation too whether there is any difference, where no formula does. */
  permute?: boolean;
  /** Rows times resamples up to which rankings are walked anew in each resample; 100 million by default. */
  steps?: number;
};

export const defaultResampling: Resampling = { resamples: 2000, seed: 7, level: 0.95 };

export type Sides = { production: Predictions; candidate: Predictions };

/** Whether there is any difference: two-sided, and without a margin, so that it decides nothing. */
export type Equality = { test: string; pValue: number };

export type Interval = {
  interval: [number, number] | null;
  method: string;
  problem: string | null;
  equality?: Equality | undefined;
};

/** Another stream than the resamples', and than the buckets'. */
export function permutationSeed(seed: number): bigint {
  return BigInt(seed) + (2n << 32n);
}

/** The interval of a bootstrap, or why it is none. */
export function bounded(
  estimate: { interval: [number, number]; undefinedResamples: number; resamples: number },
  method: string,
): Interval {
  if (estimate.interval.every(Number.isFinite)) return { interval: estimate.interval, method, problem: null };
  const problem = `it is undefined in ${estimate.undefinedResamples} of ${estimate.resamples} resamples of these rows: more rows are needed`;
  return { interval: null, method, problem };
}
