import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { expectClose } from '../golden/close.ts';
import golden from '../golden/fixtures/golden.json' with { type: 'json' };
import { cramersV } from './cramers-v.ts';

describe('cramersV', () => {
  it.each(golden.categorical)('agrees with scipy, and with Bergsma', (expected) => {
    const result = cramersV([expected.reference, expected.current]);
    expectClose(result.v, expected.cramersV, 1e-12);
    expectClose(result.corrected, expected.corrected, 1e-10);
  });

  it('is 1 for a perfect association and 0 for none', () => {
    expect(
      cramersV([
        [10, 0, 0],
        [0, 20, 0],
        [0, 0, 30],
      ]).v,
    ).toBeCloseTo(1, 14);
    expect(
      cramersV([
        [10, 20],
        [30, 60],
      ]),
    ).toMatchObject({ v: 0, corrected: 0, n: 120 });
    expect(cramersV([[10, 20]])).toMatchObject({ v: 0, corrected: 0 });
    expect(
      cramersV([
        [10, 0],
        [30, 0],
      ]),
    ).toMatchObject({ v: 0, corrected: 0 });
    expect(
      cramersV([
        [1, 0],
        [0, 1],
      ]).v,
    ).toBeCloseTo(1, 14);
  });

  it('is within 0 .. 1, the same transposed, and no larger when corrected', () => {
    const row = fc.array(fc.nat(40), { minLength: 3, maxLength: 3 });
    fc.assert(
      fc.property(fc.array(row, { minLength: 2, maxLength: 5 }), (counts) => {
        const table = counts.map((cells) => cells.map((count) => count + 1));
        const { v, corrected } = cramersV(table);
        expect(v >= 0 && v <= 1).toBe(true);
        expect(corrected).toBeLessThanOrEqual(v + 1e-12);
        expect(cramersV([0, 1, 2].map((column) => table.map((cells) => cells[column]!))).v).toBeCloseTo(v, 12);
      }),
    );
  });

  it('refuses ragged, negative and empty tables', () => {
    expect(() => cramersV([[1, 2], [3]])).toThrow(RangeError);
    expect(() =>
      cramersV([
        [1, -2],
        [3, 4],
      ]),
    ).toThrow(RangeError);
    expect(() =>
      cramersV([
        [0, 0],
        [0, 0],
      ]),
    ).toThrow(RangeError);
    expect(() => cramersV([])).toThrow(RangeError);
  });
});
