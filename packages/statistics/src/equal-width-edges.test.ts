import { describe, expect, it } from 'vitest';
import golden from '../golden/fixtures/golden.json' with { type: 'json' };
import { equalWidthCounts, sturgesEdges } from './equal-width-edges.ts';

describe('sturgesEdges', () => {
  it.each(golden.numeric)("gives numpy's edges and counts to the bit: $name", ({ reference, current, ...expected }) => {
    const pooled = [...reference, ...current];
    const range = { minimum: Math.min(...pooled), maximum: Math.max(...pooled) };
    const edges = sturgesEdges(range, pooled.length, expected.integers);
    expect([...edges]).toEqual(expected.sturges.edges);
    expect([...equalWidthCounts(reference, edges)]).toEqual(expected.sturges.reference);
    expect([...equalWidthCounts(current, edges)]).toEqual(expected.sturges.current);
  });

  it('widens a constant column by a half on each side', () => {
    expect([...sturgesEdges({ minimum: 3, maximum: 3 }, 10)]).toEqual([2.5, 3.5]);
  });

  it('refuses an unknown range and no rows', () => {
    expect(() => sturgesEdges({ minimum: Number.NaN, maximum: 1 }, 5)).toThrow(RangeError);
    expect(() => sturgesEdges({ minimum: 2, maximum: 1 }, 5)).toThrow(RangeError);
    expect(() => sturgesEdges({ minimum: 0, maximum: 1 }, 0)).toThrow(RangeError);
  });
});

describe('equalWidthCounts', () => {
  it('closes bins on the left, the last one on both sides, and counts nothing outside', () => {
    expect([...equalWidthCounts([-1, 0, 0.5, 1, 1.9, 2, 2.1, Number.NaN], [0, 1, 2])]).toEqual([2, 3]);
  });

  it('needs two edges', () => expect(() => equalWidthCounts([1], [1])).toThrow(RangeError));
});
