import { type CatalogMetric, metricCatalog } from '@passloop/model';
import { quoteDouble } from '@passloop/tables';
import type { EvaluationFrame, Predictions } from './frame.ts';
import { type AddRow, perRow, type RowSql, type SummedMetric } from './metric.ts';
import { rankOrder } from './rank-order.ts';

/** Metrics of probabilities. */

function form(name: string): Omit<CatalogMetric, 'formula'> {
  return metricCatalog[name] as CatalogMetric;
}

/** scikit-learn clips probabilities at the resolution of the float type before the logarithm (`log_loss`). */
const smallest = Number.EPSILON;

function clipped(probability: number): number {
  return Math.min(1 - smallest, Math.max(smallest, probability));
}

function logLoss(label: number, score: number): number {
  const probability = clipped(score);
  return label === 1 ? -Math.log(probability) : -Math.log1p(-probability);
}

type RowLoss = (frame: EvaluationFrame, side: Predictions) => (row: number) => number;

/** The mean of a loss: [weight, weighted loss]. */
function meanLoss(name: string, lossOf: RowLoss, sql: (row: RowSql) => string): SummedMetric {
  return {
    ...form(name),
    kind: 'sums',
    width: () => 2,
    adder(frame, side): AddRow {
      const { weights } = frame;
      const loss = lossOf(frame, side);
      return (into, at, row) => {
        const weight = weights === null ? 1 : weights[row]!;
        into[at]! += weight;
        into[at + 1]! += weight * loss(row);
      };
    },
    sql: (row) => [row.weight, `${row.weight} * (${sql(row)})`],
    of: (sums) => sums[1]! / sums[0]!,
  };
}

const ofLog: RowLoss = ({ labels, task }, { score, scores }) => {
  if (task === 'multiclass') return (row) => -Math.log(clipped(scores![labels[row]!]![row]!));
  return (row) => logLoss(labels[row]!, score![row]!);
};

/** The engine has no log1p: log(1 − p) from the rounded u = 1 − p, the error of the rounding taken out again (Kahan). */
function logSql({ label, score, scores }: RowSql): string {
  const clip = (p: string) => `greatest(least(${p}, ${quoteDouble(1 - smallest)}), ${quoteDouble(smallest)})`;
  if (scores !== null) {
    return `-ln(${clip(`CASE ${label} ${scores.map((p, code) => `WHEN ${code} THEN ${p}`).join(' ')} END`)})`;
  }
  const p = clip(score!);
  const u = `(1.0::DOUBLE - ${p})`;
  return `CASE WHEN ${label} = 1 THEN -ln(${p}) WHEN ${u} = 1 THEN ${p} ELSE ln(${u}) * ${p} / (${u} - 1) END`;
}

function brierSql({ label, score, scores }: RowSql): string {
  const square = (difference: string) => `(${difference}) * (${difference})`;
  if (scores === null) return square(`${label} - ${score}`);
  return scores.map((p, code) => square(`${p} - CASE WHEN ${label} = ${code} THEN 1 ELSE 0 END`)).join(' + ');
}

const ofBrier: RowLoss = ({ labels, task }, { score, scores }) => {
  if (task !== 'multiclass') return (row) => (labels[row]! - score![row]!) ** 2;
  return (row) => {
    let total = 0;
    for (const [code, column] of scores!.entries()) total += (column[row]! - (labels[row] === code ? 1 : 0)) ** 2;
    return total;
  };
};

/**
 * The expected calibration error: [weight, Σ probability, positives] a bin. With fixed edges it is a function of sums;
 * `quantile` takes the edges from the model's own scores on these rows, before anything is resampled.
 */
export function calibrationError(bins: number, strategy: 'uniform' | 'quantile' = 'uniform'): SummedMetric {
  return {
    ...form('calibration_error'),
    kind: 'sums',
    width: () => 3 * bins,
    adder(frame, side) {
      const edges = strategy === 'uniform' ? uniformEdges(bins) : quantileEdges(bins, side.score as Float64Array);
      return perRow('score', (into, at, label, score, weight) => {
        const bin = at + 3 * lowerBound(edges, score);
        into[bin]! += weight;
        into[bin + 1]! += weight * score;
        into[bin + 2]! += weight * label;
      })(frame, side);
    },
    // Quantiles of a slice's own scores would be another pass over the rows for each slice.
    ...(strategy === 'uniform' ? { sql: (row: RowSql) => binSql(row, uniformEdges(bins)) } : {}),
    of(sums) {
      let total = 0;
      let away = 0;
      for (let bin = 0; bin < sums.length; bin += 3) {
        total += sums[bin]!;
        away += Math.abs(sums[bin + 1]! - sums[bin + 2]!);
      }
      return away / total;
    },
  };
}

function binSql({ label, score, weight }: RowSql, edges: Float64Array): string[] {
  return Array.from({ length: edges.length + 1 }, (_, bin) => {
    const above = bin === 0 ? [] : [`${score} > ${quoteDouble(edges[bin - 1]!)}`];
    const upTo = bin === edges.length ? [] : [`${score} <= ${quoteDouble(edges[bin]!)}`];
    const inside = [...above, ...upTo, 'true'].join(' AND ');
    return ['1', score, label].map((term) => `CASE WHEN ${inside} THEN ${weight} * ${term} ELSE 0 END`);
  }).flat();
}

/** The inner edges as `numpy.linspace(0, 1, bins + 1)` has them. */
function uniformEdges(bins: number): Float64Array {
  return Float64Array.from({ length: bins - 1 }, (_, i) => (i + 1) * (1 / bins));
}

/** The inner edges as `numpy.percentile(scores, linspace(0, 1, bins + 1) * 100)` has them (linear interpolation). */
function quantileEdges(bins: number, scores: Float64Array): Float64Array {
  const order = rankOrder(scores);
  const at = (index: number) => scores[order[Math.min(index, scores.length - 1)]!]!;
  return Float64Array.from({ length: bins - 1 }, (_, i) => {
    const position = (((i + 1) * (1 / bins) * 100) / 100) * (scores.length - 1);
    const below = Math.floor(position);
    const share = position - below;
    const low = at(below);
    const high = at(below + 1);
    // As NumPy interpolates: from the nearer end, so that a score that ties with an edge stays in its bin.
    return share >= 0.5 ? high - (high - low) * (1 - share) : low + (high - low) * share;
  });
}

/** The first edge that is not below the value: bins are (low, high]. */
function lowerBound(edges: Float64Array, value: number): number {
  let low = 0;
  let high = edges.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (edges[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

export const scoreMetrics: Record<string, SummedMetric> = {
  log_loss: meanLoss('log_loss', ofLog, logSql),
  brier: meanLoss('brier', ofBrier, brierSql),
  calibration_error: calibrationError(10),
};
