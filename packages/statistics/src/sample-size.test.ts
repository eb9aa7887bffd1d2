import { describe, expect, it } from 'vitest';
import golden from '../golden/fixtures/golden.json' with { type: 'json' };
import { normalSample } from '../golden/normal-sample.ts';
import { pairedMean } from './paired-mean.ts';
import { createRandom } from './random.ts';
import { rowsForMargin, rowsToDecide } from './sample-size.ts';

describe('rowsForMargin', () => {
  it.each(golden.sampleSize)("agrees with scipy's quantiles: sd $sd, margin $margin", ({
    sd,
    margin,
    rows,
    ...power
  }) => {
    expect(rowsForMargin({ standardDeviation: sd, margin }, power)).toBe(rows);
  });

  it('has the promised power when simulated', () => {
    const rows = rowsForMargin({ standardDeviation: 1, margin: 0.2 })!;
    const random = createRandom(55);
    let decided = 0;
    for (let i = 0; i < 2000; i++) {
      const d = normalSample(random, rows);
      const squares = d.reduce((all, value) => all + value * value, 0);
      const total = d.reduce((all, value) => all + value, 0);
      if (pairedMean({ rows, total, squares }).interval[0] > -0.2) decided++;
    }
    expect(decided / 2000).toBeGreaterThan(0.77);
    expect(decided / 2000).toBeLessThan(0.83);
  });

  it('says that no number decides at the margin or beyond it', () => {
    expect(rowsForMargin({ standardDeviation: 1, margin: 0.1, expectedDelta: -0.1 })).toBeNull();
    expect(rowsForMargin({ standardDeviation: 1, margin: 0 })).toBeNull();
    expect(rowsForMargin({ standardDeviation: 0, margin: 0.1 })).toBe(1);
  });

  it('refuses nonsense', () => {
    expect(() => rowsForMargin({ standardDeviation: -1, margin: 0.1 })).toThrow(RangeError);
    expect(() => rowsForMargin({ standardDeviation: 1, margin: Number.NaN })).toThrow(RangeError);
    expect(() => rowsForMargin({ standardDeviation: 1, margin: 0.1 }, { power: 1 })).toThrow(RangeError);
  });
});

describe('rowsToDecide', () => {
  it('scales the rows at hand by the distance to the margin, on both sides of it', () => {
    // sd = 0.3 over 900 rows: se 0.01; the same question as rowsForMargin with that sd.
    const wanted = rowsForMargin({ standardDeviation: 0.3, margin: 0.01 });
    expect(rowsToDecide({ rows: 900, delta: 0, standardError: 0.01, margin: 0.01 })).toBe(wanted);
    expect(rowsToDecide({ rows: 900, delta: -0.02, standardError: 0.01, margin: 0.01 })).toBe(wanted);
    expect(rowsToDecide({ rows: 900, delta: -0.01, standardError: 0.01, margin: 0.01 })).toBeNull();
  });

  it('refuses NaN', () => {
    expect(() => rowsToDecide({ rows: 9, delta: Number.NaN, standardError: 1, margin: 0.1 })).toThrow(RangeError);
    expect(() => rowsToDecide({ rows: 0, delta: 0, standardError: 1, margin: 0.1 })).toThrow(RangeError);
  });
});
