import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { quoteIdentifier, quoteText, type Table, type TableSession } from '@passloop/tables';
import type { ClassCodes } from './classes.ts';
import { type Cell, codedRows, type FrameColumn } from './frame-columns.ts';
import type { ValueSummary } from './frame-values.ts';
import type { RowSql } from './metric.ts';
import type { SqlMetric } from './sql-metric.ts';

/**
 * The joined rows of an evaluation as the engine keeps them where they are too many for this process: one private Parquet
 * file in the key's order, with class codes, slice codes and doubles.
 */
export type LargeTable = {
  session: TableSession;
  /** For FROM: the file's rows, each with its number in the key's order (`row`). */
  relation: string;
  rows: number;
  /** The number of what is drawn as a whole: of the row, or of its unit. */
  unit: string;
  hasUnits: boolean;
  weight: string | null;
  /** Each slice column's codes, by its name. */
  slices: ReadonlyMap<string, string>;
  side(of: 'production' | 'candidate'): LargeSide;
  /** Gives the room on the disk back. */
  remove(): Promise<void>;
};

/** The columns of one model, as {@link RowSql} has them, and FROM with the columns that SQL metrics read. */
export type LargeSide = Omit<RowSql, 'center'> & { from: string };

/** What a large table is made of. */
export type LargeParts = {
  session: TableSession;
  joined: Table;
  key: readonly string[];
  columns: readonly FrameColumn[];
  operands: readonly FrameColumn[];
  codes: ReadonlyMap<FrameColumn, Map<Cell, number>>;
  coded: Pick<ClassCodes, 'classes' | 'codeOf'>;
  custom: readonly SqlMetric[];
};

/**
 * Writes the rows once, sorted, so that whatever is asked of them is a scan of few columns. Values without a number are
 * NULL there.
 * @returns the table and the summaries of its columns, in their order
 */
export async function writeLargeTable(parts: LargeParts): Promise<{ table: LargeTable; summaries: ValueSummary[] }> {
  const { session, joined, key, columns, operands, codes } = parts;
  const file = path.join(session.scratch, `evaluation-${randomBytes(8).toString('hex')}.parquet`);
  const { from, numbers } = codedRows(joined, columns, codes);
  const selected = numbers.map((number, i) => `${number} AS ${nameOf(i)}`);
  for (const { alias } of operands) selected.push(`j.${quoteIdentifier(alias)}`);
  const order = key.map((name) => `j.${quoteIdentifier(name)}`).join(', ');
  await session.run(
    `COPY (SELECT ${selected.join(', ')} FROM ${from} ORDER BY ${order}) TO ${quoteText(file)} (FORMAT parquet, COMPRESSION snappy, ROW_GROUP_SIZE 122880, PRESERVE_ORDER true)`,
  );
  const table = await session.derive(
    `SELECT * EXCLUDE (file_row_number), file_row_number::UINTEGER AS "row" FROM read_parquet(${quoteText(file)}, hive_partitioning = false, file_row_number = true)`,
    'the rows of the evaluation',
  );
  return { table: largeTable(parts, table, file), summaries: await summaries(session, table, columns) };
}

function nameOf(index: number): string {
  return `c${index}`;
}

/** Sums are only asked whether they are above 0 and finite: what the engine adds in any order will do. */
async function summaries(
  session: TableSession,
  table: Table,
  columns: readonly FrameColumn[],
): Promise<ValueSummary[]> {
  const asked = columns.flatMap((_, i) => {
    const value = `${nameOf(i)}::DOUBLE`;
    return [`count(*) - count(${value})`, `min(${value})`, `max(${value})`, `sum(${value})`];
  });
  const [found = []] = await session.rows(`SELECT ${asked.join(', ')} FROM ${table.relation}`);
  return columns.map((_, i) => {
    const [bad, minimum, maximum, sum] = found.slice(4 * i, 4 * i + 4).map(Number) as [number, number, number, number];
    return { bad, minimum, maximum, sum };
  });
}

function largeTable({ session, columns, operands, coded, custom }: LargeParts, table: Table, file: string): LargeTable {
  const find = (wanted: (column: FrameColumn) => boolean): string | null => {
    const found = columns.findIndex(wanted);
    return found < 0 ? null : nameOf(found);
  };
  const weight = find(({ role }) => role === 'weight');
  const unit = find(({ role }) => role === 'unit');
  const isScored = columns.some(({ role }) => role === 'scores');
  function side(of: 'production' | 'candidate'): LargeSide {
    const double = (name: string | null) => (name === null ? null : `${name}::DOUBLE`);
    const scores = coded.classes.map((_, code) =>
      double(
        find((column) => column.of === of && column.role === 'scores' && coded.codeOf(column.className!) === code),
      ),
    );
    const named = columns.flatMap(({ of: whose, role, column }, i) =>
      whose === of && role === 'named' ? [[column.name, `${nameOf(i)}::DOUBLE`] as const] : [],
    );
    const terms = custom.map(
      ({ name, expression }, at) => [name, expression.terms.map((_, k) => `t${at}_${k}`)] as const,
    );
    return {
      label: 'c0::DOUBLE',
      weight: double(weight) ?? '1.0::DOUBLE',
      score: double(find((column) => column.of === of && column.role === 'score')),
      scores: isScored ? (scores as string[]) : null,
      prediction: double(find((column) => column.of === of && column.role === 'prediction')),
      named: Object.fromEntries(named),
      terms: Object.fromEntries(terms),
      from: fromWithTerms(of),
    };
  }
  /** The terms are worked out where the user's names stand for this model's columns. */
  function fromWithTerms(of: 'production' | 'candidate'): string {
    if (custom.length === 0) return table.relation;
    const seen = operands.filter((operand) => operand.of === 'dataset' || operand.of === of);
    const renamed = seen.map(({ alias, column }) => `${quoteIdentifier(alias)} AS ${quoteIdentifier(column.name)}`);
    const own = columns.map((_, i) => `${nameOf(i)} AS ${quoteIdentifier(`passloop ${nameOf(i)}`)}`);
    const terms = custom.flatMap(({ expression }, at) => expression.terms.map((term, k) => `${term} AS t${at}_${k}`));
    const back = columns.map((_, i) => `${quoteIdentifier(`passloop ${nameOf(i)}`)} AS ${nameOf(i)}`);
    const inner = `SELECT "row" AS "passloop row", ${[...own, ...renamed].join(', ')} FROM ${table.relation}`;
    return `(SELECT "passloop row" AS "row", ${[...back, ...terms].join(', ')} FROM (${inner}))`;
  }
  return {
    session,
    relation: table.relation,
    rows: table.rows,
    unit: unit ?? '"row"',
    hasUnits: unit !== null,
    weight: weight === null ? null : `${weight}::DOUBLE`,
    slices: new Map(columns.flatMap(({ role, column }, i) => (role === 'slice' ? [[column.name, nameOf(i)]] : []))),
    side,
    remove: () => rm(file, { force: true }),
  };
}
