import type { FairnessGroup } from '@passloop/documents';
import type { CatalogMetric, MetricTask } from '@passloop/model';
import { mean, sum } from '@passloop/statistics';
import { type EvaluationFrame, type Predictions, predictionsOf } from './frame.ts';

export type PredictionColumn = 'score' | 'scores' | 'prediction';

type Common = {
  tasks: readonly MetricTask[];
  /** Which column of a prediction it reads; null where it reads columns of its own. */
  needs: CatalogMetric['needs'] | null;
  /** Which way is better: a gate that says otherwise is mistaken. Null where only the gate can say it. */
  direction: CatalogMetric['direction'] | null;
  /** The score must be a probability: 0 .. 1, and of a multiclass model a row's sum is 1. */
  probabilities?: true;
  /** Why it can't be measured on these rows, whatever the predictions; null where it can. */
  problem?(frame: EvaluationFrame): string | null;
};

/** Adds a row's terms, times its weight, to the sums that begin at `at`. */
export type AddRow = (into: Float64Array, at: number, row: number) => void;

/** A row of one model as SQL expressions, each a DOUBLE; a missing column is null. */
export type RowSql = {
  label: string;
  weight: string;
  score: string | null;
  scores: readonly string[] | null;
  prediction: string | null;
  named: Readonly<Record<string, string>>;
  terms: Readonly<Record<string, readonly string[]>>;
  /** The mean of the labels, about. */
  center: string;
};

/** Whether the engine counts it by label and prediction. */
export function isCounted(metric: SummedMetric, task: MetricTask): boolean {
  return metric.needs === 'prediction' && (task === 'binary' || task === 'multiclass');
}

/**
 * A metric that is a function of sums over rows: `adder` puts a row's terms into `width` sums, `of` makes the metric from
 * them. Such a metric can be resampled by buckets of rows at the cost of one pass.
 */
export type SummedMetric = Common & {
  kind: 'sums';
  /** The share of right ones among all rows, or among those of the positive class: its paired interval has a formula (Tango's). */
  proportion?: 'rows' | 'positives';
  /** For a metric of counts: on how many rows it rests, which may be few in a large frame. Asked without weights. */
  restsOn?(sums: Float64Array, classes: number): number;
  /** Why its groups are too few to say anything: no failure, and no pass. Null where they are enough. */
  insufficiency?(frame: EvaluationFrame): string | null;
  /** Weights are no part of it. */
  isUnweighted?: true;
  /** Of a gap between groups: the slice column that they are the values of. */
  by?: string;
  /** What each of the groups has. */
  groups?(name: string, frame: EvaluationFrame): FairnessGroup[];
  width(frame: Pick<EvaluationFrame, 'classes' | 'slices'>): number;
  /**
   * The same terms in SQL, times the weight, for rows that stay in the engine. Metrics of predicted classes need none:
   * there the engine counts rows by label and prediction, and the counts go through `adder`.
   */
  sql?(row: RowSql, classes: number): string[];
  adder(frame: EvaluationFrame, side: Predictions): AddRow;
  of(sums: Float64Array, classes: number): number;
};

/** Rows from the highest score to the lowest, one entry a row. */
export type RankedRows = {
  rows: Uint32Array;
  positive: Uint8Array;
  /** 1 where the next row's score is another one: a threshold can lie there. */
  last: Uint8Array;
};

/**
 * A walk along the thresholds goes from what was found above one (0 at first) to what is found with it. All else are the
 * weights of rows, by class: those above the threshold with its own, its own, and all. Plain numbers, since it is called for
 * every threshold of every resample.
 */
type CurveStep = (
  found: number,
  positivesAbove: number,
  negativesAbove: number,
  positives: number,
  negatives: number,
  allPositives: number,
  allNegatives: number,
) => number;

/** How much the rows of each class weigh together: in each of several walks side by side. */
export type LaneWeights = { positives: Float64Array; negatives: Float64Array };

/**
 * A metric of the ranking by score, which no sums hold: the rows are ranked once (for a multiclass model once a class), and
 * every resample is one walk along them with other weights.
 */
export type CurveMetric = Common & {
  kind: 'curve';
  needs: 'score';
  /** Two areas under the ROC curve have an interval of their own (DeLong) where rows are independent and weigh the same. */
  area?: true;
  step: CurveStep;
  /** The same of many walks side by side: a loop of its own, since a call for each lane takes five times as long. */
  stepLanes(found: Float64Array, above: LaneWeights, moved: LaneWeights, all: LaneWeights): void;
  /** The metric of what was found over all thresholds. NaN where it is undefined. */
  of(found: number, allPositives: number, allNegatives: number): number;
};

/** A metric of each query's ranking, averaged over the queries. NaN for a query that has no value: it is left out. */
export type QueryMetric = Common & {
  kind: 'queries';
  needs: 'score';
  valueOf(labels: Float64Array, scores: Float64Array): number;
};

export type Metric = SummedMetric | CurveMetric | QueryMetric;

/** The column that a metric reads for a task. */
export function neededColumn(metric: Metric, task: MetricTask): PredictionColumn | null {
  return metric.needs === 'score' && task === 'multiclass' ? 'scores' : metric.needs;
}

type Term = (into: Float64Array, at: number, label: number, value: number, weight: number) => void;

/** The usual adder: of a row's label and one value of its prediction. */
export function perRow(needs: 'score' | 'prediction', term: Term, { centered = false } = {}): SummedMetric['adder'] {
  return ({ labels, weights }, side) => {
    const values = side[needs];
    if (values === null) throw new RangeError(`no ${needs} column`);
    // Shifting labels and values alike changes nothing: without the labels' mean, squares don't cancel.
    const center = centered ? mean(labels) : 0;
    return (into, at, row) =>
      term(
        into,
        at,
        (labels[row] as number) - center,
        (values[row] as number) - center,
        weights === null ? 1 : (weights[row] as number),
      );
  };
}

const chunkRows = 1024;

/** The sums of all rows, for one model: added up in chunks of rows, and the chunks with compensation. */
export function sumsOf(metric: SummedMetric, frame: EvaluationFrame, side: Predictions): Float64Array {
  const width = metric.width(frame);
  const chunks = Math.ceil(frame.rows / chunkRows);
  const partial = bucketSums(metric, frame, side, chunks, (row) => Math.floor(row / chunkRows));
  const ofTerm = new Float64Array(chunks);
  return Float64Array.from({ length: width }, (_, k) => {
    for (let chunk = 0; chunk < chunks; chunk += 1) ofTerm[chunk] = partial[chunk * width + k]!;
    return sum(ofTerm);
  });
}

/** The sums of each of `count` buckets of rows, row-major. */
export function bucketSums(
  metric: SummedMetric,
  frame: EvaluationFrame,
  side: Predictions,
  count: number,
  bucketOf: (row: number) => number,
): Float64Array {
  const width = metric.width(frame);
  const sums = new Float64Array(count * width);
  const kinds = countKinds(metric, frame, side, count, bucketOf);
  const add = metric.adder(kinds?.frame ?? frame, kinds?.frame.candidate ?? side);
  if (kinds === null) for (let row = 0; row < frame.rows; row += 1) add(sums, bucketOf(row) * width, row);
  else for (let kind = 0; kind < kinds.frame.rows; kind += 1) add(sums, kinds.bucketOf(kind) * width, kind);
  return sums;
}

/** Rows of one kind, as a row that weighs so much. */
export type Kinds = { labels: Float64Array; prediction: Float64Array; weights: Float64Array };

export function frameOfKinds(
  shape: Pick<EvaluationFrame, 'task' | 'classes'>,
  { labels, prediction, weights }: Kinds,
): EvaluationFrame {
  return {
    ...shape,
    rows: labels.length,
    evaluationDigest: null,
    labels,
    weights,
    units: null,
    declared: {},
    production: null,
    candidate: predictionsOf({ prediction }),
    slices: [],
  };
}

/**
 * Of a metric of predicted classes rows of one bucket, label and prediction are alike: they are counted first, and so many
 * added at once. Null for other metrics, and where the kinds are hardly fewer than the rows.
 */
function countKinds(
  metric: SummedMetric,
  frame: EvaluationFrame,
  { prediction }: Predictions,
  count: number,
  bucketOf: (row: number) => number,
): { frame: EvaluationFrame; bucketOf: (kind: number) => number } | null {
  const { labels, weights, rows } = frame;
  const classes = frame.classes.length;
  const isAlike = isCounted(metric, frame.task) && metric.by === undefined && weights === null;
  if (!isAlike || prediction === null || 8 * count * classes ** 2 > rows) return null;
  const counts = new Float64Array(count * classes ** 2);
  for (let row = 0; row < rows; row += 1) {
    counts[(bucketOf(row) * classes + labels[row]!) * classes + prediction[row]!]! += 1;
  }
  const found = Uint32Array.from(counts.keys()).filter((kind) => counts[kind]! > 0);
  const kinds = frameOfKinds(frame, {
    labels: Float64Array.from(found, (kind) => Math.floor(kind / classes) % classes),
    prediction: Float64Array.from(found, (kind) => kind % classes),
    weights: Float64Array.from(found, (kind) => counts[kind]!),
  });
  return { frame: kinds, bucketOf: (kind) => Math.floor(found[kind]! / classes ** 2) };
}
