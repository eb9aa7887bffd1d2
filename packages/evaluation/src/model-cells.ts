import { HASH_BUCKETS, ROW_LEVEL_LIMIT } from '@passloop/statistics';
import { bucketing } from './buckets.ts';
import { rankedRows } from './curve-metrics.ts';
import type { EvaluationFrame, Predictions } from './frame.ts';
import { bucketSums, type CurveMetric, type QueryMetric, type RankedRows, type SummedMetric } from './metric.ts';
import { queryValues } from './metrics.ts';
import { unitsOf } from './units.ts';

/** Fewer users, series or queries than these tell too little of others: a bootstrap of ten covers 86 % instead of 95. */
const fewestUnits = 30;

/** More sums than these are held in fewer buckets: 64 MB for both models. */
const mostSums = 4_000_000;

/** Rows times resamples up to which rankings are walked anew in each resample; above, groups are left out in turn. */
const mostSteps = 100_000_000;
/** From 50,000 rows on (2,000 resamples) a group has 250 and more: over √n, as the jackknife needs of a ranking. */
const jackknifeGroups = 200;

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
  return { ...plan, of: Uint32Array.from(frame.units ?? frame.numbers ?? units.of, bucketing(seed, plan.count)) };
}

/** How many cells a metric of sums may have: more sums than {@link mostSums} are held in fewer. */
export function mostCellsOf(width: number): MostCells {
  const most = Math.max(2, Math.floor(mostSums / width));
  return { alone: Math.min(ROW_LEVEL_LIMIT, most), buckets: Math.min(HASH_BUCKETS, most) };
}

/** The sums of each model by cell, row-major, and the metric of some cells' sums. */
export type ModelSums = {
  plan: CellPlan;
  width: number;
  statistic: (sums: Float64Array) => number;
  models: Float64Array[];
};

export function sumsByCell(
  metric: SummedMetric,
  frame: EvaluationFrame,
  models: readonly Predictions[],
  seed: number,
): ModelSums {
  const classes = frame.classes.length;
  const width = metric.width(frame);
  // The bound is about the sums of two models.
  const plan = cellsOf(frame, seed, mostCellsOf((width * models.length) / 2));
  const sums = (model: Predictions) => bucketSums(metric, frame, model, plan.count, (row) => plan.of[row]!);
  return { plan, width, statistic: (totals) => metric.of(totals, classes), models: models.map(sums) };
}

export function sumsByQuery(
  metric: QueryMetric,
  frame: EvaluationFrame,
  models: readonly Predictions[],
  seed: number,
): ModelSums {
  const queryFrame = { ...frame, units: frame.units ?? new Uint32Array(frame.rows) };
  const { count } = unitsOf(queryFrame);
  const values = models.map((model) => queryValues(metric, queryFrame, model));
  // A query is a row here: its cell is found as that of a row without units.
  const most = { alone: ROW_LEVEL_LIMIT, buckets: HASH_BUCKETS };
  const cells = cellsOf({ rows: count, units: null }, seed, most, 'queries');
  const side = ({ weight, weighted }: (typeof values)[0]) => {
    const sums = new Float64Array(2 * cells.count);
    for (let query = 0; query < count; query += 1) {
      sums[2 * cells.of[query]!]! += weight[query]!;
      sums[2 * cells.of[query]! + 1]! += weighted[query]!;
    }
    return sums;
  };
  const valued = values[0]!.weight.reduce((total, weight) => total + (weight > 0 ? 1 : 0), 0);
  const problem = valued < fewestUnits ? `${valued} queries with a relevant row; ${fewestUnits} are needed` : null;
  return {
    plan: { ...cells, problem },
    width: 2,
    statistic: (sums) => sums[1]! / sums[0]!,
    models: values.map(side),
  };
}

/** Of each class of a binary model, or a multiclass model's rarest: the same bound as for the area's own formula. */
const fewestOfClass = 10;

/** The metric of each model where each cell counts so and so often, and whether it is walked anew for every draw. */
export type ModelCurves = {
  plan: CellPlan;
  isWalked: boolean;
  valuesOf: (counts: Uint32Array) => number[];
};

export function curvesByCell(
  metric: CurveMetric,
  frame: EvaluationFrame,
  models: readonly Predictions[],
  { resamples, seed }: { resamples: number; seed: number },
): ModelCurves {
  const rankings = models.map((model) => rankedRows(frame, model));
  const isWalked = frame.rows * rankings[0]!.length * resamples <= mostSteps;
  const most = isWalked
    ? { alone: ROW_LEVEL_LIMIT, buckets: HASH_BUCKETS }
    : { alone: jackknifeGroups, buckets: jackknifeGroups };
  const cells = cellsOf(frame, seed, most);
  const plan = { ...cells, problem: cells.problem ?? fewOfClass(frame) };
  return { plan, isWalked, valuesOf: weighedValues(metric, frame, rankings, cells.of) };
}

function fewOfClass({ labels, classes }: EvaluationFrame): string | null {
  const counts = new Float64Array(classes.length);
  for (const label of labels) counts[label]! += 1;
  const fewest = Math.min(...counts);
  return fewest < fewestOfClass ? `${fewest} rows of one class; ${fewestOfClass} are needed` : null;
}

/** The models' values where each cell counts so and so often. */
function weighedValues(
  metric: CurveMetric,
  { rows, weights: own }: EvaluationFrame,
  rankings: readonly RankedRows[][],
  cellOf: Uint32Array,
): ModelCurves['valuesOf'] {
  const weights = new Float64Array(rows);
  const prepared = rankings.map((rankedByClass) =>
    rankedByClass.map((ranked) => ({
      ranked,
      cells: Uint32Array.from(ranked.rows, (row) => cellOf[row]!),
      own: own === null ? null : Float64Array.from(ranked.rows, (row) => own[row]!),
    })),
  );
  return (counts) =>
    prepared.map((model) => {
      let total = 0;
      for (const { ranked, cells, own } of model) {
        for (let at = 0; at < rows; at += 1) weights[at] = counts[cells[at]!]! * (own === null ? 1 : own[at]!);
        total += metric.of(ranked, weights);
      }
      return total / model.length;
    });
}
