import { ascendingOrder, assertPValues } from './p-values.ts';

/**
 * Benjamini & Hochberg's (1995) adjusted p-values, in the order of the input: rejecting where `adjusted <= q` keeps the
 * expected share of false discoveries at q under independence or positive dependence.
 *
 * @throws RangeError when a p-value is NaN or outside [0, 1]: an untested hypothesis must not pass as a tested one
 */
export function benjaminiHochberg(pValues: ArrayLike<number>): Float64Array {
  assertPValues(pValues);
  const m = pValues.length;
  const order = ascendingOrder(pValues);
  const adjusted = new Float64Array(m);
  let smallest = 1;
  for (let rank = m; rank >= 1; rank--) {
    const index = order[rank - 1]!;
    const p = pValues[index]!;
    smallest = Math.min(smallest, Math.max(p, (p * m) / rank));
    adjusted[index] = smallest;
  }
  return adjusted;
}
