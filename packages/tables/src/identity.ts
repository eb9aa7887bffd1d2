import { stat } from 'node:fs/promises';
import path from 'node:path';
import { type Digest, dirHash1, type FileEntry, fileDigest, folderEntries } from '@passloop/core';
import { deltaDigest } from './delta/delta-files.ts';
import { logFolder } from './delta/log.ts';
import type { TableFiles } from './source.ts';

export type DatasetIdentity = { digest: Digest; bytes: number; files: number };

/**
 * What a lock says of a table: sha256 of its file; dirHash1 of its folder (every regular file in it counts), or of the
 * files that a glob matches, their paths relative to the glob's fixed part. Bytes are those of the same files.
 * Of a Delta table the active files count, and what its log says of their columns and partitions; not the log's own bytes,
 * which another checkpoint changes.
 */
export async function datasetIdentity(found: TableFiles): Promise<DatasetIdentity> {
  if (found.folder === null) {
    const file = found.files[0] as string;
    return { digest: await fileDigest(file), bytes: (await stat(file)).size, files: 1 };
  }
  const { delta } = found;
  const entries =
    delta !== null || /[*?[\]{}]/.test(found.uri) ? await globEntries(found) : await folderEntries(found.folder);
  let bytes = 0;
  for (const entry of entries) bytes += (await stat(path.join(found.folder, entry.path))).size;
  if (delta !== null) entries.push({ path: logFolder, digest: deltaDigest(delta, found.partitions) });
  return { digest: dirHash1(entries), bytes, files: delta === null ? entries.length : found.files.length };
}

async function globEntries(found: TableFiles): Promise<FileEntry[]> {
  const entries: FileEntry[] = [];
  for (const file of found.files) {
    entries.push({
      path: path
        .relative(found.folder as string, file)
        .split(path.sep)
        .join('/'),
      digest: await fileDigest(file),
    });
  }
  return entries;
}
