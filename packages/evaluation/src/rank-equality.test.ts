import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { type EvaluationFrame, predictionsOf } from './frame.ts';
import { measurePaired, type PairedMeasurement } from './measure.ts';
import type { CurveMetric } from './metric.ts';
import { metricNamed } from './metrics.ts';
import { rankEquality } from './rank-equality.ts';
import { scoredFrame } from './testing/frames.ts';

type Golden = {
  labels: number[];
  weights?: number[] | null;
  units?: number[];
  production: number[];
  candidate: number[];
  pValues: Record<string, number>;
};
// scipy.stats.permutation_test over scikit-learn's metrics: golden/make_permutation.py.
const golden = JSON.parse(
  readFileSync(new URL('../golden/fixtures/permutation.json', import.meta.url), 'utf8'),
) as Record<'curves' | 'weighted' | 'rankings', Golden>;

function frameOf(
  task: EvaluationFrame['task'],
  { labels, weights, units, production, candidate }: Golden,
): EvaluationFrame {
  return {
    ...scoredFrame({ rows: 1 }),
    task,
    rows: labels.length,
    labels: Float64Array.from(labels),
    weights: weights == null ? null : Float64Array.from(weights),
    units: units === undefined ? null : Uint32Array.from(units),
    production: predictionsOf({ score: Float64Array.from(production) }),
    candidate: predictionsOf({ score: Float64Array.from(candidate) }),
    slices: [],
  };
}

const rounds = 20_000;

/** Three standard errors of a share of the rounds. */
function errorOf(pValue: number): number {
  return 3 * Math.sqrt((pValue * (1 - pValue)) / rounds) + 1 / rounds;
}

it.each(['curves', 'weighted'] as const)('comes to the exact p-values of %s', (name) => {
  const frame = frameOf('binary', golden[name]);
  const sides = { production: frame.production!, candidate: frame.candidate };
  for (const [metric, expected] of Object.entries(golden[name].pValues)) {
    const options = { seed: 3n, rounds, steps: Number.POSITIVE_INFINITY };
    const { test, pValue } = rankEquality(metricNamed(metric) as CurveMetric, frame, sides, options);
    expect(test).toBe('paired permutation of ranks (rows)');
    expect(Math.abs(pValue - expected), metric).toBeLessThan(errorOf(expected));
  }
});

it('of rankings swaps queries', () => {
  const frame = frameOf('ranking', golden.rankings);
  const resampling = { resamples: rounds, seed: 5, level: 0.95, permute: true };
  const { equality } = measurePaired(metricNamed('ndcg')!, frame, resampling) as PairedMeasurement;
  expect(equality?.test).toBe('paired permutation (queries)');
  const expected = golden.rankings.pValues.ndcg!;
  expect(Math.abs(equality!.pValue - expected)).toBeLessThan(errorOf(expected) + 0.003);
});

it('swaps all rows of a unit together, and finds no difference between a score and another scale of it', () => {
  const frame = { ...scoredFrame({ rows: 400 }), units: Uint32Array.from({ length: 400 }, (_, row) => row % 40) };
  const score = frame.candidate.score!;
  const production = { ...frame.candidate, score: score.map((value) => 10 * value - 3) };
  const measured = measurePaired(
    metricNamed('roc_auc')!,
    { ...frame, production },
    { resamples: 200, seed: 5, level: 0.95, permute: true },
  ) as PairedMeasurement;
  expect(measured.equality).toEqual({ test: 'paired permutation of ranks (units)', pValue: 1 });
});
