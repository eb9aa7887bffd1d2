import {
  bootstrapCovariance,
  delongCovariance,
  jackknifeCovariance,
  type RowCovariance,
  tango,
  weightedSums,
} from '@passloop/statistics';
import { curvesByCell, fewOfClass, leftOutValues, weighedValues } from './curve-interval.ts';
import type { EvaluationFrame, Predictions } from './frame.ts';
import type { Resampling } from './interval.ts';
import { standardErrorOf } from './measure.ts';
import { type Metric, type SummedMetric, sumsOf } from './metric.ts';
import { type ModelSums, sumsByCell, sumsByQuery } from './model-sums.ts';
import { rankOrder } from './rank-order.ts';
import { unitsOf } from './units.ts';

/** How the rows alone let one metric of several models vary, the models fixed. */
export type RowNoise = {
  /** Row-major, in the order of the models; null where the rows can't give it, with the reason in `problem`. */
  covariance: Float64Array | null;
  problem: string | null;
  degreesOfFreedom: number;
  method: string;
  /** What the variance of a difference is at least. */
  leastVariance: number;
};

/**
 * By what stands for one model a side: DeLong for the area under the ROC curve of rows that are independent and weigh the
 * same, else the bootstrap of the same cells, or for rankings of many rows the delete-a-group jackknife.
 *
 * @throws RangeError where the metric can't be measured
 */
export function rowNoise(
  metric: Metric,
  frame: EvaluationFrame,
  models: readonly Predictions[],
  resampling: Resampling,
): RowNoise {
  if (metric.kind === 'curve' && metric.area && frame.weights === null && frame.units === null)
    return ofAreas(frame, models);
  if (metric.kind === 'curve') {
    const curves = curvesByCell(frame, models, resampling);
    const { cells, isWalked, problem } = curves;
    const plan = { ...cells, problem };
    if (!isWalked) {
      const without = () => leftOutValues(metric, frame, curves).map((values) => values.slice(0, -1));
      return drawn(plan, 'delete-a-group jackknife', () => jackknifeCovariance(without()), resampling);
    }
    const draw = () =>
      bootstrapCovariance({
        cells: cells.count,
        models: models.length,
        valuesOf: weighedValues(metric, frame, curves),
        ...resampling,
      });
    return drawn(plan, 'paired bootstrap', draw, resampling);
  }
  const sums =
    metric.kind === 'queries'
      ? sumsByQuery(metric, frame, models, resampling.seed)
      : sumsByCell(metric, frame, models, resampling.seed);
  const draw = () => bootstrapCovariance({ ...valuesByCell(sums), ...resampling });
  const noise = drawn(sums.plan, 'paired bootstrap', draw, resampling);
  if (metric.kind !== 'sums' || noise.covariance === null) return noise;
  const isFew = metric.proportion !== undefined || isSilent(noise.covariance, models.length);
  return isFew ? { ...noise, leastVariance: leastVarianceOf(metric, frame, models, resampling.level) } : noise;
}

function ofAreas(frame: EvaluationFrame, models: readonly Predictions[]): RowNoise {
  const { covariance, positives, negatives } = delongCovariance(
    frame.labels,
    models.map(({ score }) => score as Float64Array),
    { order: rankOrder },
  );
  const problem = fewOfClass([positives, negatives]);
  return { covariance, problem, degreesOfFreedom: frame.rows - 2, method: 'DeLong', leastVariance: 0 };
}

function drawn(
  plan: ModelSums['plan'],
  name: string,
  draw: () => RowCovariance,
  { resamples, level }: Resampling,
): RowNoise {
  const noise = { degreesOfFreedom: plan.count - 1, method: `${name} (${plan.method})`, leastVariance: 0 };
  const problem = plan.problem ?? (plan.count < 2 ? 'there is one unit only' : null);
  if (problem !== null) return { ...noise, covariance: null, problem };
  const { covariance, undefinedDraws } = draw();
  // As many as the percentile interval of one model a side can leave out.
  if (undefinedDraws <= (resamples * (1 - level)) / 2) return { ...noise, covariance, problem };
  const undecided = `it is undefined in ${undefinedDraws} of ${resamples} resamples of these rows: more rows are needed`;
  return { ...noise, covariance: null, problem: undecided };
}

function valuesByCell({ plan, width, statistic, models }: ModelSums) {
  const totals = new Float64Array(width);
  return {
    cells: plan.count,
    models: models.length,
    valuesOf: (counts: Uint32Array) =>
      models.map((sums) => {
        weightedSums(counts, sums, totals);
        return statistic(totals);
      }),
  };
}

/** Whether no draw tells any two models apart. */
function isSilent(covariance: Float64Array, models: number): boolean {
  const of = (i: number, j: number) => covariance[i * models + j]!;
  const own = Array.from({ length: models }, (_, i) => of(i, i));
  return own.every((left, i) => own.every((right, j) => left + right - 2 * of(i, j) <= 1e-12 * left));
}

/**
 * No resample can show a difference that no row has. That none of m rows has one proves only so much (Tango 1998). Of a share
 * of rows that holds for a few differences, too; other metrics may rest on few rows of a class, and be told apart by many.
 */
function leastVarianceOf(
  metric: SummedMetric,
  frame: EvaluationFrame,
  models: readonly Predictions[],
  level: number,
): number {
  if (metric.restsOn === undefined) return 0;
  const alike = { ...frame, weights: null };
  const rows = models.map((model) => metric.restsOn?.(sumsOf(metric, alike, model), frame.classes.length) ?? 0);
  const counted = Math.min(...rows, ...(frame.units === null ? [] : [unitsOf(frame).count]));
  const { interval } = tango({ rows: counted, candidateOnly: 0, productionOnly: 0 }, { level });
  return standardErrorOf(interval, level) ** 2;
}
