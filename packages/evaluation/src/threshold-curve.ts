import { toDecimal } from '@passloop/core';
import { curvePoints, type ThresholdCurve } from '@passloop/documents';
import { rankOrder } from './rank-order.ts';

/** A point of a curve stands for so many rows at least: a smaller group would nearly be the row. */
export const fewestRows = 10;
/** Scores of each class that are looked at as thresholds. */
const mostPossible = 2048;

/**
 * Rows of each class at falling thresholds. Of all thresholds those stay that lie a hundredth apart in the two rates
 * together, and end a group of at least {@link fewestRows} rows. Of very many scores only some thousands are looked at as
 * thresholds; the counts are of all rows.
 *
 * @param labels 1 for the positive class, 0 for the other
 * @returns null for one class only, or fewer rows than make a group
 */
export function thresholdCurve(labels: Float64Array, scores: Float64Array): ThresholdCurve | null {
  const possible = possibleThresholds(labels, scores);
  const order = rankOrder(scores);
  const positivesAt = new Float64Array(possible.length);
  const negativesAt = new Float64Array(possible.length);
  let positives = 0;
  let place = 0;
  for (let at = 0; at < order.length; at += 1) {
    const row = order[at]!;
    // The largest threshold that the score reaches: the lowest score is one, so that each reaches some.
    while (place + 1 < possible.length && possible[place + 1]! <= scores[row]!) place += 1;
    if (labels[row] === 1) {
      positives += 1;
      positivesAt[place]! += 1;
    } else negativesAt[place]! += 1;
  }
  const negatives = scores.length - positives;
  if (positives === 0 || negatives === 0 || scores.length < fewestRows) return null;
  const points: { threshold: number; tp: number; fp: number }[] = [];
  // The rates gain 2 in all: so far apart, with the last point, there are at most as many as a curve may have.
  const apart = 2 / (curvePoints - 2);
  let tp = 0;
  let fp = 0;
  let [lastTp, lastFp] = [0, 0];
  for (let place = possible.length - 1; place >= 0; place -= 1) {
    tp += positivesAt[place] as number;
    fp += negativesAt[place] as number;
    const gain = (tp - lastTp) / positives + (fp - lastFp) / negatives;
    if (gain < apart || tp - lastTp + fp - lastFp < fewestRows) continue;
    points.push({ threshold: possible[place] as number, tp, fp });
    [lastTp, lastFp] = [tp, fp];
  }
  const rest = tp - lastTp + fp - lastFp;
  if (rest > 0) {
    if (rest < fewestRows) points.pop();
    points.push({ threshold: possible[0] as number, tp, fp });
  }
  return {
    thresholds: points.map((point) => toDecimal(point.threshold)),
    truePositives: points.map((point) => point.tp),
    falsePositives: points.map((point) => point.fp),
  };
}

/** All scores, or so many of each class, evenly taken in the order of the rows; the lowest of all is among them. Ascending. */
function possibleThresholds(labels: Float64Array, scores: Float64Array): Float64Array {
  const byClass: number[] = [0, 0];
  for (let row = 0; row < labels.length; row += 1) byClass[labels[row] === 1 ? 1 : 0]! += 1;
  const every = byClass.map((rows) => Math.max(1, Math.ceil(rows / mostPossible)));
  const left = [1, 1];
  const found: number[] = [];
  let lowest = Number.POSITIVE_INFINITY;
  for (let row = 0; row < scores.length; row += 1) {
    const kind = labels[row] === 1 ? 1 : 0;
    const score = scores[row] as number;
    if (score < lowest) lowest = score;
    left[kind]! -= 1;
    if (left[kind]! > 0) continue;
    found.push(score);
    left[kind] = every[kind]!;
  }
  found.push(lowest);
  const ascending = Float64Array.from(found).sort();
  return ascending.filter((value, i) => i === 0 || value !== ascending[i - 1]);
}
