import { ConfigurationError, type Progress, silentProgress } from '@passloop/core';
import { type DataLock, type LockedDataset, lockedDataset, lockFileName } from '@passloop/model';
import { datasetIdentity, findTableFiles, type TableSession } from '@passloop/tables';

export type LockOptions = {
  session: TableSession;
  /** The folder of the model file: what paths are relative to. */
  root: string;
  /** The datasets' paths as the model file writes them. */
  uris: readonly string[];
  progress?: Progress;
};

/**
 * What `passloop data lock` writes: digest, bytes and rows of every dataset, each path once, in order of their names.
 *
 * @throws ConfigurationError for a dataset that is not there, cannot be read, or is remote
 */
export async function lockDatasets({ session, root, uris, progress = silentProgress }: LockOptions): Promise<DataLock> {
  const datasets: LockedDataset[] = [];
  for (const uri of [...new Set(uris)].sort()) {
    progress.phase(`lock ${uri}`);
    const identity = await datasetIdentity(await findTableFiles(uri, root));
    const table = await session.open({ uri, root });
    datasets.push({ uri, version: null, digest: identity.digest, bytes: identity.bytes, rows: table.rows });
  }
  progress.done();
  return { version: 1, datasets };
}

/**
 * Reads every dataset's bytes again and compares them with the lock. Whatever works on data calls this first.
 *
 * @returns the entries, in the order of `uris`
 * @throws ConfigurationError that names each stale dataset with the digest expected and the one found
 */
export async function verifyLock(
  lock: DataLock | null,
  { root, uris, file = lockFileName }: { root: string; uris: readonly string[]; file?: string },
): Promise<LockedDataset[]> {
  const entries = uris.map((uri) => lockedDataset(lock, uri, file));
  const stale: string[] = [];
  for (const entry of entries) {
    const found = await datasetIdentity(await findTableFiles(entry.uri, root));
    if (found.digest === entry.digest && found.bytes === entry.bytes) continue;
    stale.push(
      `${entry.uri} is not what ${file} says: expected ${entry.digest} (${entry.bytes} bytes), found ${found.digest} (${found.bytes} bytes).`,
    );
  }
  if (stale.length > 0) {
    throw new ConfigurationError(stale.join('\n'), {
      file,
      hint: 'If the change is meant, run `passloop data lock` and commit passloop.lock with it; otherwise restore the data.',
    });
  }
  return entries;
}
