/** Into how many parts of equal rows a column is cut. */
const parts = 100;

/** The ranks, from 1, of the percentiles 1 .. 99 and, last, of the largest value; each once. */
export function percentileRanks(rows: number): number[] {
  return [...new Set(Array.from({ length: parts }, (_, i) => Math.ceil(((i + 1) * rows) / parts)))];
}

/**
 * Inner edges of the cells (-inf, e1], (e1, e2], .. (ek, inf). Every percentile is one. A value that holds two ranks or
 * more has a hundredth of the rows at least: it gets a cell of its own, by an edge right below it, the maximum too. So no
 * cell hides more than two hundredths of the reference, and a constant, a 0/1 column or a capped one can't move unseen.
 *
 * @param points the values at {@link percentileRanks}, ascending
 */
export function percentileEdges(points: readonly number[]): number[] {
  const maximum = points.at(-1);
  const edges: number[] = [];
  for (let i = 0; i < points.length; i++) {
    const point = points[i] as number;
    if (i > 0 && point === points[i - 1]) continue;
    const isTied = point === points[i + 1];
    if (isTied) edges.push(nextBelow(point));
    if (isTied || point !== maximum) edges.push(point);
  }
  // Neighbouring doubles: the edge below the second is the first.
  return [...new Set(edges)].filter(Number.isFinite);
}

/** The largest double below a finite one. */
function nextBelow(value: number): number {
  if (value === 0) return -Number.MIN_VALUE;
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  view.setBigInt64(0, view.getBigInt64(0) + (value > 0 ? -1n : 1n));
  return view.getFloat64(0);
}
