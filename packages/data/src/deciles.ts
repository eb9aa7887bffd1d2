import { total } from './cells.ts';

/** Counts of both sides over ascending cells, and the largest value of each cell but perhaps the last. */
export type CountedCells = {
  reference: ArrayLike<number>;
  current: ArrayLike<number>;
  points: ArrayLike<number>;
};

/** Both sides by the reference's deciles. */
export type Deciles = {
  /** `around`: three bins, below, at and above `edges[0]`. */
  kind: 'tenths' | 'around';
  /** The largest value of each bin but the last. */
  edges: number[];
  reference: number[];
  current: number[];
};

/**
 * Cells merged into the reference's deciles. The edge of decile i is the smallest one with at least i tenths of the
 * reference at or below it: exactly `quantileEdges(reference, 10)`, since percentiles contain deciles. Where those
 * leave one bin, there are three.
 */
export function decileCells({ reference: before, current: after, points }: CountedCells): Deciles {
  const rows = total(before);
  const cells = before.length;
  const edges: number[] = [];
  const reference: number[] = [];
  const current: number[] = [];
  let below = 0;
  let left = 0;
  let right = 0;
  let decile = 1;
  let last = cells - 1;
  while (last > 0 && before[last] === 0) last--;
  for (let i = 0; i < cells; i++) {
    below += before[i] as number;
    left += before[i] as number;
    right += after[i] as number;
    if (i < last && decile < 10 && below * 10 >= decile * rows && (before[i] as number) > 0) {
      edges.push(points[i] as number);
      reference.push(left);
      current.push(right);
      left = 0;
      right = 0;
      while (decile < 10 && below * 10 >= decile * rows) decile++;
    }
  }
  if (reference.length > 0)
    return { kind: 'tenths', edges, reference: [...reference, left], current: [...current, right] };
  // Nine tenths have the largest value. One bin could see nothing move: it is told from what lies below and above it.
  const around = (counts: ArrayLike<number>) => {
    const at = counts[last] as number;
    const under = total(Array.from(counts).slice(0, last));
    return [under, at, total(counts) - under - at];
  };
  return { kind: 'around', edges: [points[last] as number], reference: around(before), current: around(after) };
}
