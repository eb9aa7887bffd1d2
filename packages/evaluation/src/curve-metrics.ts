import { type CatalogMetric, metricCatalog } from '@passloop/model';
import type { EvaluationFrame, Predictions } from './frame.ts';
import type { CurveMetric, RankedRows } from './metric.ts';
import { rankOrder } from './rank-order.ts';

/** Metrics of a binary score at all its thresholds; equal scores are one threshold. */

function form(name: string): Omit<CatalogMetric, 'formula' | 'needs'> & { needs: 'score' } {
  return metricCatalog[name] as CatalogMetric & { needs: 'score' };
}

type CurveForm = Pick<CurveMetric, 'step' | 'stepLanes' | 'of'>;

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
export function curveValue({ step, of }: CurveMetric, { positive, last }: RankedRows, weights: Float64Array): number {
  let [allPositives, allNegatives] = [0, 0];
  for (let at = 0; at < positive.length; at += 1) {
    if (positive[at] === 1) allPositives += weights[at]!;
    else allNegatives += weights[at]!;
  }
  let [found, positivesAbove, negativesAbove, positives, negatives] = [0, 0, 0, 0, 0];
  for (let at = 0; at < positive.length; at += 1) {
    const weight = weights[at]!;
    if (positive[at] === 1) positives += weight;
    else negatives += weight;
    if (last[at] === 0) continue;
    positivesAbove += positives;
    negativesAbove += negatives;
    found = step(found, positivesAbove, negativesAbove, positives, negatives, allPositives, allNegatives);
    positives = 0;
    negatives = 0;
  }
  return of(found, allPositives, allNegatives);
}

/** The share of pairs in the right order, ties counted half. */
const area: CurveForm = {
  step: (wins, positivesAbove, _, positives, negatives) => wins + negatives * (positivesAbove - positives / 2),
  stepLanes(wins, above, moved) {
    for (let lane = 0; lane < wins.length; lane += 1) {
      wins[lane]! += moved.negatives[lane]! * (above.positives[lane]! - moved.positives[lane]! / 2);
    }
  },
  of: (wins, allPositives, allNegatives) => wins / (allPositives * allNegatives),
};

/** Σ (recall − recall before) · precision over the thresholds: no interpolation. */
const averagePrecision: CurveForm = {
  step: (total, positivesAbove, negativesAbove, positives) =>
    positives > 0 ? total + (positives * positivesAbove) / (positivesAbove + negativesAbove) : total,
  stepLanes(total, { positives, negatives }, moved) {
    const won = moved.positives;
    for (let lane = 0; lane < total.length; lane += 1) {
      if (won[lane]! > 0) total[lane]! += (won[lane]! * positives[lane]!) / (positives[lane]! + negatives[lane]!);
    }
  },
  of: (total, allPositives) => total / allPositives,
};

/** One-sided: a score that ranks the classes the wrong way round gets 0, not its mirror's value. */
const largestGap: CurveForm = {
  step: (largest, positivesAbove, negativesAbove, positives, _, allPositives, allNegatives) =>
    // Only positives raise it.
    positives > 0 ? Math.max(largest, positivesAbove / allPositives - negativesAbove / allNegatives) : largest,
  stepLanes(largest, above, moved, all) {
    for (let lane = 0; lane < largest.length; lane += 1) {
      if (!(moved.positives[lane]! > 0)) continue;
      const gap = above.positives[lane]! / all.positives[lane]! - above.negatives[lane]! / all.negatives[lane]!;
      if (!(gap <= largest[lane]!)) largest[lane] = gap;
    }
  },
  of: (largest, allPositives, allNegatives) => (allPositives === 0 || allNegatives === 0 ? Number.NaN : largest),
};

/** The largest recall of a threshold whose precision is at least this; 0 where none is. */
export function recallAtPrecision(precision: number): CurveMetric {
  return {
    kind: 'curve',
    tasks: ['binary'],
    needs: 'score',
    direction: 'higher',
    step: (best, positivesAbove, negativesAbove) =>
      positivesAbove / (positivesAbove + negativesAbove) >= precision ? positivesAbove : best,
    stepLanes(best, { positives, negatives }) {
      for (let lane = 0; lane < best.length; lane += 1) {
        if (positives[lane]! / (positives[lane]! + negatives[lane]!) >= precision) best[lane] = positives[lane]!;
      }
    },
    of: (best, allPositives) => best / allPositives,
  };
}

export const curveMetrics: Record<string, CurveMetric> = {
  roc_auc: { ...form('roc_auc'), kind: 'curve', area: true, ...area },
  roc_auc_ovr: { ...form('roc_auc_ovr'), kind: 'curve', ...area },
  pr_auc: { ...form('pr_auc'), kind: 'curve', ...averagePrecision },
  ks: { ...form('ks'), kind: 'curve', ...largestGap },
};
