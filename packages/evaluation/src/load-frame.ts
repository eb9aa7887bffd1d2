import { ConfigurationError } from '@passloop/core';
import {
  compareKeys,
  evaluationDigest,
  joinByKey,
  requireColumn,
  requireKey,
  type Table,
  type TableSession,
  type TableSource,
} from '@passloop/tables';
import { type ClassCodes, classCodes } from './classes.ts';
import { type EvaluationFrame, type Predictions, predictionsOf, type Seeds, type SliceColumn } from './frame.ts';
import {
  type Cell,
  type FrameColumn,
  type FrameValues,
  listed,
  readFrameColumns,
  type Scorer,
} from './frame-columns.ts';
import {
  type FrameTables,
  frameColumns,
  hasNumberLabels,
  hasSeveralSeeds,
  type Planned,
  type PlanQuestion,
  requireTask,
  scoredTables,
} from './frame-plan.ts';
import { requireValues, sliceCells, sliceText, summaryOf } from './frame-values.ts';
import type { Metric } from './metric.ts';
import { declaredMetric } from './metrics.ts';
import { operandColumns, readTerms, type SqlMetric, sqlMetric, sqlMetrics } from './sql-metric.ts';

export type { ColumnField, FrameTables } from './frame-plan.ts';
export { mostSliceValues } from './frame-values.ts';

export type FrameQuestion = PlanQuestion & { session: TableSession };

/**
 * Reads the rows that both models scored, joined by key and ordered by it: the same rows give the same frame, whatever
 * their order, the files' format and the types' width.
 *
 * @throws ConfigurationError that names the file, the column and the field, for an empty table, a missing column, a row
 *   without key, label, score or prediction, repeated keys, other rows than the dataset's, NaN and infinities, a constant
 *   label or score, classes that do not fit the task or one another, scores that are no probabilities where a metric needs
 *   them, weights that are none, an SQL metric that is refused, or a slice column with more than 200 values
 */
export async function loadFrame(
  request: FrameQuestion & Omit<FrameTables<TableSource>, 'further'>,
): Promise<EvaluationFrame> {
  const { session } = request;
  const open = (source: TableSource, whose: string) =>
    session.open({ ...source, name: source.name ?? `${source.uri.split('/').pop()} of ${whose}` });
  const dataset = await session.open(request.dataset);
  const production = request.production === null ? null : await open(request.production, 'production');
  const candidate = await open(request.candidate, 'the candidate');
  return frameOfTables({ ...request, dataset, production, candidate });
}

type Request = FrameQuestion & Planned & FrameTables<Table>;

/** Rows that were joined and found to be one to one, with what is known of their columns. */
export type JoinedRows = {
  request: Request;
  joined: Table;
  columns: readonly FrameColumn[];
  operands: readonly FrameColumn[];
  custom: readonly SqlMetric[];
  coded: ClassCodes & { slices: Map<FrameColumn, string[]> };
};

/** {@link loadFrame} of tables that are open already. */
export async function frameOfTables(asked: FrameQuestion & FrameTables<Table>): Promise<EvaluationFrame> {
  return frameOfRows(await joinedRows(asked));
}

/** The rows before any value is read. @throws ConfigurationError as {@link loadFrame} does, except for values */
export async function joinedRows(asked: FrameQuestion & FrameTables<Table>): Promise<JoinedRows> {
  const request: Request = { fieldName: (field) => `columns.${field}`, ...asked };
  const { session, dataset, columns } = request;
  requireTask(request);
  for (const table of [dataset, ...scoredTables(request).map(([, table]) => table)]) {
    for (const name of columns.key) requireColumn(table, name, request.fieldName('key'));
    await requireKey(session, table, columns.key);
  }
  const read = await frameColumns(request);
  const custom = await sqlMetrics(session, request);
  const operands = operandColumns(custom, request);
  const joined = await joinRows(request, [...read, ...operands]);
  return { request, joined, columns: read, operands, custom, coded: await codesOf(request, read) };
}

/** Reads the values of joined rows into memory. */
export async function frameOfRows(rows: JoinedRows): Promise<EvaluationFrame> {
  const { request, joined, columns: read, operands, custom, coded } = rows;
  const { session, task, columns } = request;
  const values = await readFrameColumns(session, joined, columns.key, read, coded.codes);
  await requireValues(session, request, { columns: read, rows: joined.rows, summaries: values.map(summaryOf) });
  const found = (wanted: (column: FrameColumn) => boolean) => values[read.findIndex(wanted)]?.values ?? null;
  const side = async (of: Scorer): Promise<Predictions> =>
    predictionsOf({
      score: found((column) => column.of === of && column.role === 'score'),
      scores: columns.scores === undefined ? null : scoresOf(of, read, values, coded),
      prediction: found((column) => column.of === of && column.role === 'prediction'),
      named: Object.fromEntries(
        read.flatMap((column, i) =>
          column.of === of && column.role === 'named' ? [[column.column.name, values[i]!.values]] : [],
        ),
      ),
      terms: await readTerms(session, joined, columns.key, of, custom, operands),
    });
  const models = new Map<Scorer, Predictions>();
  for (const [of] of scoredTables(request)) models.set(of, await side(of));
  const units = found(({ role }) => role === 'unit');
  const frame: EvaluationFrame = {
    task,
    rows: joined.rows,
    evaluationDigest: await digestOfRows(rows),
    classes: coded.classes,
    labels: found(({ role }) => role === 'label') as Float64Array,
    weights: found(({ role }) => role === 'weight'),
    units: units === null ? null : Uint32Array.from(units),
    declared: declaredMetrics(rows),
    production: models.get('production') ?? null,
    candidate: models.get('candidate') as Predictions,
    ...(hasSeveralSeeds(request) ? { seeds: seedsOf(request, models) } : {}),
    slices: read.flatMap((column, i): SliceColumn[] => {
      const names = coded.slices.get(column);
      if (names === undefined) return [];
      return [{ column: column.column.name, codes: Uint32Array.from(values[i]!.values), values: names }];
    }),
  };
  requireQueryWeights(frame, request);
  return frame;
}

/** The score columns of a model, in the order of the classes. */
function scoresOf(
  of: Scorer,
  read: readonly FrameColumn[],
  values: readonly FrameValues[],
  { classes, codeOf }: ClassCodes,
): Float64Array[] {
  const scores: Float64Array[] = new Array(classes.length);
  for (const [i, column] of read.entries()) {
    if (column.of === of && column.role === 'scores') scores[codeOf(column.className as string)!] = values[i]!.values;
  }
  return scores;
}

export function digestOfRows({ request: { session, dataset, columns } }: JoinedRows): Promise<string> {
  return evaluationDigest(session, dataset, columns.key, columns.label);
}

export function declaredMetrics({ request, custom }: JoinedRows): Record<string, Metric> {
  const { declared = {} } = request;
  const made = Object.entries(declared).flatMap(([name, metric]): [string, Metric][] => {
    const known = declaredMetric(metric);
    return known === null ? [] : [[name, known]];
  });
  return Object.fromEntries([...made, ...custom.map((metric): [string, Metric] => [metric.name, sqlMetric(metric)])]);
}

/**
 * The models of both sides, by seeds.
 * @throws ConfigurationError for two that predict the same of every row: a seed that changes nothing is no second one, and a
 *   model on both sides tells nothing of either
 */
function seedsOf(request: Request, models: ReadonlyMap<Scorer, Predictions>): Seeds {
  const tables = scoredTables(request);
  for (const [at, [of, table]] of tables.entries()) {
    const twin = tables.slice(0, at).find(([other]) => predictAlike(models.get(other)!, models.get(of)!));
    if (twin === undefined) continue;
    throw new ConfigurationError(`${twin[1].name} and ${table.name} predict the same of every row.`, {
      file: table.source?.uri,
      hint: 'Each file counts as a training of its own with another seed. Where the seed changes nothing, one file a side says as much.',
    });
  }
  const of = (side: 'production' | 'candidate') =>
    tables.flatMap(([name]) => (name.startsWith(side) ? models.get(name)! : []));
  return { production: of('production'), candidate: of('candidate') };
}

function predictAlike(one: Predictions, other: Predictions): boolean {
  const columns = ({ score, scores, prediction, named }: Predictions) =>
    [score, prediction, ...(scores ?? []), ...Object.values(named)].filter((column) => column !== null);
  const others = columns(other);
  return columns(one).every((column, i) => column.every((value, row) => value === others[i]![row]));
}

/** A query counts as a whole. @throws ConfigurationError where its rows have several weights */
function requireQueryWeights({ task, weights, units }: EvaluationFrame, { columns, dataset }: Request): void {
  if (task !== 'ranking' || weights === null || units === null) return;
  const known = new Map<number, number>();
  for (const [row, unit] of units.entries()) {
    const weight = known.get(unit) ?? weights[row]!;
    known.set(unit, weight);
    if (weight === weights[row]) continue;
    throw new ConfigurationError(
      `${dataset.name}: \`${columns.weight}\` is ${weight} and ${weights[row]} in rows of one \`${columns.query}\`; a query has one weight.`,
      { file: dataset.source?.uri },
    );
  }
}

/** @throws ConfigurationError unless all tables have the same keys */
async function joinRows(request: Request, read: readonly FrameColumn[]): Promise<Table> {
  const { session, dataset, candidate, columns } = request;
  const predictions = scoredTables(request);
  const aliases = (of: FrameColumn['of']) =>
    Object.fromEntries(read.filter((column) => column.of === of).map(({ alias, column }) => [alias, column.name]));
  const joined = await joinByKey(
    session,
    [
      { table: dataset, columns: aliases('dataset') },
      ...predictions.map(([of, table]) => ({ table, columns: aliases(of) })),
    ],
    columns.key,
    'the joined rows',
  );
  // Keys are unique in each table: equal counts everywhere mean equal sets.
  for (const [, table] of predictions) {
    if (table.rows === dataset.rows && joined.rows === dataset.rows) continue;
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
  const scored = columns.scores === undefined ? undefined : Object.keys(columns.scores);
  const coded: ClassCodes = hasNumberLabels(task)
    ? { classes: [], codes: new Map<FrameColumn, Map<Cell, number>>(), codeOf: () => undefined }
    : await classCodes(session, label, predictions, { task, positive: columns.positive, scored, field: fieldName });
  const slices = new Map<FrameColumn, string[]>();
  for (const column of read.filter(({ role }) => role === 'slice')) {
    const cells = await sliceCells(session, column);
    slices.set(column, cells.map(sliceText));
    coded.codes.set(column, new Map(cells.map((cell, code) => [cell, code])));
  }
  return { ...coded, slices };
}
