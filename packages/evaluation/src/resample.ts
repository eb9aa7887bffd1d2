import {
  groupJackknife,
  HASH_BUCKETS,
  pairedBootstrap,
  pairedPermutation,
  ROW_LEVEL_LIMIT,
  tango,
  type Weighing,
  weighedBootstrap,
} from '@passloop/statistics';
import { bucketing } from './buckets.ts';
import { curveValue, rankedRows } from './curve-metrics.ts';
import type { EvaluationFrame, Predictions } from './frame.ts';
import { bucketSums, type CurveMetric, type Metric, type QueryMetric, type SummedMetric, sumsOf } from './metric.ts';
import { queryValues } from './metrics.ts';
import { rankEquality } from './rank-equality.ts';
import { unitsOf } from './units.ts';

export type Resampling = {
  resamples: number;
  seed: number;
  level: number;
  /** Tests by permutation too whether there is any difference, where no formula does. */
  permute?: boolean;
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

/** Fewer users, series or queries than these tell too little of others: a bootstrap of ten covers 86 % instead of 95. */
const fewestUnits = 30;

/** More sums than these are held in fewer buckets: 64 MB for both models. */
const mostSums = 4_000_000;

/** Rows times resamples up to which rankings are walked anew in each resample; above, groups are left out in turn. */
const mostSteps = 100_000_000;
/** From 50,000 rows on (2,000 resamples) a group has 250 and more: over √n, as the jackknife needs of a ranking. */
const jackknifeGroups = 200;

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
    if (metric.kind === 'curve') return curve(metric, frame, sides, resampling);
    return metric.kind === 'queries'
      ? queries(metric, frame, sides, resampling)
      : summed(metric, frame, sides, resampling);
  } catch (error) {
    // A sum that overflows.
    if (error instanceof RangeError) return error.message;
    throw error;
  }
}

/** What is drawn as a whole, without saying which row is in it. */
export type CellPlan = {
  /** Each row or unit is drawn by itself. */
  isAlone: boolean;
  count: number;
  method: string;
  problem: string | null;
};

export type MostCells = { alone: number; buckets: number };

/** Whether so many rows, units or queries are drawn one by one or in buckets. */
export function cellPlan(count: number, what: 'rows' | 'units' | 'queries', most: MostCells): CellPlan {
  const few = what === 'units' && count < fewestUnits;
  const problem = few ? `${count} units; ${fewestUnits} are needed` : null;
  if (count <= most.alone) return { isAlone: true, count, method: what, problem };
  const method = `${most.buckets} buckets${what === 'rows' ? '' : ` of ${what}`}`;
  return { isAlone: false, count: most.buckets, method, problem };
}

type Cells = CellPlan & { of: Uint32Array };

function cellsOf(
  frame: Pick<EvaluationFrame, 'rows' | 'units' | 'numbers'>,
  seed: number,
  most: MostCells,
  what: 'rows' | 'units' | 'queries' = frame.units === null ? 'rows' : 'units',
): Cells {
  const units = unitsOf(frame);
  const plan = cellPlan(units.count, what, most);
  if (plan.isAlone) return { ...plan, of: units.of };
  const numbers = frame.units ?? frame.numbers ?? units.of;
  const bucketOf = bucketing(seed, plan.count);
  const of = new Uint32Array(numbers.length);
  for (let row = 0; row < of.length; row += 1) of[row] = bucketOf(numbers[row]!);
  return { ...plan, of };
}

/** How many cells a metric of sums may have: more sums than {@link mostSums} are held in fewer. */
export function mostCellsOf(width: number): MostCells {
  const most = Math.max(2, Math.floor(mostSums / width));
  return { alone: Math.min(ROW_LEVEL_LIMIT, most), buckets: Math.min(HASH_BUCKETS, most) };
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
  const classes = frame.classes.length;
  const width = metric.width(frame);
  const cells = cellsOf(frame, resampling.seed, mostCellsOf(width));
  const side = (predictions: Predictions) =>
    bucketSums(metric, frame, predictions, cells.count, (row) => cells.of[row]!);
  const alike = { ...frame, weights: null };
  return intervalOfSums(
    metric,
    {
      plan: cells,
      width,
      classes,
      production: side(sides.production),
      candidate: side(sides.candidate),
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

function queries(metric: QueryMetric, frame: EvaluationFrame, sides: Sides, resampling: Resampling): Interval {
  const queryFrame = { ...frame, units: frame.units ?? new Uint32Array(frame.rows) };
  const { count } = unitsOf(queryFrame);
  const production = queryValues(metric, queryFrame, sides.production);
  const candidate = queryValues(metric, queryFrame, sides.candidate);
  // A query is a row here: its cell is found as that of a row without units.
  const most = { alone: ROW_LEVEL_LIMIT, buckets: HASH_BUCKETS };
  const cells = cellsOf({ rows: count, units: null }, resampling.seed, most, 'queries');
  const side = ({ weight, weighted }: typeof production) => {
    const sums = new Float64Array(2 * cells.count);
    for (let query = 0; query < count; query += 1) {
      sums[2 * cells.of[query]!]! += weight[query]!;
      sums[2 * cells.of[query]! + 1]! += weighted[query]!;
    }
    return sums;
  };
  const valued = production.weight.reduce((total, weight) => total + (weight > 0 ? 1 : 0), 0);
  const few = valued < fewestUnits ? `${valued} queries with a relevant row; ${fewestUnits} are needed` : null;
  return bootstrapSums(
    { count: cells.count, width: 2, production: side(production), candidate: side(candidate) },
    (sums) => sums[1]! / sums[0]!,
    { ...cells, problem: few },
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

/** Another stream than the resamples', and than the buckets'. */
function permutationSeed(seed: number): bigint {
  return BigInt(seed) + (2n << 32n);
}

function bounded(
  estimate: { interval: [number, number]; undefinedResamples: number; resamples: number },
  method: string,
): Interval {
  if (estimate.interval.every(Number.isFinite)) return { interval: estimate.interval, method, problem: null };
  const problem = `it is undefined in ${estimate.undefinedResamples} of ${estimate.resamples} resamples of these rows: more rows are needed`;
  return { interval: null, method, problem };
}

/** Of each class of a binary model, or a multiclass model's rarest: the same bound as for the area's own formula. */
const fewestOfClass = 10;

function curve(metric: CurveMetric, frame: EvaluationFrame, sides: Sides, resampling: Resampling): Interval {
  const { resamples, seed, level, permute } = resampling;
  const rankings = { production: rankedRows(frame, sides.production), candidate: rankedRows(frame, sides.candidate) };
  const isWalked = frame.rows * rankings.candidate.length * resamples <= mostSteps;
  const most = isWalked
    ? { alone: ROW_LEVEL_LIMIT, buckets: HASH_BUCKETS }
    : { alone: jackknifeGroups, buckets: jackknifeGroups };
  const cells = cellsOf(frame, seed, most);
  const name = isWalked ? 'paired bootstrap (percentile' : 'delete-a-group jackknife (Student';
  const method = `${name}, ${cells.method})`;
  const few = cells.problem ?? fewOfClass(frame);
  if (few !== null) return { interval: null, method, problem: few };
  const weighing: Weighing = {
    cells: cells.count,
    level,
    valuesOf: weighedValues(metric, frame, rankings, cells.of),
  };
  if (!isWalked) return { interval: groupJackknife(weighing).interval, method, problem: null };
  const found = bounded(weighedBootstrap({ ...weighing, resamples, seed }), method);
  if (permute !== true) return found;
  const options = { seed: permutationSeed(seed), rounds: resamples, steps: mostSteps };
  return { ...found, equality: rankEquality(metric, frame, sides, options) };
}

function fewOfClass({ labels, classes }: EvaluationFrame): string | null {
  const counts = new Float64Array(classes.length);
  for (const label of labels) counts[label]! += 1;
  const fewest = Math.min(...counts);
  return fewest < fewestOfClass ? `${fewest} rows of one class; ${fewestOfClass} are needed` : null;
}

type Rankings = Record<keyof Sides, ReturnType<typeof rankedRows>>;

/** Both models' values where each cell counts so and so often. */
function weighedValues(
  metric: CurveMetric,
  { rows, weights: own }: EvaluationFrame,
  rankings: Rankings,
  cellOf: Uint32Array,
): Weighing['valuesOf'] {
  const weights = new Float64Array(rows);
  const prepared = (side: keyof Sides) =>
    rankings[side].map((ranked) => ({
      ranked,
      cells: Uint32Array.from(ranked.rows, (row) => cellOf[row]!),
      own: own === null ? null : Float64Array.from(ranked.rows, (row) => own[row]!),
    }));
  const sides = { production: prepared('production'), candidate: prepared('candidate') };
  function ofSide(side: keyof Sides, counts: Uint32Array): number {
    let total = 0;
    for (const { ranked, cells, own } of sides[side]) {
      for (let at = 0; at < rows; at += 1) weights[at] = counts[cells[at]!]! * (own === null ? 1 : own[at]!);
      total += curveValue(metric, ranked, weights);
    }
    return total / sides[side].length;
  }
  return (counts) => ({ production: ofSide('production', counts), candidate: ofSide('candidate', counts) });
}
