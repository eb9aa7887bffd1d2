import { quoteDouble, quoteIdentifier, type Table, type TableColumn, type TableSession } from '@passloop/tables';
import { missingCondition } from '../cells.ts';
import type { CheckContext } from '../check.ts';
import { momentPlan } from '../moments.ts';

/** The finite values of a column, as a query; `where` is a condition that was checked. */
export function finiteValues(table: Table, column: TableColumn, where: string | null): string {
  const limits = [where, `NOT ${missingCondition(column)}`].filter((part) => part !== null).join(' AND ');
  return `SELECT ${quoteIdentifier(column.name)}::DOUBLE AS v FROM ${table.relation} WHERE ${limits}`;
}

/** 1 / quantile(normal, 0.75): a median deviation as the standard deviation of a normal distribution. */
export const madScale = 1.4826022185056018;

export type Moments = { rows: number; mean: number; sd: number | null };

/** As {@link computeMoments}, once for all checks that ask for them. */
export function momentsOf({ session, once }: CheckContext, values: string): Promise<Moments | null> {
  return once(`moments ${values}`, () => computeMoments(session, values));
}

/** Mean and standard deviation (n - 1) of the finite values, the same in any order of rows; null where there are none. */
async function computeMoments(session: TableSession, values: string): Promise<Moments | null> {
  const [range] = await session.rows(`SELECT count(*), min(v), max(v), quantile_disc(v, 0.5) FROM (${values})`);
  const rows = Number(range?.[0] ?? 0);
  if (rows === 0) return null;
  const plan = momentPlan('v', { minimum: Number(range?.[1]), maximum: Number(range?.[2]) }, Number(range?.[3]));
  const [sums] = await session.rows(
    `SELECT ${plan.terms.map((term) => `coalesce(sum(${term}), 0)::VARCHAR`).join(', ')} FROM (${values})`,
  );
  const [sum, squares] = (sums as string[]).map(BigInt) as [bigint, bigint];
  return { rows, ...plan.finish(rows, [sum, squares]) };
}

/** So many values may all differ in one query: more sets of them than memory holds can't be spilled together. */
const valuesAtOnce = 8_000_000;

/** How many values each column has, and how many of them differ. One query; of a table of many columns and rows, some. */
export async function distinctCounts(
  session: TableSession,
  table: Table,
  columns: readonly TableColumn[],
): Promise<{ present: number; distinct: number }[]> {
  const atOnce = Math.max(1, Math.floor(valuesAtOnce / Math.max(table.rows, 1)));
  const counted: number[] = [];
  for (let start = 0; start < columns.length; start += atOnce) {
    const asked = columns.slice(start, start + atOnce).map(({ name }) => quoteIdentifier(name));
    const counts = asked.map((name) => `count(${name}), count(DISTINCT ${name})`);
    const [row] = await session.rows(`SELECT ${counts.join(', ')} FROM ${table.relation}`);
    counted.push(...(row ?? []).map(Number));
  }
  return columns.map((_, at) => ({ present: counted[2 * at] ?? 0, distinct: counted[2 * at + 1] ?? 0 }));
}

/** Quantiles between two rows (numpy's `linear`), of the values in order: no two orders of rows give others. */
export async function quantilesOf(
  session: TableSession,
  values: string,
  at: readonly number[],
): Promise<number[] | null> {
  const [row] = await session.rows(
    `SELECT count(*), ${at.map((share) => `quantile_cont(v, ${share})`).join(', ')} FROM (${values})`,
  );
  return Number(row?.[0] ?? 0) === 0 ? null : (row ?? []).slice(1).map(Number);
}

/**
 * The correlation ratio of a column of numbers over the values of another one, squared: the share of its variance that lies between these groups. Integer sums, as of
 * the moments. Null where the numbers are constant.
 */
export async function correlationRatio(
  session: TableSession,
  table: Table,
  groups: TableColumn,
  numbers: TableColumn,
): Promise<{ rows: number; groups: number; share: number | null }> {
  const values = `SELECT ${quoteIdentifier(groups.name)} AS g, ${quoteIdentifier(numbers.name)}::DOUBLE AS v FROM ${table.relation} WHERE ${quoteIdentifier(groups.name)} IS NOT NULL AND NOT ${missingCondition(numbers)}`;
  const [range] = await session.rows(`SELECT count(*), min(v), max(v) FROM (${values})`);
  const [rows, low, high] = (range ?? []).map(Number) as [number, number, number];
  if (rows === 0 || low === high) return { rows, groups: 0, share: null };
  // Around their middle no digits of a large offset are in the way.
  const middle = low / 2 + high / 2;
  const plan = momentPlan(`(v - ${quoteDouble(middle)})`, { minimum: low - middle, maximum: high - middle }, 0);
  const terms = plan.terms.map((term) => `sum(${term})::VARCHAR`).join(', ');
  const summed = await session.rows(`SELECT count(*)::DOUBLE, ${terms} FROM (${values}) GROUP BY g`);
  const sums = summed.map(([n, sum, squares]) => ({
    n: Number(n),
    sum: BigInt(String(sum)),
    squares: BigInt(String(squares)),
  }));
  const all = sums.reduce((total, one) => [total[0] + one.sum, total[1] + one.squares] as const, [0n, 0n] as readonly [
    bigint,
    bigint,
  ]);
  const { mean, sd } = plan.finish(rows, all);
  if (sd === null || sd === 0) return { rows, groups: sums.length, share: null };
  // In their order by size, so that the order of groups changes no digit.
  const between = sums
    .map(({ n, sum, squares }) => n * ((plan.finish(n, [sum, squares]).mean - mean) / sd) ** 2)
    .sort((left, right) => left - right)
    .reduce((total, part) => total + part, 0);
  return { rows, groups: sums.length, share: Math.min(1, between / (rows - 1)) };
}

/** Bits of a value scaled into -1 .. 1: products of two and a sum of 2^31 of them stay within 127 bits. */
const bits = 46;

/**
 * Pearson's correlation of two columns over the rows in which both are finite: values are shifted and scaled by their range into integers, whose sums and
 * products are exact, so that no order of rows changes a digit. Null where one of them is constant, or there are fewer than two rows.
 */
export async function correlationOf(
  session: TableSession,
  table: Table,
  [left, right]: readonly [TableColumn, TableColumn],
): Promise<{ rows: number; r: number | null }> {
  const names = [left, right].map(({ name }) => `${quoteIdentifier(name)}::DOUBLE`) as [string, string];
  const both = `SELECT ${names[0]} AS x, ${names[1]} AS y FROM ${table.relation} WHERE NOT ${missingCondition(left)} AND NOT ${missingCondition(right)}`;
  const [range] = await session.rows(`SELECT count(*), min(x), max(x), min(y), max(y) FROM (${both})`);
  const [rows, x0, x1, y0, y1] = (range ?? []).map(Number) as [number, number, number, number, number];
  if (rows < 2 || x0 === x1 || y0 === y1) return { rows, r: null };
  const scaled = (name: string, low: number, high: number) => {
    // Halves first: the whole range of doubles is wider than a double.
    const [middle, radius] = [low / 2 + high / 2, high / 2 - low / 2];
    return `round((${name} - ('${middle}'::DOUBLE)) / ('${radius}'::DOUBLE) * ${2 ** bits}::DOUBLE)::HUGEINT`;
  };
  const [sums] = await session.rows(
    `SELECT ${['a', 'b', 'a * b', 'a * a', 'b * b'].map((term) => `sum(${term})::VARCHAR`).join(', ')}
     FROM (SELECT ${scaled('x', x0, x1)} AS a, ${scaled('y', y0, y1)} AS b FROM (${both}))`,
  );
  const [a, b, ab, aa, bb] = (sums as string[]).map(BigInt) as [bigint, bigint, bigint, bigint, bigint];
  const n = BigInt(rows);
  const product = (n * aa - a * a) * (n * bb - b * b);
  if (product <= 0n) return { rows, r: null };
  const shift = 2n ** 106n;
  const root = squareRoot(product * shift * shift);
  return { rows, r: Number(((n * ab - a * b) * shift * 2n ** 53n) / root) / 2 ** 53 };
}

/** The whole part of a root, by Newton's method. */
function squareRoot(value: bigint): bigint {
  let guess = 1n << BigInt(Math.ceil(value.toString(2).length / 2));
  for (;;) {
    const next = (guess + value / guess) >> 1n;
    if (next >= guess) return guess;
    guess = next;
  }
}
