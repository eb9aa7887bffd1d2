import type { Buckets, Statistic } from './bootstrap.ts';
import { createRandom } from './random.ts';

type Rounds = { rounds?: number; seed: number | bigint };

/** What a permutation test found. */
export interface Permutation {
  delta: number;
  pValue: number;
  rounds: number;
}

/**
 * The paired permutation test of "the two models are exchangeable": in each round every cell (a row, a unit, a bucket of
 * them) changes sides with a chance of one half. p = (1 + rounds whose |difference| is at least the measured one) /
 * (1 + rounds) (Phipson & Smyth 2010, "Permutation p-values should never be zero", SAGMB 9:39); rounds in which the metric
 * is undefined count as large ones. Two-sided. It tests equality alone: it knows no margin.
 *
 * @param options.deltaOf candidate − production where the cells that are 1 are swapped; the array is reused
 * @throws RangeError where the measured difference is not finite, or there is no cell or round
 */
export function permutationTest(
  options: Rounds & { cells: number; deltaOf: (swapped: Uint8Array) => number },
): Permutation {
  const { cells, deltaOf, rounds = 2000 } = options;
  if (!(cells >= 1 && Number.isInteger(rounds) && rounds >= 1)) {
    throw new RangeError(`${cells} buckets and ${rounds} rounds: at least one of each is needed`);
  }
  const swapped = new Uint8Array(cells);
  const delta = deltaOf(swapped);
  if (!Number.isFinite(delta)) throw new RangeError(`the difference is ${delta}`);
  const random = createRandom(options.seed);
  // Sums in another order have another last digit: what differs by that alone is equal.
  const least = Math.abs(delta) * (1 - 1e-9) - Number.MIN_VALUE;
  let atLeast = 0;
  for (let round = 0; round < rounds; round += 1) {
    let bits = 0;
    for (let cell = 0; cell < cells; cell += 1) {
      bits = cell % 32 === 0 ? random.uint32() : bits >>> 1;
      swapped[cell] = bits & 1;
    }
    if (!(Math.abs(deltaOf(swapped)) < least)) atLeast += 1;
  }
  return { delta, pValue: (1 + atLeast) / (1 + rounds), rounds };
}

/** {@link permutationTest} of a metric of sums, by the sums of each bucket. */
export function pairedPermutation(options: Rounds & { buckets: Buckets; statistic: Statistic }): Permutation {
  const { buckets, statistic, ...rounds } = options;
  const { count, width } = buckets;
  const totals = { production: new Float64Array(width), candidate: new Float64Array(width) };
  const moves = buckets.candidate.map((value, at) => value - buckets.production[at]!);
  for (let at = 0; at < count * width; at += 1) {
    totals.production[at % width]! += buckets.production[at]!;
    totals.candidate[at % width]! += buckets.candidate[at]!;
  }
  const moved = new Float64Array(width);
  const production = new Float64Array(width);
  const candidate = new Float64Array(width);
  function deltaOf(swapped: Uint8Array): number {
    moved.fill(0);
    for (let bucket = 0, at = 0; bucket < count; bucket += 1, at += width) {
      const isSwapped = swapped[bucket]!;
      for (let k = 0; k < width; k += 1) moved[k]! += isSwapped * moves[at + k]!;
    }
    for (let k = 0; k < width; k += 1) {
      production[k] = totals.production[k]! + moved[k]!;
      candidate[k] = totals.candidate[k]! - moved[k]!;
    }
    return statistic(candidate) - statistic(production);
  }
  return permutationTest({ cells: count, deltaOf, ...rounds });
}
