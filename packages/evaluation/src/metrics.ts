import { areaUnderRoc } from '@passloop/statistics';
import type { EvaluationFrame, Predictions } from './frame.ts';

/**
 * A metric that is a function of sums over rows: `add` puts a row's terms into `width` sums, `of` makes the metric from them.
 * Such a metric can be resampled by buckets of rows at the cost of one pass.
 */
export type SummedMetric = {
  kind: 'sums';
  needs: 'score' | 'prediction';
  tasks: readonly EvaluationFrame['task'][];
  width(classes: number): number;
  add(into: Float64Array, at: number, label: number, value: number, classes: number): void;
  of(sums: Float64Array, classes: number): number;
};

/** The area under the ROC curve: a function of ranks, with an interval of its own (DeLong). */
export type RankMetric = { kind: 'rank'; needs: 'score'; tasks: readonly EvaluationFrame['task'][] };

export type Metric = SummedMetric | RankMetric;

const classification = ['binary', 'multiclass'] as const;

/** scikit-learn clips probabilities at the resolution of the float type before the logarithm (`log_loss`, eps="auto"). */
const smallest = Number.EPSILON;

/** [count, correct] */
const accuracy: SummedMetric = {
  kind: 'sums',
  needs: 'prediction',
  tasks: classification,
  width: () => 2,
  add(into, at, label, value) {
    into[at]! += 1;
    into[at + 1]! += label === value ? 1 : 0;
  },
  of: (sums) => sums[1]! / sums[0]!,
};

/** [true positives, false positives, false negatives, true negatives] of the positive class (code 1). */
function confusion(of: (tp: number, fp: number, fn: number, tn: number) => number): SummedMetric {
  return {
    kind: 'sums',
    needs: 'prediction',
    tasks: ['binary'],
    width: () => 4,
    add(into, at, label, value) {
      into[at + (value === 1 ? (label === 1 ? 0 : 1) : label === 1 ? 2 : 3)]! += 1;
    },
    of: (sums) => of(sums[0]!, sums[1]!, sums[2]!, sums[3]!),
  };
}

/** The mean of recalls over the classes that have rows: [rows, correct] a class. */
const balancedAccuracy: SummedMetric = {
  kind: 'sums',
  needs: 'prediction',
  tasks: classification,
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
};

function meanOf(
  needs: 'score' | 'prediction',
  tasks: readonly EvaluationFrame['task'][],
  term: (label: number, value: number) => number,
  last = (mean: number) => mean,
): SummedMetric {
  return {
    kind: 'sums',
    needs,
    tasks,
    width: () => 2,
    add(into, at, label, value) {
      into[at]! += 1;
      into[at + 1]! += term(label, value);
    },
    of: (sums) => last(sums[1]! / sums[0]!),
  };
}

/** 1 − residual sum of squares / total sum of squares: [n, Σy, Σy², Σ(y−ŷ)²]. */
const r2: SummedMetric = {
  kind: 'sums',
  needs: 'prediction',
  tasks: ['regression'],
  width: () => 4,
  add(into, at, label, value) {
    into[at]! += 1;
    into[at + 1]! += label;
    into[at + 2]! += label * label;
    into[at + 3]! += (label - value) ** 2;
  },
  of: (sums) => 1 - sums[3]! / (sums[2]! - sums[1]! ** 2 / sums[0]!),
};

/** Every metric that a gate may name, with scikit-learn's definition of the same name. */
export const metrics: Readonly<Record<string, Metric>> = {
  roc_auc: { kind: 'rank', needs: 'score', tasks: ['binary'] },
  accuracy,
  balanced_accuracy: balancedAccuracy,
  precision: confusion((tp, fp) => tp / (tp + fp)),
  recall: confusion((tp, _fp, fn) => tp / (tp + fn)),
  f1: confusion((tp, fp, fn) => (2 * tp) / (2 * tp + fp + fn)),
  mcc: confusion((tp, fp, fn, tn) => (tp * tn - fp * fn) / Math.sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn))),
  log_loss: meanOf('score', ['binary'], (label, score) => {
    const probability = Math.min(1 - smallest, Math.max(smallest, score));
    return label === 1 ? -Math.log(probability) : -Math.log1p(-probability);
  }),
  brier: meanOf('score', ['binary'], (label, score) => (label - score) ** 2),
  mae: meanOf('prediction', ['regression'], (label, value) => Math.abs(label - value)),
  mse: meanOf('prediction', ['regression'], (label, value) => (label - value) ** 2),
  rmse: meanOf('prediction', ['regression'], (label, value) => (label - value) ** 2, Math.sqrt),
  r2,
};

/** Measured on the image, not on predictions: handed over as numbers, judged by `min` and `max`. */
export const measuredScalars = new Set(['latency_p50_ms', 'latency_p95_ms', 'image_bytes', 'ready_seconds']);

/** The sums of all rows, for one model. */
export function sumsOf(metric: SummedMetric, frame: EvaluationFrame, side: Predictions): Float64Array {
  const values = side[metric.needs];
  const sums = new Float64Array(metric.width(frame.classes.length));
  if (values === null) throw new RangeError(`no ${metric.needs} column`);
  for (let row = 0; row < frame.rows; row += 1)
    metric.add(sums, 0, frame.labels[row] as number, values[row] as number, frame.classes.length);
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
