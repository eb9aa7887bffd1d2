import { type CatalogMetric, metricCatalog } from '@passloop/model';
import type { EvaluationFrame } from './frame.ts';
import { listed } from './frame-columns.ts';
import { perRow, type SummedMetric } from './metric.ts';

/** Metrics of predicted classes. Where a metric of one class has no denominator it is undefined (NaN), not 0. */

function form(name: string): Omit<CatalogMetric, 'formula'> {
  return metricCatalog[name] as CatalogMetric;
}

/** [count, correct] */
const accuracy: SummedMetric = {
  ...form('accuracy'),
  kind: 'sums',
  proportion: 'rows',
  width: () => 2,
  adder: perRow('prediction', (into, at, label, value, weight) => {
    into[at]! += weight;
    if (label === value) into[at + 1]! += weight;
  }),
  of: (sums) => sums[1]! / sums[0]!,
  restsOn: (sums) => sums[0]!,
};

type OfConfusion = (tp: number, fp: number, fn: number, tn: number) => number;

/** [true positives, false positives, false negatives, true negatives] of the positive class (code 1). */
function confusion(name: string, of: OfConfusion, restsOn: OfConfusion): SummedMetric {
  return {
    ...form(name),
    kind: 'sums',
    width: () => 4,
    adder: perRow('prediction', (into, at, label, value, weight) => {
      into[at + (value === 1 ? (label === 1 ? 0 : 1) : label === 1 ? 2 : 3)]! += weight;
    }),
    of: (sums) => of(sums[0]!, sums[1]!, sums[2]!, sums[3]!),
    restsOn: (sums) => restsOn(sums[0]!, sums[1]!, sums[2]!, sums[3]!),
  };
}

/** [rows of the label, rows of the prediction, rows of both] a class. */
const perClass = {
  kind: 'sums',
  width: ({ classes }: Pick<EvaluationFrame, 'classes'>) => 3 * classes.length,
  adder: perRow('prediction', (into, at, label, value, weight) => {
    into[at + 3 * label]! += weight;
    into[at + 3 * value + 1]! += weight;
    if (label === value) into[at + 3 * label + 2]! += weight;
  }),
  restsOn: (sums: Float64Array, classes: number) =>
    Math.min(...countsOf(sums, classes).flatMap(({ labels }) => (labels > 0 ? [labels] : []))),
} as const;

type ClassCounts = { labels: number; predictions: number; correct: number };

function countsOf(sums: Float64Array, classes: number): ClassCounts[] {
  return Array.from({ length: classes }, (_, code) => ({
    labels: sums[3 * code]!,
    predictions: sums[3 * code + 1]!,
    correct: sums[3 * code + 2]!,
  }));
}

/** The mean of recalls over the classes that have rows. */
const balancedAccuracy: SummedMetric = {
  ...form('balanced_accuracy'),
  ...perClass,
  of(sums, classes) {
    const present = countsOf(sums, classes).filter(({ labels }) => labels > 0);
    return present.reduce((total, { labels, correct }) => total + correct / labels, 0) / present.length;
  },
};

const parts = {
  precision: ({ correct, predictions }: ClassCounts) => [correct, predictions],
  recall: ({ correct, labels }: ClassCounts) => [correct, labels],
  f1: ({ correct, labels, predictions }: ClassCounts) => [2 * correct, labels + predictions],
} as const;

/**
 * A class that is never predicted (or has no label) has the value 0, as in scikit-learn; a class without either is no part of
 * the mean. So a model gains nothing by giving a class up.
 */
function averaged(name: keyof typeof parts, average: 'macro' | 'micro' | 'weighted'): SummedMetric {
  const quotient = (counts: ClassCounts): number => {
    const [above, below] = parts[name](counts) as [number, number];
    return below === 0 ? 0 : above / below;
  };
  return {
    ...form(`${name}_${average}`),
    ...perClass,
    of(sums, classes) {
      const present = countsOf(sums, classes).filter(({ labels, predictions }) => labels + predictions > 0);
      const total = (of: (counts: ClassCounts) => number) => present.reduce((whole, counts) => whole + of(counts), 0);
      // With one class a row, the pooled precision, recall and F1 are all the accuracy.
      if (average === 'micro') return total(({ correct }) => correct) / total(({ labels }) => labels);
      if (average === 'macro') return total(quotient) / present.length;
      return total((counts) => counts.labels * quotient(counts)) / total(({ labels }) => labels);
    },
  };
}

/** Gorodkin's R_K, which is Matthews' coefficient for two classes (Gorodkin 2004). */
const mcc: SummedMetric = {
  ...form('mcc'),
  ...perClass,
  of(sums, classes) {
    const all = countsOf(sums, classes);
    // Of one class only the differences below are 0, or what rounding leaves of weights.
    const isConstant = (['labels', 'predictions'] as const).some(
      (what) => all.filter((counts) => counts[what] > 0).length < 2,
    );
    if (isConstant) return Number.NaN;
    let rows = 0;
    let correct = 0;
    let together = 0;
    let ofLabels = 0;
    let ofPredictions = 0;
    for (const counts of all) {
      rows += counts.labels;
      correct += counts.correct;
      together += counts.labels * counts.predictions;
      ofLabels += counts.labels ** 2;
      ofPredictions += counts.predictions ** 2;
    }
    return (correct * rows - together) / Math.sqrt((rows ** 2 - ofLabels) * (rows ** 2 - ofPredictions));
  },
};

export const classMetrics: Record<string, SummedMetric> = {
  accuracy,
  balanced_accuracy: balancedAccuracy,
  precision: confusion(
    'precision',
    (tp, fp) => tp / (tp + fp),
    (tp, fp) => tp + fp,
  ),
  precision_macro: averaged('precision', 'macro'),
  precision_micro: averaged('precision', 'micro'),
  precision_weighted: averaged('precision', 'weighted'),
  recall: {
    ...confusion(
      'recall',
      (tp, _fp, fn) => tp / (tp + fn),
      (tp, _fp, fn) => tp + fn,
    ),
    proportion: 'positives',
  },
  recall_macro: averaged('recall', 'macro'),
  recall_micro: averaged('recall', 'micro'),
  recall_weighted: averaged('recall', 'weighted'),
  f1: confusion(
    'f1',
    (tp, fp, fn) => (2 * tp) / (2 * tp + fp + fn),
    (tp, fp, fn) => tp + fp + fn,
  ),
  f1_macro: averaged('f1', 'macro'),
  f1_micro: averaged('f1', 'micro'),
  f1_weighted: averaged('f1', 'weighted'),
  mcc,
};

export type Costs = Readonly<Record<string, Readonly<Record<string, number>>>>;

/** The mean cost of a row, by what it is and what it was taken for. */
export function costMetric(costs: Costs): SummedMetric {
  const costOf = (actual: string, predicted: string): number | undefined => {
    const row = Object.hasOwn(costs, actual) ? costs[actual] : undefined;
    const cost = row !== undefined && Object.hasOwn(row, predicted) ? row[predicted] : undefined;
    return cost ?? (actual === predicted ? 0 : undefined);
  };
  return {
    kind: 'sums',
    tasks: ['binary', 'multiclass'],
    needs: 'prediction',
    direction: 'lower',
    width: () => 2,
    problem: (frame) => costProblem(frame, costs, costOf),
    adder({ labels, weights, classes }, { prediction }) {
      const width = classes.length;
      const table = Float64Array.from({ length: width ** 2 }, (_, at) => {
        return costOf(classes[Math.floor(at / width)] as string, classes[at % width] as string) ?? Number.NaN;
      });
      return (into, at, row) => {
        const weight = weights === null ? 1 : weights[row]!;
        into[at]! += weight;
        into[at + 1]! += weight * table[labels[row]! * width + prediction![row]!]!;
      };
    },
    of: (sums) => sums[1]! / sums[0]!,
  };
}

function costProblem(
  { classes }: EvaluationFrame,
  costs: Costs,
  costOf: (actual: string, predicted: string) => number | undefined,
): string | null {
  for (const name of [...Object.keys(costs), ...Object.values(costs).flatMap((row) => Object.keys(row))]) {
    if (!classes.includes(name)) return `\`costs\` names the class ${listed([name])}; there are ${listed(classes)}`;
  }
  for (const actual of classes) {
    for (const predicted of classes) {
      if (costOf(actual, predicted) === undefined)
        return `\`costs\` does not say what ${listed([predicted])} costs where it is ${listed([actual])}`;
    }
  }
  return null;
}
