import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { expectClose } from '../golden/close.ts';
import golden from '../golden/fixtures/golden.json' with { type: 'json' };
import { normalCdf } from './distributions.ts';
import { createRandom, type Random } from './random.ts';
import { tango } from './tango.ts';

describe('tango', () => {
  it.each(
    golden.tango,
  )('agrees with the numerically maximised likelihood: $candidateOnly, $productionOnly of $rows', (expected) => {
    const result = tango(expected, expected);
    expectClose(result.z, expected.z, 1e-6);
    expect(result.interval[0]).toBeCloseTo(expected.interval[0]!, 7);
    expect(result.interval[1]).toBeCloseTo(expected.interval[1]!, 7);
    expectClose(result.pValue, normalCdf(-expected.z), 1e-5);
  });

  it('has the closed form z^2 / (n + z^2) without discordant rows', () => {
    const z2 = 1.959963984540054 ** 2;
    const { interval } = tango({ candidateOnly: 0, productionOnly: 0, rows: 100 });
    expectClose(interval[1], z2 / (100 + z2), 1e-12);
    expectClose(interval[0], -z2 / (100 + z2), 1e-12);
  });

  it('is (b - c) / sqrt(b + c), McNemar, at margin 0', () => {
    expectClose(tango({ candidateOnly: 30, productionOnly: 12, rows: 500 }).z, 18 / Math.sqrt(42), 1e-12);
  });

  it('ends at 1 and -1 where every row is discordant one way', () => {
    expect(tango({ candidateOnly: 8, productionOnly: 0, rows: 8 }).interval[1]).toBe(1);
    expect(tango({ candidateOnly: 0, productionOnly: 8, rows: 8 }, { margin: 0.1 }).interval[0]).toBe(-1);
  });

  it('mirrors, contains delta, and agrees with its own test at the bounds', () => {
    const counts = fc.tuple(fc.nat(60), fc.nat(60), fc.nat(300));
    fc.assert(
      fc.property(counts, ([b, c, rest]) => {
        const rows = Math.max(1, b + c + rest);
        const result = tango({ candidateOnly: b, productionOnly: c, rows });
        const mirrored = tango({ candidateOnly: c, productionOnly: b, rows });
        expect(mirrored.interval[0]).toBeCloseTo(-result.interval[1], 9);
        expect(result.interval[0]).toBeLessThanOrEqual(result.delta);
        expect(result.interval[1]).toBeGreaterThanOrEqual(result.delta);
        const margin = -result.interval[0];
        if (margin <= 1e-6 || margin > 0.99) return;
        const atBound = tango({ candidateOnly: b, productionOnly: c, rows }, { margin });
        expect(atBound.pValue).toBeCloseTo(0.025, 5);
      }),
    );
  });

  it('covers the true difference, and passes a model at the margin no more often than it says', () => {
    const random = createRandom(101);
    const runs = 4000;
    const rows = 80;
    let covered = 0;
    let passed = 0;
    for (let i = 0; i < runs; i++) {
      const counts = discordant(random, rows, 0.06, 0.16);
      const result = tango(counts, { margin: 0.1 });
      if (result.interval[0] <= -0.1 && -0.1 <= result.interval[1]) covered++;
      if (result.interval[0] > -0.1) passed++;
    }
    expect(covered / runs).toBeGreaterThan(0.935);
    expect(covered / runs).toBeLessThan(0.97);
    expect(passed / runs).toBeLessThan(0.035);
    expect(passed / runs).toBeGreaterThan(0.01);
  });

  it('refuses counts and margins that cannot be', () => {
    expect(() => tango({ candidateOnly: 5, productionOnly: 5, rows: 9 })).toThrow(/9 rows, with 5 \+ 5/);
    expect(() => tango({ candidateOnly: 0, productionOnly: 0, rows: 0 })).toThrow(RangeError);
    expect(() => tango({ candidateOnly: 1, productionOnly: 1, rows: 9 }, { margin: -0.1 })).toThrow(/margin/);
    expect(() => tango({ candidateOnly: 1, productionOnly: 1, rows: 9 }, { margin: Number.NaN })).toThrow(/margin/);
    expect(() => tango({ candidateOnly: 1, productionOnly: 1, rows: 9 }, { level: 1 })).toThrow(/level/);
  });
});

function discordant(random: Random, rows: number, onlyCandidate: number, onlyProduction: number) {
  const counts = { candidateOnly: 0, productionOnly: 0, rows };
  for (let i = 0; i < rows; i++) {
    const draw = random.uniform();
    if (draw < onlyCandidate) counts.candidateOnly++;
    else if (draw < onlyCandidate + onlyProduction) counts.productionOnly++;
  }
  return counts;
}
