import { countTotals, sortedFinite } from './counts.ts';
import { type KolmogorovPValue, kolmogorovTwoSample } from './kolmogorov.ts';

/** The two-sample Kolmogorov-Smirnov test. */
export interface KolmogorovSmirnov extends KolmogorovPValue {
  /** D = max |F_reference - F_current|. */
  statistic: number;
  /**
   * max(0, D - c sqrt((n+m)/(nm))), c = sqrt(-ln(alpha/2)/2): with confidence 1 - alpha the populations differ by more
   * than this (the two-sample Dvoretzky-Kiefer-Wolfowitz bound; Wei & Dudley 2012). What deequ calls the robust
   * L-infinity distance, there with c = 1.8. Drift needs this bound above the margin, not the p-value alone.
   */
  lowerBound: number;
  n: { reference: number; current: number };
}

/** The D of binned counts, between the bounds that the bins leave open. */
export interface BinnedKolmogorovSmirnov extends KolmogorovSmirnov {
  /** No grouping of these rows could give a larger D: D of the rows lies in statistic .. upper. */
  upper: number;
}

/** Exact D from two samples in any order (ties allowed); infinities and NaN are refused. */
export function kolmogorovSmirnov(
  reference: ArrayLike<number>,
  current: ArrayLike<number>,
  { alpha = 0.05 }: { alpha?: number } = {},
): KolmogorovSmirnov {
  const a = sortedFinite(reference, 'reference');
  const b = sortedFinite(current, 'current');
  let largest = 0;
  let i = 0;
  let j = 0;
  while (i < a.length && j < b.length) {
    const next = Math.min(a[i]!, b[j]!);
    while (i < a.length && a[i]! === next) i++;
    while (j < b.length && b[j]! === next) j++;
    // In units of 1/(nm), exact: a comparison of two quotients would not be.
    largest = Math.max(largest, Math.abs(i * b.length - j * a.length));
  }
  return tested(largest, { reference: a.length, current: b.length }, alpha);
}

/**
 * From counts of both sides over the same ordered cells.
 *
 * When the cells are the distinct values of both sides (`GROUP BY value ORDER BY value`), `statistic` is the exact D
 * and `upper` is to be ignored. When they are bins (lo, hi], for example by a stored reference's quantile edges,
 * `statistic` is D at the edges only: never more than D of the rows, so that neither the p-value nor the lower bound
 * claims too much; `upper` tells what the bins may hide. 100 reference-quantile bins hide at most about 0.01 + the
 * current share of a bin.
 */
export function kolmogorovSmirnovOfCounts(
  reference: ArrayLike<number>,
  current: ArrayLike<number>,
  { alpha = 0.05 }: { alpha?: number } = {},
): BinnedKolmogorovSmirnov {
  const n = countTotals(reference, current);
  let largest = 0;
  let upper = 0;
  let below = 0;
  let belowCurrent = 0;
  for (let i = 0; i < reference.length; i++) {
    const above = below + reference[i]!;
    const aboveCurrent = belowCurrent + current[i]!;
    upper = Math.max(
      upper,
      above * n.current - belowCurrent * n.reference,
      aboveCurrent * n.reference - below * n.current,
    );
    largest = Math.max(largest, Math.abs(above * n.current - aboveCurrent * n.reference));
    below = above;
    belowCurrent = aboveCurrent;
  }
  return { ...tested(largest, n, alpha), upper: Math.min(1, upper / (n.reference * n.current)) };
}

function tested(scaled: number, n: { reference: number; current: number }, alpha: number): KolmogorovSmirnov {
  const statistic = scaled / (n.reference * n.current);
  const { pValue, method } = kolmogorovTwoSample(statistic, n.reference, n.current);
  return { statistic, pValue, method, lowerBound: kolmogorovSmirnovLowerBound(statistic, n, alpha), n };
}

/** The bound of {@link KolmogorovSmirnov.lowerBound} for a D that is known already. */
export function kolmogorovSmirnovLowerBound(
  statistic: number,
  n: { reference: number; current: number },
  alpha = 0.05,
): number {
  if (!(alpha > 0 && alpha < 1)) throw new RangeError(`alpha is ${alpha}; it must be between 0 and 1`);
  const c = Math.sqrt(-Math.log(alpha / 2) / 2);
  return Math.max(0, statistic - c * Math.sqrt(1 / n.reference + 1 / n.current));
}
