import { describe, expect, it } from 'vitest';
import { expectClose } from '../golden/close.ts';
import golden from '../golden/fixtures/golden.json' with { type: 'json' };
import { kolmogorovSf, kolmogorovTwoSample } from './kolmogorov.ts';

describe('kolmogorovSf', () => {
  it.each(golden.distributions.kolmogorovSf as [number, number, number][])('at %d for n = %d', (x, n, p) =>
    expectClose(kolmogorovSf(x, n), p, 2e-6));

  it('is 1 at the start, 0 at the end, NaN for NaN', () => {
    expect(kolmogorovSf(0, 10)).toBe(1);
    expect(kolmogorovSf(1, 10)).toBe(0);
    expect(kolmogorovSf(0.5, 1_000_000)).toBe(0);
    expect(kolmogorovSf(Number.NaN, 10)).toBeNaN();
    expect(() => kolmogorovSf(0.1, 0)).toThrow(RangeError);
  });
});

describe('kolmogorovTwoSample', () => {
  it.each(
    golden.distributions.kolmogorovTwoSample as [number, number, number, number][],
  )('D = %d of %d and %d rows, by counting paths', (d, n, m, p) => {
    const result = kolmogorovTwoSample(d, n, m);
    expect(result.method).toBe('exact');
    expectClose(result.pValue, p, 1e-10);
    expectClose(kolmogorovTwoSample(d, m, n).pValue, p, 1e-10);
  });

  it('changes to the asymptotic form for large samples, close to the exact one', () => {
    const exact = kolmogorovTwoSample(0.02, 10_000, 10_000);
    const large = kolmogorovTwoSample(0.02, 10_001, 10_001);
    expect([exact.method, large.method]).toEqual(['exact', 'asymptotic']);
    expectClose(large.pValue, exact.pValue, 0.02);
  });

  it('gives up exactness only where the p-value is practically zero', () => {
    const skipped = kolmogorovTwoSample(0.11, 10_000, 10_000);
    expect(skipped.method).toBe('asymptotic');
    expect(skipped.pValue).toBeLessThan(1e-40);
  });

  it('refuses what is no D and no sample', () => {
    expect(kolmogorovTwoSample(0, 3, 4).pValue).toBe(1);
    expect(() => kolmogorovTwoSample(Number.NaN, 3, 4)).toThrow(RangeError);
    expect(() => kolmogorovTwoSample(1.1, 3, 4)).toThrow(RangeError);
    expect(() => kolmogorovTwoSample(0.5, 0, 4)).toThrow(RangeError);
  });
});
