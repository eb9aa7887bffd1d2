import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { expectClose } from '../golden/close.ts';
import golden from '../golden/fixtures/golden.json' with { type: 'json' };
import { normalSample } from '../golden/normal-sample.ts';
import { type BootstrapMethod, type Buckets, pairedBootstrap, pairedBootstraps } from './bootstrap.ts';
import { pairedMean } from './paired-mean.ts';
import { createRandom } from './random.ts';

const ratio = (sums: Float64Array) => sums[1]! / sums[0]!;
const average = ratio;

/** A bucket a row: [weight or 1, value]. */
function rowBuckets(production: ArrayLike<number>, candidate: ArrayLike<number>, weight?: ArrayLike<number>): Buckets {
  const count = production.length;
  const pairs = (values: ArrayLike<number>) =>
    Float64Array.from({ length: 2 * count }, (_, i) => (i % 2 === 0 ? (weight?.[i / 2] ?? 1) : values[(i - 1) / 2]!));
  return { count, width: 2, production: pairs(production), candidate: pairs(candidate) };
}

describe('pairedBootstrap', () => {
  const { weight, production, candidate, ...expected } = golden.bootstrap;

  it.each([
    ['bca', expected.BCa],
    ['percentile', expected.percentile],
    ['basic', expected.basic],
  ] as const)('agrees with scipy.stats.bootstrap: %s', (method, { interval, standardError }) => {
    const buckets = rowBuckets(production, candidate, weight);
    const result = pairedBootstrap({ buckets, seed: 1, resamples: 40_000, statistic: ratio, method });
    expect(result.method).toBe(method);
    expectClose(result.standardError, standardError, 0.02);
    const allowed = 0.02 * (interval[1]! - interval[0]!);
    expect(Math.abs(result.interval[0] - interval[0]!)).toBeLessThan(allowed);
    expect(Math.abs(result.interval[1] - interval[1]!)).toBeLessThan(allowed);
  });

  it('gives the same bits for the same seed, and others for another', () => {
    const buckets = rowBuckets(production, candidate, weight);
    const run = (seed: number) => pairedBootstrap({ buckets, seed, resamples: 300, statistic: ratio });
    expect(run(9)).toEqual(run(9));
    expect(run(9).interval).not.toEqual(run(10).interval);
  });

  it('takes each metric of several as it would alone', () => {
    const buckets = rowBuckets(production, candidate, weight);
    const shared = { buckets, seed: 4, resamples: 300 };
    const both = pairedBootstraps({ ...shared, statistics: { ratio, total: (sums) => sums[1]! } });
    expect(both.ratio).toEqual(pairedBootstrap({ ...shared, statistic: ratio }));
    expect(both.total.delta).not.toBe(both.ratio.delta);
  });

  it("agrees with Student's interval on a mean, and uses the pairing", () => {
    const random = createRandom(19);
    const shared = normalSample(random, 2000, 0, 3);
    const noise = normalSample(random, 2000, 0.1, 0.5);
    const result = pairedBootstrap({
      buckets: rowBuckets(
        shared,
        shared.map((value, i) => value + noise[i]!),
      ),
      seed: 3,
      resamples: 4000,
      statistic: average,
    });
    const squares = noise.reduce((all, value) => all + value * value, 0);
    const student = pairedMean({ rows: 2000, total: noise.reduce((a, b) => a + b), squares });
    expectClose(result.delta, student.delta, 1e-10);
    expectClose(result.standardError, student.standardError, 0.05);
    expect(Math.abs(result.interval[0] - student.interval[0])).toBeLessThan(0.15 * student.standardError);
    expect(Math.abs(result.interval[1] - student.interval[1])).toBeLessThan(0.15 * student.standardError);
  });

  it.each([
    'bca',
    'percentile',
    'basic',
  ] satisfies BootstrapMethod[])('covers the true difference as often as it says: %s', (method) => {
    const random = createRandom(83);
    const runs = 300;
    let covered = 0;
    for (let i = 0; i < runs; i++) {
      // Production is right for 50 % of the weight, the candidate for 0.5 x 0.9 + 0.5 x 0.3 = 60 %.
      const weights = Float64Array.from({ length: 200 }, () => 0.5 + random.uniform());
      const first = weights.map((w) => (random.uniform() < 0.5 ? w : 0));
      const second = weights.map((w, k) => (random.uniform() < (first[k]! > 0 ? 0.9 : 0.3) ? w : 0));
      const buckets = rowBuckets(first, second, weights);
      const { interval } = pairedBootstrap({ buckets, seed: i, resamples: 299, statistic: ratio, method });
      if (interval[0] <= 0.1 && 0.1 <= interval[1]) covered++;
    }
    expect(covered / runs).toBeGreaterThan(0.92);
    expect(covered / runs).toBeLessThan(0.98);
  });

  it('by buckets is as wide as by rows', () => {
    const random = createRandom(71);
    const rows = 6000;
    const first = normalSample(random, rows);
    const second = first.map((value) => value + 0.2 * random.uniform());
    const byRow = rowBuckets(first, second);
    const byBucket: Buckets = {
      count: 1000,
      width: 2,
      production: new Float64Array(2000),
      candidate: new Float64Array(2000),
    };
    for (let i = 0; i < rows; i++) {
      const bucket = random.integer(1000);
      for (let k = 0; k < 2; k++) {
        byBucket.production[2 * bucket + k]! += byRow.production[2 * i + k]!;
        byBucket.candidate[2 * bucket + k]! += byRow.candidate[2 * i + k]!;
      }
    }
    const [one, other] = [byRow, byBucket].map((buckets) =>
      pairedBootstrap({ buckets, seed: 6, resamples: 1000, statistic: average }),
    );
    expectClose(other!.delta, one!.delta, 1e-9);
    expectClose(other!.standardError, one!.standardError, 0.1);
  });

  it('is [0, 0] for a model against itself, and mirrors when the models change places', () => {
    const values = fc.array(fc.tuple(fc.integer({ min: 0, max: 9 }), fc.integer({ min: 0, max: 9 })), {
      minLength: 2,
      maxLength: 20,
    });
    fc.assert(
      fc.property(values, (rows) => {
        const [a, b] = [rows.map((row) => row[0]), rows.map((row) => row[1])];
        const run = (x: number[], y: number[]) =>
          pairedBootstrap({ buckets: rowBuckets(x, y), seed: 2, resamples: 199, statistic: average });
        expect(run(a, a)).toMatchObject({ delta: 0, interval: [0, 0], standardError: 0, method: 'bca' });
        const there = run(a, b);
        const back = run(b, a);
        expect(back.delta).toBe(0 - there.delta + 0);
        expect(back.standardError).toBeCloseTo(there.standardError, 12);
        expect(there.interval[0]).toBeLessThanOrEqual(there.interval[1]);
      }),
      { numRuns: 50 },
    );
  });

  it('claims no bound beyond resamples in which the metric does not exist', () => {
    // Precision over 12 buckets of which one only has predicted positives: e^-1 of the resamples have none.
    const hits = new Float64Array(24);
    hits[0] = 4;
    hits[1] = 2;
    const better = hits.slice();
    better[1] = 3;
    const buckets = { count: 12, width: 2, production: hits, candidate: better };
    const result = pairedBootstrap({ buckets, seed: 5, resamples: 400, statistic: ratio });
    expect(result.undefinedResamples).toBeGreaterThan(100);
    expect(result.interval).toEqual([Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY]);
    expect(result.method).toBe('percentile');
  });

  it('refuses what cannot be compared', () => {
    const buckets = rowBuckets([1, 2, 3], [1, 2, 4]);
    const run = (change: object) => pairedBootstrap({ buckets, seed: 1, statistic: average, ...change });
    expect(() => run({ statistic: () => Number.NaN })).toThrow(/NaN for production/);
    expect(() => run({ resamples: 38 })).toThrow(/it needs 39/);
    expect(() => run({ level: 1 })).toThrow(/level/);
    expect(() => run({ buckets: { ...buckets, count: 1 } })).toThrow(/two buckets/);
    expect(() => run({ buckets: { ...buckets, width: 3 } })).toThrow(/need 9/);
    expect(() => run({ buckets: rowBuckets([1, Number.NaN], [1, 2]) })).toThrow(/production sum 1 of bucket 1/);
  });
});
