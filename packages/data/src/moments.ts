import { quoteDouble } from '@passloop/tables';

/**
 * Mean and standard deviation without a float sum: each value is written in fixed point as a 128-bit integer, and
 * integers add up to the same total in any order. A plain sum of doubles differs in its last digits from run to run.
 */
export type MomentPlan = {
  /** Integer terms to sum: v and (v - c)^2, each times a power of two. */
  terms: [string, string];
  finish(rows: number, sums: readonly [bigint, bigint]): { mean: number; sd: number | null };
};

/** 2^95 leaves room for 2^31 rows in 127 bits. */
const bits = 95;

/**
 * Powers of two turn values and deviations into numbers up to 1 before anything is squared: so any finite double will do,
 * 1e-300 and 1e300 too.
 *
 * @param value SQL of a finite double
 * @param range its smallest and largest value, exactly
 * @param center a value near the mean, such as the median: no digits cancel out then, however long the tails are
 */
export function momentPlan(
  value: string,
  { minimum, maximum }: { minimum: number; maximum: number },
  center: number,
): MomentPlan {
  if (!Number.isFinite(maximum - minimum)) return halvedPlan(value, { minimum, maximum }, center);
  const scale = -exponentOf(Math.max(Math.abs(minimum), Math.abs(maximum)));
  const radius = -exponentOf(Math.max(maximum - center, center - minimum));
  const deviation = timesPower(`(${value} - ${quoteDouble(center)})`, radius);
  const integer = (sql: string) => `(${sql} * ${quoteDouble(2 ** (bits - 1))})::HUGEINT`;
  return {
    terms: [integer(timesPower(value, scale)), integer(`(${deviation} * ${deviation})`)],
    finish(rows, [sum, squares]) {
      const n = BigInt(rows);
      const unit = scale + bits - 1;
      const mean = ratio(sum, n, unit);
      if (rows < 2) return { mean, sd: null };
      // n sum (v-c)^2 - (sum (v-c))^2 over one power of two, with nothing rounded: the difference may be small.
      const deviations = sum - n * BigInt(Math.round(scaleByPower(center, unit)));
      const squareUnit = 2 * radius + bits - 1;
      const shift = 2 * unit - squareUnit;
      const spread = shiftLeft(n * squares, shift) - shiftLeft(deviations * deviations, -shift);
      return { mean, sd: spread <= 0n ? 0 : rootOfRatio(spread, n * (n - 1n), Math.max(2 * unit, squareUnit)) };
    },
  };
}

/** The whole range of doubles is wider than a double: of halves none is. */
function halvedPlan(value: string, range: { minimum: number; maximum: number }, center: number): MomentPlan {
  const halves = { minimum: range.minimum / 2, maximum: range.maximum / 2 };
  const plan = momentPlan(`(${value} * ${quoteDouble(0.5)})`, halves, center / 2);
  return {
    terms: plan.terms,
    finish(rows, sums) {
      const { mean, sd } = plan.finish(rows, sums);
      return { mean: mean * 2, sd: sd === null ? null : sd * 2 };
    },
  };
}

/** The smallest e with |x| < 2^e, from -1074; 0 for 0. */
function exponentOf(x: number): number {
  if (x === 0) return 0;
  let e = Math.floor(Math.log2(x)) + 1;
  while (scaleByPower(x, -e) >= 1) e++;
  return e;
}

/** SQL times 2^k: in two steps, since 2^k alone may leave the doubles. */
function timesPower(sql: string, k: number): string {
  const first = Math.max(-1000, Math.min(1000, k));
  const factors = [first, k - first].filter((power) => power !== 0).map((power) => quoteDouble(2 ** power));
  return factors.length === 0 ? sql : `(${[sql, ...factors].join(' * ')})`;
}

function shiftLeft(value: bigint, by: number): bigint {
  return by > 0 ? value << BigInt(by) : value;
}

/** numerator / denominator / 2^exponent as the nearest double (within one unit of its last place). */
function ratio(numerator: bigint, denominator: bigint, exponent: number): number {
  const { quotient, power } = divide(numerator < 0n ? -numerator : numerator, denominator, exponent);
  return (numerator < 0n ? -1 : 1) * scaleByPower(Number(quotient), power);
}

/** The root of it. The power is made even first: the ratio itself may be smaller than any double. */
function rootOfRatio(numerator: bigint, denominator: bigint, exponent: number): number {
  const { quotient, power } = divide(numerator, denominator, exponent);
  const odd = Math.abs(power % 2);
  return scaleByPower(Math.sqrt(Number(quotient << BigInt(odd))), (power - odd) / 2);
}

/** quotient 2^power, some 80 bits of it. */
function divide(numerator: bigint, denominator: bigint, exponent: number): { quotient: bigint; power: number } {
  const wanted = 80 - (numerator.toString(2).length - denominator.toString(2).length);
  const quotient =
    wanted >= 0 ? (numerator << BigInt(wanted)) / denominator : numerator / (denominator << BigInt(-wanted));
  return { quotient, power: -wanted - exponent };
}

/** x 2^k in steps, since 2^k alone may leave the doubles. */
function scaleByPower(x: number, k: number): number {
  let scaled = x;
  let left = k;
  while (left !== 0 && scaled !== 0) {
    const step = Math.max(-1000, Math.min(1000, left));
    scaled *= 2 ** step;
    left -= step;
  }
  return scaled;
}
