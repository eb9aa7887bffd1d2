import { type CatalogMetric, metricCatalog } from '@passloop/model';
import type { EvaluationFrame, Predictions } from './frame.ts';
import type { ClassWeights, CurveMetric, RankedRows } from './metric.ts';
import { rankOrder } from './rank-order.ts';

/** Metrics of a binary score at all its thresholds; equal scores are one threshold. */

function form(name: string): Omit<CatalogMetric, 'formula' | 'needs'> & { needs: 'score' } {
  return metricCatalog[name] as CatalogMetric & { needs: 'score' };
}

type CurveForm = Pick<CurveMetric, 'step' | 'of'>;

/** Ranks the rows from the highest score to the lowest: once, or once a class for a multiclass model. */
export function rankedRows(
  { labels, task }: Pick<EvaluationFrame, 'labels' | 'task'>,
  { score, scores }: Pick<Predictions, 'score' | 'scores'>,
): RankedRows[] {
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

/** One walk along the thresholds. @param weights of the rows, in the order of `ranked`. NaN where it is undefined. */
export function curveValue(metric: CurveMetric, { positive, last }: RankedRows, weights: Float64Array): number {
  const all: ClassWeights = { positives: 0, negatives: 0 };
  for (let at = 0; at < positive.length; at += 1) {
    if (positive[at] === 1) all.positives += weights[at]!;
    else all.negatives += weights[at]!;
  }
  const above: ClassWeights = { positives: 0, negatives: 0 };
  const moved: ClassWeights = { positives: 0, negatives: 0 };
  let found = 0;
  for (let at = 0; at < positive.length; at += 1) {
    const weight = weights[at]!;
    if (positive[at] === 1) moved.positives += weight;
    else moved.negatives += weight;
    if (last[at] === 0) continue;
    above.positives += moved.positives;
    above.negatives += moved.negatives;
    found = metric.step(found, above, moved, all);
    moved.positives = 0;
    moved.negatives = 0;
  }
  return metric.of(found, all);
}

/** The share of pairs in the right order, ties counted half. */
const area: CurveForm = {
  step: (wins, above, moved) => wins + moved.negatives * (above.positives - moved.positives / 2),
  of: (wins, all) => wins / (all.positives * all.negatives),
};

/** Σ (recall − recall before) · precision over the thresholds: no interpolation. */
const averagePrecision: CurveForm = {
  step: (total, above, moved) =>
    moved.positives > 0 ? total + (moved.positives * above.positives) / (above.positives + above.negatives) : total,
  of: (total, all) => total / all.positives,
};

/** One-sided: a score that ranks the classes the wrong way round gets 0, not its mirror's value. */
const largestGap: CurveForm = {
  step: (largest, above, _, all) =>
    Math.max(largest, above.positives / all.positives - above.negatives / all.negatives),
  of: (largest, all) => (all.positives === 0 || all.negatives === 0 ? Number.NaN : largest),
};

/** The largest recall of a threshold whose precision is at least this; 0 where none is. */
export function recallAtPrecision(precision: number): CurveMetric {
  return {
    kind: 'curve',
    tasks: ['binary'],
    needs: 'score',
    direction: 'higher',
    step: (best, above) =>
      above.positives / (above.positives + above.negatives) >= precision ? Math.max(best, above.positives) : best,
    of: (best, all) => best / all.positives,
  };
}

export const curveMetrics: Record<string, CurveMetric> = {
  roc_auc: { ...form('roc_auc'), kind: 'curve', area: true, ...area },
  roc_auc_ovr: { ...form('roc_auc_ovr'), kind: 'curve', ...area },
  pr_auc: { ...form('pr_auc'), kind: 'curve', ...averagePrecision },
  ks: { ...form('ks'), kind: 'curve', ...largestGap },
};
