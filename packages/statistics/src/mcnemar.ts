import binomial from '@stdlib/stats-base-dists-binomial';
import { binomialCdf } from './distributions.ts';

/** How two models' correct answers differ on the same rows. */
export interface Discordance {
  /** Rows that only the candidate has right (b). */
  candidateOnly: number;
  /** Rows that only production has right (c). */
  productionOnly: number;
}

/** McNemar's test of equal accuracy. */
export interface Mcnemar {
  /** Exact, two-sided: min(1, 2 BinCDF(min(b,c); b+c, 1/2)). 1 without discordant rows. */
  pValue: number;
  /** The two-sided mid-p (Fagerland, Lydersen & Laake 2013, BMC Med. Res. Methodol. 13:91): less conservative. */
  midP: number;
  /** One-sided, of "the candidate is better": P(X >= b). */
  candidateBetter: number;
  /** One-sided, of "production is better": P(X >= c). */
  productionBetter: number;
}

/** McNemar's exact test from the discordant rows. @throws RangeError unless both counts are integers >= 0 */
export function mcnemar({ candidateOnly, productionOnly }: Discordance): Mcnemar {
  assertDiscordance({ candidateOnly, productionOnly });
  const n = candidateOnly + productionOnly;
  if (n === 0) return { pValue: 1, midP: 1, candidateBetter: 1, productionBetter: 1 };
  const smaller = Math.min(candidateOnly, productionOnly);
  const tail = binomialCdf(smaller, n, 0.5);
  const atSmaller = binomial.pmf(smaller, n, 0.5);
  const midP = candidateOnly === productionOnly ? 1 - atSmaller / 2 : Math.max(0, 2 * tail - atSmaller);
  // By the symmetry of the fair coin, P(X >= b) = P(X <= n - b).
  return {
    pValue: Math.min(1, 2 * tail),
    midP,
    candidateBetter: binomialCdf(productionOnly, n, 0.5),
    productionBetter: binomialCdf(candidateOnly, n, 0.5),
  };
}

/** @throws RangeError unless both counts are integers >= 0 */
export function assertDiscordance({ candidateOnly, productionOnly }: Discordance): void {
  for (const count of [candidateOnly, productionOnly]) {
    if (!Number.isSafeInteger(count) || count < 0) throw new RangeError(`a count of discordant rows is ${count}`);
  }
}
