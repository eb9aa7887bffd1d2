import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { ConfigurationError, insidePath, isMissing, parseYaml, writeFileAtomic } from '@passloop/core';
import { driftBetween, formatProfile, lockDatasets, parseProfile, profileTable, validateDataset } from '@passloop/data';
import type { DataReport } from '@passloop/documents';
import { Check, type DataLock, formatLock, type LoadedModel, lockFileName } from '@passloop/model';
import { datasetIdentity, findTableFiles, openTables } from '@passloop/tables';
import type { Context } from './context.ts';
import { workTreeModels } from './workspace.ts';

/** Writes passloop.lock beside the model file: the identity of every dataset that it names, as the files are now. */
export async function dataLock(context: Context): Promise<{ file: string; lock: DataLock; changed: boolean }> {
  const { root, models } = await workTreeModels(context);
  const uris = models.flatMap((model) =>
    Object.entries(model.data).map(([name, source]) => {
      if (source.path === undefined) {
        throw new ConfigurationError(
          `data.${name} is remote (${source.uri}); this version locks datasets of the repository only.`,
          {
            file: model.file,
            line: model.lineOf(['data', name]),
          },
        );
      }
      return source.path;
    }),
  );
  await using session = await openTables();
  const lock = await lockDatasets({ session, root, uris, progress: context.progress });
  const file = path.join(root, lockFileName);
  const text = formatLock(lock);
  const before = await readFile(file, 'utf8').catch((error: unknown) => {
    if (isMissing(error)) return null;
    throw error;
  });
  if (before !== text) await writeFileAtomic(file, text);
  return { file, lock, changed: before !== text };
}

export type DatasetRequest = {
  /** A plain file, folder or glob; without one, the datasets of the model file. */
  file?: string | undefined;
  model?: string | undefined;
  dataset?: string | undefined;
};

type Dataset = {
  name: string;
  uri: string;
  root: string;
  checks: Check[];
  profile: string | null;
  model: LoadedModel | null;
};

/** The datasets that are meant: one plain file, or those of the model file in the work tree. */
async function datasetsOf(context: Context, request: DatasetRequest): Promise<{ root: string; datasets: Dataset[] }> {
  if (request.file !== undefined) {
    const dataset = {
      name: path.basename(request.file),
      uri: request.file,
      root: context.cwd,
      checks: [],
      profile: null,
      model: null,
    };
    return { root: context.cwd, datasets: [dataset] };
  }
  const { root, models } = await workTreeModels(context);
  const datasets: Dataset[] = [];
  for (const model of models.filter((one) => request.model === undefined || one.name === request.model)) {
    for (const [name, source] of Object.entries(model.data)) {
      if (request.dataset !== undefined && request.dataset !== name) continue;
      if (source.path === undefined) continue;
      await insidePath(root, source.path, `data.${name}.path`);
      datasets.push({ name, uri: source.path, root, checks: source.checks, profile: source.profile ?? null, model });
    }
  }
  if (datasets.length === 0) {
    throw new ConfigurationError('The model file has no such dataset.', {
      hint: 'Name one with --dataset, or give a file.',
    });
  }
  return { root, datasets };
}

/** Writes the profiles that the model file names; for a plain file, gives the profile's text. */
export async function dataProfile(
  context: Context,
  request: DatasetRequest & { out?: string | undefined; key?: readonly string[] | undefined },
): Promise<{ files: { file: string; rows: number }[]; text: string | null }> {
  const { datasets } = await datasetsOf(context, request);
  await using session = await openTables();
  const files: { file: string; rows: number }[] = [];
  const written = new Set<string>();
  let text: string | null = null;
  for (const dataset of datasets) {
    const file = request.out ?? dataset.profile;
    if (file === null && request.file === undefined) continue;
    // Two datasets may share one profile: it is the first one's, in the model file's order (usually `train`).
    if (file !== null && written.has(file)) continue;
    context.progress.phase(`profile ${dataset.name}`);
    const table = await session.open({ uri: dataset.uri, root: dataset.root });
    const { digest } = await datasetIdentity(await findTableFiles(dataset.uri, dataset.root));
    const profile = await profileTable({
      session,
      table,
      dataset: { name: dataset.name, uri: dataset.uri, digest },
      key: request.key ?? dataset.model?.columns.key ?? [],
    });
    const formatted = formatProfile(profile);
    if (file === null) text = formatted;
    else {
      written.add(file);
      await writeFileAtomic(
        request.out === undefined ? await insidePath(dataset.root, file, 'profile') : path.resolve(context.cwd, file),
        formatted,
      );
      files.push({ file, rows: profile.rows });
    }
  }
  if (files.length === 0 && text === null) {
    throw new ConfigurationError('No dataset of the model file names a `profile`.', {
      hint: 'Add `profile: profiles/train.json` to one, or give a file and --out.',
    });
  }
  return { files, text };
}

/** Validates datasets of the work tree, or a plain file against checks from a YAML file and a profile. */
export async function dataValidate(
  context: Context,
  request: DatasetRequest & { checks?: string | undefined; profile?: string | undefined },
): Promise<DataReport[]> {
  const { datasets } = await datasetsOf(context, request);
  const given = request.checks === undefined ? null : await readChecks(context, request.checks);
  await using session = await openTables();
  const reports: DataReport[] = [];
  for (const dataset of datasets) {
    const checks = given ?? dataset.checks;
    if (checks.length === 0 && datasets.length > 1) continue;
    const profile = request.profile ?? dataset.profile;
    const root = request.profile === undefined ? dataset.root : context.cwd;
    context.progress.phase(`validate ${dataset.name}`);
    const { digest } = await datasetIdentity(await findTableFiles(dataset.uri, dataset.root));
    reports.push(
      await validateDataset({
        session,
        dataset: { name: dataset.name, uri: dataset.uri, root: dataset.root, digest },
        checks,
        profile: profile === null ? null : await readProfile(path.resolve(root, profile), profile),
      }),
    );
  }
  return reports;
}

async function readProfile(file: string, name: string) {
  try {
    return parseProfile(await readFile(file, 'utf8'), name);
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

async function readChecks(context: Context, file: string): Promise<Check[]> {
  let text: string;
  try {
    text = await readFile(path.resolve(context.cwd, file), 'utf8');
  } catch (error) {
    if (isMissing(error)) throw new ConfigurationError(`There is no file ${file}.`, { file });
    throw error;
  }
  const source = parseYaml(text, file);
  const list = Array.isArray(source.value) ? source.value : (source.value as { checks?: unknown } | null)?.checks;
  const result = Check.array().safeParse(list);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const where = (issue?.path ?? []).filter((step): step is string | number => typeof step !== 'symbol');
  const line = source.lineOf(Array.isArray(source.value) ? where : ['checks', ...where]);
  throw new ConfigurationError(`${file}:${line}: ${where.join('.')} ${issue?.message ?? 'is wrong'}.`, {
    file,
    line,
    hint: 'A list of checks, as in the model file: - {kind: not-null, column: distance}.',
  });
}

export type DriftRequest = {
  reference: string;
  current: string;
  method?: 'auto' | 'ks' | 'psi' | 'js' | 'wasserstein' | 'chi2' | undefined;
  columns?: readonly string[] | undefined;
  key?: readonly string[] | undefined;
  threshold?: number | undefined;
  minRows?: number | undefined;
};

/** Drift of one plain table against another. */
export async function dataDrift(context: Context, request: DriftRequest): Promise<DataReport> {
  await using session = await openTables();
  context.progress.phase('measure drift');
  return await driftBetween({
    session,
    reference: await session.open({ uri: request.reference, root: context.cwd }),
    current: await session.open({ uri: request.current, root: context.cwd }),
    method: request.method ?? 'auto',
    columns: request.columns,
    key: request.key,
    threshold: request.threshold,
    minRows: request.minRows,
  });
}
