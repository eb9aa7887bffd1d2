import { rm } from 'node:fs/promises';
import path from 'node:path';
import { type Bring, hintName, metadataFolder, readHint, readMetadata } from './iceberg-files.ts';
import { currentMetadata } from './metadata.ts';

/** Whether a table's metadata begins in a file, by its path below the table's folder. */
export function isFirstMetadata(below: string): boolean {
  const [folder, name = '', ...more] = below.split('/');
  return folder === metadataFolder && more.length === 0 && (name === hintName || /\.metadata\.json(\.gz)?$/.test(name));
}

/**
 * Fetches what tells of a snapshot: one metadata file, its manifests. What names a file is read before that file is fetched.
 *
 * @param files those of which {@link isFirstMetadata} is true
 * @param locked the id of the snapshot that a lock says; null for the current one
 * @returns the paths of its data files below the table's folder
 * @throws ConfigurationError as {@link readMetadata}
 */
export async function bringSnapshot(
  table: string,
  folder: string,
  files: readonly string[],
  locked: string | null,
  bring: Bring,
): Promise<string[]> {
  const names = files.map((below) => below.slice(metadataFolder.length + 1));
  if (names.includes(hintName)) await bring([`${metadataFolder}/${hintName}`]);
  const file = currentMetadata(table, names, await readHint(table, folder));
  // Here is one metadata file only, and whoever reads it again needs no hint.
  await rm(path.join(folder, metadataFolder, hintName), { force: true });
  await bring([`${metadataFolder}/${file}`]);
  const told = await readMetadata(table, { folder, file, snapshot: null, locked }, bring);
  return told.files.map(({ below }) => below);
}
