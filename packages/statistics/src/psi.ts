import { countTotals } from './counts.ts';
import { chiSquareQuantile, chiSquareSf } from './distributions.ts';

/**
 * How a share of zero enters a logarithm: `evidently` (a zero becomes 0.0001, or a millionth of that side's smallest
 * non-zero share when that is at most 0.0001; each side apart, not renormalised), a fixed share, or `none` (PSI is then
 * infinite).
 */
export type ZeroFill = 'evidently' | 'none' | number;

/** The population stability index and what is needed to read it. */
export interface Psi {
  /** Sum of (p - q) ln(p / q), p the reference's shares, q the current ones; 0 when equal. */
  statistic: number;
  /**
   * P(index >= statistic) without drift: the index over 1/n + 1/m is asymptotically chi-squared with bins - 1 degrees
   * of freedom (Yurdakul & Naranjo 2020, "Statistical properties of the population stability index", JRMV 14:4).
   * Bins that are empty on both sides don't count. 1 when one bin is left.
   */
  pValue: number;
  /** max(0, statistic - the value that chance alone exceeds with probability alpha). */
  lowerBound: number;
  bins: number;
  n: { reference: number; current: number };
}

/**
 * PSI from counts of the same bins or categories: for numbers, count by `quantileEdges` of the reference.
 *
 * @throws RangeError when the counts disagree in length, or a side has no row
 */
export function psi(
  reference: ArrayLike<number>,
  current: ArrayLike<number>,
  { zeroFill = 'evidently', alpha = 0.05 }: { zeroFill?: ZeroFill; alpha?: number } = {},
): Psi {
  if (!(alpha > 0 && alpha < 1)) throw new RangeError(`alpha is ${alpha}; it must be between 0 and 1`);
  const n = countTotals(reference, current);
  const p = shares(reference, n.reference, zeroFill);
  const q = shares(current, n.current, zeroFill);
  let statistic = 0;
  let bins = 0;
  for (let i = 0; i < p.length; i++) {
    if (reference[i]! > 0 || current[i]! > 0) bins++;
    if (p[i]! !== q[i]!) statistic += (p[i]! - q[i]!) * Math.log(p[i]! / q[i]!);
  }
  const noise = 1 / n.reference + 1 / n.current;
  const pValue = bins > 1 ? chiSquareSf(statistic / noise, bins - 1) : 1;
  const chance = bins > 1 ? chiSquareQuantile(1 - alpha, bins - 1) * noise : 0;
  return { statistic, pValue, lowerBound: Math.max(0, statistic - chance), bins, n };
}

function shares(counts: ArrayLike<number>, total: number, zeroFill: ZeroFill): Float64Array {
  const result = Float64Array.from(counts, (count) => count / total);
  if (zeroFill === 'none') return result;
  const fill = zeroFill === 'evidently' ? evidentlyFill(result) : zeroFill;
  if (!(fill > 0 && fill < 1)) throw new RangeError(`a zero fill is a share between 0 and 1, not ${zeroFill}`);
  return result.map((share) => (share === 0 ? fill : share));
}

function evidentlyFill(shares: Float64Array): number {
  let smallest = 1;
  for (const share of shares) if (share > 0 && share < smallest) smallest = share;
  return smallest <= 0.0001 ? smallest / 1e6 : 0.0001;
}
