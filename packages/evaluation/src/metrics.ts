import { areaUnderRoc, mean, sum } from '@passloop/statistics';
import type { EvaluationFrame, Predictions } from './frame.ts';

type Tasks = readonly EvaluationFrame['task'][];
type Column = 'score' | 'prediction';
type Direction = 'higher' | 'lower';

/**
 * A metric that is a function of sums over rows: `add` puts a row's terms into `width` sums, `of` makes the metric from them.
 * Such a metric can be resampled by buckets of rows at the cost of one pass.
 */
export type SummedMetric = {
  kind: 'sums';
  needs: Column;
  tasks: Tasks;
  /** Which way is better: a gate that says otherwise is mistaken. */
  direction: Direction;
  /** The score must be a probability, 0 .. 1. */
  probabilities?: true;
  /** The share of right ones among all rows, or among those of the positive class: its paired interval has a formula (Tango's). */
  proportion?: 'rows' | 'positives';
  /** For a metric of counts: on how many rows it rests, which may be few in a large frame. */
  restsOn?(sums: Float64Array, classes: number): number;
  /** Shifting labels and values alike changes nothing: the labels' mean is taken from both, so that squares don't cancel. */
  centered?: true;
  width(classes: number): number;
  add(into: Float64Array, at: number, label: number, value: number, classes: number): void;
  of(sums: Float64Array, classes: number): number;
};

/** The area under the ROC curve: a function of ranks, with an interval of its own (DeLong). */
type RankMetric = { kind: 'rank'; needs: 'score'; tasks: Tasks; direction: Direction };

export type Metric = SummedMetric | RankMetric;

const classification = ['binary', 'multiclass'] as const;

/** scikit-learn clips probabilities at the resolution of the float type before the logarithm (`log_loss`, eps="auto"). */
const smallest = Number.EPSILON;

/** [count, correct] */
const accuracy: SummedMetric = {
  kind: 'sums',
  needs: 'prediction',
  tasks: classification,
  direction: 'higher',
  proportion: 'rows',
  width: () => 2,
  add(into, at, label, value) {
    into[at]! += 1;
    into[at + 1]! += label === value ? 1 : 0;
  },
  of: (sums) => sums[1]! / sums[0]!,
};

type OfConfusion = (tp: number, fp: number, fn: number, tn: number) => number;

/** [true positives, false positives, false negatives, true negatives] of the positive class (code 1). */
function confusion(of: OfConfusion, restsOn: OfConfusion): SummedMetric {
  return {
    kind: 'sums',
    needs: 'prediction',
    tasks: ['binary'],
    direction: 'higher',
    width: () => 4,
    add(into, at, label, value) {
      into[at + (value === 1 ? (label === 1 ? 0 : 1) : label === 1 ? 2 : 3)]! += 1;
    },
    of: (sums) => of(sums[0]!, sums[1]!, sums[2]!, sums[3]!),
    restsOn: (sums) => restsOn(sums[0]!, sums[1]!, sums[2]!, sums[3]!),
  };
}

/** The mean of recalls over the classes that have rows: [rows, correct] a class. */
const balancedAccuracy: SummedMetric = {
  kind: 'sums',
  needs: 'prediction',
  tasks: classification,
  direction: 'higher',
  width: (classes) => 2 * classes,
  add(into, at, label, value) {
    into[at + 2 * label]! += 1;
    if (label === value) into[at + 2 * label + 1]! += 1;
  },
  of(sums, classes) {
    let total = 0;
    let present = 0;
    for (let code = 0; code < classes; code += 1) {
      if (sums[2 * code]! === 0) continue;
      total += sums[2 * code + 1]! / sums[2 * code]!;
      present += 1;
    }
    return total / present;
  },
  restsOn(sums, classes) {
    const rows = Array.from({ length: classes }, (_, code) => sums[2 * code]!).filter((count) => count > 0);
    return Math.min(...rows);
  },
};

/** The mean of a term over the rows, a loss: [count, total]. */
function meanLoss(
  needs: Column,
  tasks: Tasks,
  term: (label: number, value: number) => number,
  last = (mean: number) => mean,
): SummedMetric {
  return {
    kind: 'sums',
    needs,
    tasks,
    direction: 'lower',
    width: () => 2,
    add(into, at, label, value) {
      into[at]! += 1;
      into[at + 1]! += term(label, value);
    },
    of: (sums) => last(sums[1]! / sums[0]!),
  };
}

/** 1 − residual sum of squares / total sum of squares: [n, Σy, Σy², Σ(y−ŷ)²]; undefined for one label only. */
const r2: SummedMetric = {
  kind: 'sums',
  needs: 'prediction',
  tasks: ['regression'],
  direction: 'higher',
  centered: true,
  width: () => 4,
  add(into, at, label, value) {
    into[at]! += 1;
    into[at + 1]! += label;
    into[at + 2]! += label * label;
    into[at + 3]! += (label - value) ** 2;
  },
  of(sums) {
    const spread = sums[2]! - sums[1]! ** 2 / sums[0]!;
    return spread > 0 ? 1 - sums[3]! / spread : Number.NaN;
  },
};

function logLoss(label: number, score: number): number {
  const probability = Math.min(1 - smallest, Math.max(smallest, score));
  return label === 1 ? -Math.log(probability) : -Math.log1p(-probability);
}

const squaredError = (label: number, value: number) => (label - value) ** 2;

/** Every metric that a gate may name, with scikit-learn's definition of the same name. */
const known: Record<string, Metric> = {
  roc_auc: { kind: 'rank', needs: 'score', tasks: ['binary'], direction: 'higher' },
  accuracy,
  balanced_accuracy: balancedAccuracy,
  precision: confusion(
    (tp, fp) => tp / (tp + fp),
    (tp, fp) => tp + fp,
  ),
  recall: {
    ...confusion(
      (tp, _fp, fn) => tp / (tp + fn),
      (tp, _fp, fn) => tp + fn,
    ),
    proportion: 'positives',
  },
  f1: confusion(
    (tp, fp, fn) => (2 * tp) / (2 * tp + fp + fn),
    (tp, fp, fn) => tp + fp + fn,
  ),
  mcc: confusion(
    (tp, fp, fn, tn) => (tp * tn - fp * fn) / Math.sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)),
    (tp, fp, fn, tn) => Math.min(tp + fn, tn + fp),
  ),
  log_loss: { ...meanLoss('score', ['binary'], logLoss), probabilities: true },
  brier: { ...meanLoss('score', ['binary'], squaredError), probabilities: true },
  mae: meanLoss('prediction', ['regression'], (label, value) => Math.abs(label - value)),
  mse: meanLoss('prediction', ['regression'], squaredError),
  rmse: meanLoss('prediction', ['regression'], squaredError, Math.sqrt),
  r2,
};

/** By name; nothing is inherited, so that a gate named `constructor` finds no metric. */
export const metrics: Readonly<Record<string, Metric>> = Object.assign(Object.create(null), known);

/** Measured on the image, not on predictions: handed over as numbers, judged by `min` and `max`. */
export const measuredScalars = new Set(['latency_p50_ms', 'latency_p95_ms', 'image_bytes', 'ready_seconds']);

const chunkRows = 1024;

/** The sums of all rows, for one model: added up in chunks of rows, and the chunks with compensation. */
export function sumsOf(metric: SummedMetric, frame: EvaluationFrame, side: Predictions): Float64Array {
  const width = metric.width(frame.classes.length);
  const chunks = Math.ceil(frame.rows / chunkRows);
  const partial = bucketSums(metric, frame, side, chunks, (row) => Math.floor(row / chunkRows));
  return Float64Array.from({ length: width }, (_, k) =>
    sum(Float64Array.from({ length: chunks }, (_, chunk) => partial[chunk * width + k] as number)),
  );
}

/** The sums of each of `count` buckets of rows, row-major. */
export function bucketSums(
  metric: SummedMetric,
  frame: EvaluationFrame,
  side: Predictions,
  count: number,
  bucketOf: (row: number) => number,
): Float64Array {
  const values = side[metric.needs];
  if (values === null) throw new RangeError(`no ${metric.needs} column`);
  const classes = frame.classes.length;
  const width = metric.width(classes);
  const center = metric.centered ? mean(frame.labels) : 0;
  const sums = new Float64Array(count * width);
  for (let row = 0; row < frame.rows; row += 1) {
    metric.add(
      sums,
      bucketOf(row) * width,
      (frame.labels[row] as number) - center,
      (values[row] as number) - center,
      classes,
    );
  }
  return sums;
}

/** One model's value of a metric; NaN where it is undefined on these rows (one class only, no positive prediction). */
export function metricValue(metric: Metric, frame: EvaluationFrame, side: Predictions): number {
  if (metric.kind === 'sums') return metric.of(sumsOf(metric, frame, side), frame.classes.length);
  if (side.score === null) throw new RangeError('no score column');
  try {
    return areaUnderRoc(frame.labels, side.score);
  } catch {
    return Number.NaN;
  }
}
