/** @throws RangeError naming the first p-value that is NaN or outside [0, 1] */
export function assertPValues(pValues: ArrayLike<number>): void {
  for (let i = 0; i < pValues.length; i++) {
    const p = pValues[i]!;
    if (!(p >= 0 && p <= 1)) throw new RangeError(`p-value ${i} is ${p}; it must be between 0 and 1`);
  }
}

/** The indices of `values` from the smallest value to the largest, ties in their first order. */
export function ascendingOrder(values: ArrayLike<number>): number[] {
  return Array.from({ length: values.length }, (_, i) => i).sort((a, b) => values[a]! - values[b]! || a - b);
}
