import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ascendingIndices } from './ascending-indices.ts';
import { createRandom } from './random.ts';

function bySort(values: ArrayLike<number>): number[] {
  return Array.from({ length: values.length }, (_, i) => i).sort((a, b) =>
    values[a]! < values[b]! ? -1 : values[a]! > values[b]! ? 1 : a - b,
  );
}

describe('ascendingIndices', () => {
  it('sorts small lists, infinities and both zeros included', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ noNaN: true })), (values) => {
        expect([...ascendingIndices(values)]).toEqual(bySort(values));
      }),
    );
    const infinite = [Number.POSITIVE_INFINITY, 0, -0, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, 0];
    expect([...ascendingIndices(infinite)]).toEqual([3, 1, 2, 5, 0, 4]);
  });

  it('sorts long lists of all kinds of doubles the same way', () => {
    const random = createRandom(13);
    const kinds = [
      () => random.uniform() - 0.5,
      () => (random.uniform() - 0.5) * 10 ** (random.integer(600) - 300),
      () => random.integer(50) - 25,
      () => (random.integer(2) === 0 ? 0 : -0),
      () => [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 5e-324, -5e-324][random.integer(4)]!,
    ];
    for (const kind of [...kinds, () => kinds[random.integer(kinds.length)]!()]) {
      const values = Float64Array.from({ length: 10_000 }, kind);
      expect([...ascendingIndices(values)]).toEqual(bySort(values));
    }
  });

  it('refuses NaN', () => expect(() => ascendingIndices([1, Number.NaN])).toThrow(/value 1 is NaN/));
});
