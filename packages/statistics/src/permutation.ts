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
  const totals = { production: new Float64Array(width), candidate: new Float64Array(width) };
  const moves = buckets.candidate.map((value, at) => value - buckets.production[at]!);
  for (let at = 0; at < count * width; at += 1) {
    totals.production[at % width]! += buckets.production[at]!;
    totals.candidate[at % width]! += buckets.candidate[at]!;
  }
  const moved = new Float64Array(width);
  const production = new Float64Array(width);
  const candidate = new Float64Array(width);
  const deltaOf = () => {
    for (let k = 0; k < width; k += 1) {
      production[k] = totals.production[k]! + moved[k]!;
      candidate[k] = totals.candidate[k]! - moved[k]!;
    }
    return statistic(candidate) - statistic(production);
  };
  const delta = deltaOf();
  if (!Number.isFinite(delta)) throw new RangeError(`the difference is ${delta}`);
  const random = createRandom(options.seed);
  const swap = () => {
    moved.fill(0);
    let bits = 0;
    for (let bucket = 0, at = 0; bucket < count; bucket += 1, at += width) {
      bits = bucket % 32 === 0 ? random.uint32() : bits >>> 1;
      const isSwapped = bits & 1;
      for (let k = 0; k < width; k += 1) moved[k]! += isSwapped * moves[at + k]!;
    }
  };
  // Sums in another order have another last digit: what differs by that alone is equal.
  const least = Math.abs(delta) * (1 - 1e-9) - Number.MIN_VALUE;
  let atLeast = 0;
  for (let round = 0; round < rounds; round += 1) {
    swap();
    if (!(Math.abs(deltaOf()) < least)) atLeast += 1;
  }
  return { delta, pValue: (1 + atLeast) / (1 + rounds), rounds };
}
