import { describe, expect, it } from 'vitest';
import { expectClose } from '../golden/close.ts';
import golden from '../golden/fixtures/seeds.json' with { type: 'json' };
import { differenceOfSeedMeans, type SeedValues, seedMeansToDecide } from './seed-means.ts';

/** Values whose row noise has one variance, and one correlation between any two. */
function valuesOf(
  production: number[],
  candidate: number[],
  { variance = 1e-4, correlation = 0.5, rowDegreesOfFreedom = 999 } = {},
): SeedValues {
  const width = production.length + candidate.length;
  const covariance = Float64Array.from(
    { length: width ** 2 },
    (_, at) => variance * (at % (width + 1) === 0 ? 1 : correlation),
  );
  return { production, candidate, covariance, rowDegreesOfFreedom };
}

describe('differenceOfSeedMeans', () => {
  it.each(golden.means)('agrees with the analysis of variance: $name', (expected) => {
    const { production, candidate } = expected;
    const covariance = Float64Array.from(expected.covariance);
    const found = differenceOfSeedMeans({ production, candidate, covariance, rowDegreesOfFreedom: Infinity });
    expectClose(found.delta, expected.delta, 1e-12);
    expectClose(found.standardError, expected.standardError, 1e-10);
    expectClose(found.degreesOfFreedom, expected.degreesOfFreedom, 1e-9);
    expectClose(found.interval[0], expected.interval[0]!, 1e-9);
    expectClose(found.interval[1], expected.interval[1]!, 1e-9);
  });

  it('is never surer than the rows are, and counts no noise of the rows as the seeds own', () => {
    // The values differ less than their own row noise: the seeds add nothing.
    const calm = differenceOfSeedMeans(valuesOf([0.8, 0.801], [0.81, 0.811]));
    expect(calm.seedVariance).toBe(0);
    expectClose(calm.rowVariance, 1e-4 * 0.5, 1e-9);
    // Far apart: what other seeds would change is nearly all of it, and hardly a degree of freedom is left.
    const wild = differenceOfSeedMeans(valuesOf([0.7, 0.9], [0.71, 0.91]));
    expectClose(wild.rowVariance + wild.seedVariance, 0.02 / 2 + 0.02 / 2, 1e-9);
    expectClose(wild.degreesOfFreedom, 2, 1e-4);
  });

  it('keeps its degrees of freedom where the rows tell the means apart far better than the models', () => {
    // Two pairs of models that err on the same rows: their means differ by next to nothing, the models of a side do.
    const pairs = valuesOf([0.8, 0.81], [0.801, 0.811], { correlation: 0 });
    for (let i = 0; i < 4; i += 1) pairs.covariance[4 * i + ((i + 2) % 4)] = 0.9999e-4;
    const found = differenceOfSeedMeans(pairs);
    expect(found.degreesOfFreedom).toBeGreaterThan(1.99);
    expectClose(found.standardError ** 2, 5e-5 / 2 + 5e-5 / 2, 1e-9);
    expect(found.interval.every((bound) => Math.abs(bound) < 0.04)).toBe(true);
  });

  it('is the mirror image when the sides change places', () => {
    const [one, other] = [
      [0.8, 0.83, 0.79],
      [0.84, 0.85],
    ] as const;
    const found = differenceOfSeedMeans(valuesOf([...one], [...other]));
    const mirrored = differenceOfSeedMeans(valuesOf([...other], [...one]));
    expectClose(mirrored.delta, -found.delta, 1e-12);
    expectClose(mirrored.interval[1], -found.interval[0], 1e-12);
  });

  it('of one model a side leaves the rows alone', () => {
    const found = differenceOfSeedMeans(valuesOf([0.8], [0.82], { rowDegreesOfFreedom: 50 }));
    expect(found.spreads).toEqual([]);
    expectClose(found.degreesOfFreedom, 50, 1e-9);
    expectClose(found.standardError, Math.sqrt(2e-4 - 1e-4), 1e-12);
  });

  it('refuses values that are not finite, and a covariance that is not theirs', () => {
    expect(() => differenceOfSeedMeans(valuesOf([0.8, Number.NaN], [0.8]))).toThrow(/not finite/);
    expect(() => differenceOfSeedMeans(valuesOf([], [0.8]))).toThrow(/each side needs one/);
    expect(() => differenceOfSeedMeans({ ...valuesOf([0.8], [0.8]), covariance: new Float64Array(9) })).toThrow(
      /2 values/,
    );
  });
});

describe('seedMeansToDecide', () => {
  const question = { rows: 1000, rowDegreesOfFreedom: 999 };

  it('asks for more seeds where no number of rows would decide', () => {
    const found = differenceOfSeedMeans(valuesOf([0.78, 0.8, 0.82], [0.77, 0.8, 0.83], { variance: 1e-6 }));
    const { rows, seeds } = seedMeansToDecide(found, { ...question, delta: found.delta, margin: 0.01 });
    expect(rows).toBeNull();
    // (z + z) sqrt(2 · 0.00065 / m) = 0.01 has m = 102 for each side.
    expect(seeds).toBeGreaterThan(101);
    expect(seeds).toBeLessThan(110);
  });

  it('knows so many rows that decide where very many would not', () => {
    // 2 models a side, of each 0.95 of the rows' noise shared within a side and 0.5 across; seeds add 0.003². SciPy's t over
    // all numbers of rows in turn: 6,242 are the first that do, and 129,711 the last: few degrees of freedom are left.
    const apart = Math.sqrt((5e-6 + 9e-6) / 2);
    const values = valuesOf([0.8 - apart, 0.8 + apart], [0.8 - apart, 0.8 + apart]);
    for (let i = 0; i < 4; i += 1)
      for (let j = 0; j < 4; j += 1) values.covariance[4 * i + j] = i === j ? 1e-4 : i < 2 === j < 2 ? 0.95e-4 : 0.5e-4;
    const found = differenceOfSeedMeans(values);
    expect(seedMeansToDecide(found, { ...question, delta: 0, margin: 0.015 }).rows).toBe(6242);
  });

  it('asks for more rows where no number of seeds would decide', () => {
    const calm = { ...valuesOf([0.8, 0.801, 0.799], [0.8, 0.799, 0.801]) };
    // A half of the rows' noise is the candidate's own, and all its seeds share it.
    for (let i = 0; i < 6; i += 1)
      for (let j = 0; j < 6; j += 1) calm.covariance[6 * i + j] = i === j ? 1e-4 : i < 3 === j < 3 ? 0.9e-4 : 0.4e-4;
    const found = differenceOfSeedMeans(calm);
    const { rows, seeds } = seedMeansToDecide(found, { ...question, delta: 0, margin: 0.01 });
    expect(seeds).toBeNull();
    expect(rows).toBeGreaterThan(1000 * (2.8 / 0.01) ** 2 * found.rowVariance * 0.9);
  });

  it('knows no number where the difference is at the margin itself', () => {
    const found = differenceOfSeedMeans(valuesOf([0.8, 0.82], [0.8, 0.82]));
    expect(seedMeansToDecide(found, { ...question, delta: -0.01, margin: 0.01 })).toEqual({ rows: null, seeds: null });
  });
});
