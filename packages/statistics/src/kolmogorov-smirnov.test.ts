import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { expectClose } from '../golden/close.ts';
import golden from '../golden/fixtures/golden.json' with { type: 'json' };
import { normalSample } from '../golden/normal-sample.ts';
import { normalCdf } from './distributions.ts';
import { kolmogorovSmirnov, kolmogorovSmirnovLowerBound, kolmogorovSmirnovOfCounts } from './kolmogorov-smirnov.ts';
import { quantileBinCounts, quantileEdges } from './quantile-edges.ts';
import { createRandom } from './random.ts';

const sample = fc.array(fc.integer({ min: -20, max: 20 }), { minLength: 1, maxLength: 40 });

describe('kolmogorovSmirnov', () => {
  it.each(golden.numeric)('agrees with scipy: $name', ({ reference, current, ks }) => {
    const result = kolmogorovSmirnov(reference, current);
    expectClose(result.statistic, ks.statistic, 1e-14);
    expectClose(result.pValue, ks.pValue, 1e-10);
    expect(result.method).toBe('exact');
  });

  it('equals the definition, whatever the order of the rows and the sides', () => {
    fc.assert(
      fc.property(sample, sample, (a, b) => {
        const share = (side: number[], x: number) => side.filter((value) => value <= x).length / side.length;
        const slow = Math.max(...[...a, ...b].map((x) => Math.abs(share(a, x) - share(b, x))));
        const result = kolmogorovSmirnov(a, b);
        expect(result.statistic).toBeCloseTo(slow, 12);
        expect(kolmogorovSmirnov(a.toReversed(), b.toReversed())).toEqual(result);
        expect(kolmogorovSmirnov(b, a).pValue).toBeCloseTo(result.pValue, 12);
        expect(result.pValue >= 0 && result.pValue <= 1).toBe(true);
        if (slow === 0) expect(result.pValue).toBe(1);
      }),
    );
  });

  it('keeps its level without drift, and its bound almost never exceeds the true distance with drift', () => {
    const random = createRandom(23);
    const shift = 0.5;
    const truth = 2 * normalCdf(shift / 2) - 1;
    const runs = 600;
    let significant = 0;
    let falseBound = 0;
    let overshoot = 0;
    let found = 0;
    for (let i = 0; i < runs; i++) {
      const reference = normalSample(random, 300);
      const same = kolmogorovSmirnov(reference, normalSample(random, 200));
      if (same.pValue <= 0.05) significant++;
      if (same.lowerBound > 0) falseBound++;
      const shifted = kolmogorovSmirnov(reference, normalSample(random, 200, shift));
      if (shifted.lowerBound > truth) overshoot++;
      if (shifted.lowerBound > 0) found++;
    }
    expect(significant / runs).toBeGreaterThan(0.02);
    expect(significant / runs).toBeLessThan(0.08);
    expect(falseBound / runs).toBeLessThan(0.07);
    expect(overshoot / runs).toBeLessThan(0.05);
    expect(found / runs).toBeGreaterThan(0.95);
  });

  it('calls a tiny shift of many rows significant, and its effect below the margin', () => {
    const random = createRandom(29);
    const result = kolmogorovSmirnov(normalSample(random, 200_000), normalSample(random, 200_000, 0.02));
    expect(result.pValue).toBeLessThan(0.01);
    expect(result.lowerBound).toBeLessThan(0.1);
    expect(result.method).toBe('asymptotic');
  });

  it('refuses NaN, infinities and empty samples', () => {
    expect(() => kolmogorovSmirnov([1, Number.NaN], [1])).toThrow(/reference/);
    expect(() => kolmogorovSmirnov([1], [Number.POSITIVE_INFINITY])).toThrow(/current/);
    expect(() => kolmogorovSmirnov([1], [Number.NEGATIVE_INFINITY, 3])).toThrow(/current/);
    expect(() => kolmogorovSmirnov([], [1])).toThrow(/reference sample is empty/);
  });
});

describe('kolmogorovSmirnovOfCounts', () => {
  it('is exact on distinct values', () => {
    fc.assert(
      fc.property(sample, sample, (a, b) => {
        const values = [...new Set([...a, ...b])].sort((x, y) => x - y);
        const count = (side: number[]) => values.map((value) => side.filter((other) => other === value).length);
        const { upper, ...result } = kolmogorovSmirnovOfCounts(count(a), count(b));
        expect(result).toEqual(kolmogorovSmirnov(a, b));
        expect(upper).toBeGreaterThanOrEqual(result.statistic);
      }),
    );
  });

  it('brackets the exact D from the bins of a stored reference', () => {
    fc.assert(
      fc.property(sample, sample, fc.integer({ min: 2, max: 12 }), (a, b, bins) => {
        const edges = quantileEdges(Float64Array.from(a).sort(), bins);
        const binned = kolmogorovSmirnovOfCounts(quantileBinCounts(a, edges), quantileBinCounts(b, edges));
        const exact = kolmogorovSmirnov(a, b);
        expect(binned.statistic).toBeLessThanOrEqual(exact.statistic + 1e-12);
        expect(binned.upper).toBeGreaterThanOrEqual(exact.statistic - 1e-12);
        expect(binned.pValue).toBeGreaterThanOrEqual(exact.pValue - 1e-12);
      }),
    );
  });

  it('comes within a percent of a shift with 100 reference quantiles', () => {
    const random = createRandom(31);
    const reference = normalSample(random, 5000).sort();
    const current = normalSample(random, 4000, 0.3);
    const edges = quantileEdges(reference, 100);
    const binned = kolmogorovSmirnovOfCounts(quantileBinCounts(reference, edges), quantileBinCounts(current, edges));
    const exact = kolmogorovSmirnov(reference, current);
    expect(exact.statistic - binned.statistic).toBeLessThan(0.01);
    expect(binned.upper - exact.statistic).toBeLessThan(0.03);
  });
});

describe('kolmogorovSmirnovLowerBound', () => {
  it('takes off the noise of both sides', () => {
    // c = sqrt(-ln(0.025)/2) = 1.358102, sqrt(1/100 + 1/400) = 0.111803
    expect(kolmogorovSmirnovLowerBound(0.3, { reference: 100, current: 400 })).toBeCloseTo(0.3 - 0.151841, 5);
    expect(kolmogorovSmirnovLowerBound(0.1, { reference: 100, current: 400 })).toBe(0);
    expect(() => kolmogorovSmirnovLowerBound(0.1, { reference: 1, current: 1 }, 0)).toThrow(RangeError);
  });
});
