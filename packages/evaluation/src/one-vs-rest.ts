import { toDecimal } from '@passloop/core';
import { rocSteps } from '@passloop/documents';
import type { EvaluationFrame } from './frame.ts';
import { thresholdCurve } from './threshold-curve.ts';

/**
 * The ROC curve of each of some classes against all others: the recall at evenly spaced false positive rates, straight
 * between the points of its {@link thresholdCurve}. Null for a class that has none.
 *
 * @param codes of the classes
 */
export function oneVsRest(
  { labels }: Pick<EvaluationFrame, 'labels'>,
  scores: readonly Float64Array[],
  codes: readonly number[],
): (string[] | null)[] {
  return codes.map((code) => {
    const own = labels.map((label) => (label === code ? 1 : 0));
    const curve = thresholdCurve(own, scores[code]!);
    if (curve === null) return null;
    const { truePositives, falsePositives } = curve;
    const [positives, negatives] = [truePositives.at(-1)!, falsePositives.at(-1)!];
    const points = [0, ...falsePositives].map((count, at) => ({
      x: count / negatives,
      y: at === 0 ? 0 : truePositives[at - 1]! / positives,
    }));
    return Array.from({ length: rocSteps + 1 }, (_, step) => toDecimal(recallAt(points, step / rocSteps)));
  });
}

/** The highest recall at a rate, between the nearest points of a rising curve. */
function recallAt(points: readonly { x: number; y: number }[], rate: number): number {
  const after = points.findIndex(({ x }) => x > rate);
  const right = points[after < 0 ? points.length - 1 : after]!;
  const left = points[after < 0 ? points.length - 1 : after - 1]!;
  return right.x > left.x ? left.y + ((right.y - left.y) * (rate - left.x)) / (right.x - left.x) : left.y;
}
