import { ConfigurationError, toDecimal } from '@passloop/core';
import { isNumeric, scalarExpression, type TableColumn } from '@passloop/tables';
import { type CheckContext, columnOf } from '../check.ts';

/** Why a check did not run that found no row to look at. */
export const rowless = 'not executed: there is no row to judge';

/** Why a check did not run whose number is larger than any double. */
export const boundless = 'not executed: the number is larger than any that can be written';

/** `where` as the engine prints it; a refusal where it isn't one condition over the row. */
export async function conditionOf(
  text: string | undefined,
  { session, table }: CheckContext,
): Promise<{ sql: string | null } | string> {
  if (text === undefined) return { sql: null };
  try {
    return { sql: await scalarExpression(session, table, text) };
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    return error.message;
  }
}

/** A column of numbers, or why it is none. */
export function numbersOf(name: string, { table }: CheckContext): TableColumn | string {
  const column = columnOf(table, name);
  if (typeof column === 'string' || isNumeric(column.type)) return column;
  return `\`${column.name}\` is ${column.type}; only numbers have that`;
}

/** Whether a number is within inclusive bounds: the printed one decides. */
export function isBetween(value: number, [min, max]: readonly (number | null)[]): boolean {
  const printed = Number(toDecimal(value));
  return printed >= (min ?? Number.NEGATIVE_INFINITY) && printed <= (max ?? Number.POSITIVE_INFINITY);
}
