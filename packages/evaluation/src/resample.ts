import {
  createRandom,
  groupJackknife,
  HASH_BUCKETS,
  pairedBootstrap,
  ROW_LEVEL_LIMIT,
  tango,
  type Weighing,
  weighedBootstrap,
} from '@passloop/statistics';
import { rankedRows } from './curve-metrics.ts';
import type { EvaluationFrame, Predictions } from './frame.ts';
import { bucketSums, type CurveMetric, type Metric, type QueryMetric, type SummedMetric, sumsOf } from './metric.ts';
import { queryValues } from './metrics.ts';
import { unitsOf } from './units.ts';

export type Resampling = { resamples: number; seed: number; level: number };

export const defaultResampling: Resampling = { resamples: 2000, seed: 7, level: 0.95 };

export type Sides = { production: Predictions; candidate: Predictions };
export type Interval = { interval: [number, number] | null; method: string; problem: string | null };

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
 * query) together; above 5,000 of them, 1,000 random buckets of them. Draws come from the seed in key order: the same rows
 * and seed give the same bits.
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

type Cells = { count: number; of: Uint32Array; method: string; problem: string | null };

/** What is drawn as a whole: rows or units, or buckets of at most `most` of them. */
function cellsOf(
  frame: Pick<EvaluationFrame, 'rows' | 'units'>,
  seed: number,
  most: { alone: number; buckets: number },
  what = frame.units === null ? 'rows' : 'units',
): Cells {
  const units = unitsOf(frame);
  const few = frame.units !== null && units.count < fewestUnits;
  const problem = few ? `${units.count} ${what}; ${fewestUnits} are needed` : null;
  if (units.count <= most.alone) return { ...units, method: what, problem };
  // Another stream than the resamples', which would otherwise repeat its draws.
  const random = createRandom(BigInt(seed) + (1n << 32n));
  const buckets = Uint32Array.from({ length: units.count }, () => random.integer(most.buckets));
  const of = frame.units === null ? buckets : Uint32Array.from(units.of, (unit) => buckets[unit]!);
  const method = `${most.buckets} buckets${what === 'rows' ? '' : ` of ${what}`}`;
  return { count: most.buckets, of, method, problem };
}

function summed(metric: SummedMetric, frame: EvaluationFrame, sides: Sides, resampling: Resampling): Interval {
  const classes = frame.classes.length;
  const width = metric.width(frame);
  const most = Math.max(2, Math.floor(mostSums / width));
  const cells = cellsOf(frame, resampling.seed, {
    alone: Math.min(ROW_LEVEL_LIMIT, most),
    buckets: Math.min(HASH_BUCKETS, most),
  });
  const side = (predictions: Predictions) =>
    bucketSums(metric, frame, predictions, cells.count, (row) => cells.of[row]!);
  const found = bootstrapSums(
    { count: cells.count, width, production: side(sides.production), candidate: side(sides.candidate) },
    (sums) => metric.of(sums, classes),
    cells,
    resampling,
  );
  if (metric.restsOn === undefined || !isSilent(found)) return found;
  // No resample can show a difference that no row has. That none of m rows has one proves only so much.
  const unweighted = { ...frame, weights: null };
  const rows = [sides.production, sides.candidate].map(
    (predictions) => metric.restsOn?.(sumsOf(metric, unweighted, predictions), classes) ?? 0,
  );
  const counted = frame.units === null ? Math.min(...rows) : Math.min(...rows, unitsOf(frame).count);
  const { interval } = tango({ rows: counted, candidateOnly: 0, productionOnly: 0 }, { level: resampling.level });
  const what = frame.units === null ? 'rows' : 'units';
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
  cells: Cells,
  { resamples, seed, level }: Resampling,
): Interval {
  const method = `paired bootstrap (percentile, ${cells.method})`;
  if (cells.problem !== null || cells.count < 2) {
    return { interval: null, method, problem: cells.problem ?? 'there is one unit only' };
  }
  return bounded(pairedBootstrap({ buckets, resamples, seed, level, method: 'percentile', statistic }), method);
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
  const { resamples, seed, level } = resampling;
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
  return bounded(weighedBootstrap({ ...weighing, resamples, seed }), method);
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
      total += metric.of(ranked, weights);
    }
    return total / sides[side].length;
  }
  return (counts) => ({ production: ofSide('production', counts), candidate: ofSide('candidate', counts) });
}
