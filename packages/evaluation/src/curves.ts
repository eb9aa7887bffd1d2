import { toDecimal } from '@passloop/core';
import {
  type CalibrationBin,
  type Curves,
  curveClasses,
  curveGroups,
  curvePoints,
  type ResidualGroup,
  type SideCurves,
  type ThresholdCurve,
} from '@passloop/documents';
import type { EvaluationFrame, Predictions } from './frame.ts';
import { rankOrder } from './rank-order.ts';

/** A point of a curve stands for so many rows at least: a smaller group would nearly be the row. */
export const fewestRows = 10;
const calibrationBins = 10;
/** Scores of each class that are looked at as thresholds. */
const mostPossible = 2048;
const longestClass = 256;

/**
 * What a report draws of the models: counts and quantiles over groups of rows, exact at each point that is given. A binary
 * model has rows by threshold and calibration, a classification its confusion matrix, a regression its residuals. Rows are
 * counted, whatever they weigh.
 */
export function curvesOf(frame: EvaluationFrame): Curves {
  const classification = frame.task === 'binary' || frame.task === 'multiclass';
  const shown = shownClasses(frame);
  const residuals = frame.task === 'regression' || frame.task === 'forecast' ? residualsOf(frame) : null;
  function side(predictions: Predictions | null, left: Float64Array | null): SideCurves | null {
    if (predictions === null) return null;
    const score = frame.task === 'binary' ? predictions.score : null;
    return {
      thresholds: score === null ? null : thresholdCurve(frame.labels, score),
      calibration: score === null ? null : calibration(frame.labels, score),
      confusion:
        classification && predictions.prediction !== null
          ? confusion(frame.labels, predictions.prediction, shown)
          : null,
      residuals:
        left === null || residuals === null || predictions.prediction === null
          ? null
          : { counts: histogram(left, residuals.edges), groups: residualGroups(predictions.prediction, left) },
    };
  }
  return {
    classes: classification ? shown.names : [],
    otherClasses: classification ? shown.others : 0,
    residualEdges: (residuals?.edges ?? []).map(toDecimal),
    production: side(frame.production, residuals?.production ?? null),
    candidate: side(frame.candidate, residuals?.candidate ?? null) as SideCurves,
    ...(frame.weights === null ? {} : { weightsIgnored: true }),
  };
}

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

/**
 * Ten bins of equal width over 0 .. 1, closed on the right as scikit-learn's `calibration_curve` has them; those with fewer
 * than {@link fewestRows} rows are left out.
 *
 * @returns null where a score is no probability
 */
export function calibration(labels: Float64Array, scores: Float64Array): CalibrationBin[] | null {
  for (let row = 0; row < scores.length; row += 1) if (!(scores[row]! >= 0 && scores[row]! <= 1)) return null;
  const edges = Float64Array.from({ length: calibrationBins + 1 }, (_, k) => k * (1 / calibrationBins));
  const rows = new Float64Array(calibrationBins);
  const positives = new Float64Array(calibrationBins);
  const sums = new Float64Array(calibrationBins);
  for (let row = 0; row < scores.length; row += 1) {
    const score = scores[row] as number;
    // The product may be rounded over an edge: the edges themselves decide.
    let bin = Math.min(calibrationBins - 1, Math.max(0, Math.ceil(score * calibrationBins) - 1));
    if (bin > 0 && score <= (edges[bin] as number)) bin -= 1;
    else if (score > (edges[bin + 1] as number)) bin += 1;
    rows[bin]! += 1;
    sums[bin]! += score;
    if (labels[row] === 1) positives[bin]! += 1;
  }
  return Array.from(rows, (count, bin) => ({
    from: toDecimal(edges[bin]!),
    to: toDecimal(edges[bin + 1]!),
    rows: count,
    positives: positives[bin]!,
    meanScore: toDecimal(count === 0 ? 0 : sums[bin]! / count),
  })).filter((bin) => bin.rows >= fewestRows);
}

type ShownClasses = { names: string[]; others: number; place: Uint32Array };

/** All classes, or the most frequent ones and a last place for the rest. */
function shownClasses(frame: EvaluationFrame): ShownClasses {
  const { classes } = frame;
  const codes = classes.map((_, code) => code);
  let kept = codes;
  if (classes.length > curveClasses) {
    const rows = new Float64Array(classes.length);
    for (const label of frame.labels) rows[label]! += 1;
    kept = [...codes].sort((left, right) => rows[right]! - rows[left]! || left - right).slice(0, curveClasses - 1);
    kept.sort((left, right) => left - right);
  }
  const place = new Uint32Array(classes.length).fill(kept.length);
  for (const [at, code] of kept.entries()) place[code] = at;
  const others = classes.length - kept.length;
  const names = kept.map((code) => (classes[code] as string).slice(0, longestClass));
  return { names: others === 0 ? names : [...names, 'others'], others, place };
}

function confusion(labels: Float64Array, predictions: Float64Array, { names, place }: ShownClasses): number[][] {
  const counts = names.map(() => new Array<number>(names.length).fill(0));
  for (let row = 0; row < labels.length; row += 1) {
    counts[place[labels[row] as number] as number]![place[predictions[row] as number] as number]! += 1;
  }
  return counts;
}

type Residuals = { edges: number[]; production: Float64Array | null; candidate: Float64Array };

/**
 * Label − prediction of each row, and edges between the 1st and the 99th percentile of both models' together: a single
 * far row would make every bin but one empty. Null for too few rows, where nothing differs,
 * and where a difference overflows.
 */
function residualsOf({ labels, production, candidate }: EvaluationFrame): Residuals | null {
  if (candidate.prediction === null || labels.length < fewestRows) return null;
  const left = (values: Float64Array) => values.map((value, row) => (labels[row] as number) - value);
  const ofCandidate = left(candidate.prediction);
  const ofProduction = production?.prediction == null ? null : left(production.prediction);
  const pooled = new Float64Array(ofCandidate.length + (ofProduction?.length ?? 0));
  pooled.set(ofCandidate);
  if (ofProduction !== null) pooled.set(ofProduction, ofCandidate.length);
  pooled.sort();
  const spread = (pooled[pooled.length - 1] as number) - (pooled[0] as number);
  if (!Number.isFinite(spread)) return null;
  const [low, high] = [quantile(pooled, 0.01), quantile(pooled, 0.99)];
  const width = (high - low) / (2 * curveGroups);
  if (!(width > 0)) return null;
  const edges = Array.from({ length: 2 * curveGroups + 1 }, (_, k) => low + k * width);
  return { edges, production: ofProduction, candidate: ofCandidate };
}

function histogram(values: Float64Array, edges: readonly number[]): number[] {
  const inner = Float64Array.from(edges.slice(1, -1));
  const counts = new Array<number>(edges.length - 1).fill(0);
  for (const value of values) counts[firstAbove(inner, value)]! += 1;
  return counts;
}

/** Groups of nearly equal size by prediction (equal predictions stay together), with quantiles of what is left in each. */
function residualGroups(predictions: Float64Array, left: Float64Array): ResidualGroup[] {
  const sorted = predictions.slice().sort();
  const size = Math.max(fewestRows, Math.ceil(sorted.length / curveGroups));
  const starts = new Set<number>();
  for (let at = 0; at + fewestRows <= sorted.length; at += size) starts.add(sorted[at] as number);
  const edges = Float64Array.from(starts);
  const groups = Array.from(edges, (): number[] => []);
  for (let row = 0; row < predictions.length; row += 1) {
    groups[firstAbove(edges, predictions[row] as number) - 1]!.push(left[row] as number);
  }
  const last = sorted[sorted.length - 1] as number;
  return groups.flatMap((values, group) => {
    if (values.length < fewestRows) return [];
    const ascending = Float64Array.from(values).sort();
    return {
      from: toDecimal(edges[group]!),
      to: toDecimal(edges[group + 1] ?? last),
      rows: values.length,
      low: toDecimal(quantile(ascending, 0.1)),
      median: toDecimal(quantile(ascending, 0.5)),
      high: toDecimal(quantile(ascending, 0.9)),
    };
  });
}

/** Between the two nearest values, linearly: NumPy's default. */
function quantile(ascending: Float64Array, share: number): number {
  const at = share * (ascending.length - 1);
  const below = ascending[Math.floor(at)] as number;
  const above = ascending[Math.ceil(at)] as number;
  return below + (above - below) * (at - Math.floor(at));
}

/** The place of the first edge above `value`. */
function firstAbove(edges: Float64Array, value: number): number {
  let [from, to] = [0, edges.length];
  while (from < to) {
    const middle = (from + to) >>> 1;
    if ((edges[middle] as number) <= value) from = middle + 1;
    else to = middle;
  }
  return from;
}
