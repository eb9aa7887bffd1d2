import { ConfigurationError, plainText } from '@passloop/core';
import { type MetricTask, type Model, metricForm } from '@passloop/model';
import {
  findColumn,
  isNumeric,
  quoteIdentifier,
  requireColumn,
  type Table,
  type TableColumn,
  type TableSession,
} from '@passloop/tables';
import { type FrameColumn, refuseRows, type Scorer } from './frame-columns.ts';

export type ColumnField = keyof Model['columns'];

/** What is asked of the rows, beside the tables. */
export type PlanQuestion = {
  task: MetricTask;
  columns: Model['columns'];
  /** Columns of the dataset; one that it lacks is left out, and the comparison fails the gate that names it. */
  slices: readonly string[];
  /** The metrics that will be measured: what they need is required here, with the field that lacks it. */
  metrics?: readonly string[];
  /** What the model file declares under `metrics`. */
  declared?: Model['metrics'];
  /** How messages name a field of `columns`: `columns.score` of the model file by default. */
  fieldName?: (field: ColumnField) => string;
};

export type Planned = PlanQuestion & { fieldName: (field: ColumnField) => string };

/** Tasks whose labels are numbers. */
export function hasNumberLabels(task: MetricTask): boolean {
  return task !== 'binary' && task !== 'multiclass';
}

/** @throws ConfigurationError where the columns that are given can't serve the task or a metric */
export function requireTask({ task, columns, metrics = [], declared, fieldName }: Planned): void {
  const refuse = (field: ColumnField, why: string, hint: string) =>
    new ConfigurationError(`${fieldName(field)} ${why}`, { hint });
  if (columns.score === undefined && columns.scores === undefined && columns.prediction === undefined) {
    throw new ConfigurationError(
      `Neither ${fieldName('score')} nor ${fieldName('prediction')} is given: there is nothing to compare.`,
    );
  }
  if (columns.scores !== undefined && task !== 'multiclass') {
    throw refuse(
      'scores',
      `is for multiclass models, and this one is ${task}.`,
      `Name one column: ${fieldName('score')}.`,
    );
  }
  if (columns.query !== undefined && task !== 'ranking') {
    throw refuse(
      'query',
      `is for rankings, and this model is ${task}.`,
      `Rows of one user or series: ${fieldName('unit')}.`,
    );
  }
  if (task === 'ranking' && columns.query === undefined) {
    throw refuse(
      'query',
      'is not given: a ranking is measured query by query.',
      'Name the column of the dataset that holds the query.',
    );
  }
  if (task === 'ranking' && columns.unit !== undefined) {
    throw refuse('unit', 'is given beside a query: a ranking is resampled by its queries.', 'Leave it out.');
  }
  for (const name of metrics) {
    const form = metricForm(name, declared);
    if (form === null || form === 'image' || form.needs === null || !form.tasks.includes(task)) continue;
    const field = form.needs === 'score' && task === 'multiclass' ? 'scores' : form.needs;
    if (columns[field] !== undefined) continue;
    throw new ConfigurationError(`The metric ${name} needs ${fieldName(field)}, which is not given.`, {
      hint: `Name the column of the predictions that holds the ${form.needs}${field === 'scores' ? ' of each class' : ''}.`,
    });
  }
}

export type FrameTables<T> = {
  /** Keys, labels, weights, units and slices. What a predictions file says of them is not read. */
  dataset: T;
  /** Null where nothing is in production. */
  production: T | null;
  candidate: T;
  /** More models of either side, each of another training seed. */
  further?: { production: readonly T[]; candidate: readonly T[] };
};

export function hasSeveralSeeds({ further }: Pick<FrameTables<unknown>, 'further'>): boolean {
  return further !== undefined && further.production.length + further.candidate.length > 0;
}

/** Every predictions table with whose it is: production's first, then the candidate's, then those of further seeds. */
export function scoredTables<T>({ production, candidate, further }: FrameTables<T>): [Scorer, T][] {
  const numbered = (side: 'production' | 'candidate') =>
    (further?.[side] ?? []).map((table, at): [Scorer, T] => [`${side} ${at + 2}`, table]);
  return [
    ...(production === null ? [] : [['production', production] satisfies [Scorer, T]]),
    ['candidate', candidate],
    ...numbered('production'),
    ...numbered('candidate'),
  ];
}

/** The columns to read, the label first. Scores, weights, and labels and predictions that are numbers must be numbers. */
export async function frameColumns(
  request: Planned & FrameTables<Table> & { session: TableSession },
): Promise<FrameColumn[]> {
  const { dataset, columns, task, fieldName } = request;
  const found: FrameColumn[] = [];
  const texts: FrameColumn[] = [];
  function add(of: FrameColumn['of'], table: Table, role: FrameColumn['role'], name: string, more: Further = {}): void {
    const field = more.field ?? fieldName(role as ColumnField);
    const column = requireColumn(table, name, field);
    const namedBy = `${field} names it`;
    const isNumber =
      role === 'score' ||
      role === 'scores' ||
      role === 'weight' ||
      role === 'named' ||
      (hasNumberLabels(task) && (role === 'label' || role === 'prediction'));
    const alias = `passloop ${found.length}`;
    found.push({ of, role, table, column, namedBy, alias, className: more.className });
    if (isNumber && column.type === 'string') texts.push(found.at(-1) as FrameColumn);
    else requireType(table, column, namedBy, isNumber);
  }
  add('dataset', dataset, 'label', columns.label);
  if (columns.weight !== undefined) add('dataset', dataset, 'weight', columns.weight);
  const unit = task === 'ranking' ? ('query' as const) : ('unit' as const);
  if (columns[unit] !== undefined) add('dataset', dataset, 'unit', columns[unit], { field: fieldName(unit) });
  for (const [of, table] of scoredTables(request)) {
    if (columns.score !== undefined) add(of, table, 'score', columns.score);
    for (const [className, name] of Object.entries(columns.scores ?? {})) {
      add(of, table, 'scores', name, { className, field: `${fieldName('scores')}.${className}` });
    }
    if (columns.prediction !== undefined) add(of, table, 'prediction', columns.prediction);
    for (const [metric, name] of namedColumns(request))
      add(of, table, 'named', name, { field: `metrics.${metric}.column` });
  }
  for (const name of new Set([...request.slices, ...groupColumns(request)])) {
    if (findColumn(dataset, name) !== null) add('dataset', dataset, 'slice', name, { field: 'a gate' });
  }
  for (const column of texts) await refuseText(request.session, column, columns.key);
  return found;
}

type Further = { field?: string; className?: string };

/** Columns of the predictions that measured metrics name themselves, each once: [metric, column]. */
function namedColumns({ metrics = [], declared = {} }: Pick<PlanQuestion, 'metrics' | 'declared'>): [string, string][] {
  const found = new Map<string, string>();
  for (const name of metrics) {
    const metric = Object.hasOwn(declared, name) ? declared[name] : undefined;
    if (metric?.kind === 'pinball' && metric.column !== undefined && !found.has(metric.column))
      found.set(metric.column, name);
  }
  return [...found].map(([column, metric]) => [metric, column]);
}

/** Columns of the dataset whose values are the groups of a fairness metric. */
function groupColumns({ metrics = [], declared = {} }: Pick<PlanQuestion, 'metrics' | 'declared'>): string[] {
  return metrics.flatMap((name) => {
    const metric = Object.hasOwn(declared, name) ? declared[name] : undefined;
    return metric?.kind === 'fairness' ? [metric.by] : [];
  });
}

/**
 * One cell that is no number makes a column of a text file text: it is told by its row.
 * @throws ConfigurationError always
 */
async function refuseText(session: TableSession, text: FrameColumn, key: readonly string[]): Promise<never> {
  const { table, column, namedBy } = text;
  const name = quoteIdentifier(column.name);
  const number = `TRY_CAST(${name} AS DOUBLE)`;
  const bad = `(${name} IS NOT NULL AND (${number} IS NULL OR NOT isfinite(${number})))`;
  const [[count] = []] = await session.rows(`SELECT count(*) FROM ${table.relation} WHERE ${bad}`);
  if (Number(count) > 0) await refuseRows(session, text, key, bad, 'NaN, infinite or no number');
  throw wrongType(table, column, namedBy, 'numbers are needed');
}

function requireType(table: Table, column: TableColumn, namedBy: string, number: boolean): void {
  if (number ? isNumeric(column.type) : column.type !== 'nested' && column.type !== 'binary') return;
  throw wrongType(table, column, namedBy, number ? 'numbers are needed' : 'one plain value a row is needed');
}

function wrongType(table: Table, column: TableColumn, namedBy: string, need: string): ConfigurationError {
  return new ConfigurationError(
    `${table.name}: \`${column.name}\` is ${plainText(column.engineType, 60)}; ${namedBy}, and ${need}.`,
    { file: table.source?.uri },
  );
}
