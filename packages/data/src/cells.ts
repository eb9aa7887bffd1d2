import { type Note, quoteDouble, quoteIdentifier, quoteText, type TableColumn } from '@passloop/tables';

/** Numeric cells are (-inf, e1], (e1, e2], .. (ek, +inf) by ascending inner edges. */

/** Counts per numeric cell, as an aggregate for a plan. NULL, NaN and the infinities are in no cell. */
export function numericCounts(column: TableColumn, edges: readonly number[]): string {
  const value = `${quoteIdentifier(column.name)}::DOUBLE`;
  if (edges.length === 0) return `to_json([count_if(isfinite(${value}))])::VARCHAR`;
  const finite = column.type === 'float' ? `CASE WHEN isfinite(${value}) THEN ${value} END` : value;
  return `to_json(map_values(histogram(${finite}, [${edges.map(quoteDouble).join(', ')}])))::VARCHAR`;
}

/** The engine leaves the last cell out when nothing is in it, and answers NULL when nothing is in any. */
export function numericCells(counts: readonly number[] | null, edges: readonly number[]): number[] {
  const cells = [...(counts ?? [])];
  while (cells.length < edges.length + 1) cells.push(0);
  return cells;
}

/** Rows of all cells. */
export function total(counts: ArrayLike<number>): number {
  let rows = 0;
  for (let i = 0; i < counts.length; i++) rows += counts[i] as number;
  return rows;
}

/** A value as the profile writes it, as SQL text. */
export function valueText(column: TableColumn): string {
  return `${quoteIdentifier(column.name)}::VARCHAR`;
}

/**
 * Counts of the listed values and, last, of all others that are not NULL: an aggregate for a plan. The empty string is
 * the engine's own mark for "other": where it is listed, a prefix (which costs time) keeps it apart.
 */
export function valueCounts(column: TableColumn, values: readonly string[]): string {
  const prefix = prefixOf(values);
  const text = prefix === '' ? valueText(column) : `${quoteText(prefix)} || ${valueText(column)}`;
  if (values.length === 0) return `to_json([{'key': '', 'value': count(${text})}])::VARCHAR`;
  return `to_json(map_entries(histogram_exact(${text}, [${values.map((value) => quoteText(prefix + value)).join(', ')}])))::VARCHAR`;
}

export function valueCells(json: string | null, values: readonly string[]): { counts: number[]; other: number } {
  const prefix = prefixOf(values);
  const entries = json === null ? [] : (JSON.parse(json) as { key: string; value: number }[]);
  const found = new Map(entries.map((entry) => [entry.key, entry.value]));
  return { counts: values.map((value) => found.get(prefix + value) ?? 0), other: found.get('') ?? 0 };
}

function prefixOf(values: readonly string[]): string {
  return values.includes('') ? 'v' : '';
}

/** What has no finite value: NULL, and for floats NaN and the infinities. */
export function missingCondition(column: TableColumn): string {
  const name = quoteIdentifier(column.name);
  return column.type === 'float' ? `(${name} IS NULL OR NOT isfinite(${name}))` : `${name} IS NULL`;
}

/**
 * How many rows fulfil a condition; NULL counts as no. `count(*) FILTER` says the same, but the engine copies the
 * filtered rows for each of them: three times slower with forty in one scan.
 */
export function countIf(condition: string): string {
  return `count_if(${condition})`;
}

/** The smallest or largest value, NaN and the infinities aside; as text. */
export function extreme(aggregate: 'min' | 'max', column: TableColumn, condition: string | null = null): string {
  return extremeText(extremeValue(aggregate, column, condition), column);
}

/** An extreme as text. Of 0 and -0, which are one, either may be found first, and a file may note either: both are 0 here. */
export function extremeText(value: string, { type }: TableColumn): string {
  return `${type === 'float' ? `(${value} + 0)` : value}::VARCHAR`;
}

/** The same as the engine has it. */
export function extremeValue(aggregate: 'min' | 'max', column: TableColumn, condition: string | null): string {
  const name = quoteIdentifier(column.name);
  const parts = [condition, column.type === 'float' ? `isfinite(${name})` : null].filter((part) => part !== null);
  return `${aggregate}(${parts.length === 0 ? name : `CASE WHEN ${parts.join(' AND ')} THEN ${name} END`})`;
}

/** What tells those values too; null where some rows are left out, as NaN and the infinities of floats are. */
export function extremesNote(column: TableColumn, condition: string | null = null): Note | null {
  return condition === null && column.type !== 'float' ? { column, about: 'extremes' } : null;
}
