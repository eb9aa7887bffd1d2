import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { expectClose } from '../golden/close.ts';
import golden from '../golden/fixtures/golden.json' with { type: 'json' };
import { benjaminiHochberg } from './benjamini-hochberg.ts';
import { holm } from './holm.ts';
import { createRandom } from './random.ts';

const pValues = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 30 });

describe('benjaminiHochberg', () => {
  it('agrees with scipy', () => {
    const adjusted = benjaminiHochberg(golden.multiple.pValues);
    for (const [i, p] of golden.multiple.benjaminiHochberg.entries()) expectClose(adjusted[i]!, p, 1e-14);
  });

  it("never lowers a p-value, keeps their order, and stays below Holm's", () => {
    fc.assert(
      fc.property(pValues, (values) => {
        const adjusted = benjaminiHochberg(values);
        const family = holm(values);
        for (const [i, p] of values.entries()) {
          expect(adjusted[i]!).toBeGreaterThanOrEqual(p);
          expect(adjusted[i]!).toBeLessThanOrEqual(family[i]! * (1 + 1e-12));
          for (const [j, q] of values.entries()) if (p <= q) expect(adjusted[i]!).toBeLessThanOrEqual(adjusted[j]!);
        }
      }),
    );
  });

  it('flags hardly any of 100 undrifted columns, where raw p-values flag some nearly always', () => {
    const random = createRandom(3);
    let raw = 0;
    let adjusted = 0;
    for (let i = 0; i < 500; i++) {
      const columns = Float64Array.from({ length: 100 }, () => random.uniform());
      if (columns.some((p) => p <= 0.05)) raw++;
      if (benjaminiHochberg(columns).some((p) => p <= 0.05)) adjusted++;
    }
    expect(raw / 500).toBeGreaterThan(0.98);
    expect(adjusted / 500).toBeLessThan(0.08);
  });

  it.each([Number.NaN, -0.1, 1.1])('refuses %d', (p) => {
    expect(() => benjaminiHochberg([0.5, p])).toThrow(/p-value 1/);
  });

  it('has nothing to say about nothing', () => expect(benjaminiHochberg([])).toHaveLength(0));
});
