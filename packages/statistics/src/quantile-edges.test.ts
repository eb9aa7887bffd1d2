import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import golden from '../golden/fixtures/golden.json' with { type: 'json' };
import { quantileBinCounts, quantileEdges } from './quantile-edges.ts';

describe('quantileEdges', () => {
  it.each(golden.numeric)("agrees with numpy's inverted_cdf deciles: $name", ({ reference, deciles }) => {
    expect([...quantileEdges(Float64Array.from(reference).sort())]).toEqual(deciles);
  });

  it('merges ties and leaves no bin of the reference empty', () => {
    expect([...quantileEdges([0, 0, 0, 0, 0, 0, 0, 0, 1, 2])]).toEqual([0, 1]);
    expect([...quantileEdges([7, 7, 7])]).toEqual([]);
    const values = fc.array(fc.integer({ min: 0, max: 30 }), { minLength: 1, maxLength: 80 });
    fc.assert(
      fc.property(values, fc.integer({ min: 2, max: 20 }), (reference, bins) => {
        const sorted = Float64Array.from(reference).sort();
        const edges = quantileEdges(sorted, bins);
        const counts = quantileBinCounts(reference, edges);
        expect(edges.length).toBeLessThan(bins);
        expect(counts.every((count) => count > 0)).toBe(true);
        expect(counts.reduce((a, b) => a + b)).toBe(reference.length);
      }),
    );
  });

  it('splits continuous values evenly', () => {
    const sorted = Float64Array.from({ length: 1000 }, (_, i) => i + 0.5);
    expect([...quantileBinCounts(sorted, quantileEdges(sorted))]).toEqual(new Array(10).fill(100));
  });

  it('refuses an empty reference and fewer than two bins', () => {
    expect(() => quantileEdges([])).toThrow(RangeError);
    expect(() => quantileEdges([1], 1)).toThrow(RangeError);
  });
});

describe('quantileBinCounts', () => {
  it('closes bins on the right, opens the ends, and refuses NaN', () => {
    const values = [Number.NEGATIVE_INFINITY, 1, 1.5, 2, 2.5, Number.POSITIVE_INFINITY];
    expect([...quantileBinCounts(values, [1, 2])]).toEqual([2, 2, 2]);
    expect([...quantileBinCounts([3, 4], [])]).toEqual([2]);
    expect(() => quantileBinCounts([Number.NaN], [1])).toThrow(/NaN/);
  });
});
