import { z } from 'zod';
import { Count, Decimal, ScalarText } from './scalars.ts';

/** At most so many points make a curve, so many groups a line, so many classes a matrix. */
export const curvePoints = 200;
export const curveGroups = 20;
export const curveClasses = 20;
/** The curve of a class against the rest is given at so many steps of the false positive rate. */
export const rocSteps = 40;

/**
 * How many rows of each class score at least a threshold, thresholds falling; the last has all rows. ROC and
 * precision-recall are both made of it. Three lists of one length.
 */
export const ThresholdCurve = z.object({
  thresholds: z.array(Decimal).max(curvePoints),
  truePositives: z.array(Count).max(curvePoints),
  falsePositives: z.array(Count).max(curvePoints),
});
export type ThresholdCurve = z.infer<typeof ThresholdCurve>;

/** Rows with a score in (`from`, `to`] (the first with 0 too): what the model says of them, and what is true. */
export const CalibrationBin = z.object({
  from: Decimal,
  to: Decimal,
  rows: Count,
  positives: Count,
  meanScore: Decimal,
});
export type CalibrationBin = z.infer<typeof CalibrationBin>;

/** Quantiles of label − prediction over the rows with a prediction in [`from`, `to`). */
export const ResidualGroup = z.object({
  from: Decimal,
  to: Decimal,
  rows: Count,
  low: Decimal,
  median: Decimal,
  high: Decimal,
});
export type ResidualGroup = z.infer<typeof ResidualGroup>;

export const SideCurves = z.object({
  thresholds: ThresholdCurve.nullable(),
  /** Null where scores are no probabilities. */
  calibration: z.array(CalibrationBin).max(curveGroups).nullable(),
  /** Rows by label (outer) and prediction (inner), in the order of `classes`. */
  confusion: z.array(z.array(Count).max(curveClasses)).max(curveClasses).nullable(),
  /**
   * Of a multiclass model with scores: for each of `classes` (without the one that stands for others) the recall at the
   * false positive rates 0, 1/40 … 1 of its score against all other classes; null where it has no curve.
   */
  oneVsRest: z
    .array(
      z
        .array(Decimal)
        .length(rocSteps + 1)
        .nullable(),
    )
    .max(curveClasses)
    .optional(),
  residuals: z
    .object({ counts: z.array(Count).max(2 * curveGroups), groups: z.array(ResidualGroup).max(curveGroups) })
    .nullable(),
});
export type SideCurves = z.infer<typeof SideCurves>;

/** What a report draws of two models: sums over rows, never a row. It decides nothing. */
export const Curves = z.object({
  /** The classes of `confusion`. Where there are more than fit, the last stands for `otherClasses` of them. */
  classes: z.array(ScalarText).max(curveClasses),
  otherClasses: Count,
  /** Edges of the bins in `residuals.counts`, one more than these; the outer bins also hold what lies beyond. */
  residualEdges: z.array(Decimal).max(2 * curveGroups + 1),
  production: SideCurves.nullable(),
  candidate: SideCurves,
  /** True where rows have weights, which metrics count and curves don't. */
  weightsIgnored: z.boolean().optional(),
});
export type Curves = z.infer<typeof Curves>;
