import { countTotals, sortedFinite } from './counts.ts';
import { variance } from './sum.ts';

/** The first Wasserstein (earth mover's) distance. */
export interface Wasserstein {
  /** Integral of |F_reference - F_current|, in the units of the column. */
  distance: number;
  /** distance / max(population standard deviation of the reference, 0.001): Evidently's "normed", in standard deviations. */
  normed: number;
}

/** Exact, from two samples. Infinities and NaN have no distance: leave them out first. */
export function wasserstein(reference: ArrayLike<number>, current: ArrayLike<number>): Wasserstein {
  const a = sortedFinite(reference, 'reference');
  const b = sortedFinite(current, 'current');
  let distance = 0;
  let compensation = 0;
  let i = 0;
  let j = 0;
  let previous = Math.min(a[0]!, b[0]!);
  while (i < a.length || j < b.length) {
    const next = i < a.length && (j >= b.length || a[i]! <= b[j]!) ? a[i]! : b[j]!;
    const term = Math.abs(i / a.length - j / b.length) * (next - previous) - compensation;
    const total = distance + term;
    compensation = total - distance - term;
    distance = total;
    while (i < a.length && a[i]! === next) i++;
    while (j < b.length && b[j]! === next) j++;
    previous = next;
  }
  return { distance, normed: distance / Math.max(Math.sqrt(variance(a, 0)), 0.001) };
}

/**
 * Exact, from the distinct values of both sides in ascending order and how often each occurs on each side: what one
 * `GROUP BY value` returns.
 */
export function wassersteinOfCounts(
  values: ArrayLike<number>,
  reference: ArrayLike<number>,
  current: ArrayLike<number>,
): Wasserstein {
  const n = countTotals(reference, current);
  if (values.length !== reference.length) throw new RangeError(`${values.length} values, ${reference.length} counts`);
  let distance = 0;
  let below = 0;
  let belowCurrent = 0;
  let center = 0;
  for (let i = 0; i < values.length; i++) {
    if (!Number.isFinite(values[i]!) || (i > 0 && !(values[i]! > values[i - 1]!))) {
      throw new RangeError(`value ${i} is ${values[i]}; values must be finite and ascending`);
    }
    if (i > 0) distance += Math.abs(below / n.reference - belowCurrent / n.current) * (values[i]! - values[i - 1]!);
    below += reference[i]!;
    belowCurrent += current[i]!;
    center += (reference[i]! / n.reference) * values[i]!;
  }
  let squares = 0;
  for (let i = 0; i < values.length; i++) squares += (reference[i]! / n.reference) * (values[i]! - center) ** 2;
  return { distance, normed: distance / Math.max(Math.sqrt(squares), 0.001) };
}

/** A distance from bins, and between which bounds the distance of the rows themselves lies. */
export interface BinnedWasserstein extends Wasserstein {
  low: number;
  high: number;
}

/**
 * An approximation from counts in bins with finite edges, the rows of a bin spread evenly over it (no second look at
 * the reference is needed). Where they really lie, F and G run between their values at the bin's edges: that bounds
 * |F - G| in it from below and above. `standardDeviation` is the reference's own, population form, from its profile.
 *
 * @param edges k+1 ascending finite edges of the k bins; the outer ones are the minimum and maximum of both sides
 */
export function wassersteinOfBins(
  edges: ArrayLike<number>,
  reference: ArrayLike<number>,
  current: ArrayLike<number>,
  standardDeviation: number,
): BinnedWasserstein {
  const n = countTotals(reference, current);
  if (edges.length !== reference.length + 1) throw new RangeError(`${edges.length} edges, ${reference.length} bins`);
  let distance = 0;
  let below = 0;
  let belowCurrent = 0;
  let left = 0;
  let low = 0;
  let high = 0;
  for (let i = 0; i < reference.length; i++) {
    const width = edges[i + 1]! - edges[i]!;
    if (!(width >= 0 && Number.isFinite(width))) throw new RangeError(`bin ${i} is ${edges[i]}..${edges[i + 1]}`);
    below += reference[i]!;
    belowCurrent += current[i]!;
    const right = below / n.reference - belowCurrent / n.current;
    // The area under |a straight line|: a trapezoid, or two triangles where it crosses zero.
    const crosses = left * right < 0;
    const height = crosses
      ? (left * left + right * right) / (2 * (Math.abs(left) + Math.abs(right)))
      : Math.abs(left + right) / 2;
    distance += width * height;
    const most = left + reference[i]! / n.reference;
    const least = left - current[i]! / n.current;
    low += width * Math.max(0, least, -most);
    high += width * Math.max(most, -least);
    left = right;
  }
  return { distance, normed: distance / Math.max(standardDeviation, 0.001), low, high };
}
