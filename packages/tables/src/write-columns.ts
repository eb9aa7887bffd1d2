import { randomBytes } from 'node:crypto';
import { open, rm } from 'node:fs/promises';
import path from 'node:path';
import { quoteIdentifier, quoteText } from './quote.ts';
import type { TableSession } from './session.ts';
import { writeParquet } from './write-parquet.ts';

/** A column to be written. `integer` needs whole numbers, `float` keeps NaN and infinities. */
export type WrittenColumn = {
  name: string;
  type: 'integer' | 'float' | 'string' | 'boolean';
  values: ArrayLike<number | bigint | string | boolean | null>;
};

const engineTypes = { integer: 'BIGINT', float: 'VARCHAR', string: 'VARCHAR', boolean: 'BOOLEAN' } as const;

/**
 * Writes columns of equal length as Parquet, in their order, whole or not at all. Doubles keep every bit: they travel as
 * their shortest decimal text, which reads back to the same number.
 */
export async function writeColumns(session: TableSession, columns: readonly WrittenColumn[], file: string): Promise<void> {
  const rows = columns[0]?.values.length ?? 0;
  const unequal = columns.find((column) => column.values.length !== rows);
  if (unequal !== undefined) throw new RangeError(`column ${unequal.name} has ${unequal.values.length} rows, others ${rows}`);
  const lines = path.join(session.scratch, `${randomBytes(8).toString('hex')}.jsonl`);
  try {
    await using handle = await open(lines, 'wx');
    for (let start = 0; start < rows; start += 20_000) {
      const part: string[] = [];
      for (let row = start; row < Math.min(rows, start + 20_000); row += 1) {
        part.push(`{${columns.map((column, index) => `"c${index}":${cell(column, row)}`).join(',')}}\n`);
      }
      await handle.write(part.join(''));
    }
    const types = columns.map((column, index) => `c${index}: ${quoteText(engineTypes[column.type])}`).join(', ');
    const selects = columns.map((column, index) => `${column.type === 'float' ? `c${index}::DOUBLE` : `c${index}`} AS ${quoteIdentifier(column.name)}`);
    const source = `read_json(${quoteText(lines)}, format = 'newline_delimited', columns = {${types}})`;
    await writeParquet(session, `SELECT ${selects.join(', ')} FROM ${source}`, file);
  } finally {
    await rm(lines, { force: true });
  }
}

function cell(column: WrittenColumn, row: number): string {
  const value = column.values[row];
  if (value === null || value === undefined) return 'null';
  switch (column.type) {
    case 'float':
      return JSON.stringify(floatText(Number(value)));
    case 'integer':
      if (typeof value !== 'bigint' && !Number.isInteger(value)) throw new RangeError(`${column.name} has ${String(value)}, no whole number`);
      return String(value);
    case 'boolean':
      return value === true || value === 1 ? 'true' : 'false';
    default:
      return JSON.stringify(String(value));
  }
}

function floatText(value: number): string {
  if (Number.isNaN(value)) return 'nan';
  if (value === Number.POSITIVE_INFINITY) return 'inf';
  return value === Number.NEGATIVE_INFINITY ? '-inf' : Object.is(value, -0) ? '-0.0' : String(value);
}
