import { expect, it } from 'vitest';
import { pairedPermutation } from './permutation.ts';

const production = Float64Array.of(3.1, 2.2, 5.0, 4.4, 1.7, 6.3, 2.9, 3.8, 4.1, 5.5, 2.4, 3.3);
const better = Float64Array.of(2.7, 2.5, 4.1, 4.0, 1.9, 5.2, 2.2, 3.1, 4.3, 4.9, 2.6, 2.8);
const changes = [0.5, -0.4, 0.3, -0.6, 0.2, 0.1, -0.2, 0.3, -0.1, 0.2, -0.5, 0.4];
const alike = production.map((value, at) => value + changes[at]!);

function test(candidate: Float64Array, rounds = 20_000) {
  const buckets = { count: 12, width: 1, production, candidate };
  return pairedPermutation({ buckets, statistic: (sums) => sums[0]! / 12, rounds, seed: 3 });
}

// The exact values of scipy.stats.permutation_test: golden/make_permutation.py, there of tenths as whole numbers. Three standard errors of 20,000 rounds.
it.each([
  ['better', better, -0.3666666666666658, 0.03076171875, 0.0037],
  ['alike', alike, 0.01666666666666705, 0.9375, 0.0052],
])('comes to the exact p-value: %s', (_, candidate, delta, exact, error) => {
  const found = test(candidate);
  expect(found.delta).toBeCloseTo(delta, 12);
  expect(Math.abs(found.pValue - exact)).toBeLessThan(error);
});

it('is 1 for models that agree on every row, and never 0', () => {
  expect(test(production).pValue).toBe(1);
  const far = production.map((value) => value + 100);
  expect(test(far, 9).pValue).toBeGreaterThanOrEqual(0.1);
});

it('gives the same bits for the same seed', () => {
  expect(test(better)).toEqual(test(better));
});

it('refuses what is no difference', () => {
  const buckets = { count: 2, width: 1, production: Float64Array.of(0, 0), candidate: Float64Array.of(1, 1) };
  const statistic = (sums: Float64Array) => 1 / sums[0]!;
  expect(() => pairedPermutation({ buckets, statistic, seed: 1 })).toThrow(/difference is -?Infinity/);
  expect(() => pairedPermutation({ buckets: { ...buckets, count: 0 }, statistic, seed: 1 })).toThrow(/0 buckets/);
});
