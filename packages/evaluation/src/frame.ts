import type { Model } from '@passloop/model';
import type { Metric } from './metric.ts';
import { rankParts } from './rank-order.ts';

/** One model's predictions, in the frame's row order. Absent columns are null; values were checked to be finite. */
export type Predictions = {
  /** Probability or score of the positive class, or of relevance to the query; larger means more. */
  score: Float64Array | null;
  /** Of a multiclass model, one column a class, in the order of the frame's classes. */
  scores: Float64Array[] | null;
  /** The predicted label: class codes of the frame for classification, numbers for regression. */
  prediction: Float64Array | null;
  /** Further numbers that declared metrics read, by their column: other quantiles. */
  named: Readonly<Record<string, Float64Array>>;
  /** A row's terms of each custom metric, by its name. */
  terms: Readonly<Record<string, readonly Float64Array[]>>;
};

/** Predictions with these columns and no other. */
export function predictionsOf(columns: Partial<Predictions>): Predictions {
  return { score: null, scores: null, prediction: null, named: {}, terms: {}, ...columns };
}

/** All models of both sides, each trained with another seed. No production is an empty list. */
export type Seeds = { production: readonly Predictions[]; candidate: readonly Predictions[] };

export type SliceColumn = {
  column: string;
  codes: Uint32Array;
  values: string[];
  /** Rows of each value whose label is not the positive class, and whose is: where a row of the frame stands for many. */
  rows?: readonly [Uint32Array, Uint32Array];
};

/**
 * The rows that both models scored, joined by key and ordered by it. Labels and slices come from the dataset, never from a
 * predictions file. For classification a label is the code of its class (in the order of `classes`); a binary task has the
 * positive class as code 1.
 */
export type EvaluationFrame = {
  task: Model['task'];
  rows: number;
  /** Of a frame that is a part of another: each row's number there. */
  numbers?: Uint32Array;
  evaluationDigest: string | null;
  classes: string[];
  labels: Float64Array;
  /** How much each row counts, not negative and not all 0; null where all count the same. */
  weights: Float64Array | null;
  /** Codes of what rows belong to (a user, a series, a query) and are resampled by; null where each row stands alone. */
  units: Uint32Array | null;
  /** The metrics that the model declares, by name. */
  declared: Readonly<Record<string, Metric>>;
  production: Predictions | null;
  candidate: Predictions;
  /** Where a side has several training seeds; `production` and `candidate` are the first of each then. */
  seeds?: Seeds;
  slices: SliceColumn[];
};

/** The rows of a frame that are in a slice's value, as a frame of their own. */
export function sliceFrame(frame: EvaluationFrame, slice: SliceColumn, code: number): EvaluationFrame {
  let count = 0;
  for (let row = 0; row < frame.rows; row += 1) if (slice.codes[row] === code) count += 1;
  const rows = new Uint32Array(count);
  for (let row = 0, at = 0; row < frame.rows; row += 1) if (slice.codes[row] === code) rows[at++] = row;
  return frameOfRows(frame, rows);
}

/** The frames of all values of a slice, in their order: one pass over the rows, however many values there are. */
export function sliceFrames(frame: EvaluationFrame, slice: SliceColumn): EvaluationFrame[] {
  const ends = new Uint32Array(slice.values.length);
  const places = new Uint32Array(frame.rows);
  for (let row = 0; row < frame.rows; row += 1) places[row] = ends[slice.codes[row]!]!++;
  const groups = Array.from(ends, (count) => new Uint32Array(count));
  for (let row = 0; row < frame.rows; row += 1) groups[slice.codes[row]!]![places[row]!] = row;
  const frames = groups.map((rows) => frameOfRows(frame, rows));
  for (const side of ['production', 'candidate'] as const) {
    const columns = scoreColumns(frame[side]);
    const parts = frames.map((part) => scoreColumns(part[side]));
    for (const [at, column] of columns.entries()) {
      rankParts(
        column,
        parts.map((ofPart) => ofPart[at]!),
        slice.codes,
        places,
      );
    }
  }
  return frames;
}

/** What a model's rows are ranked by. */
export function scoreColumns(side: Predictions | null): readonly Float64Array[] {
  return side?.scores ?? (side?.score ? [side.score] : []);
}

function frameOfRows(frame: EvaluationFrame, rows: Uint32Array): EvaluationFrame {
  function pick(values: Float64Array): Float64Array {
    const picked = new Float64Array(rows.length);
    for (let i = 0; i < rows.length; i += 1) picked[i] = values[rows[i] as number] as number;
    return picked;
  }
  const side = ({ score, scores, prediction, named, terms }: Predictions): Predictions => ({
    score: score === null ? null : pick(score),
    scores: scores === null ? null : scores.map(pick),
    prediction: prediction === null ? null : pick(prediction),
    named: Object.fromEntries(Object.entries(named).map(([name, values]) => [name, pick(values)])),
    terms: Object.fromEntries(Object.entries(terms).map(([name, columns]) => [name, columns.map(pick)])),
  });
  return {
    ...frame,
    rows: rows.length,
    numbers: frame.numbers === undefined ? rows : rows.map((row) => frame.numbers![row] as number),
    labels: pick(frame.labels),
    weights: frame.weights === null ? null : pick(frame.weights),
    units: frame.units === null ? null : Uint32Array.from(rows, (row) => frame.units![row] as number),
    production: frame.production === null ? null : side(frame.production),
    candidate: side(frame.candidate),
    ...(frame.seeds === undefined
      ? {}
      : { seeds: { production: frame.seeds.production.map(side), candidate: frame.seeds.candidate.map(side) } }),
    slices: [],
  };
}
