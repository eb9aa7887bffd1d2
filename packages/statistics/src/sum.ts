/**
 * The sum of `values` with Neumaier's compensation (Neumaier 1974, "Rundungsfehleranalyse einiger Verfahren zur
 * Summation endlicher Summen", ZAMM 54): the error doesn't grow with the number of values. Deterministic for an order.
 * Infinities and NaN give what plain addition gives. An empty list sums to 0.
 */
export function sum(values: ArrayLike<number>): number {
  let total = 0;
  let compensation = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    const next = total + value;
    compensation += Math.abs(total) >= Math.abs(value) ? total - next + value : value - next + total;
    total = next;
  }
  return Number.isFinite(compensation) ? total + compensation : total;
}

/** The arithmetic mean by {@link sum}; NaN for an empty list. */
export function mean(values: ArrayLike<number>): number {
  return sum(values) / values.length;
}

/**
 * The variance by two passes (mean first, then squared deviations), with `ddof` taken from the divisor:
 * 0 for a population (numpy's default), 1 for a sample. NaN when there are no more than `ddof` values.
 */
export function variance(values: ArrayLike<number>, ddof: 0 | 1 = 1): number {
  const n = values.length;
  if (n <= ddof) return Number.NaN;
  const center = mean(values);
  const squares = new Float64Array(n);
  for (let i = 0; i < n; i++) squares[i] = (values[i]! - center) ** 2;
  return sum(squares) / (n - ddof);
}
