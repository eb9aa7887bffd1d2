import { type DeclaredMetric, imageMetrics, metricCatalog, type NamedParameter, namedParameter } from '@passloop/model';
import { areaUnderRoc } from '@passloop/statistics';
import { classMetrics, costMetric } from './class-metrics.ts';
import { curveMetrics, curveValue, rankedRows, recallAtPrecision } from './curve-metrics.ts';
import { fairnessMetric } from './fairness.ts';
import type { EvaluationFrame, Predictions } from './frame.ts';
import { type CurveMetric, type Metric, type QueryMetric, sumsOf } from './metric.ts';
import { numberMetrics, pinball } from './number-metrics.ts';
import { meanAveragePrecision, meanReciprocalRank, ndcg, queryMetrics, recallAtK } from './query-metrics.ts';
import { rankOrder } from './rank-order.ts';
import { calibrationError, scoreMetrics } from './score-metrics.ts';
import { queriesOf } from './units.ts';

const all: Record<string, Metric> = {
  ...curveMetrics,
  ...scoreMetrics,
  ...queryMetrics,
  ...classMetrics,
  ...numberMetrics,
};

/** Every metric that a gate may name as it is, in the catalog's order. Nothing is inherited. */
export const metrics: Readonly<Record<string, Metric>> = Object.assign(
  Object.create(null),
  Object.fromEntries(Object.keys(metricCatalog).map((name) => [name, all[name]])),
);

/** Measured on the image, not on predictions: handed over as numbers, judged by `min` and `max`. */
export const measuredScalars: ReadonlySet<string> = new Set(imageMetrics);

/** A metric of predictions with its parameters; null for what is measured elsewhere (`file`) or made from SQL by the loader. */
export function declaredMetric(declared: DeclaredMetric | NamedParameter): Metric | null {
  switch (declared.kind) {
    case 'calibration-error':
      return calibrationError(declared.bins, declared.strategy);
    case 'recall-at-precision':
      return recallAtPrecision(declared.precision);
    case 'pinball':
      return pinball(declared.quantile, 'column' in declared ? (declared.column ?? null) : null);
    case 'ndcg':
      return ndcg(declared.k ?? null, 'gain' in declared ? declared.gain : 'linear');
    case 'map':
      return meanAveragePrecision(declared.k ?? null);
    case 'mrr':
      return meanReciprocalRank(declared.k ?? null);
    case 'recall-at-k':
      return recallAtK(declared.k);
    case 'cost':
      return costMetric(declared.costs);
    case 'fairness':
      return fairnessMetric(declared);
    case 'sql':
    case 'file':
      return null;
  }
}

/** The metric of a name: one that the frame's model declares, a built-in one, or one with its parameter in its name. */
export function metricNamed(name: string, declared: EvaluationFrame['declared'] = {}): Metric | null {
  if (Object.hasOwn(declared, name)) return declared[name] as Metric;
  const built = metrics[name];
  if (built !== undefined) return built;
  const parameter = namedParameter(name);
  return parameter === null ? null : declaredMetric(parameter);
}

/** One model's value of a metric; NaN where it is undefined on these rows (one class only, no positive prediction). */
export function metricValue(metric: Metric, frame: EvaluationFrame, side: Predictions): number {
  if (metric.kind === 'sums') return metric.of(sumsOf(metric, frame, side), frame.classes.length);
  if (metric.kind === 'queries') return meanOfQueries(metric, frame, side);
  if (metric.area !== true || frame.weights !== null) return meanOfRankings(metric, frame, side);
  if (side.score === null) throw new RangeError('no score column');
  try {
    return areaUnderRoc(frame.labels, side.score, { order: rankOrder });
  } catch {
    return Number.NaN;
  }
}

function meanOfRankings(metric: CurveMetric, frame: EvaluationFrame, side: Predictions): number {
  const { weights } = frame;
  const values = rankedRows(frame, side).map((ranked) =>
    curveValue(
      metric,
      ranked,
      Float64Array.from(ranked.rows, (row) => (weights === null ? 1 : weights[row]!)),
    ),
  );
  return values.reduce((total, value) => total + value, 0) / values.length;
}

function meanOfQueries(metric: QueryMetric, frame: EvaluationFrame, side: Predictions): number {
  const { weight, weighted } = queryValues(metric, frame, side);
  const total = (values: Float64Array) => values.reduce((whole, value) => whole + value, 0);
  return total(weighted) / total(weight);
}

/** Each query's weight and weighted value, in the order of `unitsOf`; 0 and 0 for a query that has no value. */
export function queryValues(
  metric: QueryMetric,
  frame: EvaluationFrame,
  side: Predictions,
): { weight: Float64Array; weighted: Float64Array } {
  const queries = queriesOf(frame);
  const weight = new Float64Array(queries.length);
  const weighted = new Float64Array(queries.length);
  for (const [at, rows] of queries.entries()) {
    const pick = (values: Float64Array) => Float64Array.from(rows, (row) => values[row]!);
    const value = metric.valueOf(pick(frame.labels), pick(side.score as Float64Array));
    if (Number.isNaN(value)) continue;
    weight[at] = frame.weights === null ? 1 : frame.weights[rows[0]!]!;
    weighted[at] = weight[at]! * value;
  }
  return { weight, weighted };
}
