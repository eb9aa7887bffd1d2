import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { expectClose } from '../golden/close.ts';
import golden from '../golden/fixtures/golden.json' with { type: 'json' };
import { chiSquareGoodnessOfFit, chiSquareTwoSample, poolRareCategories } from './chi-square.ts';
import { createRandom } from './random.ts';

describe('chiSquareTwoSample', () => {
  it.each(golden.categorical)('agrees with scipy', ({ reference, current, chi2 }) => {
    const result = chiSquareTwoSample(reference, current);
    expectClose(result.statistic, chi2.statistic, 1e-12);
    expectClose(result.pValue, chi2.pValue, 1e-11);
    expect(result.degreesOfFreedom).toBe(chi2.degreesOfFreedom);
    expectClose(result.minimumExpected, chi2.minimumExpected, 1e-12);
  });

  it('keeps its level without drift, where goodness of fit rejects every other time', () => {
    const random = createRandom(17);
    const reference = new Uint32Array(10);
    const current = new Uint32Array(10);
    let twoSample = 0;
    let fit = 0;
    for (let i = 0; i < 1000; i++) {
      random.multinomial(reference, 1000);
      random.multinomial(current, 1000);
      if (chiSquareTwoSample(reference, current).pValue <= 0.05) twoSample++;
      if (chiSquareGoodnessOfFit(reference, current).pValue <= 0.05) fit++;
    }
    expect(twoSample / 1000).toBeGreaterThan(0.03);
    expect(twoSample / 1000).toBeLessThan(0.075);
    expect(fit / 1000).toBeGreaterThan(0.42);
    expect(fit / 1000).toBeLessThan(0.56);
  });

  it('does not care which side is which, nor in what order the categories come', () => {
    const cells = fc.array(fc.tuple(fc.nat(99), fc.nat(99)), { minLength: 1, maxLength: 9 });
    fc.assert(
      fc.property(cells, (pairs) => {
        const p = pairs.map((pair) => pair[0] + 1);
        const q = pairs.map((pair) => pair[1] + 1);
        const { pValue, statistic } = chiSquareTwoSample(p, q);
        expect(chiSquareTwoSample(q, p).pValue).toBeCloseTo(pValue, 9);
        expect(chiSquareTwoSample(p.toReversed(), q.toReversed()).pValue).toBeCloseTo(pValue, 9);
        expect(chiSquareTwoSample([...p, 0], [...q, 0]).statistic).toBeCloseTo(statistic, 9);
      }),
    );
  });

  it('has nothing to test in one category', () => {
    expect(chiSquareTwoSample([5, 0], [7, 0])).toMatchObject({ statistic: 0, degreesOfFreedom: 0, pValue: 1 });
  });
});

describe('chiSquareGoodnessOfFit', () => {
  const fits = golden.categorical.flatMap(({ reference, current, goodnessOfFit }) =>
    goodnessOfFit === undefined ? [] : [{ reference, current, goodnessOfFit }],
  );

  it.each(fits)('agrees with scipy', ({ reference, current, goodnessOfFit }) => {
    const result = chiSquareGoodnessOfFit(reference, current);
    expectClose(result.statistic, goodnessOfFit.statistic, 1e-12);
    expectClose(result.pValue, goodnessOfFit.pValue, 1e-11);
  });

  it('gives p = 0 for a category that the reference lacks', () => {
    expect(chiSquareGoodnessOfFit([10, 0], [10, 1])).toMatchObject({ statistic: Number.POSITIVE_INFINITY, pValue: 0 });
  });
});

describe('poolRareCategories', () => {
  it('pools the rarest until each cell expects enough on the smaller side', () => {
    const pooled = poolRareCategories([900, 3, 80, 2, 1], [450, 1, 45, 1, 2]);
    expect([...pooled.reference]).toEqual([900, 86]);
    expect([...pooled.current]).toEqual([450, 49]);
    expect(pooled.pooled).toBe(4);
    expect(chiSquareTwoSample(pooled.reference, pooled.current).minimumExpected).toBeGreaterThanOrEqual(5);
  });

  it('leaves frequent categories alone and drops those that nobody has', () => {
    const pooled = poolRareCategories([50, 0, 60], [40, 0, 70]);
    expect([...pooled.reference]).toEqual([50, 60]);
    expect(pooled.pooled).toBe(0);
  });

  it('keeps all rows, and reaches the minimum whenever two cells are left', () => {
    const cells = fc.array(fc.tuple(fc.nat(60), fc.nat(60)), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(cells, (pairs) => {
        const p = pairs.map((pair) => pair[0] + 1);
        const q = pairs.map((pair) => pair[1] + 1);
        const pooled = poolRareCategories(p, q);
        const total = (side: ArrayLike<number>) => Array.from(side).reduce((a, b) => a + b, 0);
        expect(total(pooled.reference)).toBe(total(p));
        expect(total(pooled.current)).toBe(total(q));
        if (pooled.reference.length < 2) return;
        expect(chiSquareTwoSample(pooled.reference, pooled.current).minimumExpected).toBeGreaterThan(4.999);
      }),
    );
  });
});
