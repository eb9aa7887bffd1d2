/**
 * A stream of pseudo-random integers. The same seed gives the same stream on every platform: only 32-bit integer
 * operations and exact products below 2^53 are used.
 */
export interface Random {
  /** The next 32 random bits, 0 .. 2^32-1. */
  uint32(): number;
  /** A uniform double in [0, 1) of 53 bits. */
  uniform(): number;
  /** A uniform integer 0 .. bound-1, without modulo bias; `bound` is 1 .. 2^32. */
  integer(bound: number): number;
  /**
   * Overwrites `counts` with one multinomial draw: `draws` balls into `counts.length` equally likely cells
   * (a bootstrap resample, when `draws` is the number of cells).
   */
  multinomial(counts: Uint32Array, draws?: number): void;
}

const TWO_32 = 4294967296;
const LEMIRE_LIMIT = 2 ** 21;

/**
 * xoshiro128** 1.1 (Blackman & Vigna 2021, "Scrambled linear pseudorandom number generators", ACM TOMS 47:36),
 * its 128 bits of state filled by two outputs of SplitMix64 from the seed. Not for secrets.
 *
 * Bounded integers by Lemire 2019, "Fast random integer generation in an interval" (ACM TOMACS 29:3).
 *
 * @param seed an integer 0 .. 2^64-1; numbers must be safe integers
 * @throws RangeError for any other seed
 */
export function createRandom(seed: number | bigint): Random {
  const state = seedState(seed);

  function uint32(): number {
    const s1 = state[1]!;
    const scrambled = Math.imul(s1, 5);
    const result = Math.imul((scrambled << 7) | (scrambled >>> 25), 9) >>> 0;
    const s2 = state[2]! ^ state[0]!;
    const s3 = state[3]! ^ s1;
    state[1] = s1 ^ s2;
    state[0] = state[0]! ^ s3;
    state[2] = s2 ^ (s1 << 9);
    state[3] = (s3 << 11) | (s3 >>> 21);
    return result;
  }

  function uniform(): number {
    const high = uint32() >>> 5;
    const low = uint32() >>> 6;
    return (high * 67108864 + low) / 9007199254740992;
  }

  function integer(bound: number): number {
    if (!Number.isInteger(bound) || bound < 1 || bound > TWO_32) {
      throw new RangeError(`a random integer needs a bound 1..2^32, not ${bound}`);
    }
    return bound <= LEMIRE_LIMIT ? lemire(bound, TWO_32 % bound) : rejected(bound);
  }

  function lemire(bound: number, threshold: number): number {
    while (true) {
      const product = uint32() * bound;
      const high = Math.floor(product / TWO_32);
      if (product - high * TWO_32 >= threshold) return high;
    }
  }

  function rejected(bound: number): number {
    const limit = TWO_32 - (TWO_32 % bound);
    while (true) {
      const value = uint32();
      if (value < limit) return value % bound;
    }
  }

  function multinomial(counts: Uint32Array, draws = counts.length): void {
    const cells = counts.length;
    if (cells === 0) throw new RangeError('a multinomial draw needs at least one cell');
    counts.fill(0);
    if (cells > LEMIRE_LIMIT) {
      for (let i = 0; i < draws; i++) counts[integer(cells)]!++;
      return;
    }
    const threshold = TWO_32 % cells;
    for (let i = 0; i < draws; i++) counts[lemire(cells, threshold)]!++;
  }

  return { uint32, uniform, integer, multinomial };
}

/** Two outputs of SplitMix64 (Steele, Lea & Flood 2014), as four words, low word first. */
function seedState(seed: number | bigint): Int32Array {
  if (typeof seed === 'number' && !Number.isSafeInteger(seed)) throw new RangeError(`not a safe integer seed: ${seed}`);
  let counter = BigInt(seed);
  if (counter < 0n || counter >= 1n << 64n) throw new RangeError(`a seed is 0..2^64-1, not ${seed}`);
  const state = new Int32Array(4);
  for (let i = 0; i < 2; i++) {
    counter = BigInt.asUintN(64, counter + 0x9e3779b97f4a7c15n);
    let z = counter;
    z = BigInt.asUintN(64, (z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n);
    z = BigInt.asUintN(64, (z ^ (z >> 27n)) * 0x94d049bb133111ebn);
    z ^= z >> 31n;
    state[2 * i] = Number(z & 0xffffffffn) | 0;
    state[2 * i + 1] = Number(z >> 32n) | 0;
  }
  return state;
}
