import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { expectClose } from '../golden/close.ts';
import golden from '../golden/fixtures/golden.json' with { type: 'json' };
import { normalSample } from '../golden/normal-sample.ts';
import { psi } from './psi.ts';
import { quantileBinCounts, quantileEdges } from './quantile-edges.ts';
import { createRandom } from './random.ts';

const counts = fc
  .integer({ min: 1, max: 12 })
  .chain((bins) =>
    fc.tuple(
      fc.array(fc.nat(500), { minLength: bins, maxLength: bins }),
      fc.array(fc.nat(500), { minLength: bins, maxLength: bins }),
    ),
  )
  .filter((sides) => sides.every((side) => side.some((count) => count > 0)));

describe('psi', () => {
  it.each(golden.numeric)("agrees with Evidently's formula: $name", ({ sturges, psi: expected }) => {
    expectClose(psi(sturges.reference, sturges.current).statistic, expected, 1e-12);
  });

  it('fills zeros as it is told', () => {
    // (0.5-0)ln(0.5/0): by hand with 0.0001 in place of 0, and with 0.01.
    const byHand = (fill: number) => (0.5 - fill) * Math.log(0.5 / fill) + (0.5 - 1) * Math.log(0.5);
    expectClose(psi([5, 5], [0, 10]).statistic, byHand(0.0001), 1e-14);
    expectClose(psi([5, 5], [0, 10], { zeroFill: 0.01 }).statistic, byHand(0.01), 1e-14);
    expect(psi([5, 5], [0, 10], { zeroFill: 'none' }).statistic).toBe(Number.POSITIVE_INFINITY);
    expect(psi([5, 5], [0, 10], { zeroFill: 'none' }).pValue).toBe(0);
  });

  it("takes a millionth of a side's smallest share where that is tiny", () => {
    // Shares 0.99995 and 0.00005 with a zero: the zero becomes 5e-11.
    const p = [0.99995, 0.00005, 5e-11];
    const q = [0.5, 0.25, 0.25];
    const byHand = p.reduce((all, share, i) => all + (share - q[i]!) * Math.log(share / q[i]!), 0);
    expectClose(psi([99_995, 5, 0], [50, 25, 25]).statistic, byHand, 1e-12);
  });

  it('is never negative, symmetric without zeros, and 0 only for equal shares', () => {
    fc.assert(
      fc.property(counts, ([reference, current]) => {
        const there = psi(reference, current);
        const back = psi(current, reference);
        expect(there.statistic).toBeGreaterThanOrEqual(0);
        expect(Math.abs(there.statistic - back.statistic)).toBeLessThanOrEqual(1e-12 * (1 + there.statistic));
        expect(psi(reference, reference).statistic).toBe(0);
        expect(there.lowerBound).toBeLessThanOrEqual(there.statistic);
        expect(there.pValue >= 0 && there.pValue <= 1).toBe(true);
      }),
    );
  });

  it('keeps its level without drift, where the usual threshold of 0.1 cries wolf', () => {
    const random = createRandom(41);
    const runs = 500;
    let significant = 0;
    let above = 0;
    let bounded = 0;
    for (let i = 0; i < runs; i++) {
      const reference = normalSample(random, 1001).sort();
      const edges = quantileEdges(reference);
      const current = quantileBinCounts(normalSample(random, 100), edges);
      const result = psi(quantileBinCounts(reference, edges), current);
      if (result.pValue <= 0.05) significant++;
      if (result.statistic >= 0.1) above++;
      if (result.lowerBound > 0) bounded++;
    }
    expect(above / runs).toBeGreaterThan(0.3);
    expect(significant / runs).toBeGreaterThan(0.015);
    expect(significant / runs).toBeLessThan(0.1);
    expect(bounded / runs).toBeLessThan(0.1);
  });

  it('sees a real shift', () => {
    const random = createRandom(42);
    const reference = normalSample(random, 2000).sort();
    const edges = quantileEdges(reference);
    const current = quantileBinCounts(normalSample(random, 1000, 0.7), edges);
    const result = psi(quantileBinCounts(reference, edges), current);
    expect(result.lowerBound).toBeGreaterThan(0.2);
    expect(result.pValue).toBeLessThan(1e-20);
  });

  it('refuses counts that cannot be compared', () => {
    expect(() => psi([1, 2], [1])).toThrow(RangeError);
    expect(() => psi([0, 0], [1, 2])).toThrow(/reference counts hold no row/);
    expect(() => psi([1, 2], [0, 0])).toThrow(/current counts hold no row/);
    expect(() => psi([1, Number.NaN], [1, 2])).toThrow(RangeError);
    expect(() => psi([1, -1], [1, 2])).toThrow(RangeError);
    expect(() => psi([], [])).toThrow(RangeError);
    expect(() => psi([1, 2], [1, 2], { zeroFill: 0 })).toThrow(RangeError);
    expect(() => psi([1, 2], [1, 2], { alpha: 5 })).toThrow(/alpha/);
  });

  it('has nothing to test in one bin', () => expect(psi([9], [4])).toMatchObject({ statistic: 0, pValue: 1, bins: 1 }));
});
