import { type CatalogMetric, metricCatalog } from '@passloop/model';
import type { EvaluationFrame, Predictions } from './frame.ts';
import type { CurveMetric, RankedRows } from './metric.ts';
import { rankOrder } from './rank-order.ts';

/** Metrics of a binary score at all its thresholds; equal scores are one threshold. */

function form(name: string): Omit<CatalogMetric, 'formula' | 'needs'> & { needs: 'score' } {
  return metricCatalog[name] as CatalogMetric & { needs: 'score' };
}

/** Ranks the rows from the highest score to the lowest: once, or once a class for a multiclass model. */
export function rankedRows({ labels, task }: EvaluationFrame, { score, scores }: Predictions): RankedRows[] {
  const columns = task === 'multiclass' ? scores : score === null ? null : [score];
  if (columns === null) throw new RangeError('no score column');
  return columns.map((column, code) => {
    const rows = rankOrder(column).slice().reverse();
    const wanted = task === 'multiclass' ? code : 1;
    const positive = Uint8Array.from(rows, (row) => (labels[row] === wanted ? 1 : 0));
    const last = Uint8Array.from(rows, (row, at) =>
      at + 1 < rows.length && column[rows[at + 1]!] === column[row] ? 0 : 1,
    );
    return { rows, positive, last };
  });
}

/** Walks the thresholds; `visit` gets the weights of positives and negatives above each one and those just added. */
function walk(
  { positive, last }: RankedRows,
  weights: Float64Array,
  visit: (positives: number, negatives: number, moved: { positives: number; negatives: number }) => void,
): void {
  let positives = 0;
  let negatives = 0;
  const moved = { positives: 0, negatives: 0 };
  for (let at = 0; at < positive.length; at += 1) {
    const weight = weights[at]!;
    if (positive[at] === 1) moved.positives += weight;
    else moved.negatives += weight;
    if (last[at] === 0) continue;
    positives += moved.positives;
    negatives += moved.negatives;
    visit(positives, negatives, moved);
    moved.positives = 0;
    moved.negatives = 0;
  }
}

function totals({ positive }: RankedRows, weights: Float64Array): { positives: number; negatives: number } {
  let positives = 0;
  let negatives = 0;
  for (let at = 0; at < positive.length; at += 1) {
    if (positive[at] === 1) positives += weights[at]!;
    else negatives += weights[at]!;
  }
  return { positives, negatives };
}

/** The share of pairs in the right order, ties counted half. */
function area(ranked: RankedRows, weights: Float64Array): number {
  let wins = 0;
  let positives = 0;
  let negatives = 0;
  walk(ranked, weights, (above, below, moved) => {
    wins += moved.negatives * (above - moved.positives / 2);
    positives = above;
    negatives = below;
  });
  return wins / (positives * negatives);
}

/** Σ (recall − recall before) · precision over the thresholds: no interpolation. */
function averagePrecision(ranked: RankedRows, weights: Float64Array): number {
  let total = 0;
  let all = 0;
  walk(ranked, weights, (positives, negatives, moved) => {
    if (moved.positives > 0) total += (moved.positives * positives) / (positives + negatives);
    all = positives;
  });
  return total / all;
}

/** One-sided: a score that ranks the classes the wrong way round gets 0, not its mirror's value. */
function largestGap(ranked: RankedRows, weights: Float64Array): number {
  const all = totals(ranked, weights);
  if (all.positives === 0 || all.negatives === 0) return Number.NaN;
  let largest = 0;
  walk(ranked, weights, (positives, negatives) => {
    largest = Math.max(largest, positives / all.positives - negatives / all.negatives);
  });
  return largest;
}

/** The largest recall of a threshold whose precision is at least this; 0 where none is. */
export function recallAtPrecision(precision: number): CurveMetric {
  return {
    kind: 'curve',
    tasks: ['binary'],
    needs: 'score',
    direction: 'higher',
    of(ranked, weights) {
      let best = 0;
      let all = 0;
      walk(ranked, weights, (positives, negatives) => {
        if (positives / (positives + negatives) >= precision) best = Math.max(best, positives);
        all = positives;
      });
      return best / all;
    },
  };
}

export const curveMetrics: Record<string, CurveMetric> = {
  roc_auc: { ...form('roc_auc'), kind: 'curve', area: true, of: area },
  roc_auc_ovr: { ...form('roc_auc_ovr'), kind: 'curve', of: area },
  pr_auc: { ...form('pr_auc'), kind: 'curve', of: averagePrecision },
  ks: { ...form('ks'), kind: 'curve', of: largestGap },
};
