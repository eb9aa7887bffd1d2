import type { Buckets, Statistic } from './bootstrap.ts';
import { createRandom } from './random.ts';

/**
 * The paired permutation test of "the two models are exchangeable": in each round every bucket's sums change sides with a
 * chance of one half. p = (1 + rounds whose |difference| is at least the measured one) / (1 + rounds) (Phipson & Smyth 2010,
 * "Permutation p-values should never be zero", SAGMB 9:39); rounds in which the metric is undefined count as large ones.
 * Two-sided. It tests equality alone: it knows no margin.
 *
 * @throws RangeError where the measured difference is not finite, or there is no bucket or round
 */
export function pairedPermutation(options: {
  buckets: Buckets;
  statistic: Statistic;
  rounds?: number;
  seed: number | bigint;
}): { delta: number; pValue: number; rounds: number } {
  const { buckets, statistic, rounds = 2000 } = options;
  const { count, width } = buckets;
  if (!(count >= 1 && Number.isInteger(rounds) && rounds >= 1)) {
    throw new RangeError(`${count} buckets and ${rounds} rounds: at least one of each is needed`);
  }
  const sums = { production: new Float64Array(width), candidate: new Float64Array(width) };
  const deltaOf = (isSwapped: (bucket: number) => boolean) => {
    sums.production.fill(0);
    sums.candidate.fill(0);
    for (let bucket = 0, at = 0; bucket < count; bucket += 1, at += width) {
      const [first, second] = isSwapped(bucket) ? [sums.candidate, sums.production] : [sums.production, sums.candidate];
      for (let k = 0; k < width; k += 1) {
        first[k]! += buckets.production[at + k]!;
        second[k]! += buckets.candidate[at + k]!;
      }
    }
    return statistic(sums.candidate) - statistic(sums.production);
  };
  const delta = deltaOf(() => false);
  if (!Number.isFinite(delta)) throw new RangeError(`the difference is ${delta}`);
  const random = createRandom(options.seed);
  // Sums in another order have another last digit: what differs by that alone is equal.
  const least = Math.abs(delta) * (1 - 1e-9) - Number.MIN_VALUE;
  let atLeast = 0;
  for (let round = 0; round < rounds; round += 1) {
    const found = Math.abs(deltaOf(() => random.uniform() < 0.5));
    if (!(found < least)) atLeast += 1;
  }
  return { delta, pValue: (1 + atLeast) / (1 + rounds), rounds };
}
