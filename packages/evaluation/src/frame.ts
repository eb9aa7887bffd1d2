import type { Model } from '@passloop/model';

/** One model's predictions, in the frame's row order. Absent columns are null; values were checked to be finite. */
export type Predictions = {
  /** Probability or score of the positive class; larger means more positive. */
  score: Float64Array | null;
  /** The predicted label: class codes of the frame for classification, numbers for regression. */
  prediction: Float64Array | null;
};

export type SliceColumn = { column: string; codes: Uint32Array; values: string[] };

/**
 * The rows that both models scored, joined by key and ordered by it. Labels and slices come from the dataset, never from a
 * predictions file. For classification a label is the code of its class (in the order of `classes`); a binary task has the
 * positive class as code 1.
 */
export type EvaluationFrame = {
  task: Model['task'];
  rows: number;
  evaluationDigest: string | null;
  classes: string[];
  labels: Float64Array;
  production: Predictions | null;
  candidate: Predictions;
  slices: SliceColumn[];
};

/** The rows of a frame that are in a slice's value, as a frame of their own. */
export function sliceFrame(frame: EvaluationFrame, slice: SliceColumn, code: number): EvaluationFrame {
  const rows: number[] = [];
  for (let row = 0; row < frame.rows; row += 1) if (slice.codes[row] === code) rows.push(row);
  const pick = (values: Float64Array | null) =>
    values === null ? null : Float64Array.from(rows, (row) => values[row] as number);
  const side = (predictions: Predictions): Predictions => ({
    score: pick(predictions.score),
    prediction: pick(predictions.prediction),
  });
  return {
    ...frame,
    rows: rows.length,
    labels: pick(frame.labels) as Float64Array,
    production: frame.production === null ? null : side(frame.production),
    candidate: side(frame.candidate),
    slices: [],
  };
}
