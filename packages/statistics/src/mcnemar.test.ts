import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { expectClose } from '../golden/close.ts';
import golden from '../golden/fixtures/golden.json' with { type: 'json' };
import { mcnemar } from './mcnemar.ts';

describe('mcnemar', () => {
  it.each(golden.mcnemar)('agrees with scipy and exact fractions: $candidateOnly, $productionOnly', (expected) => {
    const result = mcnemar(expected);
    for (const name of ['pValue', 'midP', 'candidateBetter', 'productionBetter'] as const) {
      expectClose(result[name], expected[name], 1e-11);
    }
  });

  it('is symmetric, within 0 .. 1, and its mid-p is never above the exact p', () => {
    fc.assert(
      fc.property(fc.nat(3000), fc.nat(3000), (b, c) => {
        const result = mcnemar({ candidateOnly: b, productionOnly: c });
        const mirrored = mcnemar({ candidateOnly: c, productionOnly: b });
        expect(mirrored.pValue).toBe(result.pValue);
        expect(mirrored.candidateBetter).toBe(result.productionBetter);
        expect(result.midP).toBeLessThanOrEqual(result.pValue);
        expect(result.midP >= 0 && result.pValue <= 1).toBe(true);
      }),
    );
  });

  it('knows nothing without discordant rows', () => {
    expect(mcnemar({ candidateOnly: 0, productionOnly: 0 })).toEqual({
      pValue: 1,
      midP: 1,
      candidateBetter: 1,
      productionBetter: 1,
    });
  });

  it('ends at 0 where the tail is below the smallest double, never under it', () => {
    expect(mcnemar({ candidateOnly: 7, productionOnly: 1074 })).toMatchObject({ pValue: 0, midP: 0 });
  });

  it.each([-1, 0.5, Number.NaN])('refuses a count of %d', (candidateOnly) => {
    expect(() => mcnemar({ candidateOnly, productionOnly: 3 })).toThrow(RangeError);
  });
});
