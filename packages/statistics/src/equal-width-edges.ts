/**
 * Edges of equal-width bins by Sturges' rule on pooled data, as Evidently takes them through numpy: the width is
 * (max - min) / (log2(rows) + 1), at least 1 for integer columns; edge i is min + i * ((max - min) / bins), the last
 * one max itself, computed in numpy's order so that the doubles agree.
 *
 * @param range the minimum and maximum of reference and current together, finite
 * @param rows the rows of both
 */
export function sturgesEdges(
  range: { minimum: number; maximum: number },
  rows: number,
  integers = false,
): Float64Array {
  const { minimum, maximum } = range;
  if (!(Number.isFinite(minimum) && Number.isFinite(maximum) && minimum <= maximum)) {
    throw new RangeError(`equal-width edges over ${minimum}..${maximum}`);
  }
  if (!(rows >= 1)) throw new RangeError(`equal-width edges for ${rows} rows`);
  // numpy widens a range of width zero by one half on each side.
  const low = minimum === maximum ? minimum - 0.5 : minimum;
  const high = minimum === maximum ? maximum + 0.5 : maximum;
  const sturges = (maximum - minimum) / (Math.log2(rows) + 1);
  const width = integers ? Math.max(sturges, 1) : sturges;
  const bins = width > 0 ? Math.ceil((maximum - minimum) / width) : 1;
  const count = Math.max(1, bins);
  const step = (high - low) / count;
  const edges = new Float64Array(count + 1);
  for (let i = 0; i < count; i++) edges[i] = i * step + low;
  edges[count] = high;
  return edges;
}

/** Counts per bin [e0, e1), [e1, e2), .. [ek-1, ek], the last one closed (numpy's rule). What lies outside is not counted. */
export function equalWidthCounts(values: ArrayLike<number>, edges: ArrayLike<number>): Float64Array {
  const bins = edges.length - 1;
  if (bins < 1) throw new RangeError('a histogram needs two edges');
  const counts = new Float64Array(bins);
  const first = edges[0]!;
  const last = edges[bins]!;
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (!(value >= first && value <= last)) continue;
    let low = 0;
    let high = bins;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (edges[middle + 1]! <= value) low = middle + 1;
      else high = middle;
    }
    counts[Math.min(low, bins - 1)]!++;
  }
  return counts;
}
