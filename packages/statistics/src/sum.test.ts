import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { expectClose } from '../golden/close.ts';
import golden from '../golden/fixtures/golden.json' with { type: 'json' };
import { mean, sum, variance } from './sum.ts';

describe('sum', () => {
  it("agrees with Python's exact fsum where plain addition doesn't", () => {
    expectClose(sum(golden.sum.values), golden.sum.sum, 1e-15);
    expect(sum([1, 1e100, 1, -1e100])).toBe(2);
    expect([1, 1e100, 1, -1e100].reduce((a, b) => a + b)).toBe(0);
    expect(sum(new Float64Array(1_000_000).fill(0.1))).toBe(100_000);
  });

  it('is empty-safe, and passes infinities and NaN on', () => {
    expect(sum([])).toBe(0);
    expect(sum([1, Number.POSITIVE_INFINITY])).toBe(Number.POSITIVE_INFINITY);
    expect(sum([Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])).toBeNaN();
    expect(sum([1, Number.NaN])).toBeNaN();
    expect(mean([])).toBeNaN();
  });

  it('is exact for integers in any order', () => {
    fc.assert(
      fc.property(fc.array(fc.integer()), (values) => {
        const exact = Number(values.reduce((a, b) => a + BigInt(b), 0n));
        expect(sum(values)).toBe(exact + 0);
      }),
    );
  });
});

describe('variance', () => {
  it('agrees with numpy', () => expectClose(variance(golden.sum.values), golden.sum.variance, 1e-12));
  it('survives a large offset', () => expectClose(variance([1e9 + 1, 1e9 + 2, 1e9 + 3]), 1, 1e-12));
  it('needs more values than it takes from the divisor', () => {
    expect(variance([3])).toBeNaN();
    expect(variance([3], 0)).toBe(0);
    expect(variance([], 0)).toBeNaN();
  });
});
