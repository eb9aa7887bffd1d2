import { tCdf, tQuantile } from './distributions.ts';

/** The mean of paired differences with Student's interval. */
export interface PairedMean {
  delta: number;
  /** Sample standard deviation of a row's difference: what `rowsForMargin` asks for. */
  standardDeviation: number;
  standardError: number;
  interval: [low: number, high: number];
  /** Two-sided, of delta = 0; 1 when all differences are 0. */
  pValue: number;
}

/**
 * The paired t interval of a mean-type metric (accuracy, log loss, MAE, Brier score, cost) from the sums of
 * d = candidate - production over the rows. For few rows or heavy tails prefer the bootstrap.
 *
 * @param sums rows, sum of d, sum of d^2: best of values near zero, since the variance is their difference
 * @throws RangeError for fewer than two rows, or sums that are not finite
 */
export function pairedMean(
  { rows, total, squares }: { rows: number; total: number; squares: number },
  { level = 0.95 }: { level?: number } = {},
): PairedMean {
  if (!(Number.isSafeInteger(rows) && rows >= 2)) throw new RangeError(`a paired mean needs two rows, not ${rows}`);
  if (!(Number.isFinite(total) && squares >= 0 && squares < Number.POSITIVE_INFINITY)) {
    throw new RangeError(`the sums of the differences are ${total} and ${squares}`);
  }
  if (!(level > 0 && level < 1)) throw new RangeError(`level is ${level}; it must be between 0 and 1`);
  const delta = total / rows;
  const standardDeviation = Math.sqrt(Math.max(0, squares - total * delta) / (rows - 1));
  const standardError = standardDeviation / Math.sqrt(rows);
  const reach = tQuantile(0.5 + level / 2, rows - 1) * standardError;
  const interval: [number, number] = [delta - reach, delta + reach];
  if (standardError === 0) return { delta, standardDeviation, standardError, interval, pValue: delta === 0 ? 1 : 0 };
  const pValue = Math.min(1, 2 * tCdf(-Math.abs(delta) / standardError, rows - 1));
  return { delta, standardDeviation, standardError, interval, pValue };
}
