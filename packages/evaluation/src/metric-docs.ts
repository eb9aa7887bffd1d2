import { type DeclaredMetric, type formOf, metricCatalog } from '@passloop/model';
import type { Metric } from './metric.ts';
import { declaredMetric, metrics } from './metrics.ts';

/** What the documentation says of a metric: the same words for every metric of a kind. */
export type MetricRow = {
  name: string;
  tasks: string;
  needs: string;
  better: string;
  formula: string;
  interval: string;
};

/** Every metric that a gate may name as it is. */
export function builtInRows(): MetricRow[] {
  return Object.entries(metricCatalog).map(([name, { formula, ...form }]) => ({
    name,
    ...formWords(form),
    formula,
    interval: intervalWords(metrics[name] as Metric),
  }));
}

/** One example of each kind that a model file may declare. */
export const declaredExamples: readonly { example: DeclaredMetric; formula: string }[] = [
  {
    example: { kind: 'calibration-error', bins: 15, strategy: 'quantile' },
    formula:
      'as `calibration_error`, with your `bins`: of one width (`uniform`, the default) or of as many rows (`quantile`)',
  },
  {
    example: { kind: 'recall-at-precision', precision: 0.9 },
    formula:
      'the largest recall of a threshold whose precision is at least this, of scikit-learn `precision_recall_curve`; 0 where none is',
  },
  {
    example: { kind: 'pinball', quantile: 0.9, column: 'p90' },
    formula: 'scikit-learn `mean_pinball_loss(alpha)` of `prediction`, or of the `column` that holds this quantile',
  },
  {
    example: { kind: 'ndcg', k: 10, gain: 'exponential' },
    formula: 'scikit-learn `ndcg_score(k)`; `gain: exponential` counts 2^label − 1 instead of the label',
  },
  {
    example: { kind: 'map', k: 10 },
    formula: 'the average precision of the first `k` ranks, over min(relevant rows, k)',
  },
  { example: { kind: 'mrr', k: 10 }, formula: '1 / rank of the first relevant row, 0 beyond rank `k`' },
  { example: { kind: 'recall-at-k', k: 10 }, formula: 'the share of the relevant rows among the first `k` ranks' },
  {
    example: { kind: 'cost', costs: { '0': { '1': 1 }, '1': { '0': 20 } } },
    formula:
      'the mean of `costs.<label>.<prediction>`; what is right costs 0 unless it is listed, and every mistake is listed',
  },
  {
    example: { kind: 'sql', sql: 'sum(CASE WHEN late <> late_hat THEN price ELSE 0 END) / sum(price)' },
    formula: 'your own: `sum`, `avg`, `count`, `count_if` of expressions over a row, put together by arithmetic',
  },
  {
    example: { kind: 'fairness', measure: 'equal-opportunity', by: 'region', as: 'difference', minRows: 100 },
    formula: 'a gap between groups of rows: [fairness](#fairness)',
  },
  { example: { kind: 'file', name: 'test.auc' }, formula: 'the number of that name in `evaluate.metrics`' },
];

/** The words of a declared kind. `form` is what the model says of it. */
export function declaredRow(
  { example, formula }: (typeof declaredExamples)[number],
  form: ReturnType<typeof formOf>,
): MetricRow {
  const { kind, ...fields } = example;
  const written = Object.entries(fields).map(([name, value]) => `${name}: ${valueText(value)}`);
  const metric = declaredMetric(example);
  const interval =
    kind === 'file' ? 'none: [two numbers](#numbers-of-metrics-files)' : metric === null ? sums : intervalWords(metric);
  return { name: `{${[`kind: ${kind}`, ...written].join(', ')}}`, ...formWords(form), formula, interval };
}

function valueText(value: unknown): string {
  if (typeof value !== 'object' || value === null)
    return typeof value === 'string' && /\W/.test(value) ? `"${value}"` : String(value);
  return `{${Object.entries(value)
    .map(([name, inner]) => `"${name}": ${valueText(inner)}`)
    .join(', ')}}`;
}

function formWords(form: Pick<ReturnType<typeof formOf>, 'tasks' | 'needs' | 'direction' | 'probabilities'>) {
  const { tasks, needs, direction, probabilities } = form;
  const columns =
    needs === 'score' ? [...new Set(tasks.map((task) => (task === 'multiclass' ? 'scores' : 'score')))] : [];
  return {
    tasks: tasks.length === 5 ? 'all' : tasks.join(', '),
    needs:
      needs === null
        ? '–'
        : `${(needs === 'score' ? columns : [needs]).map((name) => `\`${name}\``).join(', ')}${probabilities ? ', probabilities' : ''}`,
    better: direction ?? 'as the gate says',
  };
}

const sums = 'bootstrap of sums';

function intervalWords(metric: Metric): string {
  if (metric.kind === 'queries') return 'bootstrap of queries';
  if (metric.kind === 'curve') return metric.area ? 'DeLong' : 'bootstrap of the ranking';
  return metric.proportion === undefined ? sums : 'Tango';
}
