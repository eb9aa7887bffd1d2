import { glob, lstat, readdir, readFile, realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { ConfigurationError, isMissing } from '@passloop/core';
import { type DeltaTable, deltaFiles } from './delta/delta-files.ts';
import { logFolder } from './delta/log.ts';
import { hivePartitions, type PartitionColumn } from './hive.ts';
import { icebergAddress } from './iceberg/address.ts';
import {
  type IcebergAddress,
  type IcebergTable,
  icebergFiles,
  isIceberg,
  metadataFolder,
} from './iceberg/iceberg-files.ts';
import { splitVersion } from './versioned.ts';

export const tableFormats = ['parquet', 'csv', 'tsv', 'jsonl'] as const;
export type TableFormat = (typeof tableFormats)[number];

/** Where a table lies: absolute files of one format, and the same place as messages and printed queries name it. */
export type TableFiles = {
  /** As the user wrote it, with `/`: a file, a folder or a glob. */
  uri: string;
  /** What digests of several files are relative to; null for a single file. */
  folder: string | null;
  /** Absolute, sorted by their path in bytes. */
  files: string[];
  format: TableFormat;
  /** Columns whose values the files' folders name, a Delta table's log, or an Iceberg table's metadata. */
  partitions: PartitionColumn[];
  /** Both null for plain files. */
  delta: DeltaTable | null;
  iceberg: IcebergTable | null;
};

const endings: Record<string, TableFormat> = {
  '.parquet': 'parquet',
  '.pq': 'parquet',
  '.csv': 'csv',
  '.tsv': 'tsv',
  '.jsonl': 'jsonl',
  '.ndjson': 'jsonl',
};

const noVersions = { delta: null, iceberg: null };

const globCharacters = /[*?[\]{}]/;

/** The format by the file's ending, `.gz` and `.zst` aside; null where no table format ends so. */
export function tableFormat(file: string): TableFormat | null {
  const name = file.toLowerCase().replace(/\.(gz|zst)$/, '');
  return endings[path.extname(name)] ?? null;
}

/**
 * Finds the files of a table: one file, every table file below a folder, or those that a glob matches.
 *
 * @param root the folder that `uri` is relative to; an absolute `uri` is taken as it is
 * @throws ConfigurationError when nothing is there, formats are mixed, or a name or link would fool the engine
 */
export async function findTableFiles(uri: string, root: string): Promise<TableFiles> {
  if (/^[a-z][a-z0-9+.-]+:\/\//i.test(uri)) {
    throw new ConfigurationError(`${uri} is a remote address, and only files are read here.`, {
      hint: 'Name it as `uri` of a dataset in the model file, and lock it with `passloop data lock`.',
    });
  }
  const { place, version } = splitVersion(uri);
  const number = /^v(\d{1,15})$/.exec(version ?? '')?.[1];
  if (number !== undefined && (await isDelta(path.resolve(root, place))))
    return deltaTable(uri, path.resolve(root, place), Number(number));
  const iceberg = await icebergAddress(uri, root);
  if (iceberg !== null) return icebergTable(uri, iceberg);
  const target = path.resolve(root, uri);
  if (!globCharacters.test(uri)) {
    const stat = await lstat(target).catch((error: unknown) => {
      if (isMissing(error)) throw nothingThere(uri, target);
      throw error;
    });
    if (stat.isDirectory()) return filesBelow(uri, target);
    return oneFile(uri, await realpath(target), uri);
  }
  const parts = uri.split('/');
  const fixed = parts.slice(
    0,
    parts.findIndex((part) => globCharacters.test(part)),
  );
  const folder = path.resolve(root, fixed.join('/') || (uri.startsWith('/') ? '/' : '.'));
  if (await isDelta(folder)) {
    throw new ConfigurationError(`${uri} names files of a Delta table; which of them are its rows is in its log.`, {
      file: uri,
      hint: `Name the folder: ${fixed.join('/') || '.'}, or a version of it, such as ${fixed.join('/') || '.'}@v3.`,
    });
  }
  for (const table of [folder, path.dirname(folder)]) {
    if (await isIceberg(table)) throw filesOfIceberg(uri);
  }
  const found: string[] = [];
  const realFolder = await realpath(folder).catch(() => folder);
  for await (const name of glob(parts.slice(fixed.length).join('/'), { cwd: folder })) {
    const full = path.join(folder, name);
    const target = await stat(full).catch(() => null);
    if (target?.isFile() === false) continue;
    // A link could lead out of the repository; passing over it in silence would leave rows out.
    if (target === null || (await realpath(full)) !== path.join(realFolder, name)) throw linked(name, uri);
    found.push(full);
  }
  if (found.length === 0) {
    if ((await stat(target).catch(() => null)) !== null) plainName(uri);
    throw new ConfigurationError(`No file matches ${uri}.`, {
      file: uri,
      hint: '`*` stays within a folder, `**` goes through all below it.',
    });
  }
  return several(uri, realFolder, folder, found);
}

/** The files of a table that is one file. @param name by whose ending the format is told */
export function oneFile(uri: string, file: string, name: string): TableFiles {
  return { uri, folder: null, files: [plainName(file)], format: formatOf(name, uri), partitions: [], ...noVersions };
}

/**
 * Every table file below a folder, or those of the table that it is.
 * @param snapshot of an Iceberg table, as a lock says; null for the current one
 * @throws ConfigurationError as {@link findTableFiles}
 */
export async function filesBelow(uri: string, folder: string, snapshot: string | null = null): Promise<TableFiles> {
  if (await isDelta(folder)) return deltaTable(uri, folder, null);
  if (await isIceberg(folder))
    return icebergTable(uri, { folder, file: null, snapshot: null, locked: snapshot, place: uri });
  const found: string[] = [];
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const full = path.join(entry.parentPath, entry.name);
    if (entry.isSymbolicLink()) throw linked(path.relative(folder, full), uri);
    const below = path.relative(folder, full).split(path.sep);
    const log = below.indexOf(logFolder);
    if (log > 0) throw tableBelow(uri, 'a Delta table', below.slice(0, log).join('/'));
    if (below.at(-2) === metadataFolder && entry.name.endsWith('.metadata.json'))
      throw tableBelow(uri, 'an Iceberg table', below.slice(0, -2).join('/'));
    // What Spark, Jupyter and file managers put beside the data is no part of it.
    if (below.some((part) => /^[._]/.test(part))) continue;
    if (entry.isFile() && tableFormat(entry.name) !== null) found.push(full);
  }
  if (found.length === 0) {
    throw new ConfigurationError(`${uri} holds no table file.`, {
      file: uri,
      hint: `Table files end in ${Object.keys(endings).join(', ')}, perhaps with .gz or .zst.`,
    });
  }
  return several(uri, await realpath(folder), folder, found);
}

function linked(name: string, uri: string): ConfigurationError {
  return new ConfigurationError(
    `${name} is or lies behind a symbolic link; a table of ${uri} has regular files only.`,
    {
      file: uri,
    },
  );
}

function filesOfIceberg(uri: string): ConfigurationError {
  return new ConfigurationError(
    `${uri} names files of an Iceberg table; which of them are its rows is in its metadata.`,
    {
      file: uri,
      hint: 'Name its folder, the one that holds `metadata`, or a snapshot or tag of it as FOLDER@ID.',
    },
  );
}

function tableBelow(uri: string, what: string, where: string): ConfigurationError {
  return new ConfigurationError(`${uri} holds ${what}, ${where}; together with other files it is no table.`, {
    file: uri,
    hint: `Name that folder: ${uri.replace(/\/$/, '')}/${where}.`,
  });
}

async function isDelta(folder: string): Promise<boolean> {
  return (await stat(path.join(folder, logFolder)).catch(() => null))?.isDirectory() === true;
}

async function deltaTable(uri: string, folder: string, version: number | null): Promise<TableFiles> {
  const real = await realpath(folder);
  const { files, ...rest } = await deltaFiles(uri, real, version);
  for (const file of files) plainName(file);
  return { uri, folder: real, files, format: 'parquet', ...rest, iceberg: null };
}

async function icebergTable(
  uri: string,
  { place, ...address }: IcebergAddress & { place: string },
): Promise<TableFiles> {
  const folder = await realpath(address.folder);
  const { files, ...rest } = await icebergFiles(uri, { ...address, folder }, place);
  for (const file of files) plainName(file);
  return { uri, folder, files, format: 'parquet', ...rest, delta: null };
}

const pointer = 'version https://git-lfs.github.com/spec/';

/** @throws ConfigurationError where Git LFS left a pointer in the place of a file: as CSV it would be a table */
export async function refusePointers(found: TableFiles): Promise<void> {
  for (const file of found.files) {
    if ((await stat(file)).size > 1024 || !(await readFile(file, 'utf8')).startsWith(pointer)) continue;
    throw new ConfigurationError(`${shownFile(found, file)} is a Git LFS pointer; the file itself is not here.`, {
      file: shownFile(found, file),
      hint: 'Fetch it with `git lfs pull`; in a workflow, check out with `lfs: true`.',
    });
  }
}

/** One of a table's absolute files as the user would write it. */
export function shownFile({ uri, folder, delta, iceberg }: TableFiles, file: string): string {
  if (folder === null) return uri;
  const parts = (delta?.place ?? iceberg?.place ?? uri).split('/');
  const glob = parts.findIndex((part) => globCharacters.test(part));
  const base = (glob < 0 ? parts : parts.slice(0, glob)).join('/').replace(/\/$/, '');
  const below = path.relative(folder, file).split(path.sep).join('/');
  return glob === 0 ? below : `${base}/${below}`;
}

function several(uri: string, realFolder: string, folder: string, found: readonly string[]): TableFiles {
  const files = found
    .map((file) => plainName(path.join(realFolder, path.relative(folder, file))))
    .sort((left, right) => Buffer.compare(Buffer.from(left), Buffer.from(right)));
  const format = formatOf(files[0] as string, uri);
  for (const file of files) {
    if (formatOf(file, uri) !== format) {
      throw new ConfigurationError(
        `${uri} mixes formats: ${path.basename(files[0] as string)} and ${path.basename(file)}.`,
        { file: uri },
      );
    }
  }
  const paths = files.map((file) => path.relative(realFolder, file).split(path.sep).join('/'));
  return { uri, folder: realFolder, files, format, partitions: hivePartitions(paths, uri), ...noVersions };
}

function formatOf(file: string, uri: string): TableFormat {
  const format = tableFormat(file);
  if (format === null) {
    throw new ConfigurationError(`${uri} has no ending that tells a table format.`, {
      file: uri,
      hint: `Known are ${Object.keys(endings).join(', ')}, perhaps with .gz or .zst.`,
    });
  }
  return format;
}

/** The engine would take these characters in a file's name for a pattern of its own. */
function plainName(file: string): string {
  if (!/[*?[\]]/.test(file)) return file;
  throw new ConfigurationError(`The path ${file} holds one of * ? [ ], which the engine takes for a pattern.`, {
    file,
    hint: 'Rename the file or folder.',
  });
}

function nothingThere(uri: string, target: string): ConfigurationError {
  return new ConfigurationError(`There is no table at ${uri}.`, { file: uri, hint: `Looked for ${target}.` });
}
