import { stat } from 'node:fs/promises';
import path from 'node:path';
import { ConfigurationError, insidePath, openGitRepository, readTextIfExists, writeFileAtomic } from '@passloop/core';
import {
  type ColumnRoles,
  calibrateDrift,
  type DriftMethod,
  driftBetween,
  formatProfile,
  lockDatasets,
  type Profile,
  type ProfileVersions,
  parseProfile,
  profileTable,
  readForeignChecks,
  suggestChecks,
  suggestionText,
  validateDataset,
} from '@passloop/data';
import type { DataReport } from '@passloop/documents';
import { type Check, checkId, type DataLock, formatLock, fromRoot, lockFileName, parseChecks } from '@passloop/model';
import { isRemote, openTables } from '@passloop/tables';
import { columnRoles } from './column-roles.ts';
import { type Context, toolEnvironment } from './context.ts';
import { type EngineFiles, type EngineRequest, engineFiles, openEngine } from './data-engine.ts';
import { type Dataset, type DatasetRequest, datasetFiles, datasetsOf, insideRepository } from './dataset-request.ts';
import { type FailingRows, failingRowsOf, removeFailingRows } from './failing-rows.ts';
import { outFolder } from './out-folder.ts';
import { profileHistory } from './profile-history.ts';
import { remoteTables } from './remote-tables.ts';
import { shownDatasets, showsValues } from './shown-values.ts';
import { reportKey, storedReport, storeReport } from './stored-report.ts';
import { workTreeModels } from './workspace.ts';

/** Writes passloop.lock beside the model file: the identity of every dataset that it names, as the data is now. */
export async function dataLock(
  context: Context,
  request: { maxBytes?: number | undefined } = {},
): Promise<{ file: string; lock: DataLock; changed: boolean }> {
  const { root, models } = await workTreeModels(context);
  const uris = models.flatMap((model) => Object.values(model.data).map((source) => source.path ?? source.uri ?? ''));
  await using session = await openTables();
  const lock = await lockDatasets({
    session,
    root,
    uris,
    fetch: remoteTables(context, request.maxBytes),
    progress: context.progress,
  });
  const file = path.join(root, lockFileName);
  const text = formatLock(lock);
  const before = await readTextIfExists(file);
  if (before !== text) await writeFileAtomic(file, text);
  return { file, lock, changed: before !== text };
}

/** Writes the profiles that the model file names; for a plain file, gives the profile's text. */
export async function dataProfile(
  context: Context,
  request: DatasetRequest & EngineRequest & { out?: string | undefined; key?: readonly string[] | undefined },
): Promise<{ files: { file: string; rows: number; text: string }[]; text: string | null }> {
  const { datasets } = await datasetsOf(context, request);
  if (request.out !== undefined && datasets.length > 1) {
    throw new ConfigurationError(`--out names one file, and the model file has ${datasets.length} datasets.`, {
      hint: `Say which one with --dataset: ${datasets.map((dataset) => dataset.name).join(', ')}.`,
    });
  }
  await using session = await openEngine(context, request);
  const files: { file: string; rows: number; text: string }[] = [];
  const written = new Set<string>();
  let text: string | null = null;
  for (const dataset of datasets) {
    const file = request.out ?? dataset.profile;
    if (file === null && request.file === undefined) continue;
    // Two datasets may share one profile: it is the first one's, in the model file's order (usually `train`).
    if (file !== null && written.has(file)) continue;
    context.progress.phase(`profile ${dataset.name}`);
    const { digest, ...place } = await engineFiles(context, request, dataset);
    const table = await session.open(place);
    const profile = await profileTable({
      session,
      table,
      dataset: { name: dataset.name, uri: dataset.uri, digest },
      key: request.key ?? dataset.model?.columns.key ?? [],
      progress: context.progress,
    });
    const formatted = formatProfile(profile);
    if (file === null) text = formatted;
    else {
      written.add(file);
      await writeFileAtomic(
        request.out === undefined ? await insidePath(dataset.root, file, 'profile') : path.resolve(context.cwd, file),
        formatted,
      );
      files.push({ file, rows: profile.rows, text: formatted });
    }
  }
  if (files.length === 0 && text === null) {
    throw new ConfigurationError('No dataset of the model file names a `profile`.', {
      hint: 'Add `profile: profiles/train.json` to one, or give a file and --out.',
    });
  }
  return { files, text };
}

export type SuggestRequest = DatasetRequest & {
  /** A profile, as `data profile` writes it, in place of the data. */
  profile?: string | undefined;
  /** Checks of another tool. */
  from?: string | undefined;
  /** Which relation, where that file describes several. */
  table?: string | undefined;
  key?: readonly string[] | undefined;
};

/** Checks as a YAML list, each with its reason: what a profile's data passes, or what another tool's file says. */
export async function dataSuggest(context: Context, request: SuggestRequest): Promise<{ text: string; note: string }> {
  if (request.from !== undefined) {
    const text = await readGiven(context, request.from);
    const { tool, suggestions, unmapped } = readForeignChecks(text, request.from, request.table ?? null);
    const left = unmapped.length === 0 ? '' : `, ${unmapped.length} not: they are listed at the end`;
    return {
      text: suggestionText(suggestions, unmapped),
      note: `${suggestions.length} checks of ${tool} mapped${left}`,
    };
  }
  const profile =
    request.profile === undefined ? await profileOf(context, request) : await givenProfile(context, request.profile);
  const suggestions = suggestChecks(profile);
  const few = profile.rows < 1000 ? ': fewer than 1,000 rows say little' : '';
  return {
    text: suggestionText(suggestions, []),
    note: `${suggestions.length} checks, from ${profile.rows} rows${few}`,
  };
}

async function profileOf(context: Context, request: SuggestRequest): Promise<Profile> {
  const { datasets } = await datasetsOf(context, request);
  const [dataset] = datasets;
  if (dataset === undefined || datasets.length > 1) {
    throw new ConfigurationError(`Suggestions are for one dataset, and the model file has ${datasets.length}.`, {
      hint: `Say which one with --dataset: ${datasets.map(({ name }) => name).join(', ')}.`,
    });
  }
  await using session = await openTables();
  context.progress.phase(`profile ${dataset.name}`);
  const table = await session.open(await datasetFiles(context, dataset, request.maxBytes));
  return await profileTable({
    session,
    table,
    dataset: { name: dataset.name, uri: dataset.uri, digest: null },
    key: request.key ?? dataset.model?.columns.key ?? [],
    progress: context.progress,
  });
}

/** A report, and the file of its document where a model's dataset was validated. */
export type ValidatedDataset = {
  report: DataReport;
  file: string | null;
  /** Where each check is declared, an absolute path, by its id; empty for checks that no model file declares. */
  declared: ReadonlyMap<string, { file: string; line: number }>;
  /** Rows that break checks, by check; in no document. */
  failing: readonly FailingRows[];
  /** A log that others read may show these rows: the request says so, or the model file does. */
  showValues: boolean;
};

/**
 * Validates datasets of the work tree, or a plain file against checks from a YAML file and a profile. Each report of a
 * model's dataset is written as a document of its own: `.passloop/out/<model>/data-report-<dataset>.json`, where a check of
 * a pull request writes it too.
 */
export async function dataValidate(
  context: Context,
  request: DatasetRequest &
    EngineRequest & {
      checks?: string | undefined;
      profile?: string | undefined;
      out?: string | undefined;
      /** Columns that name rows; those of the model file by default. */
      key?: readonly string[] | undefined;
      /** Show the values of failing rows, and not only which rows they are, and of drifted columns; otherwise the model file decides. */
      showValues?: boolean | undefined;
      /** Folder for all failing rows, as Parquet. */
      failingRows?: string | undefined;
      /** False, and always so in a workflow: look at the data though nothing changed since it passed. */
      reuse?: boolean | undefined;
    },
): Promise<ValidatedDataset[]> {
  const { root, datasets } = await datasetsOf(context, request);
  const given = request.checks === undefined ? null : await readChecks(context, request.checks);
  const profile = request.profile === undefined ? undefined : await givenProfile(context, request.profile);
  const checked = datasets.filter((dataset) => (given ?? dataset.checks).length > 0);
  if (checked.length === 0 && datasets.length > 1) {
    throw new ConfigurationError('No dataset of the model file has checks, so none can pass.', {
      hint: 'Add `checks` to one, such as - {kind: not-null, column: age}; or give --checks FILE.',
    });
  }
  const failingTo = failingPlace(context, request);
  await using session = await openEngine(context, request);
  if (failingTo !== null) session.exports?.require(failingTo);
  const validated: ValidatedDataset[] = [];
  for (const dataset of checked.length === 0 ? datasets : checked) {
    context.progress.phase(`validate ${dataset.name}`);
    const { digest, found } = await engineFiles(context, request, dataset);
    const failing: FailingRows[] = [];
    const asked = {
      key: request.key ?? dataset.model?.columns.key ?? [],
      showValues:
        request.showValues === true ||
        (dataset.model !== null && (await showsValues(context, { ...dataset, model: dataset.model }))),
      folder: failingTo,
      dataset: dataset.name,
    };
    if (asked.folder !== null && !isRemote(asked.folder)) await removeFailingRows(asked.folder, dataset.name);
    const checks = given ?? dataset.checks;
    const shown = await shownOf(context, request, dataset, checks);
    const against = profile ?? (dataset.profile === null ? null : await modelProfile(dataset.root, dataset.profile));
    const other = otherDatasets(context, request, dataset);
    const history = await historyOf(context, dataset);
    // A runner that isn't thrown away has run code of others as the same user: what lies in its cache decides nothing.
    const mayReuse = request.reuse !== false && context.env.GITHUB_ACTIONS !== 'true';
    const key = !mayReuse
      ? null
      : await reportKey({
          dataset: { name: dataset.name, uri: dataset.uri, digest },
          checks,
          profile: against,
          columns: dataset.model?.columns ?? null,
          shown,
          engine: session.engine,
          version: context.version,
          digestOf: async (name) => {
            const place = await other?.(name).catch(() => undefined);
            return place?.digest ?? null;
          },
        });
    const stored = key === null ? null : await storedReport(context, key);
    if (stored !== null) context.progress.note(`${dataset.name} passed before, and nothing changed since: no scan`);
    const validateNow = () =>
      validateDataset({
        session,
        dataset: { name: dataset.name, uri: dataset.uri, root: dataset.root, digest, found },
        checks,
        profile: against,
        shown,
        now: context.now(),
        otherDataset: other,
        history,
        roles: dataset.model === null ? undefined : columnRoles(dataset.model),
        key: asked.key,
        onFailing: async (result, query, { columns }) => {
          // A look-up table needn't have the model's key.
          const key = asked.key.filter((name) => columns.some((column) => column.name === name));
          failing.push(await failingRowsOf(session, result, query, { ...asked, key }));
        },
      });
    const report = stored ?? (await validateNow());
    if (key !== null && stored === null) await storeReport(context, key, report);
    const file =
      dataset.model === null
        ? null
        : await outFolder(await topFolder(root), dataset.model.name, request.out).write(
            'data-report',
            report,
            dataset.name,
          );
    const declared = given === null ? declaredAt(root, dataset) : new Map();
    validated.push({ report, file, declared, failing, showValues: asked.showValues });
  }
  return validated;
}

/** The datasets whose values the report may name: of a plain file by the flag, else as the model file says of each. */
async function shownOf(
  context: Context,
  { showValues }: { showValues?: boolean | undefined },
  { name, root, model }: Dataset,
  checks: readonly Check[],
): Promise<ReadonlySet<string>> {
  if (showValues === true) return new Set([name, ...Object.keys(model?.data ?? {})]);
  return model === null ? new Set() : shownDatasets(context, { model, root, name, checks });
}

/** Where all failing rows go; null where nobody asked for them. An address is for who writes there: the cluster. */
function failingPlace(context: Context, { failingRows, engine }: EngineRequest & { failingRows?: string | undefined }) {
  if (failingRows === undefined) return null;
  if (!isRemote(failingRows)) return path.resolve(context.cwd, failingRows);
  if (engine === 'spark') return failingRows;
  throw new ConfigurationError(`--failing-rows ${failingRows} is an address, and this engine writes to folders.`, {
    hint: 'Name a folder; with --engine spark it may be an address of the cluster.',
  });
}

/** The versions of a dataset's profile that were committed here; none outside of a repository. */
async function historyOf(
  context: Context,
  { model, profile }: Dataset,
): Promise<(() => Promise<ProfileVersions>) | undefined> {
  if (model === null || profile === null) return undefined;
  const repository = await openGitRepository(context.cwd, toolEnvironment(context)).catch(() => null);
  return repository === null ? undefined : () => profileHistory(repository, 'HEAD', fromRoot(model, profile));
}

/** The other datasets of a model, as the work tree has them. */
function otherDatasets(
  context: Context,
  request: EngineRequest,
  { model, root }: Dataset,
): ((name: string) => Promise<EngineFiles>) | undefined {
  if (model === null) return undefined;
  return async (name) => {
    const source = model.data[name];
    if (source === undefined) {
      throw new ConfigurationError(`${model.name} has no dataset ${JSON.stringify(name)}.`, {
        file: model.file,
        hint: `It has: ${Object.keys(model.data).join(', ')}.`,
      });
    }
    if (source.path !== undefined) await insideRepository(root, source.path, `data.${name}.path`);
    return engineFiles(context, request, { uri: source.path ?? source.uri ?? '', root, model });
  };
}

function declaredAt(root: string, { model, name, checks }: Dataset): Map<string, { file: string; line: number }> {
  const found = new Map<string, { file: string; line: number }>();
  if (model === null) return found;
  for (const [index, check] of checks.entries())
    found.set(checkId(check), {
      file: path.join(root, model.file),
      line: model.lineOf(['data', name, 'checks', index]),
    });
  return found;
}

/** The repository's top, where documents lie, or the model file's folder outside of a repository. */
async function topFolder(folder: string): Promise<string> {
  for (let top = folder; ; top = path.dirname(top)) {
    if (await stat(path.join(top, '.git')).catch(() => null)) return top;
    if (path.dirname(top) === top) return folder;
  }
}

async function givenProfile(context: Context, file: string): Promise<Profile> {
  return parseProfile(
    await readGiven(context, file, 'Write one with `passloop data profile FILE --out PROFILE`.'),
    file,
  );
}

/** Null where it was not written yet: the dataset's drift checks then fail and say so. */
async function modelProfile(root: string, file: string): Promise<Profile | null> {
  const text = await readTextIfExists(await insidePath(root, file, 'profile'));
  return text === null ? null : parseProfile(text, file);
}

async function readChecks(context: Context, file: string): Promise<Check[]> {
  return parseChecks(await readGiven(context, file), file);
}

/** A file that a flag names. */
async function readGiven(context: Context, file: string, hint?: string): Promise<string> {
  const text = await readTextIfExists(path.resolve(context.cwd, file)).catch((error: NodeJS.ErrnoException) => {
    throw new ConfigurationError(`${file} can't be read (${error.code}).`, { file, hint, cause: error });
  });
  if (text === null) throw new ConfigurationError(`There is no file ${file}.`, { file, hint });
  return text;
}

export type DriftRequest = EngineRequest & {
  reference: string;
  /** Absent with `calibrate`: halves of the reference stand against each other. */
  current?: string | undefined;
  /** Measure how often this configuration calls halves of the reference drifted. */
  calibrate?: boolean | undefined;
  splits?: number | undefined;
  seed?: number | undefined;
  method?: DriftMethod | undefined;
  columns?: readonly string[] | undefined;
  key?: readonly string[] | undefined;
  except?: readonly string[] | undefined;
  threshold?: number | undefined;
  minRows?: number | undefined;
  maxBytes?: number | undefined;
  /** Another tool's choice of method, numbers and thresholds. */
  compat?: 'evidently' | undefined;
  /** With `compat`: the share of drifted columns from which the table has drifted. */
  driftShare?: number | undefined;
  /** What a model learns, and what it says: their drift is told by name. */
  label?: string | undefined;
  predictions?: readonly string[] | undefined;
  /** Name edges and categories of the columns that drifted in the document. */
  showValues?: boolean | undefined;
};

/** Drift of one plain table against another. */
export async function dataDrift(context: Context, request: DriftRequest): Promise<DataReport> {
  if (request.compat !== undefined && request.minRows !== undefined)
    throw new ConfigurationError('--compat evidently judges any number of rows, as Evidently does.', {
      hint: 'Leave --min-rows out, or --compat.',
    });
  if (request.compat === undefined && request.driftShare !== undefined)
    throw new ConfigurationError('--drift-share is of --compat evidently.', {
      hint: 'Give both, or leave it out: without --compat, one drifted column fails.',
    });
  if (/\.json$/i.test(request.reference))
    throw new ConfigurationError(`${request.reference} is no table, and this command measures from rows.`, {
      hint: "A profile keeps counts: Evidently's numbers and exact distances don't follow from it. Give the rows it was made of; or hold a file against the profile with `passloop data validate FILE --profile PROFILE --checks CHECKS`, CHECKS being - {kind: drift}.",
    });
  if (request.engine === 'spark' && request.calibrate === true)
    throw new ConfigurationError('--calibrate splits rows on this machine.', {
      hint: 'Leave --engine spark out, and calibrate on a sample.',
    });
  await using session = await openEngine(context, request);
  context.progress.phase('measure drift');
  const named = (uri: string) => engineFiles(context, request, { uri, root: context.cwd, model: null });
  const { digest: referenceDigest, ...files } = await named(request.reference);
  const reference = await session.open(files);
  const { columns, except, key, threshold, minRows, compat, driftShare, splits, seed } = request;
  const method = request.method ?? 'auto';
  const asked = { method, columns, except, key, threshold, minRows, compat, driftShare, progress: context.progress };
  if (request.calibrate === true) {
    const report = await calibrateDrift({ session, reference, ...asked, splits, seed });
    return { ...report, dataset: { ...report.dataset, digest: referenceDigest } };
  }
  if (request.current === undefined) {
    throw new ConfigurationError('There is nothing to hold against the reference.', {
      hint: 'Name it with --current FILE; or give --calibrate, which holds halves of the reference against each other.',
    });
  }
  const { digest, ...currentFiles } = await named(request.current);
  const current = await session.open(currentFiles);
  const report = await driftBetween({
    session,
    reference,
    current,
    ...asked,
    roles: rolesGiven(request),
    showValues: request.showValues,
  });
  return { ...report, dataset: { ...report.dataset, uri: currentFiles.uri, digest } };
}

function rolesGiven({ label, predictions = [] }: DriftRequest): ColumnRoles | undefined {
  return label === undefined && predictions.length === 0 ? undefined : { label, predictions };
}
