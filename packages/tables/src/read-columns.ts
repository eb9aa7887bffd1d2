import { ConfigurationError, plainText } from '@passloop/core';
import { isNumeric } from './column-types.ts';
import { requireColumn } from './keys.ts';
import { quoteIdentifier } from './quote.ts';
import type { Table, TableSession } from './session.ts';

/** A column in memory. NULL is apart from NaN: `nulls[i]` is 1 where row i is NULL, and its value is NaN or ''. */
export type ColumnValues =
  | { kind: 'number'; values: Float64Array; nulls: Uint8Array; nullCount: number }
  | { kind: 'boolean'; values: Uint8Array; nulls: Uint8Array; nullCount: number }
  | { kind: 'string'; values: string[]; nulls: Uint8Array; nullCount: number };

const maxSafe = Number.MAX_SAFE_INTEGER;

/** Room for so many rows is made before any came. */
const firstRows = 1 << 20;

/**
 * Reads columns, all in the same order. Numbers become doubles (an integer column with values that no double holds
 * exactly becomes strings of digits, so that two ids never fall together); dates and timestamps become ISO-like text.
 *
 * @param orderBy columns that decide the order, usually the key; without it the order is not defined
 * @throws ConfigurationError for a missing or nested column
 */
export async function readColumns(
  session: TableSession,
  table: Table,
  { columns, orderBy = [] }: { columns: readonly string[]; orderBy?: readonly string[] },
): Promise<ColumnValues[]> {
  const found = columns.map((name) => requireColumn(table, name));
  for (const name of orderBy) requireColumn(table, name);
  const exact = await Promise.all(
    found.map((column) => column.type !== 'integer' || fitsDouble(session, table, column.name)),
  );
  // A footer may promise more rows than the file has: what is allocated goes by the rows that came.
  let capacity = Math.min(table.rows, firstRows);
  const results: ColumnValues[] = found.map((column, i) => {
    const nulls = new Uint8Array(capacity);
    if (isNumeric(column.type) && exact[i] === true) {
      return { kind: 'number', values: new Float64Array(capacity), nulls, nullCount: 0 };
    }
    if (column.type === 'boolean') return { kind: 'boolean', values: new Uint8Array(capacity), nulls, nullCount: 0 };
    if (column.type === 'nested') {
      throw new ConfigurationError(
        `${table.name}: \`${column.name}\` is ${plainText(column.engineType, 60)}; only columns of single values are read.`,
        { file: table.source?.uri },
      );
    }
    return { kind: 'string', values: new Array<string>(capacity).fill(''), nulls, nullCount: 0 };
  });
  const selects = found.map((column, i) => {
    const name = quoteIdentifier(column.name);
    const kind = (results[i] as ColumnValues).kind;
    return kind === 'number' ? `${name}::DOUBLE` : kind === 'boolean' ? name : `${name}::VARCHAR`;
  });
  const order = orderBy.length === 0 ? '' : ` ORDER BY ${orderBy.map(quoteIdentifier).join(', ')}`;
  let offset = 0;
  await session.scan(`SELECT ${selects.join(', ')} FROM ${table.relation}${order}`, (chunk) => {
    const needed = offset + chunk.rowCount;
    if (needed > capacity) {
      capacity = Math.max(needed, Math.min(table.rows, 2 * capacity));
      for (const result of results) grow(result, capacity);
    }
    for (const [i, result] of results.entries()) fill(result, chunk.getColumnValues(i), offset);
    offset += chunk.rowCount;
  });
  return results;
}

function grow(result: ColumnValues, rows: number): void {
  result.nulls = resized(result.nulls, rows);
  if (result.kind === 'number') {
    const values = new Float64Array(rows);
    values.set(result.values);
    result.values = values;
  } else if (result.kind === 'boolean') result.values = resized(result.values, rows);
  else while (result.values.length < rows) result.values.push('');
}

function resized(bytes: Uint8Array, rows: number): Uint8Array {
  const larger = new Uint8Array(rows);
  larger.set(bytes);
  return larger;
}

function fill(result: ColumnValues, cells: readonly unknown[], offset: number): void {
  for (let row = 0; row < cells.length; row++) {
    const cell = cells[row];
    if (cell === null) {
      result.nulls[offset + row] = 1;
      result.nullCount++;
      if (result.kind === 'number') result.values[offset + row] = Number.NaN;
      continue;
    }
    if (result.kind === 'number') result.values[offset + row] = cell as number;
    else if (result.kind === 'boolean') result.values[offset + row] = cell === true ? 1 : 0;
    else result.values[offset + row] = cell as string;
  }
}

async function fitsDouble(session: TableSession, table: Table, name: string): Promise<boolean> {
  const column = quoteIdentifier(name);
  const [[fits] = []] = await session.rows(
    `SELECT coalesce(min(${column}) >= -${maxSafe} AND max(${column}) <= ${maxSafe}, true) FROM ${table.relation}`,
  );
  return fits === true;
}
