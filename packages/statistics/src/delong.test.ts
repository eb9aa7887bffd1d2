import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { expectClose } from '../golden/close.ts';
import golden from '../golden/fixtures/golden.json' with { type: 'json' };
import seeds from '../golden/fixtures/seeds.json' with { type: 'json' };
import { normalSample } from '../golden/normal-sample.ts';
import { areaUnderRoc, delong, delongCovariance } from './delong.ts';
import { normalCdf } from './distributions.ts';
import { createRandom } from './random.ts';

describe('delong', () => {
  it.each(golden.delong)('agrees with scikit-learn and with brute force', (expected) => {
    const result = delong(expected.labels, expected.production, expected.candidate);
    expectClose(result.production, expected.areas[0]!, 1e-14);
    expectClose(result.candidate, expected.areas[1]!, 1e-14);
    expectClose(result.variance, expected.variance, 1e-12);
    expectClose(result.pValue, expected.pValue, 1e-9);
    expect(result.status).toBe('estimated');
    const reach = 1.959963984540054 * Math.sqrt(expected.variance);
    expectClose(result.interval[0], expected.areas[1]! - expected.areas[0]! - reach, 1e-10);
    expectClose(result.interval[1], expected.areas[1]! - expected.areas[0]! + reach, 1e-10);
  });

  it('gives the same bits for the rows in any order, and mirrors when the models change places', () => {
    const row = fc.tuple(fc.boolean(), fc.integer({ min: 0, max: 9 }), fc.integer({ min: 0, max: 9 }));
    fc.assert(
      fc.property(fc.array(row, { minLength: 1, maxLength: 40 }), (some) => {
        const rows = [...some, [true, 1, 2], [true, 5, 3], [false, 2, 2], [false, 0, 7]] as typeof some;
        const run = (list: typeof rows) =>
          delong(
            list.map((r) => r[0]),
            list.map((r) => r[1]),
            list.map((r) => r[2]),
          );
        const result = run(rows);
        expect(run(rows.toReversed())).toEqual(result);
        const mirrored = run(rows.map((r) => [r[0], r[2], r[1]]));
        expect(mirrored.delta).toBe(0 - result.delta + 0);
        expect(mirrored.variance).toBe(result.variance);
        expect(result.interval[0]).toBeLessThanOrEqual(result.delta);
        expect(result.interval[1]).toBeGreaterThanOrEqual(result.delta);
      }),
    );
  });

  it('calls a monotone transform identical, exactly', () => {
    const random = createRandom(2);
    const scores = normalSample(random, 20_000);
    const labels = scores.map((score) => (score + 2 * random.uniform() > 1 ? 1 : 0));
    const result = delong(labels, scores, scores.map(Math.exp));
    expect(result).toMatchObject({ status: 'identical', delta: 0, variance: 0, interval: [0, 0], pValue: 1 });
  });

  it('claims nothing where the variance vanishes but the difference does not', () => {
    const result = delong([0, 0, 1, 1], [3, 4, 1, 2], [1, 2, 3, 4]);
    expect(result).toMatchObject({ production: 0, candidate: 1, delta: 1, status: 'degenerate', interval: [-1, 1] });
  });

  it('keeps integers exact on many rows', () => {
    const n = 200_000;
    const labels = Uint8Array.from({ length: n }, (_, i) => i % 2);
    const flat = new Float64Array(n);
    const perfect = Float64Array.from(labels);
    expect(areaUnderRoc(labels, flat)).toBe(0.5);
    expect(areaUnderRoc(labels, perfect)).toBe(1);
    // One pair of rows that changes places among equals: the difference is exactly one count of the pairs.
    const nearly = perfect.slice();
    nearly[0] = 1;
    expect(delong(labels, perfect, nearly).delta).toBe(-(n / 2) / (2 * (n / 2) ** 2));
  });

  it('covers the true difference as often as it says', () => {
    const random = createRandom(77);
    const truth = normalCdf(1.2 / Math.SQRT2) - normalCdf(0.9 / Math.SQRT2);
    const runs = 1000;
    let covered = 0;
    for (let i = 0; i < runs; i++) {
      const labels = Uint8Array.from({ length: 160 }, (_, k) => (k < 60 ? 1 : 0));
      const shared = normalSample(random, 160);
      const own = [normalSample(random, 160), normalSample(random, 160)];
      const scores = [0.9, 1.2].map((shift, model) =>
        shared.map((value, k) => Math.sqrt(0.6) * value + Math.sqrt(0.4) * own[model]![k]! + shift * labels[k]!),
      );
      const { interval } = delong(labels, scores[0]!, scores[1]!);
      if (interval[0] <= truth && truth <= interval[1]) covered++;
    }
    expect(covered / runs).toBeGreaterThan(0.93);
    expect(covered / runs).toBeLessThan(0.97);
  });

  it('refuses what it cannot rank', () => {
    expect(() => delong([0, 1, 1, 0], [1, 2, 3, Number.NaN], [1, 2, 3, 4])).toThrow(/NaN/);
    expect(() => delong([0, 1, 1, 0], [1, 2, 3], [1, 2, 3, 4])).toThrow(/production/);
    expect(() => delong([0, 1, 2, 0], [1, 2, 3, 4], [1, 2, 3, 4])).toThrow(/label 2 is 2/);
    expect(() => delong([0, 1, 0, 0], [1, 2, 3, 4], [1, 2, 3, 4])).toThrow(/1 positives, 3 negatives/);
    expect(() => delong([0, 1, 1, 0], [1, 2, 3, 4], [1, 2, 3, 4], { level: 95 })).toThrow(/level/);
    expect(() => areaUnderRoc([1, 1], [1, 2])).toThrow(/both classes/);
  });
});

describe('delongCovariance', () => {
  it('agrees with brute force over all pairs, ties among them', () => {
    const found = delongCovariance(seeds.areas.labels, seeds.areas.scores);
    for (const [i, area] of seeds.areas.areas.entries()) expectClose(found.areas[i]!, area, 1e-13);
    for (const [i, value] of seeds.areas.covariance.entries()) expectClose(found.covariance[i]!, value, 1e-10);
  });

  it('has the variance of the difference of two that delong has', () => {
    const [production, candidate] = seeds.areas.scores as [number[], number[]];
    const [a, b, , c] = delongCovariance(seeds.areas.labels, [production, candidate]).covariance as unknown as number[];
    expectClose(a! - 2 * b! + c!, delong(seeds.areas.labels, production, candidate).variance, 1e-10);
  });
});
