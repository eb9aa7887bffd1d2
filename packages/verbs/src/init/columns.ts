import { isNumeric, type TableColumn } from '@passloop/tables';

/** What is known of a table's columns; `distinct` has the number of values where it was counted. */
export type KnownTable = { columns: readonly TableColumn[]; distinct: ReadonlyMap<string, number> };

const labelNames = ['label', 'target', 'y', 'class', 'outcome', 'truth'];
const keyNames = ['id', 'row_id', 'uuid', 'key', 'index'];

export type ColumnGuess = {
  key: string | null;
  label: string | null;
  task: 'binary' | 'multiclass' | 'regression' | null;
  /** Why the task was taken. */
  reason: string | null;
};

/** Columns by the names that people give them, and the task by the label's values. */
export function guessColumns(table: KnownTable | null, rows: number | null): ColumnGuess {
  const columns = table?.columns ?? [];
  const key =
    keyNames.map((name) => named(columns, name)).find((column) => column !== undefined) ??
    columns.find((column) => /(^|_)id$/i.test(column.name));
  const label = labelNames.map((name) => named(columns, name)).find((column) => column !== undefined);
  const distinct = label === undefined ? undefined : table?.distinct.get(label.name);
  const isUnique = key !== undefined && rows !== null && table?.distinct.get(key.name) === rows;
  return { key: isUnique ? key.name : null, label: label?.name ?? null, ...taskOf(label, distinct) };
}

/** Columns whose values are worth counting. */
export function columnsToCount(columns: readonly TableColumn[]): string[] {
  const wanted = columns.filter(
    (column) => [...labelNames, ...keyNames].includes(column.name.toLowerCase()) || /(^|_)id$/i.test(column.name),
  );
  return wanted.slice(0, 8).map((column) => column.name);
}

function named(columns: readonly TableColumn[], name: string): TableColumn | undefined {
  return columns.find((column) => column.name.toLowerCase() === name);
}

function taskOf(label: TableColumn | undefined, distinct: number | undefined): Pick<ColumnGuess, 'task' | 'reason'> {
  if (label === undefined) return { task: null, reason: null };
  if (label.type === 'boolean' || distinct === 2) return { task: 'binary', reason: 'the label has two values' };
  if (label.type === 'float' || label.type === 'decimal')
    return { task: 'regression', reason: 'the label is a number' };
  if (distinct === undefined) return { task: null, reason: null };
  if (distinct <= 50) return { task: 'multiclass', reason: `the label has ${distinct} values` };
  return isNumeric(label.type)
    ? { task: 'regression', reason: `the label has ${distinct} values` }
    : { task: null, reason: null };
}
