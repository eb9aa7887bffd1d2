import { HASH_BUCKETS, ROW_LEVEL_LIMIT } from '@passloop/statistics';
import { type CellPlan, cellsOf, fewestUnits, type MostCells } from './cells.ts';
import type { EvaluationFrame, Predictions } from './frame.ts';
import { bucketSums, type QueryMetric, type SummedMetric } from './metric.ts';
import { queryValues } from './metrics.ts';
import { unitsOf } from './units.ts';

/** More sums than these are held in fewer buckets: 64 MB for both models. */
const mostSums = 4_000_000;

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

/** Cells of queries: a query is a row here, and its cell is found as that of a row without units. */
export const mostQueries: MostCells = { alone: ROW_LEVEL_LIMIT, buckets: HASH_BUCKETS };

/** @param valued queries that have a value */
export function fewQueries(valued: number): string | null {
  return valued < fewestUnits ? `${valued} queries with a relevant row; ${fewestUnits} are needed` : null;
}

export function sumsByQuery(
  metric: QueryMetric,
  frame: EvaluationFrame,
  models: readonly Predictions[],
  seed: number,
): ModelSums & { valued: number } {
  const queryFrame = { ...frame, units: frame.units ?? new Uint32Array(frame.rows) };
  const { count } = unitsOf(queryFrame);
  const values = models.map((model) => queryValues(metric, queryFrame, model));
  const cells = cellsOf({ rows: count, units: null }, seed, mostQueries, 'queries');
  const side = ({ weight, weighted }: (typeof values)[0]) => {
    const sums = new Float64Array(2 * cells.count);
    for (let query = 0; query < count; query += 1) {
      sums[2 * cells.of[query]!]! += weight[query]!;
      sums[2 * cells.of[query]! + 1]! += weighted[query]!;
    }
    return sums;
  };
  const valued = values[0]!.weight.reduce((total, weight) => total + (weight > 0 ? 1 : 0), 0);
  return {
    plan: { ...cells, problem: fewQueries(valued) },
    width: 2,
    statistic: (sums) => sums[1]! / sums[0]!,
    models: values.map(side),
    valued,
  };
}
