import { stat } from 'node:fs/promises';
import path from 'node:path';
import { type Digest, dirHash1, type FileEntry, fileDigest, folderEntries } from '@passloop/core';
import { deltaDigest } from './delta/delta-files.ts';
import { logFolder } from './delta/log.ts';
import { icebergDigest, metadataFolder } from './iceberg/iceberg-files.ts';
import type { TableFiles } from './source.ts';

export type DatasetIdentity = { digest: Digest; bytes: number; files: number };

/**
 * What a lock says of a table: sha256 of its file; dirHash1 of its folder (every regular file in it counts), or of the
 * files that a glob matches, their paths relative to the glob's fixed part. Bytes are those of the same files.
 * Of a Delta or Iceberg table the active files count, and what its log or metadata says of their columns and partitions; not the
 * log's own bytes, which another checkpoint changes.
 */
export async function datasetIdentity(found: TableFiles): Promise<DatasetIdentity> {
  if (found.folder === null) {
    const file = found.files[0] as string;
    return { digest: await fileDigest(file), bytes: (await stat(file)).size, files: 1 };
  }
  const told = toldOf(found);
  const entries =
    told !== null || /[*?[\]{}]/.test(found.uri) ? await globEntries(found) : await folderEntries(found.folder);
  let bytes = 0;
  for (const entry of entries) bytes += (await stat(path.join(found.folder, entry.path))).size;
  if (told !== null) entries.push(told);
  return { digest: dirHash1(entries), bytes, files: told === null ? entries.length : found.files.length };
}

/** What a table of several versions says of the one that is read, as if it were a file of it. */
function toldOf({ delta, iceberg, partitions }: TableFiles): FileEntry | null {
  if (delta !== null) return { path: logFolder, digest: deltaDigest(delta, partitions) };
  return iceberg === null ? null : { path: metadataFolder, digest: icebergDigest(iceberg, partitions) };
}

/** Which version of a table was found, as a lock says it: `delta:12`, `iceberg:2379266845067940998`; null for plain files. */
export function versionOf({ delta, iceberg }: TableFiles): string | null {
  if (delta !== null) return `delta:${delta.version}`;
  return iceberg === null ? null : `iceberg:${iceberg.snapshot}`;
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
