import { ConfigurationError } from '@passloop/core';
import type { ComparisonDocument } from '@passloop/documents';
import { type Gate, type Model, metricForm } from '@passloop/model';
import {
  columnList,
  datasetIdentity,
  findColumn,
  joinByKey,
  missingColumn,
  quoteIdentifier,
  requireColumn,
  requireKey,
  requireRows,
  type Table,
  type TableSession,
  type TableSource,
} from '@passloop/tables';
import { compareModels } from './compare.ts';
import { distinctCells, kindOf, listed } from './frame-columns.ts';
import type { InconclusivePolicy } from './gate.ts';
import { evidenceOfTables } from './load-evidence.ts';
import type { ColumnField } from './load-frame.ts';
import type { Resampling } from './measure.ts';

export type CompareFilesRequest = {
  session: TableSession;
  /** Predictions of the model in production. */
  production: TableSource;
  /** Predictions of the candidate. */
  candidate: TableSource;
  /** Keys, labels and slices; null where a predictions file holds them (production's, else the candidate's). */
  dataset: TableSource | null;
  columns: Model['columns'];
  /** Told by the metrics, and by the number of classes, where it is null. */
  task: Model['task'] | null;
  gates: readonly Gate[];
  /** Metrics that the gates name and that are not there by themselves. */
  declared?: Model['metrics'];
  resampling: Resampling;
  inconclusive: InconclusivePolicy;
  /** How messages name a column's field: `--score` by default. */
  fieldName?: (field: ColumnField) => string;
  /** Values of the rows that are read into memory; more stay in the engine. */
  mostValues?: number;
};

/**
 * Compares two files of predictions, without a model file. The digests of the document are the files'. Two files with the
 * same bytes are `unchanged`: nothing was measured, and the reason says so.
 *
 * @throws ConfigurationError for one file given twice, gates that no task has together, and whatever
 *   {@link evidenceOfTables} refuses
 */
export async function compareFiles(request: CompareFilesRequest): Promise<ComparisonDocument> {
  const { session, gates } = request;
  const fieldName = request.fieldName ?? ((field: ColumnField) => `--${field}`);
  if (gates.length === 0) {
    throw new ConfigurationError('No metric is given: nothing would be compared.', {
      hint: 'Add --metric roc_auc:higher:0.005, for instance.',
    });
  }
  const production = await session.open(namedSource(request.production, 'production'));
  const candidate = await session.open(namedSource(request.candidate, 'the candidate'));
  for (const table of [production, candidate]) requireRows(table);
  refuseSameFile(production, candidate);
  const sides = {
    production: { digest: await digestOf(production), scoredBy: 'file' as const },
    candidate: { digest: await digestOf(candidate), scoredBy: 'file' as const },
  };
  const common = { ...sides, gates, scalars: {}, resampling: request.resampling, inconclusive: request.inconclusive };
  if (sides.production.digest === sides.candidate.digest) {
    const reason = `Both files hold the same bytes (${sides.candidate.digest}): nothing was compared.`;
    return compareModels({ ...common, outcome: 'unchanged', reason, frame: null });
  }
  const dataset =
    request.dataset === null
      ? labelled(production, candidate, request.columns.label, fieldName)
      : await session.open(request.dataset);
  if (request.dataset === null) await requireSameLabels(session, production, candidate, request.columns);
  const frame = await evidenceOfTables({
    session,
    task: request.task ?? (await inferTask(request, dataset)),
    columns: request.columns,
    dataset,
    production,
    candidate,
    gates,
    resampling: request.resampling,
    declared: request.declared ?? {},
    fieldName,
    ...(request.mostValues === undefined ? {} : { most: request.mostValues }),
  });
  return compareModels({ ...common, outcome: 'compared', reason: null, frame });
}

function namedSource(source: TableSource, whose: string): TableSource {
  return { ...source, name: source.name ?? `${source.uri.split('/').pop()} of ${whose}` };
}

function refuseSameFile(production: Table, candidate: Table): void {
  const files = (table: Table) => table.source?.files.join('\n');
  if (files(production) !== files(candidate)) return;
  throw new ConfigurationError(
    `Production and the candidate are the same file, ${candidate.source?.uri}: it would be compared with itself.`,
    { file: candidate.source?.uri, hint: 'Name the predictions of two models.' },
  );
}

async function digestOf(table: Table): Promise<string | null> {
  return table.source === null ? null : (await datasetIdentity(table.source)).digest;
}

/** The predictions file that holds the labels. */
function labelled(
  production: Table,
  candidate: Table,
  label: string,
  fieldName: (field: ColumnField) => string,
): Table {
  for (const table of [production, candidate]) if (findColumn(table, label) !== null) return table;
  throw new ConfigurationError(
    `${missingColumn(candidate, label, fieldName('label'))} Nor has ${production.name}. ${columnList(candidate)}`,
    { file: candidate.source?.uri, hint: 'Labels may also come from a dataset of their own: --dataset FILE.' },
  );
}

/** Where both files hold labels, they must be the same: else the two were not made from the same rows. */
async function requireSameLabels(
  session: TableSession,
  production: Table,
  candidate: Table,
  { key, label }: Model['columns'],
): Promise<void> {
  if (![production, candidate].every((table) => [...key, label].every((name) => findColumn(table, name) !== null)))
    return;
  // Joined by a key that repeats, n rows would become n * n, and every message would be about them.
  for (const table of [production, candidate]) await requireKey(session, table, key);
  const joined = await joinByKey(
    session,
    [
      { table: production, columns: { 'label of production': label } },
      { table: candidate, columns: { 'label of the candidate': label } },
    ],
    key,
    'the labels of both files',
  );
  const names = key.map(quoteIdentifier);
  // Text beside a number or a date is compared as text: a cast of the text could fail.
  const asText = [production, candidate].some((table) => kindOf(requireColumn(table, label, 'label')) === 'string');
  const cell = (name: string) => `${quoteIdentifier(name)}${asText ? '::VARCHAR' : ''}`;
  const differ = `FROM ${joined.relation} WHERE ${cell('label of production')} IS DISTINCT FROM ${cell('label of the candidate')}`;
  const rows = await session.rows(
    `SELECT count(*) OVER (), ${names.map((name) => `${name}::VARCHAR`).join(', ')} ${differ} ORDER BY ${names.join(', ')} LIMIT 5`,
  );
  if (rows.length === 0) return;
  throw new ConfigurationError(
    `The labels (\`${label}\`) of ${production.name} and ${candidate.name} differ in ${rows[0]?.[0]} of ${candidate.rows} rows (${key.join(' ')}: ${listed(rows.map((row) => row.slice(1).join(' ')))}).`,
    { file: candidate.source?.uri, hint: 'Score both models on the same rows, or name the labels: --dataset FILE.' },
  );
}

/** The task that all metrics are defined for; a query makes it a ranking, and of two others two classes make it binary. */
async function inferTask(
  { session, gates, columns, declared }: CompareFilesRequest,
  dataset: Table,
): Promise<Model['task']> {
  const asked = (['binary', 'multiclass', 'regression', 'ranking'] as const).filter((task) => {
    return columns.query === undefined || task === 'ranking';
  });
  const tasks = asked.filter((task) =>
    gates.every((gate) => {
      const form = metricForm(gate.metric, declared);
      return form === null || form === 'image' || form.tasks.includes(task);
    }),
  );
  const [task] = tasks;
  if (task === undefined) {
    throw new ConfigurationError(`No task has all these metrics: ${gates.map((gate) => gate.metric).join(', ')}.`, {
      hint: 'Compare a classification, a regression and a ranking apart.',
    });
  }
  const column = findColumn(dataset, columns.label);
  if (tasks.length === 1 || column === null) return task;
  const cells = await distinctCells(session, dataset, column, 3);
  return cells !== null && cells.filter((cell) => cell !== null).length <= 2 ? 'binary' : 'multiclass';
}
