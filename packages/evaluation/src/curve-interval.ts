import { groupJackknife, HASH_BUCKETS, ROW_LEVEL_LIMIT, type Weighing, weighedBootstrap } from '@passloop/statistics';
import { type CellPlan, type Cells, cellsOf, type MostCells } from './cells.ts';
import { curveValue, rankedRows } from './curve-metrics.ts';
import type { EvaluationFrame } from './frame.ts';
import { bounded, type Interval, permutationSeed, type Resampling, type Sides } from './interval.ts';
import { leftOutWalk, meanOfWalks } from './left-out-walk.ts';
import type { CurveMetric } from './metric.ts';
import { rankEquality } from './rank-equality.ts';

/** More walks than this take seconds: groups are left out in turn instead. */
const mostSteps = 100_000_000;
/** From 50,000 rows on (2,000 resamples) a group has 250 and more: over √n, as the jackknife needs of a ranking. */
export const mostGroups: MostCells = { alone: 200, buckets: 200 };
/** Of each class of a binary model, or a multiclass model's rarest: the same bound as for the area's own formula. */
const fewestOfClass = 10;

/** The interval of a metric of the ranking. @throws RangeError where the metric is undefined */
export function curveInterval(
  metric: CurveMetric,
  frame: EvaluationFrame,
  sides: Sides,
  resampling: Resampling,
): Interval {
  const { resamples, seed, level, permute } = resampling;
  const rankings = { production: rankedRows(frame, sides.production), candidate: rankedRows(frame, sides.candidate) };
  const isWalked = isWalkedAnew(frame.rows, rankings.candidate.length, resampling);
  const cells = cellsOf(frame, seed, isWalked ? { alone: ROW_LEVEL_LIMIT, buckets: HASH_BUCKETS } : mostGroups);
  const few = cells.problem ?? fewOfClass(classCounts(frame));
  if (!isWalked) return leftOutInterval(cells, few, () => leftOutOfFrame(metric, frame, rankings, cells), level);
  const method = `paired bootstrap (percentile, ${cells.method})`;
  if (few !== null) return { interval: null, method, problem: few };
  const weighing: Weighing = {
    cells: cells.count,
    level,
    valuesOf: weighedValues(metric, frame, rankings, cells.of),
  };
  const found = bounded(weighedBootstrap({ ...weighing, resamples, seed }), method);
  if (permute !== true) return found;
  const options = { seed: permutationSeed(seed), rounds: resamples, steps: mostSteps };
  return { ...found, equality: rankEquality(metric, frame, sides, options) };
}

/** Whether each resample walks along so many rows, and as many rankings of them; else groups of them are left out in turn. */
export function isWalkedAnew(rows: number, rankings: number, { resamples, steps = mostSteps }: Resampling): boolean {
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

function leftOutOfFrame(
  metric: CurveMetric,
  { rows, labels, weights, task }: EvaluationFrame,
  rankings: Rankings,
  cells: Cells,
): LeftOut {
  const weightOf = (row: number) => (weights === null ? 1 : weights[row]!);
  const side = (of: keyof Sides) =>
    meanOfWalks(
      rankings[of].map((ranked, code) => {
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
    );
  return { production: side('production'), candidate: side('candidate') };
}

function classCounts({ labels, classes }: EvaluationFrame): Float64Array {
  const counts = new Float64Array(classes.length);
  for (const label of labels) counts[label]! += 1;
  return counts;
}

/** @param counts the rows of each class */
export function fewOfClass(counts: Float64Array): string | null {
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
