import { groupJackknife, HASH_BUCKETS, ROW_LEVEL_LIMIT, type Weighing, weighedBootstrap } from '@passloop/statistics';
import { type CellPlan, type Cells, cellsOf, type MostCells } from './cells.ts';
import { curveValue, rankedRows } from './curve-metrics.ts';
import type { EvaluationFrame, Predictions } from './frame.ts';
import { bounded, type Interval, permutationSeed, type Resampling, type Sides } from './interval.ts';
import { leftOutWalk, meanOfWalks } from './left-out-walk.ts';
import type { CurveMetric, RankedRows } from './metric.ts';
import { rankEquality } from './rank-equality.ts';

/** More walks than this take seconds: groups are left out in turn instead. */
const mostSteps = 100_000_000;
/** The test of equality decides nothing, so it may take less time than the interval. */
const mostSwapSteps = 20_000_000;
/** From 50,000 rows on (2,000 resamples of one ranking) a group has 250 and more: over √n, as a jump in a metric needs. */
export const mostGroups: MostCells = { alone: 200, buckets: 200 };
/**
 * Of each class of a binary model, or a multiclass model's rarest. With two or three a variance is a guess, DeLong's too, and a
 * tie of all of them looks like certainty.
 */
const fewestOfClass = 10;

/** Models ranked along the same rows, and what of those is drawn or left out as a whole. */
export type CellCurves = {
  cells: Cells;
  /** Each model's rankings: one, or one of each class. */
  rankings: readonly RankedRows[][];
  /** Whether the rankings are walked anew in each resample; else groups are left out in turn. */
  isWalked: boolean;
  /** Why there can be no interval. */
  problem: string | null;
};

export function curvesByCell(
  frame: EvaluationFrame,
  models: readonly Predictions[],
  resampling: Pick<Resampling, 'resamples' | 'seed' | 'steps'>,
): CellCurves {
  const rankings = models.map((model) => rankedRows(frame, model));
  const isWalked = isWalkedAnew(frame.rows, rankings[0]!.length, resampling);
  const most = isWalked ? { alone: ROW_LEVEL_LIMIT, buckets: HASH_BUCKETS } : mostGroups;
  const cells = cellsOf(frame, resampling.seed, most);
  return { cells, rankings, isWalked, problem: cells.problem ?? fewOfClass(classCounts(frame)) };
}

/** The interval of a metric of the ranking. @throws RangeError where the metric is undefined */
export function curveInterval(
  metric: CurveMetric,
  frame: EvaluationFrame,
  sides: Sides,
  resampling: Resampling,
): Interval {
  const { resamples, seed, level, permute } = resampling;
  const curves = curvesByCell(frame, [sides.production, sides.candidate], resampling);
  const { cells, isWalked, problem } = curves;
  if (!isWalked) {
    const valuesOf = () => {
      const [production, candidate] = leftOutValues(metric, frame, curves) as [Float64Array, Float64Array];
      return { production, candidate };
    };
    return leftOutInterval(cells, problem, valuesOf, level);
  }
  const method = `paired bootstrap (percentile, ${cells.method})`;
  if (problem !== null) return { interval: null, method, problem };
  const values = weighedValues(metric, frame, curves);
  const weighing: Weighing = {
    cells: cells.count,
    level,
    valuesOf(counts) {
      const [production, candidate] = values(counts) as [number, number];
      return { production, candidate };
    },
  };
  const found = bounded(weighedBootstrap({ ...weighing, resamples, seed }), method);
  if (permute !== true) return found;
  const options = { seed: permutationSeed(seed), rounds: resamples, steps: mostSwapSteps };
  return { ...found, equality: rankEquality(metric, frame, sides, options) };
}

/** Whether each resample walks along so many rows, and as many rankings of them; else groups of them are left out in turn. */
export function isWalkedAnew(
  rows: number,
  rankings: number,
  { resamples, steps = mostSteps }: Pick<Resampling, 'resamples' | 'steps'>,
): boolean {
  return rows * rankings * resamples <= steps;
}

/** Both models' values without each group, and last of all rows. */
export type LeftOut = Record<keyof Sides, Float64Array>;

/** The jackknife of a ranking. @param few why there can be no interval. @throws RangeError where the metric is undefined */
export function leftOutInterval(plan: CellPlan, few: string | null, valuesOf: () => LeftOut, level: number): Interval {
  const method = `delete-a-group jackknife (Student, ${plan.method})`;
  if (few !== null) return { interval: null, method, problem: few };
  const { production, candidate } = valuesOf();
  const whole = (values: Float64Array) => values[values.length - 1]!;
  const without = { production: production.slice(0, -1), candidate: candidate.slice(0, -1) };
  const found = groupJackknife({ production: whole(production), candidate: whole(candidate), without, level });
  return { interval: found.interval, method, problem: null };
}

/** Each model's values without each group, and last of all rows. */
export function leftOutValues(
  metric: CurveMetric,
  { rows, labels, weights, task }: EvaluationFrame,
  { rankings, cells }: CellCurves,
): Float64Array[] {
  const weightOf = (row: number) => (weights === null ? 1 : weights[row]!);
  return rankings.map((model) =>
    meanOfWalks(
      model.map((ranked, code) => {
        const wanted = task === 'multiclass' ? code : 1;
        const sums = { positives: new Float64Array(cells.count), negatives: new Float64Array(cells.count) };
        for (let row = 0; row < rows; row += 1) {
          sums[labels[row] === wanted ? 'positives' : 'negatives'][cells.of[row]!]! += weightOf(row);
        }
        const walk = leftOutWalk([metric], sums);
        let threshold = 0;
        for (let at = 0; at < rows; at += 1) {
          const row = ranked.rows[at]!;
          walk.add(threshold, ranked.positive[at] === 1, weightOf(row), cells.of[row]!);
          threshold -= ranked.last[at]!;
        }
        return walk.end()[0]!;
      }),
    ),
  );
}

function classCounts({ labels, classes }: EvaluationFrame): Float64Array {
  const counts = new Float64Array(classes.length);
  for (const label of labels) counts[label]! += 1;
  return counts;
}

/** @param counts the rows of each class */
export function fewOfClass(counts: Iterable<number>): string | null {
  const fewest = Math.min(...counts);
  return fewest < fewestOfClass ? `${fewest} rows of one class; ${fewestOfClass} are needed` : null;
}

/** The models' values where each cell counts so and so often. */
export function weighedValues(
  metric: CurveMetric,
  { rows, weights: own }: EvaluationFrame,
  { rankings, cells }: CellCurves,
): (counts: Uint32Array) => number[] {
  const weights = new Float64Array(rows);
  const prepared = rankings.map((model) =>
    model.map((ranked) => ({
      ranked,
      cellOf: Uint32Array.from(ranked.rows, (row) => cells.of[row]!),
      own: own === null ? null : Float64Array.from(ranked.rows, (row) => own[row]!),
    })),
  );
  return (counts) =>
    prepared.map((model) => {
      let total = 0;
      for (const { ranked, cellOf, own } of model) {
        for (let at = 0; at < rows; at += 1) weights[at] = counts[cellOf[at]!]! * (own === null ? 1 : own[at]!);
        total += curveValue(metric, ranked, weights);
      }
      return total / model.length;
    });
}
