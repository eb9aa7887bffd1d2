import { ConfigurationError, type Progress, plainText, silentProgress } from '@passloop/core';
import { type DataLock, type LockedDataset, lockedDataset, lockFileName } from '@passloop/model';
import {
  datasetIdentity,
  type FetchedTable,
  findTableFiles,
  isRemote,
  type RemoteLock,
  type TableFiles,
  type TableSession,
  versionOf,
} from '@passloop/tables';

/** Brings a remote table here, verified where it is locked. What has no such port reads no remote table. */
export type FetchRemote = (uri: string, locked: RemoteLock | null) => Promise<FetchedTable>;

export type LockOptions = {
  session: TableSession;
  /** The folder of the model file: what paths are relative to. */
  root: string;
  /** The datasets' paths or addresses as the model file writes them. */
  uris: readonly string[];
  fetch?: FetchRemote | undefined;
  progress?: Progress;
};

/**
 * What `passloop data lock` writes: digest, bytes and rows of every dataset, each path once, in order of their names. Remote
 * ones are fetched anew, whatever an earlier lock says.
 *
 * @throws ConfigurationError for a dataset that is not there or cannot be read
 */
export async function lockDatasets(options: LockOptions): Promise<DataLock> {
  const { session, root, uris, fetch, progress = silentProgress } = options;
  const datasets: LockedDataset[] = [];
  for (const uri of [...new Set(uris)].sort()) {
    progress.phase(`lock ${uri}`);
    const { found, digest, bytes, version } = await identified(uri, root, fetch, null);
    const table = await session.open({ uri, root, found });
    datasets.push({ uri, version, digest, bytes, rows: table.rows });
  }
  progress.done();
  return { version: 1, datasets };
}

/** A locked dataset, and its files, which have the bytes that the lock says. */
export type VerifiedDataset = LockedDataset & { found: TableFiles };

/**
 * Reads every dataset's bytes again and compares them with the lock. Whatever works on data calls this first.
 *
 * @returns the entries, in the order of `uris`
 * @throws ConfigurationError that names each stale dataset with the digest expected and the one found
 */
export async function verifyLock(
  lock: DataLock | null,
  {
    root,
    uris,
    fetch,
    file = lockFileName,
  }: { root: string; uris: readonly string[]; fetch?: FetchRemote | undefined; file?: string },
): Promise<VerifiedDataset[]> {
  const entries = uris.map((uri) => lockedDataset(lock, uri, file));
  const verified: VerifiedDataset[] = [];
  const stale: string[] = [];
  for (const entry of entries) {
    const { found, digest, bytes, version } = await identified(entry.uri, root, fetch, entry);
    verified.push({ ...entry, found });
    if (digest === entry.digest && bytes === entry.bytes) continue;
    stale.push(
      `${entry.uri} is not what ${file} says: expected ${entry.digest} (${entry.bytes} bytes), found ${digest} (${bytes} bytes).${otherVersion(entry.version, version)}`,
    );
  }
  if (stale.length > 0) {
    throw new ConfigurationError(stale.join('\n'), {
      file,
      hint: 'If the change is meant, run `passloop data lock` and commit passloop.lock with it; otherwise restore the data.',
    });
  }
  return verified;
}

/** A Delta or Iceberg table says by itself what changed. */
function otherVersion(locked: string | null, found: string | null): string {
  const [before, now] = [locked, found].map((version) => /^(?:delta|iceberg):(-?\d+)$/.exec(version ?? '')?.[1]);
  return before === undefined || now === undefined || before === now
    ? ''
    : ` The lock is of version ${before}; the table is at version ${now}.`;
}

async function identified(
  uri: string,
  root: string,
  fetch: FetchRemote | undefined,
  locked: RemoteLock | null,
): Promise<FetchedTable> {
  if (!isRemote(uri)) {
    const found = await findTableFiles(uri, root);
    const { digest, bytes } = await datasetIdentity(found);
    return { found, digest, bytes, version: versionOf(found) };
  }
  if (fetch !== undefined) return fetch(uri, locked);
  throw new ConfigurationError(`${plainText(uri)} is remote, and this job fetches nothing.`, {
    hint: 'Jobs that hold a credential reach no address that a change could name. Keep this dataset in the repository.',
  });
}
