/**
 * Every metric that a gate may name without declaring it: for which tasks it is defined, what it needs of a prediction,
 * which way is better, and whose definition it has. (A file that imports nothing: `--help` reads it.)
 */
export type MetricTask = 'binary' | 'multiclass' | 'regression' | 'ranking' | 'forecast';

export type CatalogMetric = {
  tasks: readonly MetricTask[];
  /** `score` is one column of a binary or ranking model, and one a class (`scores`) of a multiclass model. */
  needs: 'score' | 'prediction';
  direction: 'higher' | 'lower';
  /** The score must be a probability: 0 .. 1, and of a multiclass model a row's sum is 1. */
  probabilities?: true;
  /** Whose definition it is, for the documentation. */
  formula: string;
};

const classification = ['binary', 'multiclass'] as const;
const numbers = ['regression', 'forecast'] as const;

function learn(name: string): string {
  return `scikit-learn \`${name}\``;
}

type Form = Omit<CatalogMetric, 'formula'>;
const predicted = { tasks: classification, needs: 'prediction', direction: 'higher' } as const satisfies Form;
const positives = { ...predicted, tasks: ['binary'] } as const satisfies Form;
const scored = { tasks: ['binary'], needs: 'score', direction: 'higher' } as const satisfies Form;
const error = { tasks: numbers, needs: 'prediction', direction: 'lower' } as const satisfies Form;
const ranked = { tasks: ['ranking'], needs: 'score', direction: 'higher' } as const satisfies Form;
const likelihood = { tasks: classification, needs: 'score', direction: 'lower', probabilities: true } as const;

function averages(name: string): Record<string, CatalogMetric> {
  return Object.fromEntries(
    ['macro', 'micro', 'weighted'].map((average) => [
      `${name}_${average}`,
      { ...predicted, formula: learn(`${name}_score(average='${average}')`) },
    ]),
  );
}

const known: Record<string, CatalogMetric> = {
  roc_auc: { ...scored, formula: learn('roc_auc_score') },
  roc_auc_ovr: {
    ...scored,
    tasks: ['multiclass'],
    formula: learn("roc_auc_score(multi_class='ovr', average='macro')"),
  },
  pr_auc: { ...scored, formula: learn('average_precision_score') },
  log_loss: { ...likelihood, formula: learn('log_loss') },
  brier: { ...likelihood, formula: learn('brier_score_loss') },
  calibration_error: {
    ...likelihood,
    tasks: ['binary'],
    formula: `${learn('calibration_curve(n_bins=10)')}: the mean of the bins' |prob_true − prob_pred|, by their rows`,
  },
  ks: { ...scored, formula: 'the largest TPR − FPR: scipy `ks_2samp(negatives, positives, alternative="greater")`' },
  ndcg: { ...ranked, formula: `${learn('ndcg_score')} of each query; ties averaged` },
  map: {
    ...ranked,
    formula: `${learn('average_precision_score')} of each query; ties averaged over their orders (McSherry & Najork 2008)`,
  },
  mrr: { ...ranked, formula: '1 / rank of the first relevant row of each query; ties averaged over their orders' },
  accuracy: { ...predicted, formula: learn('accuracy_score') },
  balanced_accuracy: { ...predicted, formula: learn('balanced_accuracy_score') },
  precision: { ...positives, formula: learn('precision_score') },
  ...averages('precision'),
  recall: { ...positives, formula: learn('recall_score') },
  ...averages('recall'),
  f1: { ...positives, formula: learn('f1_score') },
  ...averages('f1'),
  mcc: { ...predicted, formula: learn('matthews_corrcoef') },
  mae: { ...error, formula: learn('mean_absolute_error') },
  mse: { ...error, formula: learn('mean_squared_error') },
  rmse: { ...error, formula: learn('root_mean_squared_error') },
  mape: {
    ...error,
    formula: `${learn('mean_absolute_percentage_error')}; undefined where a label is 0`,
  },
  smape: { ...error, formula: 'the mean of 2|y − ŷ| / (|y| + |ŷ|), 0 where both are 0; from 0 to 2' },
  r2: { ...error, direction: 'higher', formula: learn('r2_score') },
};

/** By name; nothing is inherited, so that a gate named `constructor` finds no metric. */
export const metricCatalog: Readonly<Record<string, CatalogMetric>> = Object.assign(Object.create(null), known);

/** Measured by a clock on the image, which says something else each time. */
export const clockMetrics = ['latency_p50_ms', 'latency_p95_ms', 'ready_seconds'] as const;

/** Measured on the image, not on predictions. */
export const imageMetrics = [...clockMetrics, 'image_bytes'] as const;

/** A metric whose parameter stands in its name. */
export type NamedParameter =
  | { kind: 'ndcg' | 'map' | 'mrr' | 'recall-at-k'; k: number }
  | { kind: 'pinball'; quantile: number }
  | { kind: 'recall-at-precision'; precision: number };

/** How such names are written, for messages and the documentation. */
export const parameterNames = [
  'ndcg_at_<k>',
  'map_at_<k>',
  'mrr_at_<k>',
  'recall_at_<k>',
  'pinball_<percent>',
  'recall_at_precision_<percent>',
] as const;

const rankingKinds = { ndcg: 'ndcg', map: 'map', mrr: 'mrr', recall: 'recall-at-k' } as const;

/** Reads `ndcg_at_10`, `recall_at_precision_90`, `pinball_95`; null for any other name. */
export function namedParameter(name: string): NamedParameter | null {
  const [, ranking, k] = /^(ndcg|map|mrr|recall)_at_([1-9]\d{0,5})$/.exec(name) ?? [];
  if (ranking !== undefined) return { kind: rankingKinds[ranking as keyof typeof rankingKinds], k: Number(k) };
  const [, kind, percent] = /^(pinball|recall_at_precision)_([1-9]\d?)$/.exec(name) ?? [];
  if (kind === undefined) return null;
  const share = Number(percent) / 100;
  return kind === 'pinball' ? { kind, quantile: share } : { kind: 'recall-at-precision', precision: share };
}
