import { constants } from 'node:fs';
import { chmod, copyFile, cp, lstat, mkdir, readFile, realpath, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import {
  ConfigurationError,
  dirHash1,
  fileDigest,
  folderEntries,
  type GitRepository,
  insidePath,
  isMissing,
  sha256,
} from '@passloop/core';
import { fromRoot, type LockedDataset } from '@passloop/model';
import type { OutputFile } from './outputs.ts';
import type { PlannedDataset, PlannedStage, TrainingPlan } from './training-plan.ts';

const globCharacters = /[*?[\]{}]/;

/** Where a stage's inputs come from. */
export type Sources = {
  repository: GitRepository;
  /** The checkout that datasets are read from: the repository's root on disk. */
  workTree: string;
  /** Brings remote datasets here, verified; without it they are refused. */
  fetchDataset?: FetchDataset | undefined;
};

/** The files of a locked remote dataset on this machine, verified: `folder` is what their paths are relative to, null for a single one. */
export type FetchDataset = (uri: string, locked: LockedDataset) => Promise<{ files: string[]; folder: string | null }>;

/**
 * Lays out what a stage declares, and nothing else, in a new folder: code and params from the commit's objects, datasets as
 * read-only copies that are verified against the lock, the outputs of the stages that it needs.
 * @throws ConfigurationError for data that is missing or is not what the lock says
 */
export async function layOutStage(
  plan: TrainingPlan,
  planned: PlannedStage,
  sources: Sources,
  upstream: readonly OutputFile[],
  folder: string,
): Promise<void> {
  const blobs = await sources.repository.readBlobs(planned.code.map((file) => file.oid));
  for (const file of planned.code) {
    await put(folder, file.path, blobs.get(file.oid) as Buffer, file.mode === '100755' ? 0o755 : 0o644);
  }
  if (planned.params !== null) await put(folder, planned.params.path, planned.params.text, 0o644);
  for (const dataset of planned.data) await layOutDataset(plan, dataset, sources, folder);
  for (const output of upstream) {
    const target = await place(folder, output.path);
    await copyFile(output.file, target, constants.COPYFILE_FICLONE);
    await chmod(target, 0o444);
  }
  for (const output of planned.stage.outputs) await place(folder, output);
}

async function put(folder: string, relative: string, content: string | Buffer, mode: number): Promise<void> {
  await writeFile(await place(folder, relative), content, { mode });
}

/** The path below the folder, with its parent made. */
async function place(folder: string, relative: string): Promise<string> {
  const target = await insidePath(folder, relative, 'a path of the stage');
  await mkdir(path.dirname(target), { recursive: true });
  return target;
}

/**
 * A dataset from the work tree, or, where that has another content (line ends, a later edit), from the commit itself.
 * What counts is that the copy which the stage reads has the digest of the lock.
 */
async function layOutDataset(
  plan: TrainingPlan,
  dataset: PlannedDataset,
  sources: Sources,
  folder: string,
): Promise<void> {
  if (dataset.path === null) return layOutRemote(plan, dataset, sources, folder);
  const rooted = fromRoot(plan.model, dataset.path);
  if (await mayHaveVersions(plan, dataset.path, sources)) {
    if (await layOutVersion(plan, dataset, dataset.path, sources, folder)) return;
  }
  if (globCharacters.test(dataset.path)) return layOutGlob(plan, dataset, dataset.path, sources, folder);
  const source = await insidePath(sources.workTree, rooted, `data.${dataset.name}.path`);
  const target = await place(folder, dataset.path);
  const found = await copyDataset(source, target);
  if (found === dataset.locked.digest) return;
  const committed = await sources.repository.readFile(plan.commit, rooted);
  if (committed !== null && sha256(committed) === dataset.locked.digest) {
    await writeFile(target, committed, { mode: 0o444, flag: 'w' }).catch(async (error: unknown) => {
      if (!(error instanceof Error && 'code' in error && error.code === 'EACCES')) throw error;
      await chmod(target, 0o644);
      await writeFile(target, committed);
    });
    await chmod(target, 0o444);
    return;
  }
  if (found === null) {
    throw new ConfigurationError(`The dataset ${dataset.name} is not there: ${rooted}.`, {
      file: plan.model.file,
      line: plan.model.lineOf(['data', dataset.name]),
      hint: await missingHint(sources, plan.commit, rooted),
    });
  }
  if (await isLfsPointer(target)) {
    throw new ConfigurationError(`The dataset ${dataset.name} is not there: ${rooted} is a Git LFS pointer to it.`, {
      file: plan.model.file,
      line: plan.model.lineOf(['data', dataset.name]),
      hint: 'Fetch it with `git lfs pull`; in a workflow, check out with `lfs: true`.',
    });
  }
  throw stale(plan, dataset, rooted, found);
}

/** Where a stage finds a remote dataset: a name of ours, since an address is no path. */
function remoteFolder(dataset: PlannedDataset): string {
  return `.passloop/data/${dataset.name}`;
}

/** The files of a remote dataset below {@link remoteFolder}; one that is a single file is `table` with its ending. */
async function layOutRemote(
  plan: TrainingPlan,
  dataset: PlannedDataset,
  sources: Sources,
  folder: string,
): Promise<void> {
  if (sources.fetchDataset === undefined) {
    throw new ConfigurationError(
      `The dataset ${dataset.name} is remote (${dataset.uri}), and nothing is fetched here.`,
      {
        file: plan.model.file,
        line: plan.model.lineOf(['data', dataset.name]),
      },
    );
  }
  const found = await sources.fetchDataset(dataset.uri, dataset.locked);
  const base = remoteFolder(dataset);
  const copies: { path: string; digest: string }[] = [];
  for (const file of found.files) {
    const relative =
      found.folder === null ? path.basename(file) : path.relative(found.folder, file).split(path.sep).join('/');
    const target = await place(folder, `${base}/${relative}`);
    await copyFile(file, target, constants.COPYFILE_FICLONE);
    await chmod(target, 0o444);
    copies.push({ path: relative, digest: await fileDigest(target) });
  }
  const [single] = copies;
  const digest = found.folder === null && single !== undefined ? single.digest : dirHash1(copies);
  if (digest !== dataset.locked.digest) throw stale(plan, dataset, dataset.uri, digest);
}

function stale(plan: TrainingPlan, dataset: PlannedDataset, rooted: string, found: string): ConfigurationError {
  return new ConfigurationError(
    `The lock is stale: ${rooted} is ${found}, but passloop.lock says ${dataset.locked.digest}.`,
    {
      file: fromRoot(plan.model, 'passloop.lock'),
      hint: 'If the data was meant to change, run `passloop data lock` and commit it; if not, restore the data.',
    },
  );
}

/** The files that a glob matches, each at its own path; together they have the digest of the lock. */
async function layOutGlob(
  plan: TrainingPlan,
  dataset: PlannedDataset,
  pattern: string,
  sources: Sources,
  folder: string,
): Promise<void> {
  // With it comes the table engine, which a run without globs doesn't need.
  const { datasetIdentity, findTableFiles } = await import('@passloop/tables');
  const rooted = fromRoot(plan.model, pattern);
  const root = await realpath(path.join(sources.workTree, plan.model.folder));
  for (const file of (await findTableFiles(pattern, root)).files) {
    const relative = path.relative(root, file).split(path.sep).join('/');
    const source = await insidePath(root, relative, `data.${dataset.name}.path`);
    const target = await place(folder, relative);
    await copyFile(source, target, constants.COPYFILE_FICLONE);
    await chmod(target, 0o444);
  }
  const { digest } = await datasetIdentity(await findTableFiles(pattern, folder));
  if (digest !== dataset.locked.digest) throw stale(plan, dataset, rooted, digest);
}

/** `data/sales`, `data/sales@v3` or `data/sales/metadata/v3.metadata.json`, where `data/sales` has a log or metadata. */
async function mayHaveVersions(plan: TrainingPlan, dataset: string, sources: Sources): Promise<boolean> {
  const place = dataset.replace(/@[\w.-]+\/?$/, '').replace(/metadata\/[^/]+\.metadata\.json(\.gz)?$/, '');
  for (const folder of [dataset, place]) {
    for (const name of ['_delta_log', 'metadata']) {
      const found = path.join(sources.workTree, plan.model.folder, folder, name);
      if ((await stat(found).catch(() => null))?.isDirectory() === true) return true;
    }
  }
  return false;
}

/**
 * The active files of a Delta or Iceberg table's version, and what tells of them: of a Delta table the log up to that version, so
 * that a stage reads it as the newest.
 *
 * @returns false for what is no such table
 */
async function layOutVersion(
  plan: TrainingPlan,
  dataset: PlannedDataset,
  uri: string,
  sources: Sources,
  folder: string,
): Promise<boolean> {
  const { datasetIdentity, findTableFiles } = await import('@passloop/tables');
  const root = await realpath(path.join(sources.workTree, plan.model.folder));
  const found = await findTableFiles(uri, root);
  const { delta, iceberg } = found;
  const table = delta?.place ?? iceberg?.place;
  if (table === undefined) return false;
  await insidePath(root, table, `data.${dataset.name}.path`);
  for (const file of [...found.files, ...(delta?.log ?? iceberg?.metadata ?? [])]) {
    const below = path
      .relative(found.folder ?? root, file)
      .split(path.sep)
      .join('/');
    const target = await place(folder, `${table}/${below}`);
    await copyFile(file, target, constants.COPYFILE_FICLONE);
    await chmod(target, 0o444);
  }
  const { digest } = await datasetIdentity(await findTableFiles(delta === null ? uri : table, folder));
  if (digest !== dataset.locked.digest) throw stale(plan, dataset, fromRoot(plan.model, uri), digest);
  return true;
}

/** What would bring the data, as far as the commit says who keeps it. */
async function missingHint(sources: Sources, commit: string, rooted: string): Promise<string> {
  const isDvc = (await sources.repository.readFile(commit, `${rooted}.dvc`)) !== null;
  return isDvc
    ? `DVC keeps it (${rooted}.dvc): fetch it with \`dvc pull ${rooted}\`. Its digest is read from passloop.lock, not from DVC's file.`
    : 'Fetch it, or mend the path.';
}

async function isLfsPointer(file: string): Promise<boolean> {
  const { size } = await stat(file);
  return size < 1024 && (await readFile(file, 'utf8')).startsWith('version https://git-lfs.github.com/spec/');
}

/** Copies a file or folder, read-only, and gives the digest of the copy; null where there is nothing. */
async function copyDataset(source: string, target: string): Promise<string | null> {
  let isFolder: boolean;
  try {
    isFolder = (await lstat(source)).isDirectory();
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
  if (!isFolder) {
    await copyFile(source, target, constants.COPYFILE_FICLONE);
    await chmod(target, 0o444);
    return fileDigest(target);
  }
  await cp(source, target, { recursive: true, mode: constants.COPYFILE_FICLONE, verbatimSymlinks: true });
  const entries = await folderEntries(target);
  for (const entry of entries) await chmod(path.join(target, ...entry.path.split('/')), 0o444);
  return dirHash1(entries);
}
