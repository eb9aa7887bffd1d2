import { normalCdf, normalQuantile } from './distributions.ts';
import { createRandom } from './random.ts';
import { mean, sum, variance } from './sum.ts';

/** Row-major sums of both models: `production[bucket * width + k]` is sum k of a bucket. Counts of a bucket are sums too. */
export interface Buckets {
  count: number;
  width: number;
  production: Float64Array;
  candidate: Float64Array;
}

/** A metric from the `width` sums of one model over some rows. The array is reused: read it, don't keep it. */
export type Statistic = (sums: Float64Array) => number;

export type BootstrapMethod = 'bca' | 'percentile' | 'basic';

interface Resampling {
  buckets: Buckets;
  resamples?: number;
  seed: number | bigint;
  /** Two-sided, 0.95 by default. */
  level?: number;
  method?: BootstrapMethod;
}

/** A metric of both models, their difference, and its interval. */
export interface PairedEstimate {
  production: number;
  candidate: number;
  /** candidate - production. */
  delta: number;
  interval: [low: number, high: number];
  /** The standard deviation of delta over the resamples. */
  standardError: number;
  level: number;
  resamples: number;
  /** The method used: `percentile` where BCa was asked for and has no finite correction. */
  method: BootstrapMethod;
  /** Resamples in which the metric did not exist: they count as -infinity for the low bound and +infinity for the high. */
  undefinedResamples: number;
}

/** From this many rows on, bucket them by hash; below, each row (or each user, for a cluster bootstrap) is a bucket. */
export const ROW_LEVEL_LIMIT = 5_000;
/** Buckets above {@link ROW_LEVEL_LIMIT}; their standard errors are within 6 % of the row-level ones. */
export const HASH_BUCKETS = 1_000;

/**
 * The paired bootstrap of one metric: both models' sums of a bucket are drawn together, `buckets.count` buckets with
 * replacement, `resamples` times. A bucket is a row, a cluster, or a hash of the row's key; empty buckets are allowed.
 *
 * The interval is BCa by default (Efron 1987, "Better bootstrap confidence intervals", JASA 82:171; bias from the share
 * of resamples below delta, ties half, acceleration from the jackknife over buckets); quantiles interpolate at
 * p (resamples + 1) (Davison & Hinkley 1997, eq. 5.8). The same input and seed give the same bits.
 *
 * @throws RangeError when the metric of a whole model is not finite (undefined metrics are never compared), for
 *   fewer than two buckets, arrays of another size, sums that are not finite, or too few resamples for the level
 */
export function pairedBootstrap(options: Resampling & { statistic: Statistic }): PairedEstimate {
  return pairedBootstraps({ ...options, statistics: { metric: options.statistic } }).metric;
}

/** {@link pairedBootstrap} of several metrics over the same resamples, at the cost of one pass. */
export function pairedBootstraps<Name extends string>(
  options: Resampling & { statistics: Record<Name, Statistic> },
): Record<Name, PairedEstimate> {
  const { buckets, resamples = 2000, level = 0.95, method = 'bca' } = options;
  assertOptions(buckets, resamples, level);
  const names = Object.keys(options.statistics) as Name[];
  const totals = { production: columnSums(buckets, 'production'), candidate: columnSums(buckets, 'candidate') };
  const deltas = new Map(names.map((name) => [name, new Float64Array(resamples)]));
  const random = createRandom(options.seed);
  const counts = new Uint32Array(buckets.count);
  const production = new Float64Array(buckets.width);
  const candidate = new Float64Array(buckets.width);
  for (let r = 0; r < resamples; r++) {
    random.multinomial(counts);
    weightedSums(counts, buckets.production, production);
    weightedSums(counts, buckets.candidate, candidate);
    for (const name of names) {
      const statistic = options.statistics[name];
      deltas.get(name)![r] = statistic(candidate) - statistic(production);
    }
  }
  const estimates = names.map((name) => {
    const statistic = options.statistics[name];
    const values = { production: statistic(totals.production), candidate: statistic(totals.candidate) };
    if (!Number.isFinite(values.production) || !Number.isFinite(values.candidate)) {
      throw new RangeError(`${name} is ${values.production} for production and ${values.candidate} for the candidate`);
    }
    const jackknife = () => jackknifeDeltas(buckets, totals, statistic);
    return [name, estimateDelta(values, deltas.get(name)!, jackknife, level, method)] as const;
  });
  return Object.fromEntries(estimates) as Record<Name, PairedEstimate>;
}

function assertOptions(buckets: Buckets, resamples: number, level: number): void {
  const { count, width } = buckets;
  if (!(Number.isInteger(count) && count >= 2)) throw new RangeError(`the bootstrap needs two buckets, not ${count}`);
  if (!(level > 0 && level < 1)) throw new RangeError(`level is ${level}; it must be between 0 and 1`);
  const least = Math.ceil(2 / (1 - level)) - 1;
  if (!(Number.isInteger(resamples) && resamples >= least)) {
    throw new RangeError(`${resamples} resamples are too few for level ${level}; it needs ${least}`);
  }
  for (const side of ['production', 'candidate'] as const) {
    if (buckets[side].length !== count * width) {
      throw new RangeError(
        `${side} has ${buckets[side].length} sums; ${count} buckets of ${width} need ${count * width}`,
      );
    }
    const bad = buckets[side].findIndex((value) => !Number.isFinite(value));
    if (bad >= 0) throw new RangeError(`${side} sum ${bad % width} of bucket ${Math.floor(bad / width)} is not finite`);
  }
}

function columnSums({ count, width, ...sums }: Buckets, side: 'production' | 'candidate'): Float64Array {
  const column = new Float64Array(count);
  return Float64Array.from({ length: width }, (_, k) => {
    for (let i = 0; i < count; i++) column[i] = sums[side][i * width + k]!;
    return sum(column);
  });
}

/** The sums of cells, row-major, where each cell counts so and so often. */
export function weightedSums(counts: Uint32Array, sums: Float64Array, into: Float64Array): void {
  const width = into.length;
  into.fill(0);
  for (let i = 0, at = 0; i < counts.length; i++, at += width) {
    // Those that are not drawn add 0: to pass over them, a third in no order, takes longer.
    const weight = counts[i]!;
    for (let k = 0; k < width; k++) into[k]! += weight * sums[at + k]!;
  }
}

function jackknifeDeltas(
  { count, width, ...sums }: Buckets,
  totals: { production: Float64Array; candidate: Float64Array },
  statistic: Statistic,
): Float64Array {
  const production = new Float64Array(width);
  const candidate = new Float64Array(width);
  return Float64Array.from({ length: count }, (_, i) => {
    for (let k = 0; k < width; k++) {
      production[k] = totals.production[k]! - sums.production[i * width + k]!;
      candidate[k] = totals.candidate[k]! - sums.candidate[i * width + k]!;
    }
    return statistic(candidate) - statistic(production);
  });
}

/** The interval of a difference from those of the resamples. `jackknife` is asked for by BCa alone. */
export function estimateDelta(
  values: { production: number; candidate: number },
  deltas: Float64Array,
  jackknife: () => Float64Array,
  level: number,
  method: BootstrapMethod,
): PairedEstimate {
  const delta = values.candidate - values.production;
  const finite = deltas.filter(Number.isFinite).sort();
  const undefinedResamples = deltas.length - finite.length;
  const alpha = (1 - level) / 2;
  const common = { ...values, delta, level, resamples: deltas.length, undefinedResamples };
  const standardError = Math.sqrt(variance(finite));
  const corrected =
    method === 'bca' && undefinedResamples === 0 ? correctedLevels(delta, finite, jackknife(), alpha) : undefined;
  if (corrected !== undefined) {
    const interval: [number, number] = [quantile(finite, corrected[0]), quantile(finite, corrected[1])];
    return { ...common, interval, standardError, method: 'bca' };
  }
  const low = quantile(padded(finite, undefinedResamples, Number.NEGATIVE_INFINITY), alpha);
  const high = quantile(padded(finite, undefinedResamples, Number.POSITIVE_INFINITY), 1 - alpha);
  if (method === 'basic') {
    return { ...common, interval: [2 * delta - high, 2 * delta - low], standardError, method };
  }
  return { ...common, interval: [low, high], standardError, method: 'percentile' };
}

/** The two quantile levels of BCa (Efron & Tibshirani 1993, eq. 14.10, 14.14, 14.15), or undefined where they don't exist. */
function correctedLevels(
  delta: number,
  sorted: Float64Array,
  jackknife: Float64Array,
  alpha: number,
): [number, number] | undefined {
  let below = 0;
  for (const value of sorted) below += value < delta ? 1 : value === delta ? 0.5 : 0;
  const bias = normalQuantile(below / sorted.length);
  const center = mean(jackknife);
  const squares = sum(jackknife.map((value) => (center - value) ** 2));
  const cubes = sum(jackknife.map((value) => (center - value) ** 3));
  const acceleration = squares === 0 ? 0 : cubes / (6 * squares ** 1.5);
  if (!Number.isFinite(bias) || !Number.isFinite(acceleration)) return undefined;
  const z = normalQuantile(1 - alpha);
  const scales = [1 - acceleration * (bias - z), 1 - acceleration * (bias + z)];
  if (!(scales[0]! > 0 && scales[1]! > 0)) return undefined;
  return [normalCdf(bias + (bias - z) / scales[0]!), normalCdf(bias + (bias + z) / scales[1]!)];
}

function padded(sorted: Float64Array, missing: number, value: number): Float64Array {
  if (missing === 0) return sorted;
  const result = new Float64Array(sorted.length + missing).fill(value);
  result.set(sorted, value < 0 ? missing : 0);
  return result;
}

/** The p-quantile at position p (n + 1) of ascending values, held within their ends. */
function quantile(sorted: Float64Array, p: number): number {
  const position = Math.min(Math.max(p * (sorted.length + 1), 1), sorted.length);
  const index = Math.floor(position);
  const fraction = position - index;
  const low = sorted[index - 1]!;
  const high = sorted[Math.min(index, sorted.length - 1)]!;
  if (fraction === 0 || low === high) return low;
  // The farther value where one is infinite: the nearer one would claim a bound that is not known.
  if (!Number.isFinite(low) || !Number.isFinite(high)) return Number.isFinite(low) ? high : low;
  return low + fraction * (high - low);
}
