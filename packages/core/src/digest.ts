import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { canonicalJson } from './canonical-json.ts';
import { ConfigurationError } from './errors.ts';

const digestPattern = /^sha256:[0-9a-f]{64}$/;

/** `sha256:<64 hex>`. */
export type Digest = string;

export function isDigest(text: string): boolean {
  return digestPattern.test(text);
}

export function sha256Hex(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}

export function sha256(content: string | Uint8Array): Digest {
  return `sha256:${sha256Hex(content)}`;
}

/** Digest of a value's RFC 8785 canonical JSON. */
export function jsonDigest(value: unknown): Digest {
  return sha256(canonicalJson(value));
}

export async function fileDigest(file: string): Promise<Digest> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file, { highWaterMark: 1 << 20 }), hash);
  return `sha256:${hash.digest('hex')}`;
}

export type FileEntry = { path: string; digest: Digest };

/**
 * in-toto's `dirHash1` (Go's `dirhash.Hash1`): sha256 over the lines `"<hex>  <path>\n"`, sorted by path as bytes.
 * Paths are relative with `/`. A path with a newline is refused, since it could forge another listing.
 */
export function dirHash1(entries: readonly FileEntry[]): Digest {
  const lines = entries.map((entry) => {
    if (entry.path.includes('\n'))
      throw new ConfigurationError(`A file name holds a newline: ${JSON.stringify(entry.path)}`);
    return { path: Buffer.from(entry.path), line: `${entry.digest.slice('sha256:'.length)}  ${entry.path}\n` };
  });
  lines.sort((left, right) => Buffer.compare(left.path, right.path));
  return sha256(lines.map((entry) => entry.line).join(''));
}

/**
 * Every file below `folder`, as relative `/` paths with digests, sorted. Links are refused, since they may point anywhere; so is
 * what has no content of its own (a pipe, a socket, a device), which a digest would pass over in silence.
 */
export async function folderEntries(folder: string): Promise<FileEntry[]> {
  const entries: FileEntry[] = [];
  const names = await readdir(folder, { recursive: true });
  for (const name of names.sort()) {
    const full = path.join(folder, name);
    const stat = await lstat(full);
    if (stat.isSymbolicLink())
      throw new ConfigurationError(`${full} is a symbolic link; a digest covers regular files only.`);
    if (!stat.isFile() && !stat.isDirectory())
      throw new ConfigurationError(`${full} is neither a file nor a folder; a digest covers regular files only.`);
    if (stat.isFile()) entries.push({ path: name.split(path.sep).join('/'), digest: await fileDigest(full) });
  }
  return entries;
}

/** sha256 of a file, or dirHash1 of a folder: `modelDigest` and dataset digests (design: formats). */
export async function pathDigest(fileOrFolder: string): Promise<Digest> {
  const stat = await lstat(fileOrFolder);
  return stat.isDirectory() ? dirHash1(await folderEntries(fileOrFolder)) : fileDigest(fileOrFolder);
}
