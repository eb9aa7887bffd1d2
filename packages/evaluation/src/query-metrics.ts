import { type CatalogMetric, metricCatalog } from '@passloop/model';
import { ascendingIndices } from '@passloop/statistics';
import type { QueryMetric } from './metric.ts';

/**
 * Metrics of a ranking, query by query. Rows with equal scores have no order: a metric is the mean over all their orders
 * (McSherry & Najork 2008, "Computing information retrieval performance measures efficiently in the presence of tied
 * scores"), so that nothing is gained by ties or by the order of the file. A label above 0 is relevant; a query without a
 * relevant row has no value and is left out.
 */

function form(name: string): Omit<CatalogMetric, 'formula' | 'needs'> & { needs: 'score' } {
  return metricCatalog[name] as CatalogMetric & { needs: 'score' };
}

/** Rows of one score: how many stand before them, how many they are, and how many of them are relevant. */
type Tie = { before: number; rows: number; relevant: number; gain: number };

function tiesOf(labels: Float64Array, scores: Float64Array, gainOf: (label: number) => number): Tie[] {
  const order = ascendingIndices(scores).reverse();
  const ties: Tie[] = [];
  let tie: Tie | null = null;
  for (const [at, row] of order.entries()) {
    if (tie === null || scores[row] !== scores[order[at - 1]!]) {
      tie = { before: at, rows: 0, relevant: 0, gain: 0 };
      ties.push(tie);
    }
    tie.rows += 1;
    tie.relevant += labels[row]! > 0 ? 1 : 0;
    tie.gain += gainOf(labels[row]!);
  }
  return ties;
}

function relevantOf(labels: Float64Array): number {
  return labels.reduce((count, label) => count + (label > 0 ? 1 : 0), 0);
}

const gains = { linear: (label: number) => label, exponential: (label: number) => 2 ** label - 1 } as const;

export function ndcg(k: number | null, gain: keyof typeof gains = 'linear'): QueryMetric {
  const cut = k ?? Number.POSITIVE_INFINITY;
  const discount = (rank: number) => (rank > cut ? 0 : 1 / Math.log2(rank + 1));
  return {
    ...form('ndcg'),
    kind: 'queries',
    valueOf(labels, scores) {
      let found = 0;
      for (const tie of tiesOf(labels, scores, gains[gain])) {
        let discounts = 0;
        for (let i = 1; i <= tie.rows && tie.before + i <= cut; i += 1) discounts += discount(tie.before + i);
        found += (tie.gain / tie.rows) * discounts;
      }
      const best = Float64Array.from(labels, gains[gain]).sort().reverse();
      const ideal = best.reduce((total, value, at) => total + value * discount(at + 1), 0);
      return ideal > 0 ? found / ideal : Number.NaN;
    },
  };
}

/** The precision at each relevant row up to rank k, over the relevant rows that could stand there: min(relevant, k). */
export function meanAveragePrecision(k: number | null): QueryMetric {
  const cut = k ?? Number.POSITIVE_INFINITY;
  return {
    ...form('map'),
    kind: 'queries',
    valueOf(labels, scores) {
      let total = 0;
      let above = 0;
      for (const { before, rows, relevant } of tiesOf(labels, scores, gains.linear)) {
        // Of the tie's other relevant rows, each stands before this rank in (i − 1) of (rows − 1) orders.
        const others = rows > 1 ? (relevant - 1) / (rows - 1) : 0;
        for (let i = 1; relevant > 0 && i <= rows && before + i <= cut; i += 1)
          total += ((relevant / rows) * (above + 1 + (i - 1) * others)) / (before + i);
        above += relevant;
      }
      return total / Math.min(above, cut);
    },
  };
}

export function meanReciprocalRank(k: number | null): QueryMetric {
  const cut = k ?? Number.POSITIVE_INFINITY;
  return {
    ...form('mrr'),
    kind: 'queries',
    valueOf(labels, scores) {
      const first = tiesOf(labels, scores, gains.linear).find(({ relevant }) => relevant > 0);
      if (first === undefined) return Number.NaN;
      const { before, rows, relevant } = first;
      let total = 0;
      // The chance that no relevant row stands at the ranks before this one, within the tie.
      let none = 1;
      for (let i = 1; i <= rows - relevant + 1 && before + i <= cut; i += 1) {
        const here = relevant / (rows - i + 1);
        total += (none * here) / (before + i);
        none *= 1 - here;
      }
      return total;
    },
  };
}

export function recallAtK(k: number): QueryMetric {
  return {
    ...form('map'),
    kind: 'queries',
    valueOf(labels, scores) {
      let found = 0;
      for (const { before, rows, relevant } of tiesOf(labels, scores, gains.linear))
        found += relevant * (Math.min(Math.max(k - before, 0), rows) / rows);
      return found / relevantOf(labels);
    },
  };
}

export const queryMetrics: Record<string, QueryMetric> = {
  ndcg: ndcg(null),
  map: meanAveragePrecision(null),
  mrr: meanReciprocalRank(null),
};
