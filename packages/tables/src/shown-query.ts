import type { TableColumn } from './column-types.ts';
import { quoteIdentifier } from './quote.ts';

/** What a query over a table's `printed` has of it, and the table's columns of floats. */
export type ShownTable = { printed: string; floats: readonly string[] };

/** A range names its NaN first, in words that no extreme of a file decides. */
const ofRange = /isnan\(("(?:[^"]|"")*")\) OR NOT \((?:"(?:[^"]|"")*" [<>]= \([^()]*\)(?: AND )?)+\)/g;

/**
 * A query as a person would paste it, so that it finds what was found: where it limits a column of floats of a Parquet
 * file, an engine would skip NaN by the extremes that the file's writer noted without it.
 */
export function shownQuery(sql: string, tables: readonly ShownTable[]): string {
  const limits = sql.slice(sql.indexOf(' WHERE ') + 1).replace(ofRange, '');
  if (!sql.includes(' WHERE ')) return sql;
  let shown = sql;
  for (const { printed, floats } of tables) {
    if (!shown.includes(printed)) continue;
    const limited = floats.filter((name) => isNamed(name, limits)).map(quoteIdentifier);
    if (limited.length === 0) continue;
    const replaced = limited.map((name) => `${name} * 1 AS ${name}`).join(', ');
    shown = shown.replaceAll(printed, () => `(SELECT * REPLACE (${replaced}) FROM ${printed})`);
  }
  return shown;
}

/** `"x" IS NOT NULL` says nothing of its value. */
function isNamed(name: string, limits: string): boolean {
  const quoted = quoteIdentifier(name);
  const rest = limits.replaceAll(`${quoted} IS NOT NULL`, '').replaceAll(`${quoted} IS NULL`, '');
  if (rest.includes(quoted)) return true;
  const words: readonly string[] = rest.toLowerCase().match(/[\p{L}_][\p{L}\p{N}_$]*/gu) ?? [];
  return words.includes(name.toLowerCase());
}

export function floatNames(columns: readonly TableColumn[]): string[] {
  return columns.filter(({ type }) => type === 'float').map(({ name }) => name);
}
