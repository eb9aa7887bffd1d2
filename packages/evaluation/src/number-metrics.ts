import { type CatalogMetric, metricCatalog } from '@passloop/model';
import { quoteDouble } from '@passloop/tables';
import { perRow, type SummedMetric } from './metric.ts';

/** Metrics of predicted numbers. */

function form(name: string): Omit<CatalogMetric, 'formula'> {
  return metricCatalog[name] as CatalogMetric;
}

type Loss = (label: number, value: number) => number;
type LossSql = (y: string, p: string) => string;

/** The mean of a loss: [weight, weighted loss]. `sql` is the loss of the expressions `y` and `p`. */
function meanLoss(name: string, loss: Loss, sql: LossSql, last = (mean: number) => mean): SummedMetric {
  return {
    ...form(name),
    kind: 'sums',
    width: () => 2,
    adder: perRow('prediction', (into, at, label, value, weight) => {
      into[at]! += weight;
      into[at + 1]! += weight * loss(label, value);
    }),
    sql: ({ label, prediction, weight }) => [weight, `${weight} * (${sql(label, prediction as string)})`],
    of: (sums) => last(sums[1]! / sums[0]!),
  };
}

const squared: Loss = (label, value) => (label - value) ** 2;
const squaredSql: LossSql = (y, p) => `(${y} - ${p}) * (${y} - ${p})`;

/** 1 − residual sum of squares / total sum of squares: [n, Σy, Σy², Σ(y−ŷ)²]; undefined for one label only. */
const r2: SummedMetric = {
  ...form('r2'),
  kind: 'sums',
  width: () => 4,
  adder: perRow(
    'prediction',
    (into, at, label, value, weight) => {
      into[at]! += weight;
      into[at + 1]! += weight * label;
      into[at + 2]! += weight * label * label;
      into[at + 3]! += weight * (label - value) ** 2;
    },
    { centered: true },
  ),
  sql: ({ label, prediction, weight, center }) => {
    const y = `(${label} - ${center})`;
    return [weight, `${weight} * ${y}`, `${weight} * ${y} * ${y}`, `${weight} * ${squaredSql(label, prediction!)}`];
  },
  of(sums) {
    const spread = sums[2]! - sums[1]! ** 2 / sums[0]!;
    // A part of one label, far from the mean of all: rounding leaves some units of the last place.
    return spread > 8 * Number.EPSILON * sums[2]! ? 1 - sums[3]! / spread : Number.NaN;
  },
};

export const numberMetrics: Record<string, SummedMetric> = {
  mae: meanLoss(
    'mae',
    (label, value) => Math.abs(label - value),
    (y, p) => `abs(${y} - ${p})`,
  ),
  mse: meanLoss('mse', squared, squaredSql),
  rmse: meanLoss('rmse', squared, squaredSql, Math.sqrt),
  mape: {
    ...meanLoss(
      'mape',
      (label, value) => Math.abs((label - value) / label),
      (y, p) => `abs((${y} - ${p}) / ${y})`,
    ),
    problem: ({ labels }) => (labels.includes(0) ? 'it divides by the label, which is 0 in some rows' : null),
  },
  smape: meanLoss(
    'smape',
    (label, value) => {
      const size = Math.abs(label) + Math.abs(value);
      return size === 0 ? 0 : (2 * Math.abs(label - value)) / size;
    },
    (y, p) => `CASE WHEN ${y} = 0 AND ${p} = 0 THEN 0 ELSE 2 * abs(${y} - ${p}) / (abs(${y}) + abs(${p})) END`,
  ),
  r2,
};

/** The loss that a prediction of the quantile minimizes (scikit-learn `mean_pinball_loss`), of `columns.prediction` or of a column of its own. */
export function pinball(quantile: number, column: string | null): SummedMetric {
  const loss: Loss = (label, value) => (label >= value ? quantile * (label - value) : (1 - quantile) * (value - label));
  const metric = meanLoss('mae', loss, (y, p) => {
    const [under, over] = [quoteDouble(quantile), quoteDouble(1 - quantile)];
    return `CASE WHEN ${y} >= ${p} THEN ${under} * (${y} - ${p}) ELSE ${over} * (${p} - ${y}) END`;
  });
  if (column === null) return metric;
  return {
    ...metric,
    needs: null,
    sql: (row, classes) => metric.sql!({ ...row, prediction: row.named[column] ?? null }, classes),
    adder(frame, side) {
      const prediction = Object.hasOwn(side.named, column) ? side.named[column] : undefined;
      if (prediction === undefined) throw new RangeError(`the predictions have no column ${column}`);
      return metric.adder(frame, { ...side, prediction });
    },
  };
}
