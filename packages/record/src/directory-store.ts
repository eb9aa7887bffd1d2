import { createHash, randomBytes } from 'node:crypto';
import { constants, createReadStream } from 'node:fs';
import { link, lstat, mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import {
  type Digest,
  gitIgnoredFolder,
  InfrastructureError,
  isMissing,
  sha256,
  toPassloopError,
  writeFileAtomic,
} from '@passloop/core';
import type { Backend } from './backend.ts';
import { type BlobSource, damaged, maxDocumentBytes, maxManifestBytes, type PreparedBlob } from './entry.ts';
import { entryStore } from './entry-store.ts';
import { copyHashed } from './hashed-copy.ts';
import type { Store } from './store.ts';

/**
 * A store in a folder: `blobs/sha256/<2 hex>/<64 hex>` and `tags/<tag>.json`, a manifest each.
 * Blobs are written beside and renamed; a tag is made by link(2), which fails where it is there: many writers, one winner.
 */
export function openDirectoryStore(folder: string): Store {
  return entryStore(directoryBackend(path.resolve(folder)));
}

function directoryBackend(folder: string): Backend {
  const description = `directory ${folder}`;

  function blobPath(digest: Digest): string {
    const hex = digest.slice('sha256:'.length);
    return path.join(folder, 'blobs', 'sha256', hex.slice(0, 2), hex);
  }
  function tagPath(tag: string): string {
    return path.join(folder, 'tags', `${tag}.json`);
  }
  async function writeTemporary(target: string, content: string): Promise<string> {
    await mkdir(path.dirname(target), { recursive: true });
    const temporary = `${target}.${process.pid}-${randomBytes(4).toString('hex')}.tmp`;
    await writeFileAtomic(temporary, content);
    return temporary;
  }

  return {
    description,

    async readManifest(tag) {
      const bytes = await readPlainFile(tagPath(tag), maxManifestBytes, tag);
      return bytes === null ? null : bytes.toString('utf8');
    },

    async readBlob(digest) {
      const content = await readPlainFile(blobPath(digest), maxDocumentBytes, digest);
      return content !== null && sha256(content) === digest ? content : null;
    },

    async copyBlob(digest, bytes, file) {
      const source = blobPath(digest);
      if (!(await isPlainFile(source))) return null;
      return copyHashed(createReadStream(source, { end: bytes }), file);
    },

    async writeBlob(blob) {
      const target = blobPath(blob.digest);
      if (await isWhole(target, blob)) return;
      await gitIgnoredFolder(folder);
      await mkdir(path.dirname(target), { recursive: true });
      const temporary = `${target}.${process.pid}-${randomBytes(4).toString('hex')}.tmp`;
      try {
        const written = await copyHashed(sourceStream(blob.source), temporary);
        if (written.digest !== blob.digest)
          throw new InfrastructureError(`A file changed while it was written to the ${description}.`);
        await rename(temporary, target);
      } catch (error) {
        await rm(temporary, { force: true });
        throw toPassloopError(error);
      }
    },

    async createTag(tag, manifest) {
      const target = tagPath(tag);
      const temporary = await writeTemporary(target, manifest);
      try {
        await link(temporary, target);
        return true;
      } catch (error) {
        if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
        throw error;
      } finally {
        await rm(temporary, { force: true });
      }
    },

    async replaceTag(tag, manifest) {
      await writeFileAtomic(tagPath(tag), manifest);
    },

    async listTags(prefix) {
      try {
        const names = await readdir(path.join(folder, 'tags'));
        return names
          .filter((name) => name.endsWith('.json'))
          .map((name) => name.slice(0, -'.json'.length))
          .filter((tag) => tag.startsWith(prefix))
          .sort();
      } catch (error) {
        if (isMissing(error)) return [];
        throw error;
      }
    },
  };
}

function sourceStream(source: BlobSource): Readable {
  return 'file' in source ? createReadStream(source.file) : Readable.from([Buffer.from(source.text)]);
}

async function isPlainFile(file: string): Promise<boolean> {
  try {
    return (await lstat(file)).isFile();
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}

async function isWhole(file: string, blob: PreparedBlob): Promise<boolean> {
  if (!(await isPlainFile(file))) return false;
  if ((await lstat(file)).size !== blob.bytes) return false;
  const hash = createHash('sha256');
  await pipeline(createReadStream(file, { highWaterMark: 1 << 20 }), hash);
  return `sha256:${hash.digest('hex')}` === blob.digest;
}

/** A regular file's bytes, or null where there is none. A link is never followed: the folder may come from anywhere. */
async function readPlainFile(file: string, limit: number, name: string): Promise<Buffer | null> {
  let handle: Awaited<ReturnType<typeof open>>;
  try {
    handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (isMissing(error)) return null;
    if (error instanceof Error && 'code' in error && error.code === 'ELOOP')
      throw damaged(name, 'it is a symbolic link');
    throw error;
  }
  try {
    const stat = await handle.stat();
    if (!stat.isFile()) throw damaged(name, 'it is not a regular file');
    if (stat.size > limit) throw damaged(name, `it has ${stat.size} bytes; at most ${limit} are read`);
    return await handle.readFile();
  } finally {
    await handle.close();
  }
}
