import { normalCdf, normalQuantile } from './distributions.ts';
import { assertDiscordance, type Discordance } from './mcnemar.ts';

/** Tango's score inference on the difference of two paired proportions. */
export interface Tango {
  /** (b - c) / n: the candidate's accuracy less production's. */
  delta: number;
  /** The two-sided score interval at `level`: all differences that the score test does not reject. */
  interval: [low: number, high: number];
  /** The score statistic at delta = -margin; large means non-inferior. */
  z: number;
  /** One-sided, of "the candidate is worse than production by the margin or more". */
  pValue: number;
}

/**
 * Non-inferiority of accuracy on the same rows (Tango 1998, "Equivalence test and confidence interval for the
 * difference in proportions for the paired-sample design", Stat. Med. 17:891). Unlike Wald's it holds for few rows
 * and for few or no discordant ones. At margin 0 it is McNemar's test without continuity correction.
 *
 * @param counts the discordant rows, and all rows
 * @param margin the tolerated loss of accuracy, 0 .. 1 (absolute)
 * @throws RangeError for counts that don't fit together, or a margin outside [0, 1)
 */
export function tango(
  counts: Discordance & { rows: number },
  { margin = 0, level = 0.95 }: { margin?: number; level?: number } = {},
): Tango {
  assertCounts(counts);
  if (!(margin >= 0 && margin < 1)) throw new RangeError(`the margin is ${margin}; it must be from 0 to below 1`);
  if (!(level > 0 && level < 1)) throw new RangeError(`level is ${level}; it must be between 0 and 1`);
  const delta = (counts.candidateOnly - counts.productionOnly) / counts.rows;
  const z = score(counts, -margin);
  const reach = normalQuantile(0.5 + level / 2);
  const interval: [number, number] = [
    delta <= -1 ? -1 : crossing(counts, reach, -1, delta),
    delta >= 1 ? 1 : crossing(counts, -reach, delta, 1),
  ];
  return { delta, interval, z, pValue: normalCdf(-z) };
}

function assertCounts(counts: Discordance & { rows: number }): void {
  assertDiscordance(counts);
  if (!Number.isSafeInteger(counts.rows) || counts.rows < Math.max(1, counts.candidateOnly + counts.productionOnly)) {
    throw new RangeError(
      `${counts.rows} rows, with ${counts.candidateOnly} + ${counts.productionOnly} discordant ones`,
    );
  }
}

/** The score statistic of "the difference is `difference`"; falls as `difference` grows. */
function score({ candidateOnly: b, productionOnly: c, rows: n }: Discordance & { rows: number }, difference: number) {
  const distance = b - c - n * difference;
  if (distance === 0) return 0;
  // q: the constrained maximum-likelihood estimate of the share that only production has right.
  const linear = -b - c + (2 * n - b + c) * difference;
  const constant = -c * difference * (1 - difference);
  const root = Math.sqrt(Math.max(0, linear * linear - 8 * n * constant));
  // The same root of the quadratic in the form that doesn't cancel.
  const q = linear <= 0 ? (root - linear) / (4 * n) : (-2 * constant) / (linear + root);
  const spread = n * (2 * q + difference * (1 - difference));
  if (spread <= 0) return distance > 0 ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY;
  return distance / Math.sqrt(spread);
}

/** Where the falling score crosses `level`, by bisection down to neighbouring doubles. */
function crossing(counts: Discordance & { rows: number }, level: number, low: number, high: number): number {
  let [left, right] = [low, high];
  while (true) {
    const middle = left + (right - left) / 2;
    if (middle <= left || middle >= right) return middle;
    if (score(counts, middle) > level) left = middle;
    else right = middle;
  }
}
