import { ascendingIndices } from './ascending-indices.ts';
import { normalCdf, normalQuantile } from './distributions.ts';

type Scores = ArrayLike<number>;

/** Rows from the lowest score to the highest: of scores that somebody ranked already, without ranking them anew. */
type Order<S> = (scores: S) => Uint32Array;

/** DeLong's comparison of two areas under the ROC curve on the same rows. */
export interface Delong {
  /** Areas, ties counted half: exact quotients of integers. */
  production: number;
  candidate: number;
  /** candidate - production. */
  delta: number;
  /** The variance of delta; exactly 0 when it is 0. */
  variance: number;
  standardError: number;
  /** Two-sided Wald interval of delta at `level`, within -1 .. 1. */
  interval: [low: number, high: number];
  /** Two-sided, of delta = 0. */
  pValue: number;
  /**
   * `estimated`; `identical`: both models place every row alike among the other class, so delta is 0 without noise
   * (a monotone transform, or two perfect rankings: with few rows that proves little); `degenerate`: the variance is 0
   * though delta is not, so nothing is known of its noise and the interval is -1 .. 1.
   */
  status: 'estimated' | 'identical' | 'degenerate';
  positives: number;
  negatives: number;
}

/**
 * Paired AUC difference by placements from midranks (DeLong, DeLong & Clarke-Pearson 1988, Biometrics 44:837; the
 * O(n log n) form of Sun & Xu 2014, IEEE SPL 21:1389). The sums are of integers and kept exact, so that neither the
 * order of the rows nor their number changes a digit.
 *
 * @param labels 1 (or true) for the positive class, 0 (or false) for the other, a row each
 * @param production scores of the production model for the same rows; larger means more positive; infinities allowed
 * @param candidate scores of the candidate
 * @throws RangeError for different lengths, NaN, other labels, or fewer than two rows of a class
 */
export function delong<S extends Scores>(
  labels: ArrayLike<number | boolean>,
  production: S,
  candidate: S,
  { level = 0.95, order = ascendingIndices }: { level?: number; order?: Order<S> } = {},
): Delong {
  const { positive, positives, negatives } = classes(labels);
  requireTwo(positives, negatives);
  const a = placements(positive, production, order, 'production');
  const b = placements(positive, candidate, order, 'candidate');
  const wins = { production: a.wins, candidate: b.wins };
  return delongOfSums(
    { positives, negatives, wins, moved: [movedSums(a, b, positive, 0), movedSums(a, b, positive, 1)] },
    { level },
  );
}

/** What DeLong's comparison is made of, in whole numbers. A placement counts half wins: a tie one, a row ranked right two. */
export interface PlacementSums {
  positives: number;
  negatives: number;
  /** The sum of the positives' placements, of each model. */
  wins: { production: number; candidate: number };
  /** Of candidate − production placements, of the negatives and of the positives. */
  moved: readonly [MovedSums, MovedSums];
}

export interface MovedSums {
  total: bigint;
  squares: bigint;
}

/** {@link delong} of sums that somebody else made of the rows. @throws RangeError for fewer than two rows of a class */
export function delongOfSums(
  { positives, negatives, wins, moved }: PlacementSums,
  { level = 0.95 }: { level?: number } = {},
): Delong {
  if (!(level > 0 && level < 1)) throw new RangeError(`level is ${level}; it must be between 0 and 1`);
  requireTwo(positives, negatives);
  const ofNegatives = centeredSquares(moved[0], negatives);
  const ofPositives = centeredSquares(moved[1], positives);
  // A placement is doubled / (2 x rows of the other class); the sample variance divides by m (m - 1), the mean's by m.
  const variance =
    ofPositives / (positives ** 2 * (positives - 1) * 4 * negatives ** 2) +
    ofNegatives / (negatives ** 2 * (negatives - 1) * 4 * positives ** 2);
  const pairs = 2 * positives * negatives;
  const delta = (wins.candidate - wins.production) / pairs;
  const standardError = Math.sqrt(variance);
  const areas = { production: wins.production / pairs, candidate: wins.candidate / pairs, delta, positives, negatives };
  if (variance === 0) {
    if (delta === 0) {
      return { ...areas, variance, standardError, interval: [0, 0], pValue: 1, status: 'identical' };
    }
    return { ...areas, variance, standardError, interval: [-1, 1], pValue: 1, status: 'degenerate' };
  }
  const reach = normalQuantile(0.5 + level / 2) * standardError;
  const interval: [number, number] = [Math.max(-1, delta - reach), Math.min(1, delta + reach)];
  const pValue = Math.min(1, 2 * normalCdf(-Math.abs(delta) / standardError));
  return { ...areas, variance, standardError, interval, pValue, status: 'estimated' };
}

/**
 * The areas of several models on the same rows, and the covariance that the rows give them, row-major: DeLong's, of which
 * {@link delong} is the difference of two.
 *
 * @throws RangeError as {@link delong}
 */
export function delongCovariance<S extends Scores>(
  labels: ArrayLike<number | boolean>,
  scores: readonly S[],
  { order = ascendingIndices }: { order?: Order<S> } = {},
): { areas: number[]; covariance: Float64Array; positives: number; negatives: number } {
  const { positive, positives, negatives } = classes(labels);
  requireTwo(positives, negatives);
  const placed = scores.map((one, i) => placements(positive, one, order, `${i}.`));
  const areas = placed.map(({ wins }) => wins / (2 * positives * negatives));
  // A placement is doubled / (2 x rows of the other class), and its mean over either class is the area.
  const moved = placed.map(({ doubled }, i) =>
    doubled.map((value, row) => value / (2 * (positive[row] === 1 ? negatives : positives)) - areas[i]!),
  );
  const divisors = [negatives * (negatives - 1), positives * (positives - 1)];
  const covariance = new Float64Array(scores.length ** 2);
  for (const [i, left] of moved.entries()) {
    for (const [j, right] of moved.slice(0, i + 1).entries()) {
      const sums = [0, 0];
      for (let row = 0; row < positive.length; row++) sums[positive[row]!]! += left[row]! * right[row]!;
      const found = sums[0]! / divisors[0]! + sums[1]! / divisors[1]!;
      covariance[i * scores.length + j] = found;
      covariance[j * scores.length + i] = found;
    }
  }
  return { areas, covariance, positives, negatives };
}

/** The area under the ROC curve, ties counted half (Mann-Whitney U over all pairs). @throws RangeError as {@link delong} */
export function areaUnderRoc<S extends Scores>(
  labels: ArrayLike<number | boolean>,
  scores: S,
  { order = ascendingIndices }: { order?: Order<S> } = {},
): number {
  const { positive, positives, negatives } = classes(labels);
  if (positives === 0 || negatives === 0)
    throw new RangeError('the area under the ROC curve needs rows of both classes');
  return placements(positive, scores, order, 'model').wins / (2 * positives * negatives);
}

function classes(labels: ArrayLike<number | boolean>): { positive: Uint8Array; positives: number; negatives: number } {
  const positive = new Uint8Array(labels.length);
  let positives = 0;
  for (let i = 0; i < labels.length; i++) {
    const label = Number(labels[i]);
    if (label !== 0 && label !== 1) throw new RangeError(`label ${i} is ${labels[i]}; labels are 0 and 1`);
    positive[i] = label;
    positives += label;
  }
  return { positive, positives, negatives: labels.length - positives };
}

type Placements = { doubled: Float64Array; wins: number };

/**
 * Twice the number of rows of the other class that a row is ranked on the right side of (a tie counts one), and the
 * sum of it over the positives.
 */
function placements<S extends Scores>(positive: Uint8Array, scores: S, orderOf: Order<S>, model: string): Placements {
  const n = positive.length;
  if (scores.length !== n) throw new RangeError(`${n} labels, but ${scores.length} scores of the ${model} model`);
  const order = orderOf(scores);
  const doubled = new Float64Array(n);
  let negativesBelow = 0;
  let positivesBelow = 0;
  let wins = 0;
  let allPositives = 0;
  for (let i = 0; i < n; i++) allPositives += positive[i]!;
  for (let start = 0; start < n; ) {
    const score = scores[order[start]!]!;
    let end = start;
    let tied = 0;
    while (end < n && scores[order[end]!] === score) tied += positive[order[end++]!]!;
    const tiedNegatives = end - start - tied;
    const forPositive = 2 * negativesBelow + tiedNegatives;
    const forNegative = 2 * (allPositives - positivesBelow - tied) + tied;
    for (let i = start; i < end; i++) {
      const row = order[i]!;
      doubled[row] = positive[row] === 1 ? forPositive : forNegative;
    }
    wins += tied * forPositive;
    negativesBelow += tiedNegatives;
    positivesBelow += tied;
    start = end;
  }
  return { doubled, wins };
}

function requireTwo(positives: number, negatives: number): void {
  if (positives >= 2 && negatives >= 2) return;
  throw new RangeError(`DeLong needs two rows of each class; there are ${positives} positives, ${negatives} negatives`);
}

/** The sums over one class's integers, without rounding. */
function movedSums(before: Placements, after: Placements, positive: Uint8Array, side: 0 | 1): MovedSums {
  let total = 0;
  let squares = 0n;
  let pending = 0;
  for (let i = 0; i < positive.length; i++) {
    if (positive[i] !== side) continue;
    const value = after.doubled[i]! - before.doubled[i]!;
    total += value;
    // Below 2^26 a square and the pending sum stay below 2^53 together; larger ones go straight to the big integer.
    if (Math.abs(value) >= 67108864) squares += BigInt(value) ** 2n;
    else pending += value * value;
    if (pending >= 4503599627370496) {
      squares += BigInt(pending);
      pending = 0;
    }
  }
  return { total: BigInt(total), squares: squares + BigInt(pending) };
}

/** m x (the sum of squared deviations from the mean), without rounding until the last step. */
function centeredSquares({ total, squares }: MovedSums, m: number): number {
  return Number(BigInt(m) * squares - total ** 2n);
}
