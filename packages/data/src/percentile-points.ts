import { quoteIdentifier, type Table, type TableColumn, type TableSession } from '@passloop/tables';
import { missingCondition } from './cells.ts';
import { percentileRanks } from './percentiles.ts';

/** What orders a column's finite values: the values at the percentiles' ranks, and how many values differ. */
export type Ranking = {
  points: readonly number[];
  /** Infinities and NaN too. */
  distinct: number;
  /** Counts in the cells of some edges, where they are known without another scan. */
  counts?: (edges: readonly number[]) => number[];
};

/** A column's finite values, as a query. */
export function finiteRows(table: Table, column: TableColumn): string {
  return `SELECT ${quoteIdentifier(column.name)}::DOUBLE AS v FROM ${table.relation} WHERE NOT ${missingCondition(column)}`;
}

/** The values at the percentiles' ranks, from all values in order; the same pass tells how many are distinct. */
export async function rankedRows(
  session: TableSession,
  table: Table,
  column: TableColumn,
  { finite, nan, infinite }: { finite: number; nan: number; infinite: number },
): Promise<Ranking> {
  const ranked = await session.ranked(finiteRows(table, column), percentileRanks(finite));
  return {
    points: ranked.points.map((point) => point + 0),
    distinct: ranked.distinct + (await distinctUnbounded(session, table, column, { nan, infinite })),
  };
}

/** How many of both infinities and NaN occur. */
export async function distinctUnbounded(
  session: TableSession,
  table: Table,
  column: TableColumn,
  { nan, infinite }: { nan: number; infinite: number },
): Promise<number> {
  const isNan = nan > 0 ? 1 : 0;
  if (infinite === 0) return isNan;
  const name = quoteIdentifier(column.name);
  const [[infinities] = []] = await session.rows(
    `SELECT count(DISTINCT ${name}) FROM ${table.relation} WHERE isinf(${name})`,
  );
  return Number(infinities) + isNan;
}

/** The same, from the distinct values and how often each occurs: many times faster where they are few. */
export async function rankedGroups(
  session: TableSession,
  table: Table,
  column: TableColumn,
  finite: number,
): Promise<number[]> {
  const groups = await session.rows(
    `SELECT v, count(*)::DOUBLE FROM (${finiteRows(table, column)}) GROUP BY v ORDER BY v`,
  );
  const ranks = percentileRanks(finite);
  const points: number[] = [];
  let below = 0;
  for (const [value, count] of groups) {
    below += Number(count);
    while (points.length < ranks.length && (ranks[points.length] as number) <= below) points.push(Number(value) + 0);
  }
  return points;
}
