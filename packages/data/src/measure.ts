import {
  chiSquareQuantile,
  chiSquareTwoSample,
  cramersV,
  jensenShannon,
  kolmogorovSmirnovOfCounts,
  poolRareCategories,
  psi,
  wassersteinOfBins,
  wassersteinOfCounts,
} from '@passloop/statistics';
import { total } from './cells.ts';
import { decileCells } from './deciles.ts';

/** How a shift is measured; `missing` is the share of rows without a finite value. */
export type DriftMeasure = 'ks' | 'psi' | 'js' | 'wasserstein' | 'chi2' | 'missing';

/** One measured shift, before anyone judges it. */
export type Measurement = {
  /** The variant in full: `psi(bins=decile-ref,k=10)`. */
  method: string;
  /** What the method is known by: D, the index, the distance, chi-squared. */
  statistic: number;
  /** Null where the method has no test (Wasserstein). */
  pValue: number | null;
  /** The effect that is judged: the statistic itself, but Cramer's V for chi2. */
  effect: number;
  /** The effect that chance does not explain, at 95 %: what must pass the threshold. */
  lowerBound: number;
  /** How much smaller or larger the effect of the rows themselves may be, where only counts in cells are known. */
  unknown?: { below: number; above: number };
  n: { reference: number; current: number };
};

/**
 * The effect from which a shift counts, by method. Chosen so that an honest May and June stay quiet against January to
 * April of the flights example, and distances in kilometres or 30 % longer, a third of missing values, other codes and
 * clocks in another zone do not (drift.test.ts).
 */
export const driftThresholds: Readonly<Record<DriftMeasure, number>> = {
  ks: 0.1,
  psi: 0.2,
  js: 0.1,
  wasserstein: 0.2,
  chi2: 0.1,
  missing: 0.05,
};

/** Counts of both sides over ascending numeric cells, or exact distinct values. */
export type NumericPair = {
  /**
   * `percentile-ref`: cells (-inf, e1] .. (ek, inf) by the reference's percentiles; `exact`: one cell per distinct value,
   * `points[i]` being the value of cell i.
   */
  cells: 'percentile-ref' | 'exact';
  points: readonly number[] | Float64Array;
  reference: ArrayLike<number>;
  current: ArrayLike<number>;
  /** Of both sides together. */
  range: { minimum: number; maximum: number };
  /** The reference's standard deviation, population form. */
  sd: number;
};

/** Counts of both sides over the same categories. */
export type CategoricalPair = { reference: readonly number[]; current: readonly number[] };

/**
 * The shift of a numeric column.
 *
 * @throws RangeError when a side has no finite value
 */
export function measureNumeric(method: Exclude<DriftMeasure, 'missing'>, pair: NumericPair): Measurement {
  const n = { reference: total(pair.reference), current: total(pair.current) };
  switch (method) {
    case 'ks': {
      const ks = kolmogorovSmirnovOfCounts(pair.reference, pair.current);
      const variant = pair.cells === 'exact' ? 'exact' : `grid=percentile-ref,k=${pair.reference.length}`;
      return {
        method: `ks(${variant})`,
        statistic: ks.statistic,
        pValue: ks.pValue,
        effect: ks.statistic,
        lowerBound: ks.lowerBound,
        n,
      };
    }
    case 'wasserstein': {
      const { normed, variant, unknown } = wassersteinNormed(pair);
      const method = `wasserstein(${variant},unit=sd-ref)`;
      // Without drift the distance is about 0.6 sqrt(1/n + 1/m) standard deviations and rarely 1.4 times that root.
      const chance = 1.4 * Math.sqrt(1 / n.reference + 1 / n.current);
      return {
        method,
        statistic: normed,
        pValue: null,
        effect: normed,
        lowerBound: Math.max(0, normed - chance),
        ...(unknown === undefined ? {} : { unknown }),
        n,
      };
    }
    default: {
      const deciles = decileCells(pair);
      const named = { psi: 'psi', js: 'js', chi2: 'chi2' }[method];
      return withBins(measureCounts(method, deciles, named), `bins=decile-ref`);
    }
  }
}

/**
 * In standard deviations of the reference; for a constant reference in thousandths, since nothing else gives a scale.
 * (The statistics' own `normed` never divides by less than 0.001, as Evidently does: columns of small numbers would
 * never drift.)
 */
function wassersteinNormed(pair: NumericPair): Pick<Measurement, 'unknown'> & { normed: number; variant: string } {
  const perUnit = (distance: number, sd: number) => distance / (sd > 0 ? sd : 0.001);
  if (pair.cells === 'exact') {
    const { distance } = wassersteinOfCounts(pair.points, pair.reference, pair.current);
    return { normed: perUnit(distance, weightedSd(pair.points, pair.reference)), variant: 'exact' };
  }
  const { minimum, maximum } = pair.range;
  const inner = Array.from(pair.points, (edge) => Math.min(Math.max(edge, minimum), maximum));
  const { distance, low, high } = wassersteinOfBins([minimum, ...inner, maximum], pair.reference, pair.current, 1);
  return {
    normed: perUnit(distance, pair.sd),
    variant: `bins=percentile-ref,k=${pair.reference.length}`,
    unknown: { below: perUnit(distance - low, pair.sd), above: perUnit(high - distance, pair.sd) },
  };
}

/** Deviations are squared in units of the largest one: their squares may lie beyond the doubles. */
function weightedSd(values: ArrayLike<number>, counts: ArrayLike<number>): number {
  const rows = total(counts);
  let mean = 0;
  for (let i = 0; i < values.length; i++) mean += ((counts[i] as number) / rows) * (values[i] as number);
  let largest = 0;
  for (let i = 0; i < values.length; i++)
    if ((counts[i] as number) > 0) largest = Math.max(largest, Math.abs((values[i] as number) - mean));
  if (largest === 0) return 0;
  let squares = 0;
  for (let i = 0; i < values.length; i++)
    squares += ((counts[i] as number) / rows) * (((values[i] as number) - mean) / largest) ** 2;
  return largest * Math.sqrt(squares);
}

/** The shift of a categorical column. KS and Wasserstein need an order and are not defined here. */
export function measureCategorical(method: 'psi' | 'js' | 'chi2', pair: CategoricalPair): Measurement {
  return withBins(measureCounts(method, pair, method), 'bins=values');
}

function withBins(measured: { name: string; detail: string } & Omit<Measurement, 'method'>, bins: string): Measurement {
  const { name, detail, ...rest } = measured;
  return { method: `${name}(${bins},${detail})`, ...rest };
}

function measureCounts(
  method: 'psi' | 'js' | 'chi2',
  pair: CategoricalPair,
  name: string,
): { name: string; detail: string } & Omit<Measurement, 'method'> {
  const n = { reference: total(pair.reference), current: total(pair.current) };
  const k = pair.reference.filter((count, i) => count + (pair.current[i] as number) > 0).length;
  if (method === 'psi') {
    const { statistic, pValue, lowerBound } = psi(pair.reference, pair.current);
    return { name, detail: `k=${k}`, statistic, pValue, effect: statistic, lowerBound, n };
  }
  const noise = 1 / n.reference + 1 / n.current;
  const chance = k > 1 ? chiSquareQuantile(0.95, k - 1) * noise : 0;
  if (method === 'js') {
    const { distance, divergence, pValue } = jensenShannon(pair.reference, pair.current);
    const lowerBound = Math.sqrt(Math.max(0, divergence - chance / 8));
    return { name, detail: `k=${k},base=e`, statistic: distance, pValue, effect: distance, lowerBound, n };
  }
  const test = chiSquareTwoSample(pair.reference, pair.current);
  const pooled = poolRareCategories(pair.reference, pair.current);
  const table = [pooled.reference, pooled.current];
  // Rare categories would make the p-value doubtful (Cochran): it then comes from the pooled table.
  const pValue = test.minimumExpected < 5 ? chiSquareTwoSample(pooled.reference, pooled.current).pValue : test.pValue;
  const effect = cramersV(table).v;
  return {
    name,
    detail: `two-sample,df=${test.degreesOfFreedom}${test.minimumExpected < 5 ? `,rare-pooled-for-p` : ''},effect=cramers-v`,
    statistic: test.statistic,
    pValue,
    effect,
    lowerBound: cramersV(table).corrected,
    n,
  };
}

/** The shift of the share of rows without a finite value, with the two-sample test of a proportion. */
export function measureMissing(
  reference: { rows: number; missing: number },
  current: { rows: number; missing: number },
): Measurement {
  const p = reference.missing / reference.rows;
  const q = current.missing / current.rows;
  const error = Math.sqrt((p * (1 - p)) / reference.rows + (q * (1 - q)) / current.rows);
  const test = chiSquareTwoSample(
    [reference.rows - reference.missing, reference.missing],
    [current.rows - current.missing, current.missing],
  );
  const effect = Math.abs(p - q);
  return {
    method: 'missing(share)',
    statistic: effect,
    pValue: test.pValue,
    effect,
    lowerBound: Math.max(0, effect - 1.96 * error),
    n: { reference: reference.rows, current: current.rows },
  };
}
