import { quoteDouble } from '@passloop/tables';

/**
 * Sums of doubles that no order changes: a plain sum on several threads differs in its last digits from run to run. Each
 * term becomes a whole number of 128 bits, in units that leave room for 2^33 rows.
 */
export type ExactSum = {
  /** An aggregate, as text of a whole number; NULL over no rows. */
  sql: string;
  valueOf(total: unknown): number;
};

const bits = 93;

/** @param largest of the absolute terms, finite */
export function exactSum(term: string, largest: number): ExactSum {
  const power = bits - exponentOf(largest);
  // In two steps: 2^power alone may leave the doubles.
  const first = Math.max(-1000, Math.min(1000, power));
  const scaled = `${term} * ${quoteDouble(2 ** first)} * ${quoteDouble(2 ** (power - first))}`;
  return {
    sql: `sum((${scaled})::HUGEINT)::VARCHAR`,
    valueOf: (total) => (total === null ? 0 : (Number(BigInt(total as string)) * 2 ** -first) / 2 ** (power - first)),
  };
}

/** The smallest e with |x| < 2^e; 0 for 0. */
function exponentOf(x: number): number {
  if (x === 0) return 0;
  const e = Math.floor(Math.log2(x)) + 1;
  return x >= 2 ** e ? e + 1 : e;
}
