import {
  chiSquareGoodnessOfFit,
  jensenShannon,
  kolmogorovSmirnovOfCounts,
  psi,
  sturgesEdges,
  twoProportions,
  wassersteinOfCounts,
} from '@passloop/statistics';
import { total } from './cells.ts';
import type { DriftMethod } from './drift.ts';

/**
 * Evidently's drift of one column (0.7.23, its pandas engine): its choice of a test by the reference's rows and the distinct values, its
 * bins, its thresholds. For teams that come from there; what is doubtful in them is told in docs/drift.md.
 */

/** Both sides over their distinct values, without missing and infinite ones. */
export type EvidentlyColumn = {
  /** As Evidently takes the current column. */
  type: 'numerical' | 'categorical';
  /** Ascending values of numbers, one per count; null where values have no order. */
  points: readonly number[] | Float64Array | null;
  /** Both sides are whole numbers: bins are at least 1 wide. */
  isInteger: boolean;
  reference: ArrayLike<number>;
  current: ArrayLike<number>;
};

type EvidentlyTest = keyof typeof tests;

export type EvidentlyDrift = {
  /** The test, what its score is, and from where on the column counts as drifted: `evidently:ks(score=p,drifted<=)`. */
  method: string;
  /** What Evidently calls the drift score: a p-value, or a distance. NaN where it has none. */
  score: number;
  isPValue: boolean;
  threshold: number;
  isDrifted: boolean;
  n: { reference: number; current: number };
};

/** The threshold of each test, and whether reaching it counts: both happen. */
const tests = {
  ks: { threshold: 0.05, isPValue: true, sign: '<=' },
  chisquare: { threshold: 0.05, isPValue: true, sign: '<' },
  z: { threshold: 0.05, isPValue: true, sign: '<' },
  wasserstein: { threshold: 0.1, isPValue: false, sign: '>=' },
  jensenshannon: { threshold: 0.1, isPValue: false, sign: '>=' },
  psi: { threshold: 0.1, isPValue: false, sign: '>=' },
} as const;

/** Rows of the reference up to which Evidently tests, and from which on it measures distances. */
const tested = 1000;

/**
 * The drift of a column, by Evidently's own choice (`auto`) or by a method that it has for the column's type.
 *
 * @returns the reason, where Evidently refuses that method
 * @throws RangeError where a side has no row
 */
export function evidentlyDrift(
  column: EvidentlyColumn,
  method: DriftMethod,
  threshold?: number,
): EvidentlyDrift | string {
  const name = method === 'auto' ? chosen(column) : named(column, method);
  if (!(name in tests)) return name;
  const test = name as EvidentlyTest;
  const { isPValue, sign, ...own } = tests[test];
  const limit = threshold ?? own.threshold;
  const score = scoreOf(test, column);
  const isDrifted = sign === '<=' ? score <= limit : sign === '<' ? score < limit : score >= limit;
  return {
    method: `evidently:${test}(score=${isPValue ? 'p' : 'distance'},drifted${sign})`,
    score,
    isPValue,
    threshold: limit,
    isDrifted,
    n: { reference: total(column.reference), current: total(column.current) },
  };
}

function chosen({ type, reference }: EvidentlyColumn): EvidentlyTest {
  const values = reference.length;
  const isMany = type === 'numerical' && values > 5;
  if (total(reference) > tested) return isMany ? 'wasserstein' : 'jensenshannon';
  if (isMany) return 'ks';
  return values > 2 ? 'chisquare' : 'z';
}

function named({ type }: EvidentlyColumn, method: Exclude<DriftMethod, 'auto'>): EvidentlyTest | string {
  const refused = `Evidently has no ${method} for a ${type} column`;
  switch (method) {
    case 'ks':
    case 'wasserstein':
      return type === 'numerical' ? method : refused;
    case 'chi2':
      return type === 'categorical' ? 'chisquare' : refused;
    case 'js':
      return 'jensenshannon';
    case 'psi':
      return 'psi';
  }
}

function scoreOf(test: EvidentlyTest, column: EvidentlyColumn): number {
  const { reference, current, points } = column;
  switch (test) {
    case 'ks':
      return kolmogorovSmirnovOfCounts(reference, current).pValue;
    case 'wasserstein':
      return wassersteinOfCounts(points ?? [], reference, current).normed;
    case 'chisquare':
      // One value leaves no degree of freedom: scipy answers NaN, and nothing drifts.
      return reference.length === 1 ? Number.NaN : chiSquareGoodnessOfFit(reference, current).pValue;
    case 'z':
      return zTest(reference, current);
    case 'jensenshannon': {
      const binned = bins(column);
      return jensenShannon(binned.reference, binned.current).distance;
    }
    case 'psi': {
      const binned = bins(column);
      return psi(binned.reference, binned.current, { zeroFill: 'evidently' }).statistic;
    }
  }
}

/** The share of the first value, on both sides. */
function zTest(reference: ArrayLike<number>, current: ArrayLike<number>): number {
  if (reference.length === 1) return 1;
  const side = (counts: ArrayLike<number>) => ({ hits: total(counts) - (counts[0] as number), rows: total(counts) });
  return twoProportions(side(reference), side(current)).pValue;
}

/**
 * Numbers of more than twenty values in the reference go into bins of one width, by Sturges' rule on both sides together; everything else has
 * a bin for each value.
 */
function bins({ type, points, isInteger, reference, current }: EvidentlyColumn): {
  reference: ArrayLike<number>;
  current: ArrayLike<number>;
} {
  let distinct = 0;
  for (let i = 0; i < reference.length; i++) if ((reference[i] as number) > 0) distinct++;
  if (type === 'categorical' || points === null || distinct <= 20) return { reference, current };
  const range = { minimum: points[0] as number, maximum: points.at(-1) as number };
  const edges = sturgesEdges(range, total(reference) + total(current), isInteger);
  const last = edges.length - 2;
  const binned = { reference: new Array<number>(last + 1).fill(0), current: new Array<number>(last + 1).fill(0) };
  let bin = 0;
  for (const [i, point] of points.entries()) {
    while (bin < last && point >= (edges[bin + 1] as number)) bin += 1;
    (binned.reference[bin] as number) += reference[i] as number;
    (binned.current[bin] as number) += current[i] as number;
  }
  return binned;
}
