import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { expectClose } from '../golden/close.ts';
import golden from '../golden/fixtures/golden.json' with { type: 'json' };
import { jensenShannon } from './jensen-shannon.ts';
import { createRandom } from './random.ts';

describe('jensenShannon', () => {
  it.each(golden.numeric)('agrees with scipy, both bases: $name', ({ sturges, ...expected }) => {
    expectClose(jensenShannon(sturges.reference, sturges.current).distance, expected.jensenShannon, 1e-12);
    const base2 = jensenShannon(sturges.reference, sturges.current, { base: 2 });
    expectClose(base2.distance, expected.jensenShannonBase2, 1e-12);
    expectClose(base2.divergence, expected.jensenShannonBase2 ** 2, 1e-12);
  });

  it.each(golden.categorical)('agrees with scipy on categories', (expected) => {
    expectClose(jensenShannon(expected.reference, expected.current).distance, expected.jensenShannon, 1e-12);
  });

  it('reaches sqrt(ln 2) for disjoint sides and 0 for equal ones', () => {
    expectClose(jensenShannon([3, 0], [0, 8]).distance, Math.sqrt(Math.LN2), 1e-15);
    expectClose(jensenShannon([3, 0], [0, 8], { base: 2 }).distance, 1, 1e-15);
    expect(jensenShannon([3, 4], [6, 8])).toMatchObject({ distance: 0, pValue: 1 });
    expect(jensenShannon([3], [6]).pValue).toBe(1);
  });

  it('is symmetric, bounded and blind to the order of the cells', () => {
    const cells = fc.array(fc.tuple(fc.nat(99), fc.nat(99)), { minLength: 1, maxLength: 9 });
    fc.assert(
      fc.property(cells, (pairs) => {
        const p = pairs.map((pair) => pair[0] + 1);
        const q = pairs.map((pair) => pair[1] + 1);
        const distance = jensenShannon(p, q).distance;
        expect(distance).toBeLessThanOrEqual(Math.sqrt(Math.LN2));
        expect(jensenShannon(q, p).distance).toBeCloseTo(distance, 7);
        expect(jensenShannon(p.toReversed(), q.toReversed()).distance).toBeCloseTo(distance, 7);
      }),
    );
  });

  it('keeps its level without drift', () => {
    const random = createRandom(8);
    const reference = new Uint32Array(20);
    const current = new Uint32Array(20);
    let significant = 0;
    for (let i = 0; i < 1000; i++) {
      random.multinomial(reference, 3000);
      random.multinomial(current, 800);
      if (jensenShannon(reference, current).pValue <= 0.05) significant++;
    }
    expect(significant / 1000).toBeGreaterThan(0.03);
    expect(significant / 1000).toBeLessThan(0.075);
  });
});
