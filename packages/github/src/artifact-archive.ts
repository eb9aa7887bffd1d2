import { createWriteStream } from 'node:fs';
import { mkdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { ConfigurationError, fileDigest, foldedPath, isInsidePath, plainText } from '@passloop/core';
import { type Entry, openPromise, type ZipFile } from 'yauzl';

/** What an archive of a workflow artifact may be at most. */
export type ArtifactLimits = {
  /** Bytes of the archive. */
  archiveBytes: number;
  /** Files and folders that it lists. */
  entries: number;
  /** Bytes of one file, unpacked. */
  fileBytes: number;
  /** Bytes of all files, unpacked. */
  totalBytes: number;
};

/** For documents, which are small. */
export const documentLimits: ArtifactLimits = {
  archiveBytes: 20_000_000,
  entries: 200,
  fileBytes: 32_000_000,
  totalBytes: 64_000_000,
};

/** For a candidate: its model and its rows. */
export const candidateLimits: ArtifactLimits = {
  archiveBytes: 20_000_000_000,
  entries: 10_100,
  fileBytes: 20_000_000_000,
  totalBytes: 40_000_000_000,
};

type ReadRequest = {
  /** Artifact's name, for messages. */
  name: string;
  /** An empty folder of its own, outside of the workspace. */
  folder: string;
  limits: ArtifactLimits;
  /** `sha256:…` of the archive as the forge says it, or null where it says nothing. */
  expectedDigest: string | null;
};

/**
 * Unpacks an artifact that anybody's job may have written: plain files below `folder`, none of them executable, or nothing but an error.
 * All names are judged before the first byte is unpacked, and sizes are counted while it is, whatever the headers say.
 * @returns the files' paths, sorted
 * @throws ConfigurationError for an archive that is too large, broken, not what the forge named, or that holds a path that leads out of it, a
 *   link, a device, or one file twice
 */
export async function readArtifactArchive(archive: string, request: ReadRequest): Promise<string[]> {
  const { name, limits, expectedDigest } = request;
  const { size } = await stat(archive);
  if (size > limits.archiveBytes) throw refuse(name, `has ${size} bytes; ${limits.archiveBytes} are allowed`);
  if (expectedDigest !== null && (await fileDigest(archive)) !== expectedDigest) {
    throw refuse(name, 'is not the archive that the forge names: its digest differs');
  }
  // An archive is read twice, since a name at its end may spoil what stands before it.
  const files = await withZip(name, archive, (zip) => list(zip, name, limits));
  await withZip(name, archive, async (zip) => {
    let total = 0;
    for await (const entry of zip.eachEntry()) {
      if (entry.fileName.endsWith('/')) continue;
      const room = Math.min(limits.fileBytes, limits.totalBytes - total);
      total += await unpack(zip, entry, path.join(request.folder, ...entry.fileName.split('/')), { name, room });
    }
  });
  return files;
}

async function withZip<T>(name: string, archive: string, work: (zip: ZipFile) => Promise<T>): Promise<T> {
  let zip: ZipFile;
  try {
    // Names as they stand in the archive: an absolute path, `..`, a backslash is an error, and so is a wrong size.
    zip = await openPromise(archive, { strictFileNames: true, validateEntrySizes: true, autoClose: false });
  } catch (error) {
    throw refuse(name, `is no zip: ${(error as Error).message}`);
  }
  try {
    return await work(zip);
  } catch (error) {
    if (error instanceof ConfigurationError) throw error;
    throw refuse(name, `cannot be read: ${(error as Error).message}`);
  } finally {
    zip.close();
  }
}

/** The paths of an archive's files, once each of its entries is known to be harmless. */
async function list(zip: ZipFile, name: string, limits: ArtifactLimits): Promise<string[]> {
  if (zip.entryCount > limits.entries) {
    throw refuse(name, `lists ${zip.entryCount} files; ${limits.entries} are allowed`);
  }
  const files = new Map<string, string>();
  const folders = new Set<string>();
  let total = 0;
  for await (const entry of zip.eachEntry()) {
    const shown = JSON.stringify(plainText(entry.fileName, 100));
    if (isSpecial(entry)) throw refuse(name, `holds ${shown}, which is no plain file`);
    if (entry.isEncrypted()) throw refuse(name, `holds ${shown}, which is encrypted`);
    const isFolder = entry.fileName.endsWith('/');
    const file = isFolder ? entry.fileName.slice(0, -1) : entry.fileName;
    if (!isPlainPath(file)) throw refuse(name, `holds ${shown}, which is no path inside it`);
    for (const parent of parentsOf(foldedPath(file))) folders.add(parent);
    if (isFolder) {
      folders.add(foldedPath(file));
      continue;
    }
    if (files.has(foldedPath(file))) throw refuse(name, `holds ${shown} twice`);
    files.set(foldedPath(file), file);
    if (entry.uncompressedSize > limits.fileBytes) {
      throw refuse(name, `holds ${shown} of ${entry.uncompressedSize} bytes; ${limits.fileBytes} are allowed`);
    }
    total += entry.uncompressedSize;
    if (total > limits.totalBytes) throw refuse(name, `holds more than ${limits.totalBytes} bytes`);
  }
  for (const [folded, file] of files) {
    if (folders.has(folded)) {
      throw refuse(name, `holds ${JSON.stringify(plainText(file, 100))} as a file and as a folder`);
    }
  }
  return [...files.values()].sort();
}

function isPlainPath(file: string): boolean {
  if (file.length > 1024 || !isInsidePath(file)) return false;
  return file.split('/').every((part) => part !== '' && part !== '.' && part !== '..' && part.length <= 255);
}

function parentsOf(file: string): string[] {
  const parts = file.split('/');
  return parts.slice(1).map((_, index) => parts.slice(0, index + 1).join('/'));
}

/** Unix kinds of files stand in the upper half of the external attributes: links, devices, sockets. */
function isSpecial(entry: Entry): boolean {
  const kind = (entry.externalFileAttributes >>> 16) & 0o170000;
  return kind !== 0 && kind !== 0o100000 && kind !== 0o040000;
}

async function unpack(
  zip: ZipFile,
  entry: Entry,
  target: string,
  { name, room }: { name: string; room: number },
): Promise<number> {
  await mkdir(path.dirname(target), { recursive: true });
  let bytes = 0;
  await pipeline(
    await zip.openReadStreamPromise(entry),
    async function* counted(chunks: AsyncIterable<Buffer>) {
      for await (const chunk of chunks) {
        bytes += chunk.length;
        if (bytes > room) throw refuse(name, `holds more than ${room} bytes in one file`);
        yield chunk;
      }
    },
    createWriteStream(target, { flags: 'wx', mode: 0o600 }),
  );
  return bytes;
}

function refuse(name: string, why: string): ConfigurationError {
  return new ConfigurationError(`The artifact ${plainText(name, 200)} ${why}.`, {
    hint: 'A job that ran to its end leaves a whole one: run it again.',
  });
}
