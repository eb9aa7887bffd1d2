const RADIX_BITS = 16;
const RADIX = 1 << RADIX_BITS;
const RADIX_ROWS = 8192;

/**
 * The indices of `values` from the smallest value to the largest, ties in their first order, -0 equal to 0.
 * A radix sort on the doubles' bits from 8,192 values on: time grows with n alone.
 *
 * @throws RangeError when a value is NaN
 */
export function ascendingIndices(values: ArrayLike<number>): Uint32Array {
  const n = values.length;
  const keys = new Float64Array(values);
  for (let i = 0; i < n; i++) {
    if (Number.isNaN(keys[i]!)) throw new RangeError(`value ${i} is NaN and has no rank`);
    keys[i]! += 0; // -0 + 0 is 0
  }
  let order = new Uint32Array(n);
  for (let i = 0; i < n; i++) order[i] = i;
  if (n < RADIX_ROWS) return order.sort((a, b) => keys[a]! - keys[b]! || compareInfinite(keys[a]!, keys[b]!) || a - b);

  // Sign-magnitude to an unsigned order: flip all bits of the negative, the sign bit of the others.
  const words = new Uint32Array(keys.buffer);
  const high = littleEndian() ? 1 : 0;
  for (let i = 0; i < n; i++) {
    const top = words[2 * i + high]!;
    const negative = top >>> 31 === 1;
    words[2 * i + high] = negative ? ~top : top ^ 0x80000000;
    if (negative) words[2 * i + 1 - high] = ~words[2 * i + 1 - high]!;
  }
  let next = new Uint32Array(n);
  const offsets = new Uint32Array(RADIX);
  for (let pass = 0; pass < 4; pass++) {
    const word = pass < 2 ? 1 - high : high;
    const shift = (pass % 2) * RADIX_BITS;
    offsets.fill(0);
    for (let i = 0; i < n; i++) offsets[(words[2 * i + word]! >>> shift) & (RADIX - 1)]!++;
    if (offsets[(words[word]! >>> shift) & (RADIX - 1)] === n) continue;
    let start = 0;
    for (let digit = 0; digit < RADIX; digit++) {
      const count = offsets[digit]!;
      offsets[digit] = start;
      start += count;
    }
    for (let i = 0; i < n; i++) {
      const index = order[i]!;
      const digit = (words[2 * index + word]! >>> shift) & (RADIX - 1);
      next[offsets[digit]!++] = index;
    }
    [order, next] = [next, order];
  }
  return order;
}

/** Infinity - Infinity is NaN, which `||` skips: equal infinities are a tie. */
function compareInfinite(a: number, b: number): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function littleEndian(): boolean {
  return new Uint8Array(new Uint32Array([1]).buffer)[0] === 1;
}
