import { ConfigurationError, plainText } from '@passloop/core';
import { closest, distance } from 'fastest-levenshtein';
import type { TableColumn } from './column-types.ts';
import { quoteIdentifier } from './quote.ts';
import type { Table, TableSession } from './session.ts';

export type KeyReport = {
  key: string[];
  rows: number;
  /** Rows in which some key column is NULL, or NaN. */
  nullRows: number;
  /** Keys that more than one row has, and how many rows have them. */
  duplicateKeys: number;
  duplicateRows: number;
  /** The first of them in the key's order, as text. */
  examples: string[][];
};

/** The column of that exact name, or null. Letter case counts, although the engine would not mind. */
export function findColumn(table: Table, name: string): TableColumn | null {
  return table.columns.find((column) => column.name === name) ?? null;
}

/**
 * The column of that name.
 *
 * @param namedBy where the name comes from, for the message: `evaluate.columns.score`
 * @throws ConfigurationError: "predictions.parquet has no column `score`; columns.score names it. The file has: id, y."
 */
export function requireColumn(table: Table, name: string, namedBy: string | null = null): TableColumn {
  const found = findColumn(table, name);
  if (found !== null) return found;
  throw new ConfigurationError(`${missingColumn(table, name, namedBy)} ${columnList(table)}`, {
    file: table.source?.uri,
    hint: nearestColumn(table, name) ?? undefined,
  });
}

/** "predictions.parquet has no column `score`; columns.score names it." */
export function missingColumn(table: Table, name: string, namedBy: string | null = null): string {
  return `${table.name} has no column \`${name}\`${namedBy === null ? '' : `; ${namedBy} names it`}.`;
}

/** "The file has: id, y, proba." */
export function columnList(table: Pick<Table, 'columns'>): string {
  const shown = table.columns.slice(0, 20).map((column) => plainText(column.name, 100));
  const more = table.columns.length - shown.length;
  return `The file has: ${shown.join(', ')}${more > 0 ? ` and ${more} more` : ''}.`;
}

/** "Did you mean `age`?"; null where no column is called so nearly. */
export function nearestColumn(table: Pick<Table, 'columns'>, name: string): string | null {
  const names = table.columns.map((column) => column.name);
  if (names.length === 0) return null;
  const near = closest(name, names);
  const far = distance(name, near);
  const isNear = far <= Math.max(2, Math.floor(name.length / 3)) && far < name.length;
  return isNear ? `Did you mean \`${plainText(near, 100)}\`?` : null;
}

/** @throws ConfigurationError for a table without rows */
export function requireRows(table: Table): void {
  if (table.rows === 0) throw new ConfigurationError(`${table.name} has no rows.`, { file: table.source?.uri });
}

/** NULL or, for numbers, NaN: neither names a row. */
export function missingKey(table: Table, key: readonly string[]): string {
  return key
    .map((name) => {
      const column = quoteIdentifier(name);
      return requireColumn(table, name).type === 'float'
        ? `${column} IS NULL OR isnan(${column})`
        : `${column} IS NULL`;
    })
    .join(' OR ');
}

/** A bit for each number between the smallest and the largest: 16 MiB for each thread at most. */
const mostBits = 2n ** 27n;

/** Whether so many whole numbers may all differ, and lie near enough to each other for a bit each. */
export function areNear(count: number, low: bigint, high: bigint): boolean {
  const numbers = high - low + 1n;
  return numbers >= count && numbers <= mostBits && numbers <= BigInt(count) * 64n;
}

/** Whole numbers that are all there and all differ: a bit for each says so at a tenth of what groups cost. */
async function isWholeKey(session: TableSession, table: Table, key: readonly string[]): Promise<boolean> {
  const [column, ...others] = key.map((name) => requireColumn(table, name, 'the key'));
  if (others.length > 0 || column?.type !== 'integer') return false;
  const name = quoteIdentifier(column.name);
  const [[rows, filled, low, high] = []] = await session.rows(
    `SELECT count(*), count(${name}), min(${name})::VARCHAR, max(${name})::VARCHAR FROM ${table.relation}`,
  );
  const count = Number(rows);
  if (count === 0 || Number(filled) < count) return false;
  const [from, to] = [BigInt(String(low)), BigInt(String(high))];
  if (!areNear(count, from, to)) return false;
  return (await session.distinctBetween(`SELECT ${name} AS v FROM ${table.relation}`, from, to)) === count;
}

/** Looks for rows without a key and keys with several rows; both counts are exact. */
export async function checkKey(session: TableSession, table: Table, key: readonly string[]): Promise<KeyReport> {
  for (const name of key) requireColumn(table, name, 'the key');
  if (await isWholeKey(session, table, key)) {
    return { key: [...key], rows: table.rows, nullRows: 0, duplicateKeys: 0, duplicateRows: 0, examples: [] };
  }
  const columns = key.map(quoteIdentifier).join(', ');
  const missing = missingKey(table, key);
  const [[nullRows] = []] = await session.rows(`SELECT count(*) FROM ${table.relation} WHERE ${missing}`);
  const groups = `SELECT ${columns}, count(*) AS n FROM ${table.relation} WHERE NOT (${missing}) GROUP BY ALL HAVING count(*) > 1`;
  const [[duplicateKeys, duplicateRows] = []] = await session.rows(
    `SELECT count(*), coalesce(sum(n), 0)::BIGINT FROM (${groups})`,
  );
  const examples =
    Number(duplicateKeys) === 0
      ? []
      : await session.rows(
          `SELECT ${key.map((name) => `${quoteIdentifier(name)}::VARCHAR`).join(', ')} FROM (${groups}) ORDER BY ${columns} LIMIT 5`,
        );
  return {
    key: [...key],
    rows: table.rows,
    nullRows: Number(nullRows),
    duplicateKeys: Number(duplicateKeys),
    duplicateRows: Number(duplicateRows),
    examples: examples.map((row) => row.map(String)),
  };
}

/** The keys that {@link requireKey} has found good, by open table. */
const provenKeys = new WeakMap<Table, Set<string>>();

/** @throws ConfigurationError unless every row has a key and no two rows share one */
export async function requireKey(session: TableSession, table: Table, key: readonly string[]): Promise<void> {
  requireRows(table);
  // A million rows cost a pass and a hash table each time; an open table doesn't change.
  const proven = provenKeys.get(table) ?? new Set<string>();
  const columns = JSON.stringify(key);
  if (proven.has(columns)) return;
  const report = await checkKey(session, table, key).catch((error: unknown) => {
    throw unreadable(error, table);
  });
  const named = key.map((name) => `\`${name}\``).join(', ');
  if (report.nullRows > 0) {
    throw new ConfigurationError(`${table.name} has ${report.nullRows} rows without a key (${named} is NULL or NaN).`, {
      file: table.source?.uri,
    });
  }
  if (report.duplicateKeys > 0) {
    throw new ConfigurationError(
      `${table.name} has ${report.duplicateKeys} keys (${named}) that more than one row has, in ${report.duplicateRows} rows. The first: ${report.examples.map((row) => row.join(' ')).join(', ')}.`,
      { file: table.source?.uri, hint: 'A key names one row: drop the duplicates, or name more key columns.' },
    );
  }
  provenKeys.set(table, proven.add(columns));
}

/** A footer may promise rows that the file has not: told by the first who reads a column to its end. */
function unreadable(error: unknown, table: Table): unknown {
  if (!(error instanceof ConfigurationError) || error.file !== null || table.source === null) return error;
  return new ConfigurationError(
    `${table.name} says that it has ${table.rows} rows, and can't be read to its end: ${error.message}`,
    { file: table.source.uri, hint: 'Is it cut off, or changed after it was written? Write it again.', cause: error },
  );
}
