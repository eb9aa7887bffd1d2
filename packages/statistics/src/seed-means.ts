import { tQuantile } from './distributions.ts';
import { mean, variance } from './sum.ts';

/** One metric of several models a side, each trained with another seed and all measured on the same rows. */
export interface SeedValues {
  /** The metric of each model on all rows; a side with one is a fixed model. */
  production: readonly number[];
  candidate: readonly number[];
  /** How the rows alone let these values vary, the models fixed: production's first, row-major. */
  covariance: Float64Array;
  /** Of that covariance: one less than what was drawn. */
  rowDegreesOfFreedom: number;
  /** What the variance over the rows is at least: that none of some rows tells the models apart proves only so much. */
  leastRowVariance?: number;
  /** Two-sided, 0.95 by default. */
  level?: number;
}

export interface SeedMeans {
  /** Means over the seeds. */
  production: number;
  candidate: number;
  /** candidate - production. */
  delta: number;
  interval: [low: number, high: number];
  standardError: number;
  degreesOfFreedom: number;
  /** Of delta: what other rows would change, and what other seeds would change beyond that. Their sum is the whole. */
  rowVariance: number;
  seedVariance: number;
  /** Of each side with several seeds, for {@link seedMeansToDecide}. */
  spreads: readonly Spread[];
}

/** How the models of one side differ from one another. */
interface Spread {
  seeds: number;
  /** The sample variance of their values. */
  variance: number;
  /** What of it is expected from the rows alone, were the seeds to change nothing. */
  ofRows: number;
}

/**
 * The difference of two trainings, each known by some seeds, by Student's t. The variance is that over the rows, the models
 * fixed, and that over the seeds (the law of total variance). Both sides are measured on one sample of rows, so the spread of
 * a side's values holds noise of the rows too, which the first part counts already: adding the two would count it twice (Owen
 * 2007, "The pigeonhole bootstrap", Ann. Appl. Stat. 1:386). The spread is held against what the rows alone would give it:
 *
 *     V = max(V_rows, V_rows + Σ_sides (S² - W) / seeds, Σ_sides S² / seeds)
 *     W = mean variance - mean covariance of a side's values
 *
 * the estimate of Obuchowski & Rockette 1995 (Commun. Stat. Simul. 24:285) where every reader reads one test, seeds for
 * readers and rows for cases; never below V_rows. Nor below the last part, as Hillis 2014 (Stat. Med. 33:330): where the same
 * seeds stand on both sides, their models err on the same rows, and what cancels in V_rows would leave next to no degree of
 * freedom. Those are by Satterthwaite 1946 (Biometrics Bull. 2:110) from V_rows and each S² / seeds. Why seeds count: Bouthillier et al. 2021, "Accounting for
 * Variance in Machine Learning Benchmarks", MLSys.
 *
 * @throws RangeError for a value that is not finite, or a covariance of another size
 */
export function differenceOfSeedMeans(values: SeedValues): SeedMeans {
  const { covariance, rowDegreesOfFreedom, leastRowVariance = 0, level = 0.95 } = values;
  const [before, after] = [values.production.length, values.candidate.length];
  const all = [...values.production, ...values.candidate];
  if (before === 0 || after === 0) throw new RangeError(`${before} and ${after} seeds: each side needs one`);
  if (covariance.length !== all.length ** 2)
    throw new RangeError(`${all.length} values, and ${covariance.length} covariances`);
  if (![...all, ...covariance].every(Number.isFinite)) throw new RangeError('a value or covariance is not finite');
  const production = mean(values.production);
  const candidate = mean(values.candidate);
  const weights = all.map((_, at) => (at < before ? -1 / before : 1 / after));
  const rowVariance = Math.max(leastRowVariance, quadratic(covariance, weights));
  const spreads = [spreadOf(values.production, covariance, all.length, 0)];
  spreads.push(spreadOf(values.candidate, covariance, all.length, before));
  const several = spreads.filter(({ seeds }) => seeds > 1);
  const found = totalOf(rowVariance, several, rowDegreesOfFreedom);
  const delta = candidate - production;
  const standardError = Math.sqrt(found.variance);
  const reach = standardError === 0 ? 0 : tQuantile(0.5 + level / 2, found.degreesOfFreedom) * standardError;
  return {
    production,
    candidate,
    delta,
    interval: [delta - reach, delta + reach],
    standardError,
    degreesOfFreedom: found.degreesOfFreedom,
    rowVariance,
    seedVariance: found.variance - rowVariance,
    spreads: several,
  };
}

function quadratic(covariance: Float64Array, weights: readonly number[]): number {
  let total = 0;
  for (const [i, left] of weights.entries())
    for (const [j, right] of weights.entries()) total += left * right * covariance[i * weights.length + j]!;
  return total;
}

function spreadOf(values: readonly number[], covariance: Float64Array, width: number, at: number): Spread {
  const seeds = values.length;
  let [own, all] = [0, 0];
  for (let i = 0; i < seeds; i += 1) {
    for (let j = 0; j < seeds; j += 1) all += covariance[(at + i) * width + at + j]!;
    own += covariance[(at + i) * width + at + i]!;
  }
  // Of one value there is no spread.
  if (seeds === 1) return { seeds, variance: 0, ofRows: 0 };
  return { seeds, variance: variance(values), ofRows: own / seeds - (all - own) / (seeds * (seeds - 1)) };
}

function totalOf(
  rowVariance: number,
  spreads: readonly Spread[],
  rowDegreesOfFreedom: number,
): { variance: number; degreesOfFreedom: number } {
  let [ofSeeds, ofRowsInSeeds, uncertainty] = [0, 0, rowVariance ** 2 / rowDegreesOfFreedom];
  for (const { seeds, variance, ofRows } of spreads) {
    ofSeeds += variance / seeds;
    ofRowsInSeeds += ofRows / seeds;
    uncertainty += (variance / seeds) ** 2 / (seeds - 1);
  }
  const total = Math.max(rowVariance, rowVariance + ofSeeds - ofRowsInSeeds, ofSeeds);
  return { variance: total, degreesOfFreedom: uncertainty === 0 ? 1 : total ** 2 / uncertainty };
}

/** More than these of either are no advice. */
const most = { rows: 1e12, seeds: 1000 };

/**
 * What would probably turn an undecided difference into a decision, were the measured one the true one: so many rows with
 * these seeds, or so many seeds on every side that has several, with these rows. Null where no number of them would: the
 * rows can't tell what the seeds leave open, nor the other way round.
 *
 * @param delta oriented so that positive is better; the decision is at -margin
 */
export function seedMeansToDecide(
  found: SeedMeans,
  question: { rows: number; rowDegreesOfFreedom: number; delta: number; margin: number },
  { alpha = 0.025, power = 0.8 }: { alpha?: number; power?: number } = {},
): { rows: number | null; seeds: number | null } {
  const distance = Math.abs(question.delta + question.margin);
  // The part of the rows that all models of a side share, and what each of them has by itself.
  const own = found.spreads.reduce((total, { seeds, ofRows }) => total + ofRows / seeds, 0);
  const shared = Math.max(0, found.rowVariance - own);
  function decides(rows: number, least: number): boolean {
    const times = rows / question.rows;
    const spreads = found.spreads.map((spread) => {
      const ofRows = spread.ofRows / times;
      const seeds = Math.max(spread.seeds, least);
      return { seeds, variance: Math.max(0, spread.variance - spread.ofRows) + ofRows, ofRows };
    });
    const rowVariance = spreads.reduce((total, { seeds, ofRows }) => total + ofRows / seeds, shared / times);
    const total = totalOf(rowVariance, spreads, question.rowDegreesOfFreedom);
    const reach = tQuantile(1 - alpha, total.degreesOfFreedom) + tQuantile(power, total.degreesOfFreedom);
    return reach * Math.sqrt(total.variance) <= distance;
  }
  const fewest = Math.max(1, ...found.spreads.map(({ seeds }) => seeds));
  return {
    rows: first(question.rows + 1, most.rows, (rows) => decides(rows, 1)),
    seeds: found.spreads.length === 0 ? null : first(fewest + 1, most.seeds, (seeds) => decides(question.rows, seeds)),
  };
}

/**
 * The smallest whole number for which it holds; null where it holds for none. Not all larger ones need do: where the rows say
 * ever more, the few seeds are all that is left, and their degrees of freedom.
 */
function first(from: number, to: number, holds: (value: number) => boolean): number | null {
  let [low, high] = [from, from];
  while (!holds(high)) {
    if (high >= to) return null;
    [low, high] = [high + 1, Math.min(to, Math.ceil(1.3 * high))];
  }
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (holds(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}
