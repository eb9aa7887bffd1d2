import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { expectClose } from '../golden/close.ts';
import golden from '../golden/fixtures/golden.json' with { type: 'json' };
import { holm } from './holm.ts';

describe('holm', () => {
  it('agrees with its definition', () => {
    const adjusted = holm(golden.multiple.pValues);
    for (const [i, p] of golden.multiple.holm.entries()) expectClose(adjusted[i]!, p, 1e-14);
  });

  it('multiplies the smallest by the number of tests and keeps the largest', () => {
    expect([...holm([0.04, 0.01, 0.03])]).toEqual([0.06, 0.03, 0.06]);
    expect([...holm([0.5])]).toEqual([0.5]);
  });

  it('lies between the raw p-value and Bonferroni', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 30 }), (values) => {
        for (const [i, p] of holm(values).entries()) {
          expect(p).toBeGreaterThanOrEqual(values[i]!);
          expect(p).toBeLessThanOrEqual(
            Math.max(Math.min(1, Math.max(...values)), Math.min(1, values[i]! * values.length)),
          );
        }
      }),
    );
  });

  it('refuses NaN', () => expect(() => holm([Number.NaN])).toThrow(RangeError));
});
