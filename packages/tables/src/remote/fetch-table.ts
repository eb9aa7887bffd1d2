import { randomBytes } from 'node:crypto';
import { lstat, mkdir, realpath, rename } from 'node:fs/promises';
import path from 'node:path';
import { ConfigurationError, isMissing, type Progress, plainText, removeFolder } from '@passloop/core';
import { logFolder, readDeltaLog } from '../delta/log.ts';
import { bringSnapshot, isFirstMetadata } from '../iceberg/bring.ts';
import { datasetIdentity, versionOf } from '../identity.ts';
import { filesBelow, oneFile, type TableFiles, tableFormat } from '../source.ts';
import { type BucketAddress, parseRemote, type RemoteAddress } from './address.ts';
import { type BucketAccess, bucketObject, type ListedObject, listObjects } from './bucket.ts';
import { type Patience, type RemoteObject, usualPatience } from './request.ts';
import { type Bounds, changedHint, transfer } from './transfer.ts';

/** All that reading remote tables needs of the outside. A verb makes it; without one, nothing remote is read. */
export type RemoteAccess = {
  /** A private folder in which fetched tables are kept by their digest. It may be removed at any time. */
  cache: string;
  s3: BucketAccess;
  gs: BucketAccess;
  /** The most bytes of a table that no lock bounds. */
  maxBytes: number;
  now: () => Date;
  patience?: Patience | undefined;
  progress?: Progress | undefined;
};

/** What a lock says of a remote table. */
export type RemoteLock = { digest: string; bytes: number; version: string | null };

/** A remote table whose files are here. `version` is a single object's version or etag, a Delta table's version, or an Iceberg table's snapshot. */
export type FetchedTable = { found: TableFiles; digest: string; bytes: number; version: string | null };

/**
 * Brings a remote table here, whole, since only whole files have a digest to be verified by. With a lock, what the cache has is
 * taken if its bytes are those of the lock; each call reads them again.
 *
 * @param locked what the lock says; null to read whatever is there now
 * @throws ConfigurationError for bytes that are not the lock's, a refusal, an address that isn't read; InfrastructureError for a server that fails
 */
export async function fetchTable(uri: string, access: RemoteAccess, locked: RemoteLock | null): Promise<FetchedTable> {
  const address = parseRemote(uri);
  const kept = locked === null ? null : await keptTable(address, access.cache, locked);
  if (kept !== null) return { ...kept, version: locked?.version ?? null };
  await mkdir(access.cache, { recursive: true, mode: 0o700 });
  const folder = path.join(access.cache, `incoming-${process.pid}-${randomBytes(6).toString('hex')}`);
  await mkdir(folder, { mode: 0o700 });
  try {
    const version = await fetchInto(folder, address, access, locked);
    const here = await tableIn(address, folder, locked?.version ?? null);
    if (locked !== null && (here.digest !== locked.digest || here.bytes !== locked.bytes)) {
      throw new ConfigurationError(
        `${plainText(uri)} is not what the lock says: expected ${locked.digest} (${locked.bytes} bytes), found ${here.digest} (${here.bytes} bytes).`,
        { hint: changedHint },
      );
    }
    const table = (await keptTable(address, access.cache, here)) ?? (await keep(address, access.cache, folder, here));
    return { ...table, version: versionOf(table.found) ?? version };
  } finally {
    await removeFolder(folder);
  }
}

/** `version` is the lock's, where there is one: a table of several versions may hold more than that one. */
type Here = FetchedTable;

function folderOf(cache: string, digest: string): string {
  return path.join(cache, digest.replace('sha256:', ''));
}

/** The table that lies in the cache under a digest, if it still has it: whoever else may write there must not decide what is read. */
async function keptTable(
  address: RemoteAddress,
  cache: string,
  { digest, version }: Pick<RemoteLock, 'digest' | 'version'>,
): Promise<Here | null> {
  const folder = folderOf(cache, digest);
  const found = await lstat(folder).catch((error: unknown) => {
    if (isMissing(error)) return null;
    throw error;
  });
  if (found === null) return null;
  const table = found.isDirectory()
    ? await tableIn(address, folder, version).catch((error: unknown) => {
        if (error instanceof ConfigurationError || isMissing(error)) return null;
        throw error;
      })
    : null;
  if (table?.digest === digest) return table;
  await removeFolder(folder);
  return null;
}

/** Moves what was fetched and verified to its place. */
async function keep(address: RemoteAddress, cache: string, folder: string, here: Here): Promise<Here> {
  const place = folderOf(cache, here.digest);
  try {
    await rename(folder, place);
  } catch (error) {
    // Somebody else was faster with the same table.
    const other = await keptTable(address, cache, here);
    if (other === null) throw error;
    return other;
  }
  return { ...here, found: await filesIn(address, place, here.version) };
}

async function tableIn(address: RemoteAddress, folder: string, version: string | null): Promise<Here> {
  const found = await filesIn(address, folder, version);
  const { digest, bytes } = await datasetIdentity(found);
  return { found, digest, bytes, version };
}

async function filesIn(address: RemoteAddress, folder: string, version: string | null): Promise<TableFiles> {
  const real = await realpath(folder);
  const name = singleName(address);
  return isSingle(address)
    ? oneFile(address.uri, path.join(real, name), name)
    : filesBelow(address.uri, real, snapshotIn(version));
}

/** The snapshot of an Iceberg table that a lock says. */
function snapshotIn(version: string | null | undefined): string | null {
  return /^iceberg:(-?\d{1,19})$/.exec(version ?? '')?.[1] ?? null;
}

function isSingle(address: RemoteAddress): boolean {
  return address.kind === 'http' || address.below === null;
}

/** The file's name here: nothing of a foreign name but what tells the format. */
function singleName(address: RemoteAddress): string {
  const place = address.kind === 'http' ? address.url.pathname : address.key;
  const [ending] = /\.[a-z]+(\.(gz|zst))?$/i.exec(place) ?? [''];
  return `table${ending.toLowerCase()}`;
}

async function fetchInto(
  folder: string,
  address: RemoteAddress,
  access: RemoteAccess,
  locked: RemoteLock | null,
): Promise<string | null> {
  const patience = access.patience ?? usualPatience;
  const deadline = AbortSignal.timeout(patience.totalMs);
  if (isSingle(address)) {
    const name = singleName(address);
    if (tableFormat(name) === null) throw noTable(address);
    access.progress?.phase(`fetch ${address.uri}`);
    const exact = locked?.bytes ?? null;
    const bounds = { exact, most: exact ?? access.maxBytes, isLocked: exact !== null, deadline };
    const object = objectOf(address, access);
    const { version } = await transfer(object, path.join(folder, name), bounds, patience, locked?.version ?? null);
    return version;
  }
  await fetchSeveral(folder, address as BucketAddress, access, locked, deadline, patience);
  return null;
}

async function fetchSeveral(
  folder: string,
  address: BucketAddress,
  access: RemoteAccess,
  locked: RemoteLock | null,
  deadline: AbortSignal,
  patience: Patience,
): Promise<void> {
  const requests = { access: access[address.kind], now: access.now };
  access.progress?.phase(`list ${address.uri}`);
  const objects = await listObjects(address, requests, deadline, patience, (below) => isOfTable(address, below));
  if (objects.length === 0) {
    throw new ConfigurationError(`${address.uri} holds no table file.`, {
      hint: 'Table files end in .parquet, .csv, .tsv or .jsonl, perhaps with .gz or .zst. A prefix ends in "/".',
    });
  }
  access.progress?.phase(`fetch ${address.uri}`);
  const fetch = (list: readonly ListedObject[], most: number, isLocked: boolean) =>
    fetchObjects(folder, address, access, list, { exact: null, most, isLocked, deadline });
  const metadata = objects.map(({ below }) => below).filter(isFirstMetadata);
  if (metadata.length > 0) {
    let left = access.maxBytes;
    const objectsAt = (paths: readonly string[]) => paths.map((below) => ({ key: `${address.key}${below}`, below }));
    const files = await bringSnapshot(address.uri, folder, metadata, snapshotIn(locked?.version), async (paths) => {
      left = await fetch(objectsAt(paths), left, false);
    });
    await fetch(objectsAt(files), locked?.bytes ?? left, locked !== null);
    return;
  }
  const isLog = ({ below }: ListedObject) => below.startsWith(`${logFolder}/`);
  if (!objects.some(isLog)) {
    await fetch(objects, locked?.bytes ?? access.maxBytes, locked !== null);
    return;
  }
  // A lock's bytes are those of the rows' files, and its version is the one to read, whatever came after it.
  const last = Number(/^delta:(\d+)$/.exec(locked?.version ?? '')?.[1] ?? Number.POSITIVE_INFINITY);
  const log = objects.filter(
    (object) => isLog(object) && Number(object.below.slice(logFolder.length + 1).slice(0, 20)) <= last,
  );
  const left = await fetch(log, access.maxBytes, false);
  await fetch(await activeObjects(folder, address), locked?.bytes ?? left, locked !== null);
}

/** Said before a byte is fetched. */
function noTable({ kind, uri }: RemoteAddress): ConfigurationError {
  const several = kind === 'http' ? '' : ' A prefix of several files ends in "/".';
  return new ConfigurationError(`${uri} has no ending that tells a table format.`, {
    hint: `Known are .parquet, .csv, .tsv and .jsonl, perhaps with .gz or .zst.${several}`,
  });
}

/** Keys such as `a` and `a/b`, or on some disks `a` and `A`: objects of a bucket, and no files. */
function besideEachOther(error: unknown, uri: string, key: string): unknown {
  const codes = ['EEXIST', 'ENOTDIR', 'EISDIR'];
  if (!(error instanceof Error && 'code' in error && codes.includes(String(error.code)))) return error;
  return new ConfigurationError(
    `${uri} holds the key ${JSON.stringify(plainText(key))} and one that can't lie beside it on a disk.`,
    { hint: 'Rename one of them, or name a deeper prefix.' },
  );
}

/** @returns how many bytes are left of `bounds.most` */
async function fetchObjects(
  folder: string,
  address: BucketAddress,
  access: RemoteAccess,
  list: readonly ListedObject[],
  bounds: Bounds,
): Promise<number> {
  const requests = { access: access[address.kind], now: access.now };
  const patience = access.patience ?? usualPatience;
  let left = bounds.most;
  for (const [index, { key, below }] of list.entries()) {
    const file = path.join(folder, ...below.split('/'));
    try {
      await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
      const { bytes } = await transfer(bucketObject(address, key, requests), file, { ...bounds, most: left }, patience);
      left -= bytes;
    } catch (error) {
      throw besideEachOther(error, address.uri, key);
    }
    access.progress?.tick(index + 1, list.length, 'files');
  }
  return left;
}

/** The objects that a Delta table's log names: those beside them hold rows that were deleted. */
async function activeObjects(folder: string, { uri, key }: BucketAddress): Promise<ListedObject[]> {
  const { files } = await readDeltaLog(folder, null, uri);
  return files.map(({ path: below }) => ({ key: `${key}${below}`, below }));
}

function isOfTable({ below: wanted }: BucketAddress, below: string): boolean {
  if (wanted === '' && (/^_delta_log\/\d{20}\.[\w.-]+$/.test(below) || isFirstMetadata(below))) return true;
  if (tableFormat(below) === null) return false;
  if (wanted !== '' && wanted !== null) return path.posix.matchesGlob(below, wanted);
  return !below.split('/').some((part) => /^[._]/.test(part) && part !== '.' && part !== '..');
}

function objectOf(address: RemoteAddress, access: RemoteAccess): RemoteObject {
  if (address.kind !== 'http')
    return bucketObject(address, address.key, { access: access[address.kind], now: access.now });
  return {
    shown: address.uri,
    request: () => ({ url: address.url, headers: {} }),
    refusal: () => null,
    versionOf: () => null,
    followsRedirects: true,
  };
}
