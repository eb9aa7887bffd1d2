import { toDecimal } from '@passloop/core';
import {
  type CalibrationBin,
  type Curves,
  curveClasses,
  curveGroups,
  type ResidualGroup,
  type SideCurves,
} from '@passloop/documents';
import type { EvaluationFrame, Predictions } from './frame.ts';
import { oneVsRest } from './one-vs-rest.ts';
import { fewestRows, thresholdCurve } from './threshold-curve.ts';

const calibrationBins = 10;
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
      ...(frame.task === 'multiclass' && predictions.scores !== null
        ? { oneVsRest: oneVsRest(frame, predictions.scores, shown.codes) }
        : {}),
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

type ShownClasses = { names: string[]; codes: number[]; others: number; place: Uint32Array };

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
  return { names: others === 0 ? names : [...names, 'others'], codes: kept, others, place };
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
