import { expect, it } from 'vitest';
import { judgeDrift } from './judge.ts';
import { measureNumeric } from './measure.ts';

function wasserstein(points: readonly number[]) {
  const range = { minimum: 0, maximum: 0 };
  const counts = { reference: [1000, 500, 500], current: [500, 500, 1000] };
  return measureNumeric('wasserstein', { cells: 'exact', points, ...counts, range, sd: 0 });
}

it.each([1e-200, 1e-5, 1e200])('measures a shift in standard deviations, whatever the unit: %d', (unit) => {
  // numpy: 0.75 / std of 0, 0, 1, 3.
  expect(wasserstein([0, unit, 3 * unit]).effect).toBeCloseTo(0.6123724356957945, 14);
});

it('fails a shift that is larger than any number', () => {
  const measurement = wasserstein([-1.7e308, 0, 1.7e308]);
  const [judged] = judgeDrift([{ kind: 'measured', column: 'x', measurement, threshold: 0.2, note: null }], 1000);
  expect(judged).toMatchObject({ verdict: 'fail', statistic: null, reason: expect.stringMatching(/larger than any/) });
});
