import { ConfigurationError, plainText } from '@passloop/core';
import { isNumeric, quoteIdentifier, type Table, type TableColumn, type TableSession } from '@passloop/tables';

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

function cellOf(column: TableColumn, name: string): string {
  const kind = kindOf(column);
  return kind === 'number'
    ? `${quoteIdentifier(name)}::DOUBLE`
    : kind === 'boolean'
      ? quoteIdentifier(name)
      : `${quoteIdentifier(name)}::VARCHAR`;
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
    `SELECT ${cellOf(column, column.name)} FROM (SELECT DISTINCT ${name} FROM ${table.relation} LIMIT ${most + 1})`,
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

/** The numbers of a column in the rows' order, and how many cells have none. */
export type FrameValues = { values: Float64Array; bad: number };

/**
 * Reads the columns of the joined table in the key's order: codes where a column has them, finite numbers elsewhere.
 */
export async function readFrameColumns(
  session: TableSession,
  joined: Table,
  key: readonly string[],
  columns: readonly FrameColumn[],
  codes: ReadonlyMap<FrameColumn, Map<Cell, number>>,
): Promise<FrameValues[]> {
  const results = columns.map(() => ({ values: new Float64Array(joined.rows), bad: 0 }));
  // A unit is known by its rank among the units: the same codes in every file format.
  const selected = columns
    .map(({ column, alias, role }) =>
      role === 'unit' ? `dense_rank() OVER (ORDER BY ${quoteIdentifier(alias)})::DOUBLE` : cellOf(column, alias),
    )
    .join(', ');
  let offset = 0;
  await session.scan(
    `SELECT ${selected} FROM ${joined.relation} ORDER BY ${key.map(quoteIdentifier).join(', ')}`,
    (chunk) => {
      for (const [i, column] of columns.entries()) {
        fill(results[i] as FrameValues, chunk.getColumnValues(i) as Cell[], offset, codes.get(column));
      }
      offset += chunk.rowCount;
    },
  );
  return results;
}

function fill(result: FrameValues, cells: readonly Cell[], offset: number, codes: Map<Cell, number> | undefined): void {
  for (let row = 0; row < cells.length; row += 1) {
    const cell = cells[row] as Cell;
    const value = codes === undefined ? cell : codes.get(cell);
    if (typeof value === 'number' && Number.isFinite(value)) result.values[offset + row] = value;
    else result.bad += 1;
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
