import { stat } from 'node:fs/promises';
import {
  ConfigurationError,
  type Digest,
  fileDigest,
  foldedPath,
  InfrastructureError,
  isInsidePath,
  sha256,
} from '@passloop/core';
import { z } from 'zod';

/**
 * An entry of a store: one document and the files that belong to it, as an OCI artifact manifest (image-spec 1.1).
 * Both stores hold the same manifests, so an entry can be copied from one to the other byte by byte.
 * A manifest has no time and no annotation of its own: the same content has the same digest.
 */

export const manifestMediaType = 'application/vnd.oci.image.manifest.v1+json';
const titleAnnotation = 'org.opencontainers.image.title';
const fileMediaType = 'application/octet-stream';

/** Bytes of a manifest, and of a document in it, that are read at most. */
export const maxManifestBytes = 4 * 1024 * 1024;
export const maxDocumentBytes = 32 * 1024 * 1024;
const maxFiles = 10_000;

export type EntryKind = 'run' | 'image' | 'pointer' | 'report' | 'proof' | 'hand-over-key';

/** A file of this machine, and the `/` path that it has in the entry. */
export type StoredFile = { path: string; file: string };
type Layer = { path: string; digest: Digest; bytes: number };
export type Entry = { name: string; digest: Digest; document: { digest: Digest; bytes: number }; layers: Layer[] };

/** Where a blob's bytes come from when it is written. */
export type BlobSource = { file: string } | { text: string };
export type PreparedBlob = { digest: Digest; bytes: number; source: BlobSource };
export type PreparedEntry = { manifest: string; digest: Digest; layers: Layer[]; blobs: PreparedBlob[] };

const BlobDigest = z.string().regex(/^sha256:[0-9a-f]{64}$/);
const Descriptor = z.object({
  mediaType: z.string().max(256),
  digest: BlobDigest,
  size: z.int().min(0).max(Number.MAX_SAFE_INTEGER),
  annotations: z.record(z.string(), z.string()).optional(),
});

/** An OCI artifact manifest, as far as an entry uses it. */
const EntryManifest = z.object({
  schemaVersion: z.literal(2),
  mediaType: z.literal(manifestMediaType),
  artifactType: z.string().max(256),
  config: Descriptor,
  layers: z.array(Descriptor).max(maxFiles),
});
type EntryManifest = z.infer<typeof EntryManifest>;

function artifactType(kind: EntryKind): string {
  return `application/vnd.passloop.${kind}.v1`;
}

/** Digests and the manifest of an entry that is to be written. Reads each file once. */
export async function prepareEntry(
  kind: EntryKind,
  document: string,
  files: readonly StoredFile[],
): Promise<PreparedEntry> {
  const config: PreparedBlob = {
    digest: sha256(document),
    bytes: Buffer.byteLength(document),
    source: { text: document },
  };
  const layers: Layer[] = [];
  const blobs = new Map<string, PreparedBlob>([[config.digest, config]]);
  for (const { path, file } of files) {
    const digest = await fileDigest(file);
    const bytes = (await stat(file)).size;
    layers.push({ path, digest, bytes });
    blobs.set(digest, { digest, bytes, source: { file } });
  }
  layers.sort((left, right) => (left.path < right.path ? -1 : left.path > right.path ? 1 : 0));
  const manifest = {
    schemaVersion: 2,
    mediaType: manifestMediaType,
    artifactType: artifactType(kind),
    config: { mediaType: `${artifactType(kind)}+json`, digest: config.digest, size: config.bytes },
    layers: layers.map((layer) => ({
      mediaType: fileMediaType,
      digest: layer.digest,
      size: layer.bytes,
      annotations: { [titleAnnotation]: layer.path },
    })),
  } satisfies EntryManifest;
  const text = JSON.stringify(manifest);
  // What could not be read again is not written: a key would be taken by an entry that nobody can use.
  checkReadable(kind, text);
  return { manifest: text, digest: sha256(text), layers, blobs: [...blobs.values()] };
}

function checkReadable(kind: EntryKind, text: string): void {
  try {
    if (Buffer.byteLength(text) > maxManifestBytes)
      throw new InfrastructureError(`its list of files has more than ${maxManifestBytes} bytes`);
    parseEntry(kind, 'to be', text);
  } catch (error) {
    const detail = (error as Error).message.replace(/^The store entry to be is damaged: /, '').replace(/\.$/, '');
    throw new ConfigurationError(`The ${kind} can't be stored: ${detail}.`, {
      hint: `At most ${maxFiles} files are kept, with short plain names that differ in more than their case. Pack them into one file.`,
    });
  }
}

/**
 * Reads a manifest that anybody may have written: kind, sizes and paths are checked before anything of it is used.
 * @throws InfrastructureError that names the entry
 */
export function parseEntry(kind: EntryKind, name: string, text: string): Entry {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw damaged(name, 'its manifest is not JSON');
  }
  const result = EntryManifest.safeParse(value);
  if (!result.success) {
    const issue = result.error.issues[0];
    throw damaged(name, `its manifest is no artifact manifest (${issue?.path.join('.') || 'the whole'})`);
  }
  const manifest = result.data;
  if (manifest.artifactType !== artifactType(kind)) {
    throw damaged(name, `it is a ${JSON.stringify(manifest.artifactType)}, not a ${artifactType(kind)}`);
  }
  if (manifest.config.size > maxDocumentBytes)
    throw damaged(name, `its document is larger than ${maxDocumentBytes} bytes`);
  const layers = manifest.layers.map((layer) => ({
    path: layer.annotations?.[titleAnnotation] ?? '',
    digest: layer.digest,
    bytes: layer.size,
  }));
  checkPaths(name, layers);
  return {
    name,
    digest: sha256(text),
    document: { digest: manifest.config.digest, bytes: manifest.config.size },
    layers,
  };
}

/** Every path inside the folder that it will be restored to, none twice, none both file and folder. */
function checkPaths(name: string, layers: readonly Layer[]): void {
  const files = new Set<string>();
  for (const { path } of layers) {
    const plain = isInsidePath(path) && path.split('/').every((part) => part !== '' && part !== '.' && part !== '..');
    if (!plain || path.length > 1024)
      throw damaged(name, `${JSON.stringify(path.slice(0, 200))} is not a path inside a folder`);
    if (files.has(foldedPath(path))) throw damaged(name, `${JSON.stringify(path)} is in it twice`);
    files.add(foldedPath(path));
  }
  for (const path of files) {
    for (let slash = path.indexOf('/'); slash >= 0; slash = path.indexOf('/', slash + 1)) {
      if (files.has(path.slice(0, slash)))
        throw damaged(name, `${JSON.stringify(path.slice(0, slash))} is both file and folder`);
    }
  }
}

/** The one error for an entry that can't be used: it names the entry, and what to do about it. */
export function damaged(name: string, detail: string): InfrastructureError {
  return new InfrastructureError(`The store entry ${name} is damaged: ${detail}.`, {
    hint: 'Remove the entry from the store; the next run makes it again.',
  });
}
