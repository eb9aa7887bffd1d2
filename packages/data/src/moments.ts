import { quoteDouble } from '@passloop/tables';

/**
 * Mean and standard deviation without a float sum: each value is written in fixed point as a 128-bit integer, and
 * integers add up to the same total in any order. A plain sum of doubles differs in its last digits from run to run.
 */
export type MomentPlan = {
  /** Integer terms to sum: v and (v - c)^2, each times a power of two; c is the middle of the range. */
  terms: [string, string];
  finish(rows: number, sums: readonly [bigint, bigint]): { mean: number; sd: number | null };
};

/** 2^95 leaves room for 2^31 rows in 127 bits. */
const bits = 95;

/**
 * @param value SQL of a finite double
 * @param minimum its smallest value, exactly
 * @param maximum its largest value
 * @returns null when the squares would not fit a double (a range beyond 1e150)
 */
export function momentPlan(value: string, minimum: number, maximum: number): MomentPlan | null {
  const center = minimum / 2 + maximum / 2;
  const largest = Math.max(Math.abs(minimum), Math.abs(maximum));
  const radius = Math.max(maximum - center, center - minimum);
  if (!(largest < 1e150)) return null;
  const scale = scaleFor(largest);
  const squared = scaleFor(radius * radius);
  const c = quoteDouble(center);
  const integer = (sql: string, exponent: number) => `(${sql} * ${quoteDouble(2 ** exponent)})::HUGEINT`;
  return {
    terms: [integer(value, scale), integer(`((${value} - ${c}) * (${value} - ${c}))`, squared)],
    finish(rows, [sum, squares]) {
      const n = BigInt(rows);
      const mean = ratio(sum, n, scale);
      if (rows < 2) return { mean, sd: null };
      // n sum (v-c)^2 - (sum (v-c))^2 over one power of two, with nothing rounded: the difference may be small.
      const deviation = sum - n * BigInt(Math.round(center * 2 ** scale));
      const shift = 2 * scale - squared;
      const spread = shiftLeft(n * squares, shift) - shiftLeft(deviation * deviation, -shift);
      const variance = spread <= 0n ? 0 : ratio(spread, n * (n - 1n), Math.max(2 * scale, squared));
      return { mean, sd: Math.sqrt(variance) };
    },
  };
}

function shiftLeft(value: bigint, by: number): bigint {
  return by > 0 ? value << BigInt(by) : value;
}

/** The exponent e for which values up to `bound` times 2^e stay below 2^95; doubles end at 2^1023. */
function scaleFor(bound: number): number {
  if (bound === 0) return 0;
  return Math.min(1000, bits - Math.ceil(Math.log2(bound)) - 1);
}

/** numerator / denominator / 2^exponent as the nearest double (within one unit of its last place). */
function ratio(numerator: bigint, denominator: bigint, exponent: number): number {
  if (numerator === 0n) return 0;
  const sign = numerator < 0n ? -1 : 1;
  const magnitude = numerator < 0n ? -numerator : numerator;
  const wanted = 80 - (magnitude.toString(2).length - denominator.toString(2).length);
  const quotient =
    wanted >= 0 ? (magnitude << BigInt(wanted)) / denominator : magnitude / (denominator << BigInt(-wanted));
  return sign * scaleByPower(Number(quotient), -wanted - exponent);
}

/** x 2^k in two steps, since 2^k alone may leave the doubles. */
function scaleByPower(x: number, k: number): number {
  const half = Math.trunc(k / 2);
  return x * 2 ** half * 2 ** (k - half);
}
