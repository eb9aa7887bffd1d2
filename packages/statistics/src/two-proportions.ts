import { normalCdf } from './distributions.ts';

/** A test of two proportions. */
export interface TwoProportions {
  /** (p - q) / sqrt(s (1 - s) (1/n + 1/m)), s the share of both together. */
  statistic: number;
  /** Two-sided, as 2 (1 - Phi(|z|)): below 1e-16 it is 0. NaN where all rows, or none, are hits. */
  pValue: number;
}

/**
 * The pooled z-test of two proportions, as Evidently computes it.
 *
 * @throws RangeError where a side has no row
 */
export function twoProportions(
  reference: { hits: number; rows: number },
  current: { hits: number; rows: number },
): TwoProportions {
  if (!(reference.rows > 0 && current.rows > 0)) {
    throw new RangeError(`a test of proportions needs rows on both sides, not ${reference.rows} and ${current.rows}`);
  }
  const p = reference.hits / reference.rows;
  const q = current.hits / current.rows;
  const share = (p * reference.rows + q * current.rows) / (reference.rows + current.rows);
  const statistic = (p - q) / Math.sqrt(share * (1 - share) * (1 / reference.rows + 1 / current.rows));
  return { statistic, pValue: 2 * (1 - normalCdf(Math.abs(statistic))) };
}
