import { ConfigurationError, plainText } from '@passloop/core';
import {
  isNumeric,
  quoteDouble,
  quoteIdentifier,
  quoteText,
  type Table,
  type TableColumn,
  type TableSession,
} from '@passloop/tables';

/** Whose predictions a table holds: a side's model, or the one of another of its training seeds. */
export type Scorer = 'production' | 'candidate' | `production ${number}` | `candidate ${number}`;

/** A column that a frame is made from. */
export type FrameColumn = {
  of: 'dataset' | Scorer;
  /** `scores`: of one class; `named`: a further number of a prediction; `operand`: read by SQL metrics alone. */
  role: 'label' | 'weight' | 'unit' | 'score' | 'scores' | 'prediction' | 'named' | 'slice' | 'operand';
  table: Table;
  column: TableColumn;
  /** For messages: `columns.score names it`. */
  namedBy: string;
  /** Its name in the joined table. */
  alias: string;
  /** Of `scores`: the class, as the model file writes it. */
  className?: string;
};

/** A cell as it is read: numbers as doubles, dates and times as text. */
export type Cell = number | boolean | string | null;

export function kindOf(column: TableColumn): 'number' | 'boolean' | 'string' {
  return isNumeric(column.type) ? 'number' : column.type === 'boolean' ? 'boolean' : 'string';
}

/** @param name the quoted name of the column where it is read */
function cellOf(column: TableColumn, name: string): string {
  const kind = kindOf(column);
  return kind === 'number' ? `${name}::DOUBLE` : kind === 'boolean' ? name : `${name}::VARCHAR`;
}

/**
 * The distinct cells of a column, NULL among them, in no order; null where there are more than `most`.
 * @throws ConfigurationError where two values would become one double
 */
export async function distinctCells(
  session: TableSession,
  table: Table,
  column: TableColumn,
  most: number,
): Promise<Cell[] | null> {
  const name = quoteIdentifier(column.name);
  const rows = await session.rows(
    `SELECT ${cellOf(column, name)} FROM (SELECT DISTINCT ${name} FROM ${table.relation} LIMIT ${most + 1})`,
  );
  if (rows.length > most) return null;
  const cells = rows.map(([cell]) => cell as Cell);
  if (new Set(cells).size < cells.length) {
    throw new ConfigurationError(
      `${table.name}: \`${column.name}\` has numbers that differ beyond the precision of a double; write it as text.`,
      { file: table.source?.uri },
    );
  }
  return cells;
}

/** Values as a message shows them: the first five. */
export function listed(values: readonly string[]): string {
  const texts = values.slice(0, 5).map((value) => plainText(value, 60));
  return values.length > texts.length ? `${texts.join(', ')}, …` : texts.join(', ');
}

/** The joined rows with each column as the numbers that a frame holds: for FROM, and an expression for each column. */
export type CodedRows = { from: string; numbers: string[] };

/**
 * Codes where a column has them, the rank of a unit among the units (the same in every file format), finite doubles
 * elsewhere; NULL for a cell that has none.
 * @returns expressions over `j`, the joined rows
 */
export function codedRows(
  joined: Table,
  columns: readonly FrameColumn[],
  codes: ReadonlyMap<FrameColumn, Map<Cell, number>>,
): CodedRows {
  let from = `${joined.relation} j`;
  const numbers = columns.map((column, i) => {
    const cell = `j.${quoteIdentifier(column.alias)}`;
    const known = codes.get(column);
    if (column.role === 'unit') return `(dense_rank() OVER (ORDER BY ${cell}))::UINTEGER`;
    if (known === undefined) return `CASE WHEN isfinite(${cell}::DOUBLE) THEN ${cell}::DOUBLE END`;
    from += ` LEFT JOIN ${codeTable(known)} m${i}(cell, code) ON m${i}.cell IS NOT DISTINCT FROM ${cellOf(column.column, cell)}`;
    return `m${i}.code`;
  });
  return { from, numbers };
}

/** The cells that have a code, as a relation of two columns. */
function codeTable(codes: Map<Cell, number>): string {
  const rows = [...codes].map(([cell, code]) => `(${literal(cell)}, ${code}::USMALLINT)`);
  return `(VALUES ${rows.length === 0 ? '(NULL, NULL)' : rows.join(', ')})`;
}

function literal(cell: Cell): string {
  if (cell === null) return 'NULL';
  if (typeof cell !== 'string') return typeof cell === 'number' ? quoteDouble(cell) : String(cell);
  // Text of a binary file may hold NUL, which no literal does.
  return cell.split('\0').map(quoteText).join(' || chr(0) || ');
}

/** The numbers of a column in the rows' order, and how many cells have none. */
export type FrameValues = { values: Float64Array; bad: number };

/** Reads the columns of the joined table in the key's order. */
export async function readFrameColumns(
  session: TableSession,
  joined: Table,
  key: readonly string[],
  columns: readonly FrameColumn[],
  codes: ReadonlyMap<FrameColumn, Map<Cell, number>>,
): Promise<FrameValues[]> {
  const results = columns.map(() => ({ values: new Float64Array(joined.rows), bad: 0 }));
  const { from, numbers } = codedRows(joined, columns, codes);
  const selected = numbers.map((number) => `(${number})::DOUBLE`).join(', ');
  const order = key.map((name) => `j.${quoteIdentifier(name)}`).join(', ');
  let offset = 0;
  await session.scan(`SELECT ${selected} FROM ${from} ORDER BY ${order}`, (chunk) => {
    for (const [i, result] of results.entries()) fill(result, chunk.getColumnVector(i), offset);
    offset += chunk.rowCount;
  });
  return results;
}

function fill(result: FrameValues, cells: { itemCount: number; getItem(row: number): unknown }, offset: number): void {
  const rows = cells.itemCount;
  for (let row = 0; row < rows; row += 1) {
    const value = cells.getItem(row);
    if (value === null) result.bad += 1;
    else result.values[offset + row] = value as number;
  }
}

/** @throws ConfigurationError that counts the rows of `column` for which `condition` holds, with the first keys */
export async function refuseRows(
  session: TableSession,
  { table, column, namedBy }: FrameColumn,
  key: readonly string[],
  condition: string,
  what: string,
): Promise<never> {
  const [[count] = []] = await session.rows(`SELECT count(*) FROM ${table.relation} WHERE ${condition}`);
  const names = key.map(quoteIdentifier);
  const keys = await session.rows(
    `SELECT ${names.map((name) => `${name}::VARCHAR`).join(', ')} FROM ${table.relation} WHERE ${condition} ORDER BY ${names.join(', ')} LIMIT 5`,
  );
  const examples = listed(keys.map((row) => row.join(' ')));
  throw new ConfigurationError(
    `${table.name}: \`${column.name}\` is ${what} in ${count} of ${table.rows} rows (${key.join(' ')}: ${examples}); ${namedBy}.`,
    { file: table.source?.uri },
  );
}

/** The condition under which a cell has no finite value. */
export function missingValue(column: TableColumn): string {
  const name = quoteIdentifier(column.name);
  return column.type === 'float' ? `(${name} IS NULL OR NOT isfinite(${name}))` : `${name} IS NULL`;
}
