import { ConfigurationError, plainText } from '@passloop/core';
import type { Model } from '@passloop/model';
import {
  compareKeys,
  evaluationDigest,
  findColumn,
  isNumeric,
  joinByKey,
  quoteIdentifier,
  requireColumn,
  requireKey,
  type Table,
  type TableColumn,
  type TableSession,
  type TableSource,
} from '@passloop/tables';
import { byCodeUnits, type ClassCodes, classCodes } from './classes.ts';
import type { EvaluationFrame, Predictions, SliceColumn } from './frame.ts';
import {
  type Cell,
  distinctCells,
  type FrameColumn,
  type FrameValues,
  listed,
  missingValue,
  readFrameColumns,
  refuseRows,
} from './frame-columns.ts';
import { metrics } from './metrics.ts';

export type ColumnField = keyof Model['columns'];

export type FrameQuestion = {
  session: TableSession;
  task: Model['task'];
  columns: Model['columns'];
  /** Columns of the dataset; one that it lacks is left out, and the comparison fails the gate that names it. */
  slices: readonly string[];
  /** The metrics that will be measured: what they need is required here, with the field that lacks it. */
  metrics?: readonly string[];
  /** How messages name a field of `columns`: `columns.score` of the model file by default. */
  fieldName?: (field: ColumnField) => string;
};

export type FrameTables<T> = {
  /** Keys, labels and slices. What a predictions file says of labels is not read. */
  dataset: T;
  /** Null where nothing is in production. */
  production: T | null;
  candidate: T;
};

/** More values than these are no slices. */
export const mostSliceValues = 200;
const longestSliceValue = 256;

/**
 * Reads the rows that both models scored, joined by key and ordered by it: the same rows give the same frame, whatever
 * their order, the files' format and the types' width.
 *
 * @throws ConfigurationError that names the file, the column and the field, for an empty table, a missing column, a row
 *   without key, label, score or prediction, repeated keys, other rows than the dataset's, NaN and infinities, a constant
 *   label, classes that do not fit the task or one another, scores that are no probabilities where a metric needs them,
 *   or a slice column with more than 200 values
 */
export async function loadFrame(request: FrameQuestion & FrameTables<TableSource>): Promise<EvaluationFrame> {
  const { session } = request;
  const open = (source: TableSource, whose: string) =>
    session.open({ ...source, name: source.name ?? `${source.uri.split('/').pop()} of ${whose}` });
  const dataset = await session.open(request.dataset);
  const production = request.production === null ? null : await open(request.production, 'production');
  const candidate = await open(request.candidate, 'the candidate');
  return frameOfTables({ ...request, dataset, production, candidate });
}

type Request = FrameQuestion & FrameTables<Table> & { fieldName: (field: ColumnField) => string };

/** {@link loadFrame} of tables that are open already. */
export async function frameOfTables(asked: FrameQuestion & FrameTables<Table>): Promise<EvaluationFrame> {
  const request: Request = { fieldName: (field) => `columns.${field}`, ...asked };
  const { session, task, dataset, production, candidate, columns } = request;
  requireTask(request);
  for (const table of [dataset, production, candidate]) {
    if (table === null) continue;
    for (const name of columns.key) requireColumn(table, name, request.fieldName('key'));
    await requireKey(session, table, columns.key);
  }
  const read = frameColumns(request);
  const joined = await joinRows(request, read);
  const coded = await codesOf(request, read);
  const values = await readFrameColumns(session, joined, columns.key, read, coded.codes);
  await requireValues(request, read, values);
  const [label] = values as [FrameValues];
  const valuesOf = (of: FrameColumn['of'], role: FrameColumn['role']) =>
    values[read.findIndex((column) => column.role === role && column.of === of)]?.values ?? null;
  const side = (of: FrameColumn['of']): Predictions => ({
    score: valuesOf(of, 'score'),
    prediction: valuesOf(of, 'prediction'),
  });
  return {
    task,
    rows: joined.rows,
    evaluationDigest: await evaluationDigest(session, dataset, columns.key, columns.label),
    classes: coded.classes,
    labels: label.values,
    production: production === null ? null : side('production'),
    candidate: side('candidate'),
    slices: read.flatMap((column, i): SliceColumn[] => {
      const names = coded.slices.get(column);
      if (names === undefined) return [];
      return [
        { column: column.column.name, codes: Uint32Array.from((values[i] as FrameValues).values), values: names },
      ];
    }),
  };
}

function requireTask({ task, columns, metrics: measured = [], fieldName }: Request): void {
  if (task === 'ranking' || task === 'forecast') {
    throw new ConfigurationError(`The task ${task} has no metrics in this version.`, {
      hint: 'Models of the tasks binary, multiclass and regression are compared.',
    });
  }
  if (columns.score === undefined && columns.prediction === undefined) {
    throw new ConfigurationError(
      `Neither ${fieldName('score')} nor ${fieldName('prediction')} is given: there is nothing to compare.`,
    );
  }
  for (const name of measured) {
    const metric = metrics[name];
    if (metric === undefined || columns[metric.needs] !== undefined) continue;
    throw new ConfigurationError(`The metric ${name} needs ${fieldName(metric.needs)}, which is not given.`, {
      hint: `Name the column of the predictions that holds the ${metric.needs}.`,
    });
  }
}

/** The columns to read, the label first. Scores, labels and predictions of a regression must be numbers. */
function frameColumns(request: Request): FrameColumn[] {
  const { dataset, production, candidate, columns, task, fieldName } = request;
  const found: FrameColumn[] = [];
  function add(of: FrameColumn['of'], table: Table, role: FrameColumn['role'], name: string): void {
    const field = role === 'slice' ? 'a gate' : fieldName(role);
    const column = requireColumn(table, name, field);
    const namedBy = `${field} names it`;
    requireType(table, column, namedBy, role === 'score' || (task === 'regression' && role !== 'slice'));
    found.push({ of, role, table, column, namedBy, alias: `passloop ${found.length}` });
  }
  add('dataset', dataset, 'label', columns.label);
  for (const [of, table] of [['production', production] as const, ['candidate', candidate] as const]) {
    if (table === null) continue;
    if (columns.score !== undefined) add(of, table, 'score', columns.score);
    if (columns.prediction !== undefined) add(of, table, 'prediction', columns.prediction);
  }
  for (const name of new Set(request.slices)) {
    if (findColumn(dataset, name) !== null) add('dataset', dataset, 'slice', name);
  }
  return found;
}

function requireType(table: Table, column: TableColumn, namedBy: string, number: boolean): void {
  if (number ? isNumeric(column.type) : column.type !== 'nested' && column.type !== 'binary') return;
  const need = number ? 'numbers are needed' : 'one plain value a row is needed';
  throw new ConfigurationError(
    `${table.name}: \`${column.name}\` is ${plainText(column.engineType, 60)}; ${namedBy}, and ${need}.`,
    { file: table.source?.uri },
  );
}

/** @throws ConfigurationError unless all tables have the same keys */
async function joinRows(request: Request, read: readonly FrameColumn[]): Promise<Table> {
  const { session, dataset, production, candidate, columns } = request;
  const aliases = (of: FrameColumn['of']) =>
    Object.fromEntries(read.filter((column) => column.of === of).map(({ alias, column }) => [alias, column.name]));
  const joined = await joinByKey(
    session,
    [
      { table: dataset, columns: aliases('dataset') },
      ...(production === null ? [] : [{ table: production, columns: aliases('production') }]),
      { table: candidate, columns: aliases('candidate') },
    ],
    columns.key,
    'the joined rows',
  );
  // Keys are unique in each table: equal counts everywhere mean equal sets.
  for (const table of [production, candidate]) {
    if (table === null || (table.rows === dataset.rows && joined.rows === dataset.rows)) continue;
    await refuseOtherRows(session, dataset, table, columns.key);
  }
  if (joined.rows === dataset.rows) return joined;
  throw new ConfigurationError(`The keys of ${candidate.name} do not match those of ${dataset.name} one to one.`, {
    file: candidate.source?.uri,
    hint: 'Write the key with one type in all files.',
  });
}

async function refuseOtherRows(
  session: TableSession,
  dataset: Table,
  table: Table,
  key: readonly string[],
): Promise<void> {
  const { missing, extra } = await compareKeys(session, dataset, table, key);
  const part = ({ count, examples }: typeof missing, what: string) =>
    count === 0 ? [] : [`${count} ${what} (${key.join(' ')}: ${listed(examples.map((row) => row.join(' ')))})`];
  const parts = [...part(missing, 'rows are missing'), ...part(extra, 'rows are not in the dataset')];
  if (parts.length === 0) return;
  throw new ConfigurationError(`${table.name} has other rows than ${dataset.name}: ${parts.join(', ')}.`, {
    file: table.source?.uri,
    hint: `Score every row of ${dataset.name} once, and no other.`,
  });
}

async function codesOf(
  { session, task, columns, fieldName }: Request,
  read: readonly FrameColumn[],
): Promise<ClassCodes & { slices: Map<FrameColumn, string[]> }> {
  const label = read[0] as FrameColumn;
  const predictions = read.filter((column) => column.role === 'prediction');
  const { classes, codes } =
    task === 'regression'
      ? { classes: [], codes: new Map<FrameColumn, Map<Cell, number>>() }
      : await classCodes(session, label, predictions, { task, positive: columns.positive, field: fieldName });
  const slices = new Map<FrameColumn, string[]>();
  for (const column of read.filter(({ role }) => role === 'slice')) {
    const cells = await sliceCells(session, column);
    slices.set(column, cells.map(sliceText));
    codes.set(column, new Map(cells.map((cell, code) => [cell, code])));
  }
  return { classes, codes, slices };
}

/** The values of a slice column, in an order that no file format changes; NULL last. */
async function sliceCells(session: TableSession, column: FrameColumn): Promise<Cell[]> {
  const cells = await distinctCells(session, column.table, column.column, mostSliceValues);
  const where = `${column.table.name}: \`${column.column.name}\``;
  if (cells === null) {
    throw new ConfigurationError(`${where} has more than ${mostSliceValues} values: too many to slice by.`, {
      file: column.table.source?.uri,
      hint: 'Slice by a coarser column.',
    });
  }
  const long = cells.find((cell) => sliceText(cell).length > longestSliceValue);
  if (long !== undefined) {
    throw new ConfigurationError(`${where} has values of more than ${longestSliceValue} characters: no slice names.`, {
      file: column.table.source?.uri,
    });
  }
  return cells.sort((left, right) => {
    if (left === null || right === null) return left === right ? 0 : left === null ? 1 : -1;
    if (typeof left === 'number' && typeof right === 'number' && left !== right && !Number.isNaN(left + right))
      return left - right;
    return byCodeUnits(sliceText(left), sliceText(right));
  });
}

function sliceText(cell: Cell): string {
  return cell === null ? '(null)' : Object.is(cell, -0) ? '0' : String(cell);
}

async function requireValues(
  { session, columns, task, metrics: measured = [] }: Request,
  read: readonly FrameColumn[],
  values: readonly FrameValues[],
): Promise<void> {
  const { key } = columns;
  for (const [i, column] of read.entries()) {
    if ((values[i] as FrameValues).bad === 0) continue;
    await refuseRows(session, column, key, missingValue(column.column), 'NULL, NaN or infinite');
  }
  const needing = measured.filter((name) => {
    const metric = metrics[name];
    return metric?.kind === 'sums' && metric.probabilities === true;
  });
  for (const [i, column] of read.entries()) {
    if (needing.length === 0 || column.role !== 'score') continue;
    if ((values[i] as FrameValues).values.every((value) => value >= 0 && value <= 1)) continue;
    const name = quoteIdentifier(column.column.name);
    const what = `outside 0..1 (${needing.join(', ')}: probabilities are needed)`;
    await refuseRows(session, column, key, `${name} < 0 OR ${name} > 1`, what);
  }
  const [label] = values as [FrameValues];
  if (task === 'regression' && label.values.every((value) => value === label.values[0])) {
    const column = read[0] as FrameColumn;
    throw new ConfigurationError(
      `The label \`${column.column.name}\` of ${column.table.name} is ${label.values[0]} in every row.`,
      { file: column.table.source?.uri },
    );
  }
}
