import { permutationTest } from '@passloop/statistics';
import { curveValue, rankedRows } from './curve-metrics.ts';
import { type EvaluationFrame, type Predictions, scoreColumns } from './frame.ts';
import type { Equality, Sides } from './interval.ts';
import type { CurveMetric, RankedRows } from './metric.ts';
import { rankOrder } from './rank-order.ts';
import { unitsOf } from './units.ts';

/** Fewest rounds: a p-value of 0.005 can be told. */
const fewestRounds = 199;

/**
 * Whether the rankings differ at all: rows, or all rows of a unit, change sides by their ranks.
 * @param options.steps rows times rounds, about: more rows have fewer rounds
 */
export function rankEquality(
  metric: CurveMetric,
  frame: EvaluationFrame,
  sides: Sides,
  { seed, rounds: asked, steps }: { seed: bigint; rounds: number; steps: number },
): Equality {
  const { rows, weights } = frame;
  const units = unitsOf(frame);
  const rankings = exchangeableRows(frame, sides.production, sides.candidate);
  // Two models walk along both models' rows.
  const rounds = Math.min(asked, Math.max(fewestRounds, Math.floor(steps / (4 * rows * rankings.length))));
  const weighed = { production: new Float64Array(2 * rows), candidate: new Float64Array(2 * rows) };
  function deltaOf(swapped: Uint8Array): number {
    let delta = 0;
    for (const ranked of rankings) {
      for (let at = 0; at < 2 * rows; at += 1) {
        const isOfCandidate = ranked.rows[at]! >= rows ? 1 : 0;
        const row = ranked.rows[at]! - isOfCandidate * rows;
        const weight = weights === null ? 1 : weights[row]!;
        const counts = isOfCandidate ^ swapped[units.of[row]!]!;
        weighed.candidate[at] = weight * counts;
        weighed.production[at] = weight * (1 - counts);
      }
      delta += curveValue(metric, ranked, weighed.candidate) - curveValue(metric, ranked, weighed.production);
    }
    return delta / rankings.length;
  }
  const { pValue } = permutationTest({ cells: units.count, deltaOf, rounds, seed });
  return { test: `paired permutation of ranks (${frame.units === null ? 'rows' : 'units'})`, pValue };
}

/**
 * Both models' rows in one ranking, production's first, by their ranks within their own model: scores of two scales could
 * not change sides, ranks can (Venkatraman & Begg 1996, "A distribution-free procedure for comparing receiver operating
 * characteristic curves from a paired experiment", Biometrika 83:835).
 */
function exchangeableRows(frame: EvaluationFrame, production: Predictions, candidate: Predictions): RankedRows[] {
  const both = (left: Float64Array, right: Float64Array) => {
    const joined = new Float64Array(2 * frame.rows);
    joined.set(left);
    joined.set(right, frame.rows);
    return joined;
  };
  const ranks = scoreColumns(candidate).map((column, at) =>
    both(midranks(scoreColumns(production)[at]!), midranks(column)),
  );
  const labels = both(frame.labels, frame.labels);
  const { task } = frame;
  return rankedRows(
    { labels, task },
    task === 'multiclass' ? { score: null, scores: ranks } : { score: ranks[0]!, scores: null },
  );
}

function midranks(scores: Float64Array): Float64Array {
  const order = rankOrder(scores);
  const ranks = new Float64Array(scores.length);
  for (let start = 0; start < order.length; ) {
    let end = start + 1;
    while (end < order.length && scores[order[end]!] === scores[order[start]!]) end += 1;
    for (let at = start; at < end; at += 1) ranks[order[at]!] = (start + end - 1) / 2;
    start = end;
  }
  return ranks;
}
