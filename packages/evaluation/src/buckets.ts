import { createRandom } from '@passloop/statistics';

/**
 * The bucket that a row or unit is drawn with where there are too many to draw one by one: a hash of its number and the
 * seed, the same in JavaScript and in SQL. It is the finalizer of MurmurHash3 (Appleby 2011, public domain), which changes
 * half of the bits whichever bit of the number changes, with two words of the seed mixed in.
 */
const [first, second] = [0x85ebca6b, 0xc2b2ae35];

function seedWords(seed: number): [number, number] {
  // Another stream than the resamples', which start at the seed itself.
  const random = createRandom(BigInt(seed) + (1n << 32n));
  return [random.uint32(), random.uint32()];
}

/** @returns number (below 2^32) -> bucket, 0 .. buckets − 1 */
export function bucketing(seed: number, buckets: number): (number: number) => number {
  const [before, between] = seedWords(seed);
  return (number) => {
    let hash = number ^ before;
    hash = Math.imul(hash ^ (hash >>> 16), first) ^ between;
    hash = Math.imul(hash ^ (hash >>> 13), second);
    hash = (hash ^ (hash >>> 16)) >>> 0;
    return Math.floor((hash * buckets) / 2 ** 32);
  };
}

/** {@link bucketing} in SQL: `number` is an expression of a whole number below 2^32. */
export function bucketSql(number: string, seed: number, buckets: number): string {
  const [before, between] = seedWords(seed);
  const word = (value: number) => `${value}::UBIGINT`;
  const times = (hash: string, shift: number, factor: number) =>
    `((xor(${hash}, (${hash}) >> ${shift}) * ${word(factor)}) & ${word(0xffffffff)})`;
  const mixed = `xor(${times(`xor((${number})::UBIGINT, ${word(before)})`, 16, first)}, ${word(between)})`;
  const hash = times(mixed, 13, second);
  return `((xor(${hash}, ${hash} >> 16) * ${word(buckets)}) >> 32)::INTEGER`;
}
