import { toDecimal } from '@passloop/core';
import { cramersV } from '@passloop/statistics';
import { quoteIdentifier, type Table, type TableSession } from '@passloop/tables';
import {
  boundsText,
  brokenVerdict,
  type CheckContext,
  type CheckOf,
  columnOf,
  notExecuted,
  type PlannedCheck,
  resultOf,
} from '../check.ts';
import { correlationOf } from './column-numbers.ts';
import { isBetween, numbersOf } from './judged-rows.ts';

export function planCorrelation(check: CheckOf<'correlation'>, context: CheckContext): PlannedCheck {
  const { session, table } = context;
  const expected = `correlation ${boundsText(check.min, check.max) ?? 'within bounds'}`;
  if (check.min === undefined && check.max === undefined)
    return notExecuted(check, expected, 'it has neither `min` nor `max`');
  const [left, right] = check.columns.map((name) => numbersOf(name, context));
  if (left === undefined || right === undefined) return notExecuted(check, expected, 'it needs two columns');
  if (typeof left === 'string') return notExecuted(check, expected, left);
  if (typeof right === 'string') return notExecuted(check, expected, right);
  return {
    async finish() {
      const { rows, r } = await correlationOf(session, table, [left, right]);
      if (r === null)
        return resultOf(check, {
          verdict: 'fail',
          expected,
          reason: `not executed: a column is constant, or fewer than two of ${rows} rows have both`,
        });
      return resultOf(check, {
        verdict: isBetween(r, [check.min ?? null, check.max ?? null]) ? 'pass' : brokenVerdict(check),
        expected,
        observed: `${toDecimal(r)} over ${rows} rows`,
        sql: `SELECT corr(${quoteIdentifier(left.name)}, ${quoteIdentifier(right.name)}) FROM ${table.printed}`,
      });
    },
  };
}

/** So many values of each column are held against each other; more would be identifiers. */
export const mostValues = 1000;

/** Rows by the values of two columns, as a query. */
export function crossQuery(relation: string, [left, right]: readonly [string, string]): string {
  const [a, b] = [quoteIdentifier(left), quoteIdentifier(right)];
  return `SELECT ${a} AS a, ${b} AS b, count(*) AS n FROM ${relation} WHERE ${a} IS NOT NULL AND ${b} IS NOT NULL GROUP BY ALL`;
}

/** Counts by the values of two columns, one list a value of the first. Null where there are too many values. */
export async function crossTable(
  session: TableSession,
  { relation }: Table,
  columns: readonly [string, string],
): Promise<number[][] | null> {
  const counted = await session.rows(
    `SELECT a::VARCHAR, b::VARCHAR, n FROM (${crossQuery(relation, columns)}) ORDER BY 1, 2 LIMIT ${mostValues * mostValues + 1}`,
  );
  const rowsOf = new Map([...new Set(counted.map(([a]) => String(a)))].map((a, index) => [a, index]));
  const columnsOf = new Map([...new Set(counted.map(([, b]) => String(b)))].map((b, index) => [b, index]));
  if (rowsOf.size > mostValues || columnsOf.size > mostValues) return null;
  const cells = Array.from({ length: rowsOf.size }, () => new Array<number>(columnsOf.size).fill(0));
  for (const [a, b, n] of counted) {
    const row = cells[rowsOf.get(String(a)) ?? 0];
    if (row !== undefined) row[columnsOf.get(String(b)) ?? 0] = Number(n);
  }
  return cells;
}

export function planAssociation(check: CheckOf<'association'>, { session, table }: CheckContext): PlannedCheck {
  const expected = `Cramer's V at most ${check.max}`;
  for (const name of check.columns) {
    const found = columnOf(table, name);
    if (typeof found === 'string') return notExecuted(check, expected, found);
  }
  const columns = check.columns as [string, string];
  return {
    async finish() {
      const cells = await crossTable(session, table, columns);
      if (cells === null)
        return resultOf(check, {
          verdict: 'fail',
          expected,
          reason: `not executed: a column has more than ${mostValues} values`,
        });
      const width = cells[0]?.length ?? 0;
      if (cells.length < 2 || width < 2)
        return resultOf(check, { verdict: 'fail', expected, reason: 'not executed: a column has one value, or none' });
      const { v } = cramersV(cells);
      return resultOf(check, {
        verdict: isBetween(v, [null, check.max]) ? 'pass' : brokenVerdict(check),
        expected,
        observed: `${toDecimal(v)} (${cells.length} x ${width} values)`,
        sql: crossQuery(table.printed, columns),
      });
    },
  };
}
