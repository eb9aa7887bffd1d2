/**
 * Inner edges of reference-quantile bins: the distinct values at probabilities 1/bins .. (bins-1)/bins (the smallest
 * value with ECDF >= p, R's type 1: always an observed value). Ties are merged, so fewer than `bins - 1` edges may
 * return; an edge at the reference's maximum is left out, since nothing of the reference would lie above it.
 * The bins are (-inf, e1], (e1, e2], .. (ek, +inf), counted by {@link quantileBinCounts}: k+1 of them, none empty in
 * the reference. A constant reference has no edge and one bin.
 *
 * @param sorted the reference's finite values in ascending order
 */
export function quantileEdges(sorted: ArrayLike<number>, bins = 10): Float64Array {
  if (sorted.length === 0) throw new RangeError('quantile edges of an empty reference');
  if (!Number.isInteger(bins) || bins < 2) throw new RangeError(`quantile edges need at least 2 bins, not ${bins}`);
  const n = sorted.length;
  const maximum = sorted[n - 1]!;
  const edges: number[] = [];
  for (let i = 1; i < bins; i++) {
    const edge = sorted[Math.ceil((i * n) / bins) - 1]!;
    if (edge >= maximum) break;
    if (edge !== edges.at(-1)) edges.push(edge);
  }
  return Float64Array.from(edges);
}

/** Counts per bin (-inf, e1], (e1, e2], .. (ek, +inf) of values in any order; infinities fall into the end bins. */
export function quantileBinCounts(values: ArrayLike<number>, innerEdges: ArrayLike<number>): Float64Array {
  const counts = new Float64Array(innerEdges.length + 1);
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (Number.isNaN(value)) throw new RangeError(`value ${i} is NaN; leave missing values out and count them apart`);
    let low = 0;
    let high = innerEdges.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (innerEdges[middle]! < value) low = middle + 1;
      else high = middle;
    }
    counts[low]!++;
  }
  return counts;
}
