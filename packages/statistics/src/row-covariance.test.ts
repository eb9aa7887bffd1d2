import { describe, expect, it } from 'vitest';
import { expectClose } from '../golden/close.ts';
import golden from '../golden/fixtures/seeds.json' with { type: 'json' };
import { bootstrapCovariance, jackknifeCovariance, type ModelValues } from './row-covariance.ts';

/** The means of two columns over the rows that count. */
function means(columns: readonly (readonly number[])[]): ModelValues {
  return {
    cells: columns[0]!.length,
    models: columns.length,
    valuesOf: (counts) =>
      columns.map((column) => {
        const rows = counts.reduce((total, count) => total + count, 0);
        return column.reduce((total, value, row) => total + value * counts[row]!, 0) / rows;
      }),
  };
}

/** The values without each cell, model by model. */
function without({ cells, models, valuesOf }: ModelValues): Float64Array[] {
  const counts = new Uint32Array(cells);
  const left = Array.from({ length: cells }, (_, cell) => Array.from(valuesOf(counts.fill(1).fill(0, cell, cell + 1))));
  return Array.from({ length: models }, (_, model) => Float64Array.from(left, (values) => values[model]!));
}

const [first, second] = golden.areas.scores as [number[], number[]];
/** numpy.cov(first, second) / rows, by hand. */
function exact(left: readonly number[], right: readonly number[]): number {
  const center = (values: readonly number[]) => values.reduce((total, value) => total + value, 0) / values.length;
  const products = left.map((value, row) => (value - center(left)) * (right[row]! - center(right)));
  return center(products) / (left.length - 1);
}

describe('the covariance over rows', () => {
  it('by the jackknife is that of means, exactly', () => {
    const { covariance } = jackknifeCovariance(without(means([first, second])));
    expectClose(covariance[0]!, exact(first, first), 1e-10);
    expectClose(covariance[1]!, exact(first, second), 1e-10);
    expect(covariance[2]).toBe(covariance[1]);
    expectClose(covariance[3]!, exact(second, second), 1e-10);
  });

  it('by the bootstrap is about the same, and the same bits for the same seed', () => {
    const draw = (seed: number) => bootstrapCovariance({ ...means([first, second]), resamples: 4000, seed });
    const { covariance } = draw(7);
    // Four standard errors of 4,000 draws.
    for (const [i, of] of [exact(first, first), exact(first, second)].entries())
      expect(Math.abs(covariance[i]! / of - 1)).toBeLessThan(0.1);
    expect(draw(7)).toEqual(draw(7));
    expect(draw(8)).not.toEqual(draw(7));
  });

  it('counts the draws in which a value does not exist; the jackknife can leave none out', () => {
    const values = means([first, second]);
    const broken: ModelValues = {
      ...values,
      valuesOf: (counts) => (counts[3] === 0 ? [Number.NaN, 1] : values.valuesOf(counts)),
    };
    const { covariance, undefinedDraws } = bootstrapCovariance({ ...broken, resamples: 1000, seed: 7 });
    // A cell is in no draw with a chance of 1/e.
    expect(undefinedDraws).toBeGreaterThan(300);
    expect(undefinedDraws).toBeLessThan(440);
    expect(covariance.every(Number.isFinite)).toBe(true);
    expect(() => jackknifeCovariance(without(broken))).toThrow(/undefined without one/);
    expect(() => jackknifeCovariance([Float64Array.of(1)])).toThrow(/two cells/);
  });
});
