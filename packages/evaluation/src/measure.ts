import { type Delong, delong, mcnemar, normalQuantile, tango } from '@passloop/statistics';
import { fewOfClass } from './curve-interval.ts';
import type { EvaluationFrame, Predictions } from './frame.ts';
import type { Equality, Interval, Resampling, Sides } from './interval.ts';
import type { SeedMeasurement } from './measure-seeds.ts';
import { type Metric, neededColumn, type PredictionColumn } from './metric.ts';
import { metricValue } from './metrics.ts';
import { rankOrder } from './rank-order.ts';
import { resampled } from './resample.ts';

export { defaultResampling, type Resampling } from './interval.ts';

/** A paired measurement of one metric on one frame. `delta` is candidate − production, raw. */
export type PairedMeasurement = {
  production: number;
  candidate: number;
  delta: number;
  /** Two-sided, of delta; null where the rows can't give one, with the reason in `problem`. */
  interval: [number, number] | null;
  problem: string | null;
  level: number;
  method: string;
  equality?: Equality | undefined;
  /** Where a side has several training seeds: its values are their means. */
  seeds?: SeedMeasurement;
};

/**
 * The paired difference with a two-sided interval: DeLong for the area under the ROC curve; Tango's score interval for a
 * share of rows; for everything else a percentile bootstrap or jackknife (`resample.ts`). The formulas hold for rows that
 * are independent and weigh the same: with weights or units every metric is resampled.
 *
 * @returns a reason where there is no such measurement (undefined on these rows)
 */
export function measurePaired(
  metric: Metric,
  frame: EvaluationFrame,
  resampling: Resampling,
): PairedMeasurement | string {
  const { production, candidate } = frame;
  if (production === null) return noProduction;
  if (frame.rows < 2) return `${frame.rows} rows are too few`;
  const plain = frame.weights === null && frame.units === null;
  if (metric.kind === 'curve' && metric.area && plain) return areas(frame, { production, candidate }, resampling.level);
  const ofProduction = measuredValue(metric, frame, production, 'production');
  if (typeof ofProduction === 'string') return ofProduction;
  const ofCandidate = measuredValue(metric, frame, candidate, 'the candidate');
  if (typeof ofCandidate === 'string') return ofCandidate;
  const interval =
    metric.kind === 'sums' && metric.proportion && plain
      ? scoreInterval(metric.proportion, frame, { production, candidate }, resampling.level)
      : resampled(metric, frame, { production, candidate }, resampling);
  if (typeof interval === 'string') return interval;
  return {
    production: ofProduction,
    candidate: ofCandidate,
    delta: ofCandidate - ofProduction,
    level: resampling.level,
    ...interval,
  };
}

export const noProduction = 'there are no predictions of production';

export function whoIs(side: 'production' | 'candidate'): string {
  return side === 'candidate' ? 'the candidate' : side;
}

/** What is undefined on some rows, and a sum that overflows, is a reason. */
export function orReason<T>(work: () => T): T | string {
  try {
    return work();
  } catch (error) {
    if (error instanceof RangeError) return error.message;
    throw error;
  }
}

/** One model's value alone, or a reason why it has none. */
export function measureAlone(metric: Metric, frame: EvaluationFrame, of: 'production' | 'candidate'): number | string {
  const side = frame[of];
  if (side === null) return noProduction;
  return measuredValue(metric, frame, side, whoIs(of));
}

export function measuredValue(metric: Metric, frame: EvaluationFrame, side: Predictions, who: string): number | string {
  const column = neededColumn(metric, frame.task);
  if (column !== null && side[column] === null) return missingColumn(who, column);
  const problem = metric.problem?.(frame) ?? (metric.probabilities ? probabilityProblem(frame, side, who) : null);
  if (problem !== null) return problem;
  const value = orReason(() => metricValue(metric, frame, side));
  return typeof value === 'string' ? value : finiteValue(value, who, frame.rows);
}

export function finiteValue(value: number, who: string, rows: number): number | string {
  return Number.isFinite(value) ? value : `it is undefined for ${who} on these ${rows} rows`;
}

/** A row's probabilities may be rounded, or of single precision; scores of another kind are farther from 1. */
export const sumTolerance = 0.01;

function probabilityProblem({ rows }: EvaluationFrame, { score, scores }: Predictions, who: string): string | null {
  for (const column of scores ?? (score === null ? [] : [score])) {
    const outside = column.findIndex((value) => !(value >= 0 && value <= 1));
    if (outside >= 0) return `it needs probabilities, and a score of ${who} is ${column[outside]}`;
  }
  if (scores === null) return null;
  for (let row = 0; row < rows; row += 1) {
    const total = scores.reduce((sum, column) => sum + column[row]!, 0);
    if (Math.abs(total - 1) > sumTolerance)
      return `it needs probabilities, and the scores of a row of ${who} have the sum ${Number(total.toPrecision(6))}`;
  }
  return null;
}

/** Areas and interval from one ranking of each model's scores: sorting is what a comparison of areas costs. */
function areas(frame: EvaluationFrame, sides: Sides, level: number): PairedMeasurement | string {
  const scores = { production: sides.production.score, candidate: sides.candidate.score };
  if (scores.production === null) return missingColumn('production', 'score');
  if (scores.candidate === null) return missingColumn('the candidate', 'score');
  const { production, candidate } = scores;
  // One class only has no area; one row of a class has an area but no variance.
  return orReason(() =>
    areaMeasurement(delong(frame.labels, production, candidate, { level, order: rankOrder }), level),
  );
}

export function areaMeasurement(found: Delong, level: number): PairedMeasurement {
  const { production, candidate, delta, interval, status } = found;
  const method = status === 'estimated' ? 'DeLong' : `DeLong (${status})`;
  const problem = fewOfClass([found.positives, found.negatives]);
  const measured = { production, candidate, delta, interval: problem === null ? interval : null, level };
  return { ...measured, method, problem, equality: { test: 'DeLong', pValue: found.pValue } };
}

export function missingColumn(who: string, column: PredictionColumn): string {
  return `${who} has no ${column} column: columns.${column} names it`;
}

function scoreInterval(
  of: 'rows' | 'positives',
  frame: EvaluationFrame,
  { production, candidate }: Sides,
  level: number,
): Interval {
  const old = production.prediction as Float64Array;
  const fresh = candidate.prediction as Float64Array;
  const counts = { rows: 0, productionOnly: 0, candidateOnly: 0 };
  for (let row = 0; row < frame.rows; row += 1) {
    const label = frame.labels[row];
    if (of === 'positives' && label !== 1) continue;
    counts.rows += 1;
    const right = fresh[row] === label;
    if (right === (old[row] === label)) continue;
    if (right) counts.candidateOnly += 1;
    else counts.productionOnly += 1;
  }
  return tangoInterval(counts, level);
}

/** @param counts all rows of the share, and those that one model alone has right */
export function tangoInterval(counts: Parameters<typeof tango>[0], level: number): Interval {
  const { pValue } = mcnemar(counts);
  return {
    interval: tango(counts, { level }).interval,
    method: 'Tango score',
    problem: null,
    equality: { test: 'exact McNemar', pValue },
  };
}

/** The standard error that an interval of this level stands for, under normality. */
export function standardErrorOf(interval: readonly [number, number], level: number): number {
  return (interval[1] - interval[0]) / (2 * normalQuantile(0.5 + level / 2));
}
