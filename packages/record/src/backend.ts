import type { Digest } from '@passloop/core';
import type { PreparedBlob } from './entry.ts';

/** What a store of entries must be able to do; the directory and the registry each do it. */
export type Backend = {
  /** For messages: `directory /x` or `registry ghcr.io/acme/flight-runs`. */
  description: string;
  /** The manifest's text under a tag, or null. */
  readManifest(tag: string): Promise<string | null>;
  /** A blob's whole content, verified; null where it is missing or has another digest. */
  readBlob(digest: Digest, bytes: number): Promise<Buffer | null>;
  /**
   * Writes a blob's bytes into a new file, and says what they really are: the caller compares.
   * Null where the blob is missing. At most `bytes` + 1 bytes are written.
   */
  copyBlob(digest: Digest, bytes: number, file: string): Promise<{ digest: Digest; bytes: number } | null>;
  /** Idempotent; a blob that is there but damaged is replaced. */
  writeBlob(blob: PreparedBlob): Promise<void>;
  /** False where the tag is there already; it is then left as it is. All blobs of the manifest have been written. */
  createTag(tag: string, manifest: string): Promise<boolean>;
  replaceTag(tag: string, manifest: string): Promise<void>;
  /** All tags that begin with `prefix`, sorted. */
  listTags(prefix: string): Promise<string[]>;
};
