import { quoteIdentifier, type Table, type TableColumn, type TableSession } from '@passloop/tables';
import { missingCondition, valueText } from './cells.ts';

/** What two tables have in one column, counted for both at once. */

/** More distinct values of text have no shares worth comparing. */
export const mostValues = 100_000;

/** Rows without a finite value, of both sides. */
export async function missingCounts(
  session: TableSession,
  tables: readonly [Table, Table],
  columns: readonly [TableColumn, TableColumn],
): Promise<[number, number]> {
  const count = async (table: Table, column: TableColumn) =>
    Number((await session.rows(`SELECT count(*) FROM ${table.relation} WHERE ${missingCondition(column)}`))[0]?.[0]);
  return [await count(tables[0], columns[0]), await count(tables[1], columns[1])];
}

/** Distinct finite values of both sides in ascending order with their counts; null for more than come here from a cluster. */
export async function numberCounts(
  session: TableSession,
  reference: Table,
  current: Table,
  left: TableColumn,
  right: TableColumn,
) {
  const side = (table: Table, column: TableColumn, at: number) =>
    `SELECT ${quoteIdentifier(column.name)}::DOUBLE AS v, ${at} AS side FROM ${table.relation} WHERE NOT ${missingCondition(column)}`;
  const columns = await session.doubles(
    `SELECT v, (count(*) FILTER (WHERE side = 0))::DOUBLE, (count(*) FILTER (WHERE side = 1))::DOUBLE
     FROM (${side(reference, left, 0)} UNION ALL ${side(current, right, 1)}) GROUP BY v ORDER BY v`,
  );
  if (columns === null) return null;
  const [points = [], first = [], second = []] = columns;
  return { points, reference: first, current: second };
}

/** Why a column of numbers isn't measured, where {@link numberCounts} gives none. */
export const tooManyNumbers =
  'more distinct numbers than Spark sends here: hold the table against a profile, or leave the column out (--except)';

/** A value's beginning is enough to name it. */
const longestName = 100;

/** Counts per value, in the order of their bytes; null where there are more than 100,000 of them. */
export async function valueCounts(
  session: TableSession,
  reference: Table,
  current: Table,
  left: TableColumn,
  right: TableColumn,
) {
  const side = (table: Table, column: TableColumn, at: number) =>
    `SELECT ${valueText(column)} AS v, ${at} AS side FROM ${table.relation} WHERE ${quoteIdentifier(column.name)} IS NOT NULL`;
  const rows = await session.rows(
    `SELECT (count(*) FILTER (WHERE side = 0))::DOUBLE, (count(*) FILTER (WHERE side = 1))::DOUBLE, substr(v, 1, ${longestName})
     FROM (${side(reference, left, 0)} UNION ALL ${side(current, right, 1)}) GROUP BY v ORDER BY v LIMIT ${mostValues + 1}`,
  );
  if (rows.length > mostValues) return null;
  return {
    reference: rows.map(([count]) => Number(count)),
    current: rows.map(([, count]) => Number(count)),
    values: rows.map(([, , value]) => String(value)),
  };
}
