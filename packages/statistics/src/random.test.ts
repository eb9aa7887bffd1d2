import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import golden from '../golden/fixtures/golden.json' with { type: 'json' };
import { chiSquareTwoSample } from './chi-square.ts';
import { chiSquareSf } from './distributions.ts';
import { createRandom } from './random.ts';

describe('createRandom', () => {
  it.each(golden.random)('gives the reference stream of seed $seed', ({ seed, uint32 }) => {
    const random = createRandom(BigInt(seed));
    expect(uint32.map(() => random.uint32())).toEqual(uint32);
  });

  it.each(golden.bounded)('rejects as the rule says below $bound', ({ seed, bound, draws, ...expected }) => {
    const random = createRandom(seed);
    const values = Array.from({ length: draws }, () => random.integer(bound));
    expect(values.slice(-5)).toEqual(expected.last);
    expect(values.reduce((a, b) => a + b)).toBe(expected.sum);
  });

  it.each([
    1,
    2,
    3,
    7,
    1000,
    2 ** 21,
    2 ** 21 + 1,
    3_000_000_000,
    2 ** 32,
  ])('draws below %d, and all cells', (bound) => {
    const random = createRandom(5);
    const draws = Array.from({ length: 20_000 }, () => random.integer(bound));
    expect(draws.every((value) => Number.isInteger(value) && value >= 0 && value < bound)).toBe(true);
    const cells = Math.min(bound, 10);
    const counts = new Float64Array(cells);
    for (const value of draws) counts[Math.floor((value / bound) * cells)]!++;
    if (cells > 1 && cells === Math.min(bound, 10) && (bound <= 10 || bound % 10 === 0)) {
      const even = new Float64Array(cells).fill(draws.length * 1000);
      expect(chiSquareTwoSample(even, counts).pValue).toBeGreaterThan(1e-4);
    }
  });

  it('draws multinomial counts that sum to the draws and are not lopsided', () => {
    const random = createRandom(11);
    const counts = new Uint32Array(50);
    const totals = new Float64Array(50);
    for (let i = 0; i < 400; i++) {
      random.multinomial(counts);
      expect(counts.reduce((a, b) => a + b)).toBe(50);
      for (let k = 0; k < 50; k++) totals[k]! += counts[k]!;
    }
    const statistic = totals.reduce((all, total) => all + (total - 400) ** 2 / 400, 0);
    expect(chiSquareSf(statistic, 49)).toBeGreaterThan(1e-4);
    random.multinomial(counts, 7);
    expect(counts.reduce((a, b) => a + b)).toBe(7);
  });

  it('is uniform on [0, 1) and the same for the same seed', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (seed) => {
        const one = createRandom(seed);
        const other = createRandom(BigInt(seed));
        for (let i = 0; i < 20; i++) {
          const value = one.uniform();
          expect(value).toBe(other.uniform());
          expect(value >= 0 && value < 1).toBe(true);
        }
      }),
    );
  });

  it.each([-1, 0.5, Number.NaN, 2 ** 60])('refuses the seed %d', (seed) => {
    expect(() => createRandom(seed)).toThrow(RangeError);
  });

  it.each([0, -3, 1.5, 2 ** 32 + 1, Number.NaN])('refuses the bound %d', (bound) => {
    expect(() => createRandom(1).integer(bound)).toThrow(RangeError);
  });

  it('refuses a draw into no cells', () => {
    expect(() => createRandom(1).multinomial(new Uint32Array(0))).toThrow(RangeError);
  });
});
