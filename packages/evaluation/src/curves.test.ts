import { readFileSync } from 'node:fs';
import { Curves, curveClasses, curvePoints, rocSteps } from '@passloop/documents';
import { createRandom } from '@passloop/statistics';
import { describe, expect, it } from 'vitest';
import { compareModels } from './compare.ts';
import { calibration, curvesOf } from './curves.ts';
import type { EvaluationFrame } from './frame.ts';
import { oneVsRest } from './one-vs-rest.ts';
import { createRequest, scoredFrame } from './testing/frames.ts';
import { fewestRows, thresholdCurve } from './threshold-curve.ts';

type Binary = { label: number[]; score: number[]; roc: number[][]; calibration: number[][]; confusion: number[][] };
type Regression = { label: number[]; prediction: number[]; edges: number[]; counts: number[]; groups: number[][] };

/** Made by golden/make_curves.py with scikit-learn and NumPy. */
const golden: { ties: Binary; rare: Binary; regression: Regression } = JSON.parse(
  readFileSync(new URL('../golden/fixtures/curves.json', import.meta.url), 'utf8'),
);

function regressionFrame(label: ArrayLike<number>, prediction: ArrayLike<number>): EvaluationFrame {
  const start = scoredFrame({ rows: 2 });
  const side = { ...start.candidate, score: null, prediction: Float64Array.from(prediction) };
  const labels = Float64Array.from(label);
  const frame = { ...start, task: 'regression' as const, classes: [], slices: [] };
  return { ...frame, rows: labels.length, labels, production: side, candidate: side };
}

describe.each(['ties', 'rare'] as const)('scores with %s', (name) => {
  const { label, score, roc, calibration: bins, confusion } = golden[name];
  const labels = Float64Array.from(label);
  const scores = Float64Array.from(score);

  it('is the curve of a class against the rest, at even rates', () => {
    const scoresOf = [scores.map((one) => 1 - one), scores];
    const [first, second, third] = oneVsRest({ labels }, [...scoresOf, scores], [0, 1, 2]);
    const points = [[0, 0], ...roc.map(([, fpr, tpr]) => [fpr, tpr])] as [number, number][];
    // A point of the curve that is kept lies 0.01 in both rates together from the one before, or ten rows.
    const near = 0.01 + fewestRows / label.filter((one) => one === 1).length;
    expect(second).toHaveLength(rocSteps + 1);
    for (const [step, recall] of second!.entries()) {
      const within = points.filter(([fpr]) => fpr <= step / rocSteps).map(([, tpr]) => tpr);
      const beyond = points.find(([fpr]) => fpr > step / rocSteps)?.[1] ?? 1;
      expect(Number(recall)).toBeGreaterThan(Math.max(...within) - near);
      expect(Number(recall)).toBeLessThan(beyond + near);
    }
    expect(first).not.toEqual(second);
    expect(Number(first!.at(-1))).toBe(1);
    expect(third).toBeNull();
  });

  it('has the rates of scikit-learn at every threshold that is kept', () => {
    const curve = thresholdCurve(labels, scores)!;
    const positives = label.filter((one) => one === 1).length;
    const byThreshold = new Map(roc.map(([threshold, ...rates]) => [threshold, rates]));
    expect(curve.thresholds.length).toBeGreaterThan(30);
    expect(curve.thresholds.length).toBeLessThanOrEqual(curvePoints);
    for (const [i, threshold] of curve.thresholds.entries()) {
      const [fpr, tpr] = byThreshold.get(Number(threshold))!;
      expect(curve.falsePositives[i]! / (label.length - positives)).toBeCloseTo(fpr!, 12);
      expect(curve.truePositives[i]! / positives).toBeCloseTo(tpr!, 12);
    }
    expect(curve.truePositives.at(-1)).toBe(positives);
    expect(curve.falsePositives.at(-1)).toBe(label.length - positives);
  });

  it('tells no group of fewer rows apart than make one', () => {
    const { truePositives, falsePositives } = thresholdCurve(labels, scores)!;
    const rows = truePositives.map((tp, i) => tp + falsePositives[i]!);
    for (const [i, count] of rows.entries()) expect(count - (rows[i - 1] ?? 0)).toBeGreaterThanOrEqual(fewestRows);
    for (const bin of calibration(labels, scores)!) expect(bin.rows).toBeGreaterThanOrEqual(fewestRows);
  });

  it("has scikit-learn's calibration in every bin of enough rows", () => {
    const found = calibration(labels, scores)!;
    expect(found.length).toBeGreaterThan(4);
    for (const { positives, rows, meanScore } of found) {
      const [share] = bins.find(([, mean]) => Math.abs(mean! - Number(meanScore)) < 1e-11) ?? [];
      expect(positives / rows).toBeCloseTo(share!, 12);
    }
  });

  it("has scikit-learn's confusion matrix", () => {
    const start = scoredFrame({ rows: 2 });
    const side = { ...start.candidate, score: scores, prediction: scores.map((value) => (value >= 0.5 ? 1 : 0)) };
    const frame = { ...start, rows: label.length, labels, production: null, candidate: side };
    expect(curvesOf(frame)).toMatchObject({
      classes: ['0', '1'],
      production: null,
      candidate: { confusion, residuals: null },
    });
  });
});

it('has the residuals of NumPy: bins and quantiles by prediction', () => {
  const { label, prediction, edges, counts, groups } = golden.regression;
  const found = curvesOf(regressionFrame(label, prediction));
  expect(found.residualEdges.map(Number)).toHaveLength(edges.length);
  for (const [i, edge] of edges.entries()) expect(Number(found.residualEdges[i])).toBeCloseTo(edge, 9);
  const { residuals } = found.candidate;
  expect(residuals!.counts).toEqual(counts);
  expect(residuals!.groups.map(({ rows }) => rows)).toEqual(groups.map(([rows]) => rows));
  for (const [i, [, low, median, high]] of groups.entries()) {
    const group = residuals!.groups[i]!;
    for (const [text, number] of [
      [group.low, low],
      [group.median, median],
      [group.high, high],
    ] as const)
      expect(Number(text)).toBeCloseTo(number!, 9);
  }
});

it('counts all rows, and misses no bend, where there are more scores than are looked at', () => {
  const { labels, candidate } = scoredFrame({ rows: 60_000, candidate: 2 });
  const scores = candidate.score!;
  const curve = thresholdCurve(labels, scores)!;
  expect(curve.thresholds.length).toBeGreaterThan(150);
  const positives = labels.reduce((sum, label) => sum + label, 0);
  let area = 0;
  let [before, beforeTp, beforeFp] = [Number.POSITIVE_INFINITY, 0, 0];
  for (const [i, text] of curve.thresholds.entries()) {
    const [tp, fp] = [curve.truePositives[i]!, curve.falsePositives[i]!];
    // A printed threshold has 12 digits: a score may lie within its last one.
    const counted = scores.reduce((rows, score) => rows + (score >= Number(text) * (1 - 1e-11) ? 1 : 0), 0);
    expect(Math.abs(counted - tp - fp)).toBeLessThanOrEqual(1);
    expect(Number(text)).toBeLessThan(before);
    area += ((fp - beforeFp) * (tp + beforeTp)) / 2;
    [before, beforeTp, beforeFp] = [Number(text), tp, fp];
  }
  // Phi(2 / sqrt 2); the chords of the curve lie a little below it.
  expect(area / positives / (labels.length - positives)).toBeCloseTo(0.9214, 2);
});

it.each([
  ['one class only', [1, 1, 1], [0.1, 0.2, 0.3]],
  ['fewer rows than make a group', [0, 1, 1], [0.1, 0.2, 0.3]],
])('has no curve for %s', (_name, labels, scores) => {
  expect(thresholdCurve(Float64Array.from(labels), Float64Array.from(scores))).toBeNull();
});

it('puts a score on an edge, and its neighbours, where the edges say', () => {
  const edges = Array.from({ length: 11 }, (_, k) => k * 0.1);
  for (const [k, edge] of edges.entries()) {
    const near = edge * Number.EPSILON;
    for (const score of [edge - near, edge, edge + near].filter((one) => one >= 0 && one <= 1)) {
      const scores = new Float64Array(10).fill(score);
      const [bin] = calibration(new Float64Array(10), scores)!;
      const above = score > edge;
      expect(Number(bin!.from), `${score}`).toBeCloseTo(Math.min(0.9, Math.max(0, (above ? k : k - 1) * 0.1)), 9);
    }
  }
});

it('has one point for a constant score, and none of a score that is no probability', () => {
  const labels = Float64Array.from({ length: 40 }, (_, row) => row % 2);
  const constant = new Float64Array(40).fill(3);
  expect(thresholdCurve(labels, constant)).toEqual({ thresholds: ['3'], truePositives: [20], falsePositives: [20] });
  expect(calibration(labels, constant)).toBeNull();
});

it('stays within its bounds, whatever the number of rows, thresholds and classes', () => {
  for (const rows of [11, 199, 5000]) {
    const curves = curvesOf(scoredFrame({ rows }));
    expect(Curves.parse(curves)).toEqual(curves);
  }
  const random = createRandom(3);
  const codes = Float64Array.from({ length: 2000 }, () => Math.floor(60 * random.uniform() ** 2));
  const start = scoredFrame({ rows: 2 });
  const side = { ...start.candidate, score: null, prediction: codes.map((code) => (code + 1) % 60) };
  const classes = Array.from({ length: 60 }, (_, code) => (code === 3 ? 'x'.repeat(10_000_000) : `class ${code}`));
  const many = curvesOf({
    ...start,
    task: 'multiclass',
    rows: 2000,
    labels: codes,
    classes,
    production: side,
    candidate: side,
  });
  expect(Curves.parse(many)).toEqual(many);
  expect(many.classes).toHaveLength(curveClasses);
  expect(many.otherClasses).toBe(41);
  expect(many.candidate.confusion!.flat().reduce((sum, rows) => sum + rows, 0)).toBe(2000);
});

it.each([
  ['a residual that overflows', [...new Array(20).fill(1e308), -1e308], [...new Array(20).fill(-1e308), 1e308]],
  ['no residual at all', new Array(30).fill(5), new Array(30).fill(5)],
])('draws nothing of %s', (_name, labels, predictions) => {
  const curves = curvesOf(regressionFrame(labels, predictions));
  expect(curves.residualEdges).toEqual([]);
  expect(curves.candidate.residuals).toBeNull();
});

it('says so where rows have weights, which it does not count', () => {
  const frame = scoredFrame({ rows: 500 });
  const weighted = curvesOf({ ...frame, weights: Float64Array.from({ length: 500 }, (_, row) => row) });
  expect(weighted).toEqual({ ...curvesOf(frame), weightsIgnored: true });
});

it('is part of a comparison that had rows, and of no other', () => {
  expect(compareModels(createRequest()).curves?.candidate.thresholds).not.toBeNull();
  expect(compareModels(createRequest({ outcome: 'unchanged', frame: null }))).not.toHaveProperty('curves');
});
