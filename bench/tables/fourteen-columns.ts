import { copyFile } from 'node:fs/promises';
import path from 'node:path';
import type { CheckInput } from '@passloop/model';
import { openTables, quoteText, writeParquet } from '@passloop/tables';

/** The table of the benches of data checks: 14 columns, generated, so that any number of rows can be had. */

export const floats = ['f1', 'f2', 'f3', 'f4', 'f5'];
const integers = ['i1', 'i2', 'i3'];
export const numbers = [...floats, ...integers];

/** SQL that gives the table. */
export function benchTable(rows: number): string {
  return `SELECT i AS id, DATE '2001-01-01' + (i * 180 // ${rows})::INTEGER AS day,
     ${floats.map((name, k) => `CASE WHEN hash(i, ${k}) % 50 = 0 THEN NULL ELSE sqrt(-2 * ln((hash(i, ${k + 10}) % 1000003 + 1) / 1000004.0)) * cos(hash(i, ${k + 20}) % 6283 / 1000.0) END AS ${name}`).join(', ')},
     ${integers.map((name, k) => `(hash(i, ${k + 30}) % ${[24, 1440, 5000][k]})::BIGINT AS ${name}`).join(', ')},
     'c' || (hash(i, 41) % 12) AS s1, 'airport ' || (hash(i, 42) % 300) AS s2, 'name ' || (hash(i, 43) % 20000) AS s3,
     hash(i, 44) % 3 = 0 AS flag
   FROM range(${rows}) t(i)`;
}

/** Writes the table beside the measured process's own work: an engine of its own that is gone afterwards. */
export async function writeBenchTable(rows: number, file: string, format: 'parquet' | 'csv'): Promise<void> {
  await using session = await openTables({ temporaryFolder: path.dirname(file) });
  if (format === 'parquet') {
    await writeParquet(session, benchTable(rows), file);
    return;
  }
  const made = path.join(session.scratch, 'table.csv');
  await session.run(`COPY (${benchTable(rows)}) TO ${quoteText(made)} (FORMAT csv)`);
  await copyFile(made, file);
}

/** Checks of every column, all of which hold. */
export const benchChecks: CheckInput[] = [
  { kind: 'columns', types: { id: 'integer', day: 'date', f1: 'float', s1: 'string' } },
  { kind: 'row-count', min: 1 },
  ...[...numbers, 's1', 's2', 'day', 'id'].map((column) => ({ kind: 'not-null', column, mostly: 0.9 }) as const),
  ...numbers.map((column) => ({ kind: 'range', column, min: -100, max: 10_000 }) as const),
  ...[0, 1, 2, 3, 4].map(
    (k) => ({ kind: 'range', id: `where-${k}`, column: `f${k + 1}`, min: -9, where: `i1 > ${k}` }) as const,
  ),
  { kind: 'set', column: 's1', values: Array.from({ length: 12 }, (_, k) => `c${k}`) },
  { kind: 'set', column: 'i1', values: Array.from({ length: 24 }, (_, k) => k) },
  { kind: 'unique', columns: ['id'] },
];
