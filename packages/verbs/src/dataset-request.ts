import path from 'node:path';
import { ConfigurationError, insidePath, readTextIfExists } from '@passloop/core';
import { type Check, type LoadedModel, lockedDataset, lockFileName, parseLock } from '@passloop/model';
import { datasetIdentity, findTableFiles, isRemote, splitVersion, type TableFiles } from '@passloop/tables';
import type { Context } from './context.ts';
import { remoteTables } from './remote-tables.ts';
import { workTreeModels } from './workspace.ts';

export type DatasetRequest = {
  /** A plain file, folder, glob or address; without one, the datasets of the model file. */
  file?: string | undefined;
  model?: string | undefined;
  dataset?: string | undefined;
  /** How much is fetched at most of what no lock bounds. */
  maxBytes?: number | undefined;
};

export type Dataset = {
  name: string;
  uri: string;
  root: string;
  checks: Check[];
  profile: string | null;
  model: LoadedModel | null;
};

/** The datasets that are meant: one plain file, or those of the model file in the work tree. */
export async function datasetsOf(
  context: Context,
  request: DatasetRequest,
): Promise<{ root: string; datasets: Dataset[] }> {
  if (request.file !== undefined) {
    const dataset = {
      name: nameOf(request.file),
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
      if (source.path !== undefined) await insideRepository(root, source.path, `data.${name}.path`);
      const uri = source.path ?? source.uri ?? '';
      datasets.push({ name, uri, root, checks: source.checks, profile: source.profile ?? null, model });
    }
  }
  if (datasets.length === 0) {
    throw new ConfigurationError('The model file has no such dataset.', {
      hint: 'Name one with --dataset, or give a file.',
    });
  }
  return { root, datasets };
}

/** A dataset's path lies in the repository; of `sales@v3`, a version of a Delta table, also `sales` does. */
export async function insideRepository(root: string, dataset: string, what: string): Promise<void> {
  await insidePath(root, dataset, what);
  await insidePath(root, splitVersion(dataset).place, what);
}

function nameOf(file: string): string {
  return path.basename(isRemote(file) ? file.replace(/[?#].*/, '') : file);
}

export type DatasetFiles = { uri: string; root: string; found: TableFiles; digest: string };

/**
 * A dataset's files and their digest. A remote one of the model file has to be locked; one that a person names is read as it is
 * now, and that is said.
 *
 * @throws ConfigurationError for a remote dataset that isn't locked, or is not what the lock says
 */
export async function datasetFiles(
  context: Context,
  { uri, root, model }: Pick<Dataset, 'uri' | 'root' | 'model'>,
  maxBytes?: number,
): Promise<DatasetFiles> {
  if (!isRemote(uri)) {
    const found = await findTableFiles(uri, root);
    return { uri, root, found, digest: (await datasetIdentity(found)).digest };
  }
  const locked = model === null ? null : await workTreeLock(root, uri);
  const { found, digest } = await remoteTables(context, maxBytes)(uri, locked);
  if (locked === null)
    context.progress.note(`${uri} is not locked: what was read is whatever lies there now, ${digest}`);
  return { uri, root, found, digest };
}

async function workTreeLock(root: string, uri: string) {
  const text = await readTextIfExists(path.join(root, lockFileName));
  return lockedDataset(text === null ? null : parseLock(text, lockFileName), uri, lockFileName);
}
