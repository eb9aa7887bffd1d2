import { countTotals } from './counts.ts';
import { chiSquareSf } from './distributions.ts';

/** A chi-squared test of counts. */
export interface ChiSquare {
  statistic: number;
  degreesOfFreedom: number;
  /** 1 when there is one category only: nothing can differ. */
  pValue: number;
  /** The smallest expected count of a cell; below 5 the approximation is doubtful (Cochran 1954): pool rare categories. */
  minimumExpected: number;
}

/**
 * Pearson's two-sample (homogeneity) test on the 2 x k table of both sides, without a continuity correction: the noise
 * of the reference counts too, so that it keeps its level where goodness of fit does not. Categories that are empty on
 * both sides are left out.
 *
 * @param reference counts per category
 * @param current counts of the same categories in the same order
 * @throws RangeError when the counts disagree in length, or a side has no row
 */
export function chiSquareTwoSample(reference: ArrayLike<number>, current: ArrayLike<number>): ChiSquare {
  const n = countTotals(reference, current);
  const rows = n.reference + n.current;
  let statistic = 0;
  let categories = 0;
  let minimumExpected = Number.POSITIVE_INFINITY;
  for (let i = 0; i < reference.length; i++) {
    const both = reference[i]! + current[i]!;
    if (both === 0) continue;
    categories++;
    const expectedReference = (both * n.reference) / rows;
    const expectedCurrent = (both * n.current) / rows;
    statistic += (reference[i]! - expectedReference) ** 2 / expectedReference;
    statistic += (current[i]! - expectedCurrent) ** 2 / expectedCurrent;
    minimumExpected = Math.min(minimumExpected, expectedReference, expectedCurrent);
  }
  const degreesOfFreedom = categories - 1;
  const pValue = degreesOfFreedom > 0 ? chiSquareSf(statistic, degreesOfFreedom) : 1;
  return { statistic, degreesOfFreedom, pValue, minimumExpected };
}

/**
 * Goodness of fit of the current counts to the reference's shares, as Evidently, deequ and whylogs do it. It takes the
 * reference for exact and so rejects far too often (22 % at 3 categories and equal sizes, nominal 5 %): for
 * compatibility only. A category that the reference lacks gives p = 0.
 */
export function chiSquareGoodnessOfFit(reference: ArrayLike<number>, current: ArrayLike<number>): ChiSquare {
  const n = countTotals(reference, current);
  let statistic = 0;
  let categories = 0;
  let minimumExpected = Number.POSITIVE_INFINITY;
  for (let i = 0; i < reference.length; i++) {
    if (reference[i]! === 0 && current[i]! === 0) continue;
    categories++;
    const expected = (reference[i]! / n.reference) * n.current;
    statistic += (current[i]! - expected) ** 2 / expected;
    minimumExpected = Math.min(minimumExpected, expected);
  }
  const degreesOfFreedom = categories - 1;
  const pValue = degreesOfFreedom > 0 ? chiSquareSf(statistic, degreesOfFreedom) : 1;
  return { statistic, degreesOfFreedom, pValue, minimumExpected };
}

/**
 * Pools the rarest categories into one last cell, until each cell's expected count on the smaller side is at least
 * `minimumExpected`. Rarity is judged on both sides together, so that the choice doesn't bias the test.
 * Returns the counts unchanged (copied, without categories empty on both sides) when none is rare.
 */
export function poolRareCategories(
  reference: ArrayLike<number>,
  current: ArrayLike<number>,
  minimumExpected = 5,
): { reference: Float64Array; current: Float64Array; pooled: number } {
  const n = countTotals(reference, current);
  const smallerShare = Math.min(n.reference, n.current) / (n.reference + n.current);
  const both = Float64Array.from(reference, (count, i) => count + current[i]!);
  const order = [...both.keys()].filter((i) => both[i]! > 0).sort((a, b) => both[a]! - both[b]! || a - b);
  let pooled = 0;
  let pool = 0;
  while (pooled < order.length) {
    const next = both[order[pooled]!]!;
    const poolIsRare = pool > 0 && pool * smallerShare < minimumExpected;
    if (next * smallerShare >= minimumExpected && !poolIsRare) break;
    pool += next;
    pooled++;
  }
  if (pooled === 1) pooled = 0;
  const rare = new Set(order.slice(0, pooled));
  const kept = [...both.keys()].filter((i) => both[i]! > 0 && !rare.has(i));
  const cells = kept.map((i) => [reference[i]!, current[i]!] as const);
  if (pooled > 0) {
    let rareReference = 0;
    let rareCurrent = 0;
    for (const i of rare) {
      rareReference += reference[i]!;
      rareCurrent += current[i]!;
    }
    cells.push([rareReference, rareCurrent]);
  }
  return {
    reference: Float64Array.from(cells, (cell) => cell[0]),
    current: Float64Array.from(cells, (cell) => cell[1]),
    pooled,
  };
}
