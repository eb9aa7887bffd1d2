import { type CatalogMetric, metricCatalog } from '@passloop/model';
import type { EvaluationFrame, Predictions } from './frame.ts';
import type { CurveMetric, LaneWeights, RankedRows } from './metric.ts';
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
  const lane = (): LaneWeights => ({ positives: new Float64Array(1), negatives: new Float64Array(1) });
  const [above, moved, all] = [lane(), lane(), lane()];
  for (let at = 0; at < positive.length; at += 1) {
    if (positive[at] === 1) all.positives[0]! += weights[at]!;
    else all.negatives[0]! += weights[at]!;
  }
  const found = new Float64Array(1);
  let [positives, negatives] = [0, 0];
  for (let at = 0; at < positive.length; at += 1) {
    const weight = weights[at]!;
    if (positive[at] === 1) positives += weight;
    else negatives += weight;
    if (last[at] === 0) continue;
    above.positives[0]! += positives;
    above.negatives[0]! += negatives;
    moved.positives[0] = positives;
    moved.negatives[0] = negatives;
    metric.step(found, above, moved, all);
    [positives, negatives] = [0, 0];
  }
  return metric.of(found[0]!, all.positives[0]!, all.negatives[0]!);
}

/** The share of pairs in the right order, ties counted half. */
const area: CurveForm = {
  step(wins, above, moved) {
    const lost = moved.negatives;
    for (let lane = 0; lane < wins.length; lane += 1) {
      wins[lane]! += lost[lane]! * (above.positives[lane]! - moved.positives[lane]! / 2);
    }
  },
  of: (wins, positives, negatives) => wins / (positives * negatives),
};

/** Σ (recall − recall before) · precision over the thresholds: no interpolation. */
const averagePrecision: CurveForm = {
  step(total, above, moved) {
    const [positives, negatives, won] = [above.positives, above.negatives, moved.positives];
    for (let lane = 0; lane < total.length; lane += 1) {
      if (won[lane]! > 0) total[lane]! += (won[lane]! * positives[lane]!) / (positives[lane]! + negatives[lane]!);
    }
  },
  of: (total, positives) => total / positives,
};

/** One-sided: a score that ranks the classes the wrong way round gets 0, not its mirror's value. */
const largestGap: CurveForm = {
  step(largest, above, moved, all) {
    for (let lane = 0; lane < largest.length; lane += 1) {
      // Only positives raise it.
      if (!(moved.positives[lane]! > 0)) continue;
      const gap = above.positives[lane]! / all.positives[lane]! - above.negatives[lane]! / all.negatives[lane]!;
      if (!(gap <= largest[lane]!)) largest[lane] = gap;
    }
  },
  of: (largest, positives, negatives) => (positives === 0 || negatives === 0 ? Number.NaN : largest),
};

/** The largest recall of a threshold whose precision is at least this; 0 where none is. */
export function recallAtPrecision(precision: number): CurveMetric {
  return {
    kind: 'curve',
    tasks: ['binary'],
    needs: 'score',
    direction: 'higher',
    step(best, { positives, negatives }, moved) {
      for (let lane = 0; lane < best.length; lane += 1) {
        // Positives above a threshold only grow: the last that is precise enough is the best.
        if (!(moved.positives[lane]! > 0)) continue;
        if (positives[lane]! / (positives[lane]! + negatives[lane]!) >= precision) best[lane] = positives[lane]!;
      }
    },
    of: (best, positives) => best / positives,
  };
}

export const curveMetrics: Record<string, CurveMetric> = {
  roc_auc: { ...form('roc_auc'), kind: 'curve', area: true, ...area },
  roc_auc_ovr: { ...form('roc_auc_ovr'), kind: 'curve', ...area },
  pr_auc: { ...form('pr_auc'), kind: 'curve', ...averagePrecision },
  ks: { ...form('ks'), kind: 'curve', ...largestGap },
};
