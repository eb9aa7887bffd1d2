import { ConfigurationError, canonicalJson, sha256 } from '@passloop/core';
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
import { compareModels, type Side } from './compare.ts';
import { distinctCells, kindOf, listed } from './frame-columns.ts';
import { hasBounds, type InconclusivePolicy } from './gate.ts';
import { evidenceOfTables } from './load-evidence.ts';
import type { ColumnField } from './load-frame.ts';
import type { Resampling } from './measure.ts';

export type CompareFilesRequest = {
  session: TableSession;
  /** Predictions of the model in production, or of several that were trained alike but for their seeds. */
  production: readonly TableSource[];
  /** Predictions of the candidate, alike. */
  candidate: readonly TableSource[];
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

/** More files on a side than anybody trains. */
const mostSeeds = 50;

/**
 * Compares files of predictions, without a model file: one a side is a model, several are trainings with other seeds. The
 * digests of the document are the files'. Two files with the same bytes are `unchanged` where gates ask for the difference alone:
 * nothing was measured, and the reason says so.
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
  const production = await openSide(session, request.production, 'production');
  const candidate = await openSide(session, request.candidate, 'the candidate');
  const tables = [...production, ...candidate];
  refuseSameFile(tables);
  const sides = { production: await sideOf(production), candidate: await sideOf(candidate) };
  const common = { ...sides, gates, scalars: {}, resampling: request.resampling, inconclusive: request.inconclusive };
  // Of equal predictions there is no difference to measure; what the candidate itself must reach is asked all the same.
  if (sides.production.digest === sides.candidate.digest && !gates.some(hasBounds)) {
    const both = tables.length > 2 ? 'Both sides hold files of' : 'Both files hold';
    const reason = `${both} the same bytes (${sides.candidate.digest}): nothing was compared.`;
    return compareModels({ ...common, outcome: 'unchanged', reason, frame: null });
  }
  const dataset =
    request.dataset === null ? labelled(tables, request.columns.label, fieldName) : await session.open(request.dataset);
  if (request.dataset === null) await requireSameLabels(session, tables, request.columns);
  const frame = await evidenceOfTables({
    session,
    task: request.task ?? (await inferTask(request, dataset)),
    columns: request.columns,
    dataset,
    production: production[0],
    candidate: candidate[0],
    further: { production: production.slice(1), candidate: candidate.slice(1) },
    gates,
    resampling: request.resampling,
    declared: request.declared ?? {},
    fieldName,
    ...(request.mostValues === undefined ? {} : { most: request.mostValues }),
  });
  return compareModels({ ...common, outcome: 'compared', reason: null, frame });
}

type Tables = [Table, ...Table[]];

async function openSide(session: TableSession, sources: readonly TableSource[], whose: string): Promise<Tables> {
  if (sources.length === 0) throw new ConfigurationError(`No predictions of ${whose} are given.`);
  if (sources.length > mostSeeds) {
    throw new ConfigurationError(`${sources.length} files of ${whose} are given; ${mostSeeds} are the most.`, {
      hint: 'Each file is a training of its own, with another seed. Files that together are one table go by one name with a `*` in it.',
    });
  }
  const tables: Table[] = [];
  for (const source of sources) {
    // Seeds often have a folder each, and files of one name in them.
    const file = sources.length === 1 ? source.uri.split('/').pop() : source.uri;
    const table = await session.open({ ...source, name: source.name ?? `${file} of ${whose}` });
    requireRows(table);
    tables.push(table);
  }
  return tables as Tables;
}

async function sideOf(tables: Tables): Promise<Side> {
  const digests: (string | null)[] = [];
  for (const { source } of tables) digests.push(source === null ? null : (await datasetIdentity(source)).digest);
  if (digests.length === 1) return { digest: digests[0] as string | null, scoredBy: 'file' };
  // The order in which files are named changes nothing.
  return { digest: sha256(canonicalJson([...digests].sort())), scoredBy: 'file', seeds: digests };
}

function refuseSameFile(tables: readonly Table[]): void {
  const files = (table: Table) => table.source?.files.join('\n');
  for (const [at, table] of tables.entries()) {
    const twin = tables.slice(0, at).find((other) => files(other) === files(table));
    if (twin === undefined) continue;
    throw new ConfigurationError(
      `${twin.name} and ${table.name} are the same file, ${table.source?.uri}: it would be compared with itself.`,
      { file: table.source?.uri, hint: 'Name the predictions of two models.' },
    );
  }
}

/** The predictions file that holds the labels. */
function labelled(tables: readonly Table[], label: string, fieldName: (field: ColumnField) => string): Table {
  for (const table of tables) if (findColumn(table, label) !== null) return table;
  const last = tables.at(-1) as Table;
  const others = tables.slice(0, -1).map(({ name }) => name);
  throw new ConfigurationError(
    `${missingColumn(last, label, fieldName('label'))} Nor has ${listed(others)}. ${columnList(last)}`,
    { file: last.source?.uri, hint: 'Labels may also come from a dataset of their own: --dataset FILE.' },
  );
}

/** Where several files hold labels, they must be the same: else they were not made from the same rows. */
async function requireSameLabels(
  session: TableSession,
  tables: readonly Table[],
  columns: Model['columns'],
): Promise<void> {
  const [first, ...others] = tables.filter((table) =>
    [...columns.key, columns.label].every((name) => findColumn(table, name) !== null),
  );
  if (first === undefined || others.length === 0) return;
  // Joined by a key that repeats, n rows would become n * n, and every message would be about them.
  for (const table of [first, ...others]) await requireKey(session, table, columns.key);
  for (const table of others) await requireLabelsOf(session, first, table, columns);
}

async function requireLabelsOf(
  session: TableSession,
  first: Table,
  table: Table,
  { key, label }: Model['columns'],
): Promise<void> {
  const joined = await joinByKey(
    session,
    [
      { table: first, columns: { 'label of the first': label } },
      { table, columns: { 'label of the other': label } },
    ],
    key,
    'the labels of both files',
  );
  const names = key.map(quoteIdentifier);
  // Text beside a number or a date is compared as text: a cast of the text could fail.
  const asText = [first, table].some((one) => kindOf(requireColumn(one, label, 'label')) === 'string');
  const cell = (name: string) => `${quoteIdentifier(name)}${asText ? '::VARCHAR' : ''}`;
  const differ = `FROM ${joined.relation} WHERE ${cell('label of the first')} IS DISTINCT FROM ${cell('label of the other')}`;
  const rows = await session.rows(
    `SELECT count(*) OVER (), ${names.map((name) => `${name}::VARCHAR`).join(', ')} ${differ} ORDER BY ${names.join(', ')} LIMIT 5`,
  );
  if (rows.length === 0) return;
  throw new ConfigurationError(
    `The labels (\`${label}\`) of ${first.name} and ${table.name} differ in ${rows[0]?.[0]} of ${table.rows} rows (${key.join(' ')}: ${listed(rows.map((row) => row.slice(1).join(' ')))}).`,
    { file: table.source?.uri, hint: 'Score all models on the same rows, or name the labels: --dataset FILE.' },
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
