/**
 * Checks two lists of counts over the same cells (bins or categories) and returns their totals.
 *
 * @throws RangeError when the lists differ in length, are empty, hold a negative or non-finite count, or sum to zero
 */
export function countTotals(
  reference: ArrayLike<number>,
  current: ArrayLike<number>,
): { reference: number; current: number } {
  if (reference.length !== current.length) {
    throw new RangeError(`${reference.length} reference counts against ${current.length} current counts`);
  }
  return { reference: total(reference, 'reference'), current: total(current, 'current') };
}

function total(counts: ArrayLike<number>, side: string): number {
  let rows = 0;
  for (let i = 0; i < counts.length; i++) {
    const count = counts[i]!;
    if (!(count >= 0) || count === Number.POSITIVE_INFINITY) throw new RangeError(`${side} count ${i} is ${count}`);
    rows += count;
  }
  if (rows === 0) throw new RangeError(`the ${side} counts hold no row`);
  return rows;
}

/** Finite values in ascending order, in a new array. @throws RangeError for an empty list, NaN or an infinity */
export function sortedFinite(values: ArrayLike<number>, side: string): Float64Array {
  if (values.length === 0) throw new RangeError(`the ${side} sample is empty`);
  const sorted = Float64Array.from(values).sort();
  // NaN sorts last, -Infinity first: the ends tell about all.
  if (!Number.isFinite(sorted[0]!) || !Number.isFinite(sorted[sorted.length - 1]!)) {
    throw new RangeError(`the ${side} sample holds NaN or an infinity; leave them out and count them apart`);
  }
  return sorted;
}
