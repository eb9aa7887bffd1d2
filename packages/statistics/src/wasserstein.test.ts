import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { expectClose } from '../golden/close.ts';
import golden from '../golden/fixtures/golden.json' with { type: 'json' };
import { wasserstein, wassersteinOfBins, wassersteinOfCounts } from './wasserstein.ts';

const sample = fc.array(fc.integer({ min: -20, max: 20 }), { minLength: 1, maxLength: 30 });

describe('wasserstein', () => {
  it.each(golden.numeric)('agrees with scipy: $name', ({ reference, current, wasserstein: expected }) => {
    const result = wasserstein(reference, current);
    expectClose(result.distance, expected.distance, 1e-12);
    expectClose(result.normed, expected.normed, 1e-12);
  });

  it('is the shift of a shifted sample, symmetric, and blind to the order of the rows', () => {
    fc.assert(
      fc.property(sample, sample, fc.integer({ min: -9, max: 9 }), (a, b, shift) => {
        expect(
          wasserstein(
            a,
            a.map((value) => value + shift),
          ).distance,
        ).toBeCloseTo(Math.abs(shift), 12);
        const { distance } = wasserstein(a, b);
        expect(wasserstein(b, a).distance).toBeCloseTo(distance, 12);
        expect(wasserstein(a.toReversed(), b.toReversed()).distance).toBe(distance);
        expect(distance).toBeGreaterThanOrEqual(0);
      }),
    );
  });

  it('divides a constant reference by 0.001, as Evidently does', () => {
    expect(wasserstein([5, 5], [6, 6])).toEqual({ distance: 1, normed: 1000 });
  });

  it('refuses NaN and empty samples', () => {
    expect(() => wasserstein([Number.NaN], [1])).toThrow(RangeError);
    expect(() => wasserstein([1], [])).toThrow(RangeError);
  });
});

describe('wassersteinOfCounts', () => {
  it('equals the distance of the samples', () => {
    fc.assert(
      fc.property(sample, sample, (a, b) => {
        const values = [...new Set([...a, ...b])].sort((x, y) => x - y);
        const count = (side: number[]) => values.map((value) => side.filter((other) => other === value).length);
        const exact = wasserstein(a, b);
        const counted = wassersteinOfCounts(values, count(a), count(b));
        expect(counted.distance).toBeCloseTo(exact.distance, 10);
        expect(counted.normed / (1 + exact.normed)).toBeCloseTo(exact.normed / (1 + exact.normed), 9);
      }),
    );
  });

  it('refuses values that are not ascending', () => {
    expect(() => wassersteinOfCounts([1, 1], [1, 1], [1, 1])).toThrow(/ascending/);
    expect(() => wassersteinOfCounts([1, Number.NaN], [1, 1], [1, 1])).toThrow(/finite/);
    expect(() => wassersteinOfCounts([1], [1, 1], [1, 1])).toThrow(RangeError);
  });
});

describe('wassersteinOfBins', () => {
  it('integrates straight lines, with and without a crossing', () => {
    // F - G runs 0 -> 0.5 -> 0 over two bins of width 1: area 1/2.
    expect(wassersteinOfBins([0, 1, 2], [1, 0], [1, 1], 2).distance).toBeCloseTo(0.5, 14);
    expect(wassersteinOfBins([0, 1, 2], [1, 0], [1, 1], 2).normed).toBeCloseTo(0.25, 14);
    // The reference's row at 0 or 1, the current ones at 0 or 1 and at 1 or 2: distances from 0 to 3/2.
    expect(wassersteinOfBins([0, 1, 2], [1, 0], [1, 1], 2)).toMatchObject({ low: 0, high: 1.5 });
    // Everything in the first bin against everything in the third: at least the bin between them.
    expect(wassersteinOfBins([0, 1, 2, 3], [2, 0, 0], [0, 0, 4], 1)).toMatchObject({ low: 1, high: 3 });
    // Three bins: 0 -> 1/2 -> -1/2 -> 0: 1/4 + 1/4 + 1/4.
    expect(wassersteinOfBins([0, 1, 2, 3], [2, 0, 2], [0, 4, 0], 1).distance).toBeCloseTo(0.75, 14);
  });

  it('lies, as the distance of the rows does, between its bounds, and off by no more than the widest bin', () => {
    fc.assert(
      fc.property(sample, sample, (a, b) => {
        const edges = [-20.5, -12, -3, 0.5, 4, 11, 20.5];
        const count = (side: number[]) =>
          edges.slice(1).map((edge, i) => side.filter((value) => value > edges[i]! && value <= edge).length);
        const binned = wassersteinOfBins(edges, count(a), count(b), 1);
        const exact = wasserstein(a, b).distance;
        expect(Math.abs(binned.distance - exact)).toBeLessThanOrEqual(9.5);
        for (const distance of [exact, binned.distance]) {
          expect(distance).toBeGreaterThanOrEqual(binned.low - 1e-12);
          expect(distance).toBeLessThanOrEqual(binned.high + 1e-12);
        }
      }),
    );
  });

  it('refuses edges that do not fit', () => {
    expect(() => wassersteinOfBins([0, 1], [1, 1], [1, 1], 1)).toThrow(RangeError);
    expect(() => wassersteinOfBins([0, 1, Number.POSITIVE_INFINITY], [1, 1], [1, 1], 1)).toThrow(RangeError);
    expect(() => wassersteinOfBins([0, 2, 1], [1, 1], [1, 1], 1)).toThrow(RangeError);
  });
});
