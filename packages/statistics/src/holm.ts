import { ascendingOrder, assertPValues } from './p-values.ts';

/**
 * Holm's (1979) step-down adjusted p-values, in the order of the input: rejecting where `adjusted <= alpha` keeps the
 * chance of any false rejection at alpha under every dependence.
 *
 * @throws RangeError when a p-value is NaN or outside [0, 1]
 */
export function holm(pValues: ArrayLike<number>): Float64Array {
  assertPValues(pValues);
  const m = pValues.length;
  const order = ascendingOrder(pValues);
  const adjusted = new Float64Array(m);
  let largest = 0;
  for (let rank = 0; rank < m; rank++) {
    const index = order[rank]!;
    largest = Math.max(largest, Math.min(1, pValues[index]! * (m - rank)));
    adjusted[index] = largest;
  }
  return adjusted;
}
