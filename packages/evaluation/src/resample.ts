import { pairedBootstrap, pairedPermutation, tango } from '@passloop/statistics';
import type { CellPlan } from './cells.ts';
import { curveInterval } from './curve-interval.ts';
import type { EvaluationFrame } from './frame.ts';
import { bounded, type Interval, permutationSeed, type Resampling, type Sides } from './interval.ts';
import { type Metric, type QueryMetric, type SummedMetric, sumsOf } from './metric.ts';
import { fewQueries, sumsByCell, sumsByQuery } from './model-sums.ts';
import { unitsOf } from './units.ts';

/**
 * The interval of a paired difference by resampling. What is drawn is a row, or all rows of a unit (a user, a series, a
 * query) together; above 5,000 of them, 1,000 buckets of them, by a hash of the seed and the place in key order: the same
 * rows and seed give the same bits.
 *
 * - sums over rows or queries: the percentile bootstrap of the buckets' sums;
 * - rankings: the percentile bootstrap, or for many rows the delete-a-group jackknife.
 *
 * Not BCa: where few rows tell the two models apart, its corrections are noise. Simulated on 110 rows with 10 positives,
 * its 95 % interval of balanced accuracy covers 86 %, of F1 92 %; the percentile interval covers 93 % and 95 %.
 *
 * @returns a reason where the metric can't be measured
 */
export function resampled(
  metric: Metric,
  frame: EvaluationFrame,
  sides: Sides,
  resampling: Resampling,
): Interval | string {
  try {
    if (metric.kind === 'curve') return curveInterval(metric, frame, sides, resampling);
    return metric.kind === 'queries'
      ? queries(metric, frame, sides, resampling)
      : summed(metric, frame, sides, resampling);
  } catch (error) {
    // A sum that overflows.
    if (error instanceof RangeError) return error.message;
    throw error;
  }
}

/** Both models' sums of each cell, row-major, and what else the interval of such a metric depends on. */
export type CellSums = {
  plan: CellPlan;
  width: number;
  classes: number;
  production: Float64Array;
  candidate: Float64Array;
  /** Null where each row stands alone. */
  units: number | null;
  /** The sums over all rows where each weighs 1, of production and of the candidate. */
  unweighted(): readonly [Float64Array, Float64Array];
};

function summed(metric: SummedMetric, frame: EvaluationFrame, sides: Sides, resampling: Resampling): Interval {
  const found = sumsByCell(metric, frame, [sides.production, sides.candidate], resampling.seed);
  const [production, candidate] = found.models as [Float64Array, Float64Array];
  const alike = { ...frame, weights: null };
  return intervalOfSums(
    metric,
    {
      plan: found.plan,
      width: found.width,
      classes: frame.classes.length,
      production,
      candidate,
      units: frame.units === null ? null : unitsOf(frame).count,
      unweighted: () => [sumsOf(metric, alike, sides.production), sumsOf(metric, alike, sides.candidate)],
    },
    resampling,
  );
}

/** The bootstrap of a metric of sums. @throws RangeError for a sum that overflows */
export function intervalOfSums(metric: SummedMetric, sums: CellSums, resampling: Resampling): Interval {
  const { plan, width, classes, production, candidate, units } = sums;
  const found = bootstrapSums(
    { count: plan.count, width, production, candidate },
    (totals) => metric.of(totals, classes),
    plan,
    resampling,
  );
  if (metric.restsOn === undefined || !isSilent(found)) return found;
  // No resample can show a difference that no row has. That none of m rows has one proves only so much.
  const rows = sums.unweighted().map((totals) => metric.restsOn?.(totals, classes) ?? 0);
  const counted = units === null ? Math.min(...rows) : Math.min(...rows, units);
  const { interval } = tango({ rows: counted, candidateOnly: 0, productionOnly: 0 }, { level: resampling.level });
  const what = units === null ? 'rows' : 'units';
  return { ...found, interval, method: `Tango score (no difference on the ${counted} ${what} that count)` };
}

function isSilent({ interval, problem }: Interval): boolean {
  return problem === null && interval !== null && interval[0] === 0 && interval[1] === 0;
}

/** Both models' queries in each cell: [weight, weighted value]. */
export type QuerySums = {
  plan: CellPlan;
  production: Float64Array;
  candidate: Float64Array;
  /** Queries that have a value. */
  valued: number;
};

function queries(metric: QueryMetric, frame: EvaluationFrame, sides: Sides, resampling: Resampling): Interval {
  const { plan, models, valued } = sumsByQuery(metric, frame, [sides.production, sides.candidate], resampling.seed);
  const [production, candidate] = models as [Float64Array, Float64Array];
  return intervalOfQueries({ plan, production, candidate, valued }, resampling);
}

/** The bootstrap of a metric of queries. @throws RangeError for a sum that overflows */
export function intervalOfQueries(
  { plan, production, candidate, valued }: QuerySums,
  resampling: Resampling,
): Interval {
  return bootstrapSums(
    { count: plan.count, width: 2, production, candidate },
    (sums) => sums[1]! / sums[0]!,
    { ...plan, problem: fewQueries(valued) },
    resampling,
  );
}

function bootstrapSums(
  buckets: Parameters<typeof pairedBootstrap>[0]['buckets'],
  statistic: (sums: Float64Array) => number,
  cells: CellPlan,
  { resamples, seed, level, permute }: Resampling,
): Interval {
  const method = `paired bootstrap (percentile, ${cells.method})`;
  if (cells.problem !== null || cells.count < 2) {
    return { interval: null, method, problem: cells.problem ?? 'there is one unit only' };
  }
  const found = bounded(pairedBootstrap({ buckets, resamples, seed, level, method: 'percentile', statistic }), method);
  if (permute !== true) return found;
  const { pValue } = pairedPermutation({ buckets, statistic, rounds: resamples, seed: permutationSeed(seed) });
  return { ...found, equality: { test: `paired permutation (${cells.method})`, pValue } };
}
