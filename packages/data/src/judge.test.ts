import { expect, it } from 'vitest';
import { judgeDrift } from './judge.ts';
import type { Measurement } from './measure.ts';

/** KS of a shift of 0.2 standard deviations, by rows a side. */
function shifted(rows: number, pValue: number, lowerBound: number): Parameters<typeof judgeDrift>[0][0] {
  const n = { reference: rows, current: rows };
  const measurement: Measurement = { method: 'ks(exact)', statistic: 0.08, pValue, effect: 0.08, lowerBound, n };
  return { kind: 'measured', column: 'x', measurement, threshold: 0.1, note: null };
}

it.each([
  [
    'many rows',
    shifted(10_000, 1e-27, 0.061),
    { isSignificant: true, reason: expect.stringMatching(/^significant, but less than counts: effect 0.08/) },
  ],
  ['chance', shifted(1000, 0.4, 0.019), { isSignificant: false, reason: expect.stringMatching(/^effect 0.08/) }],
] as const)('leaves a small shift of %s quiet, and says whether it is one', (_, candidate, expected) => {
  expect(judgeDrift([candidate], 1000)).toMatchObject([{ verdict: 'pass', ...expected }]);
});

it('says nothing of significance where nothing was tested', () => {
  const [few] = judgeDrift([shifted(100, 1e-27, 0)], 1000);
  expect(few).not.toHaveProperty('isSignificant');
});

it("tells the effect where the threshold is not the statistic's", () => {
  const candidate = shifted(10_000, 1e-27, 0.2);
  if (candidate.kind !== 'measured') throw new Error('a measured shift');
  const chiSquared = { ...candidate, measurement: { ...candidate.measurement, statistic: 845.2, effect: 0.31 } };
  expect(judgeDrift([chiSquared, candidate], 1000)).toMatchObject([
    { statistic: '845.2', effect: '0.31', verdict: 'fail' },
    { statistic: '0.08', verdict: 'fail' },
  ]);
  expect(judgeDrift([candidate], 1000)[0]).not.toHaveProperty('effect');
});
