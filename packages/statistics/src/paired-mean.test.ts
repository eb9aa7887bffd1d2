import { describe, expect, it } from 'vitest';
import { expectClose } from '../golden/close.ts';
import golden from '../golden/fixtures/golden.json' with { type: 'json' };
import { normalSample } from '../golden/normal-sample.ts';
import { pairedMean } from './paired-mean.ts';
import { createRandom } from './random.ts';

function sums(differences: ArrayLike<number>) {
  const list = Array.from(differences);
  return {
    rows: list.length,
    total: list.reduce((a, b) => a + b, 0),
    squares: list.reduce((a, b) => a + b * b, 0),
  };
}

describe('pairedMean', () => {
  it("agrees with scipy's ttest_rel", () => {
    const expected = golden.pairedMean;
    const result = pairedMean(sums(expected.differences));
    expectClose(result.pValue, expected.pValue, 1e-10);
    expectClose(result.standardDeviation, expected.standardDeviation, 1e-12);
    expectClose(result.interval[0], expected.interval[0]!, 1e-9);
    expectClose(result.interval[1], expected.interval[1]!, 1e-9);
  });

  it('covers the true mean with a dozen rows', () => {
    const random = createRandom(61);
    let covered = 0;
    for (let i = 0; i < 3000; i++) {
      const { interval } = pairedMean(sums(normalSample(random, 12, 0.4, 2)));
      if (interval[0] <= 0.4 && 0.4 <= interval[1]) covered++;
    }
    expect(covered / 3000).toBeGreaterThan(0.94);
    expect(covered / 3000).toBeLessThan(0.96);
  });

  it('is certain of a constant difference', () => {
    expect(pairedMean({ rows: 4, total: 0, squares: 0 })).toMatchObject({ interval: [0, 0], pValue: 1 });
    expect(pairedMean({ rows: 4, total: 4, squares: 4 })).toMatchObject({ interval: [1, 1], pValue: 0 });
  });

  it('refuses one row and sums that are not finite', () => {
    expect(() => pairedMean({ rows: 1, total: 1, squares: 1 })).toThrow(RangeError);
    expect(() => pairedMean({ rows: 3, total: Number.NaN, squares: 1 })).toThrow(RangeError);
    expect(() => pairedMean({ rows: 3, total: 1, squares: Number.POSITIVE_INFINITY })).toThrow(RangeError);
  });
});
