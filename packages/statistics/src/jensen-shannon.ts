import { countTotals } from './counts.ts';
import { chiSquareSf } from './distributions.ts';

/** The Jensen-Shannon divergence between two sets of counts, and its square root. */
export interface JensenShannon {
  /** sqrt(divergence): the metric that scipy and Evidently call "Jensen-Shannon"; at most sqrt(ln 2) = 0.8326 in base e. */
  distance: number;
  /** 1/2 sum p log(p/m) + 1/2 sum q log(q/m), m = (p+q)/2; at most log 2. */
  divergence: number;
  /**
   * P(divergence at least this large) without drift: 8 divergence / (1/n + 1/m) is asymptotically chi-squared with
   * cells - 1 degrees of freedom (second-order expansion of the divergence at p = q).
   */
  pValue: number;
  n: { reference: number; current: number };
}

/**
 * From counts of the same bins or categories. A zero needs no fill. `base` e is scipy's default and Evidently's;
 * NannyML and TFDV use 2.
 *
 * @throws RangeError when the counts disagree in length, or a side has no row
 */
export function jensenShannon(
  reference: ArrayLike<number>,
  current: ArrayLike<number>,
  { base = Math.E }: { base?: number } = {},
): JensenShannon {
  const n = countTotals(reference, current);
  let left = 0;
  let right = 0;
  let cells = 0;
  for (let i = 0; i < reference.length; i++) {
    const p = reference[i]! / n.reference;
    const q = current[i]! / n.current;
    const middle = (p + q) / 2;
    if (middle > 0) cells++;
    if (p > 0) left += p * Math.log(p / middle);
    if (q > 0) right += q * Math.log(q / middle);
  }
  const natural = Math.max(0, (left + right) / 2);
  const divergence = base === Math.E ? natural : natural / Math.log(base);
  const pValue = cells > 1 ? chiSquareSf((8 * natural) / (1 / n.reference + 1 / n.current), cells - 1) : 1;
  return { distance: Math.sqrt(divergence), divergence, pValue, n };
}
