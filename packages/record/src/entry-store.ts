import { mkdir, rename, rmdir, stat } from 'node:fs/promises';
import path from 'node:path';
import {
  ConfigurationError,
  canonicalJson,
  type Digest,
  insidePath,
  isMissing,
  PassloopError,
  sha256Hex,
  temporaryFolder,
} from '@passloop/core';
import {
  type DocumentKind,
  type DocumentOf,
  type FileDigest,
  formatDocument,
  parseDocument,
} from '@passloop/documents';
import type { Backend } from './backend.ts';
import { damaged, type Entry, type EntryKind, parseEntry, prepareEntry, type StoredFile } from './entry.ts';
import { handOverTag, imageTag, pointerTag, reportTag, runTag } from './entry-tags.ts';
import { newHandOverKey, parseHandOverKey } from './hand-over-key.ts';
import type { Store } from './store.ts';
import { type ProofKey, parseStoredProof, proofTag, type StoredProof } from './stored-proof.ts';

/** The one implementation of `Store`, on whatever keeps tags, manifests and blobs. */
export function entryStore(backend: Backend): Store {
  async function readEntry(kind: EntryKind, tag: string): Promise<Entry | null> {
    const text = await backend.readManifest(tag);
    return text === null ? null : parseEntry(kind, tag, text);
  }

  async function readDocument<K extends DocumentKind>(kind: K, entry: Entry): Promise<DocumentOf<K>> {
    const text = await readText(entry);
    try {
      return parseDocument(kind, text, `the document of ${entry.name}`);
    } catch (error) {
      if (error instanceof PassloopError) throw damaged(entry.name, error.message.replace(/\.$/, ''));
      throw error;
    }
  }

  async function readText(entry: Entry): Promise<string> {
    const bytes = await backend.readBlob(entry.document.digest, entry.document.bytes);
    if (bytes === null) throw damaged(entry.name, 'its document is missing or was changed');
    return bytes.toString('utf8');
  }

  async function findProofEntry(key: ProofKey): Promise<{ entry: Entry; proof: StoredProof } | null> {
    const tag = proofTag(key);
    if (tag === null) throw new ConfigurationError('That is no image key with the digest of an evaluation.');
    const entry = await readEntry('proof', tag);
    if (entry === null) return null;
    const proof = parseStoredProof(await readText(entry), key);
    if (typeof proof === 'string') throw damaged(tag, proof);
    if (entry.layers.length !== 1)
      throw damaged(tag, `it holds ${entry.layers.length} files; one of predictions is expected`);
    return { entry, proof };
  }

  async function readHandOverKey(): Promise<{ identity: string; recipient: string } | null> {
    const entry = await readEntry('hand-over-key', handOverTag);
    if (entry === null) return null;
    const key = await parseHandOverKey(await readText(entry));
    if (key === null) throw damaged(entry.name, 'its document is no age identity with its recipient');
    return { identity: key.identity, recipient: key.recipient };
  }

  async function addEntry(kind: EntryKind, tag: string, document: string, files: readonly StoredFile[]) {
    const entry = await prepareEntry(kind, document, files);
    for (const blob of entry.blobs) await backend.writeBlob(blob);
    return backend.createTag(tag, entry.manifest);
  }

  async function replaceEntry(kind: EntryKind, tag: string, document: string, files: readonly StoredFile[]) {
    const entry = await prepareEntry(kind, document, files);
    for (const blob of entry.blobs) await backend.writeBlob(blob);
    await backend.replaceTag(tag, entry.manifest);
  }

  async function findRunEntry(tag: string, runKey: string) {
    const entry = await readEntry('run', tag);
    if (entry === null) return null;
    const run = await readDocument('run', entry);
    if (run.runKey !== runKey) throw damaged(tag, `its document is of ${run.runKey}`);
    const difference = firstDifference(run.outputs, entry.layers);
    if (difference !== null) throw damaged(tag, difference);
    return { entry, run };
  }

  async function restore(entry: Entry, folder: string): Promise<void> {
    const existed = await exists(folder);
    await mkdir(folder, { recursive: true });
    try {
      await using staging = await temporaryFolder('restore', folder);
      const staged: { from: string; to: string }[] = [];
      for (const [index, layer] of entry.layers.entries()) {
        const from = path.join(staging.path, String(index));
        const found = await backend.copyBlob(layer.digest, layer.bytes, from);
        if (found === null) throw damaged(entry.name, `the content of ${layer.path} is missing`);
        if (found.digest !== layer.digest || found.bytes !== layer.bytes) {
          throw damaged(
            entry.name,
            `${layer.path} has ${found.bytes === layer.bytes ? found.digest : `${found.bytes} bytes or more`}, but ${layer.digest} (${layer.bytes} bytes) was stored`,
          );
        }
        staged.push({ from, to: await insidePath(folder, layer.path, `a stored output of ${entry.name}`) });
      }
      for (const { from, to } of staged) {
        await mkdir(path.dirname(to), { recursive: true });
        await rename(from, to);
      }
    } catch (error) {
      if (!existed) await rmdir(folder).catch(() => {});
      throw error;
    }
  }

  return {
    description: backend.description,

    async findRun(runKey) {
      const found = await findRunEntry(runTag(runKey), runKey);
      return found === null ? null : { run: found.run };
    },

    async saveRun({ run, files }) {
      const tag = runTag(run.runKey);
      const document = formatDocument('run', run);
      const prepared = await prepareEntry('run', document, files);
      const difference = firstDifference(run.outputs, prepared.layers);
      if (difference !== null) {
        throw new ConfigurationError(`The run of ${run.runKey} can't be stored: ${difference}.`);
      }
      const present = await findRunEntry(tag, run.runKey);
      if (present !== null && sameResult(present.run.outputs, run.outputs)) return 'present';
      if (present === null && (await addEntry('run', tag, document, files))) return 'stored';
      const winner = await findRunEntry(tag, run.runKey);
      if (winner !== null && sameResult(winner.run.outputs, run.outputs)) return 'present';
      await addEntry('run', `${tag}.${resultDigest(run.outputs).slice(0, 8)}`, document, files);
      return 'other-result';
    },

    async otherResults(runKey) {
      return backend.listTags(`${runTag(runKey)}.`);
    },

    async restoreRun(runKey, folder) {
      const found = await findRunEntry(runTag(runKey), runKey);
      if (found === null) {
        throw new ConfigurationError(`${runKey} is not in the ${backend.description}.`, {
          hint: 'Train it: `passloop train run`.',
        });
      }
      await restore(found.entry, folder);
      return found.run;
    },

    async findImage(imageKey) {
      const entry = await readEntry('image', imageTag(imageKey));
      if (entry === null) return null;
      const image = await readDocument('image', entry);
      if (image.imageKey !== imageKey) throw damaged(entry.name, `its document is of ${image.imageKey}`);
      return image;
    },

    async saveImage(image) {
      const tag = imageTag(image.imageKey);
      const document = formatDocument('image', image);
      const present = await this.findImage(image.imageKey);
      if (present === null && (await addEntry('image', tag, document, []))) return 'stored';
      const winner = present ?? (await this.findImage(image.imageKey));
      if (winner === null) throw damaged(tag, 'it vanished while it was written');
      if (winner.digest === null && image.digest !== null && winner.imageId === image.imageId) {
        await replaceEntry('image', tag, document, []);
        return 'stored';
      }
      if (winner.imageId === image.imageId && (image.digest === null || winner.digest === image.digest))
        return 'present';
      const id = (image.digest ?? image.imageId).slice('sha256:'.length);
      await addEntry('image', `${tag}.${id.slice(0, 8)}`, document, []);
      return 'other-result';
    },

    async readPointer(model, environment) {
      const entry = await readEntry('pointer', pointerTag(model, environment));
      if (entry === null) return null;
      const pointer = await readDocument('pointer', entry);
      if (pointer.model !== model || pointer.environment !== environment) {
        throw damaged(entry.name, `its document is of ${pointer.model} in ${pointer.environment}`);
      }
      return pointer;
    },

    async writePointer(pointer, predictions) {
      const document = formatDocument('pointer', pointer);
      const files = predictions === null ? [] : [predictions];
      await replaceEntry('pointer', pointerTag(pointer.model, pointer.environment), document, files);
    },

    async restorePredictions(model, environment, folder) {
      const entry = await readEntry('pointer', pointerTag(model, environment));
      const layer = entry?.layers[0];
      if (entry === null || layer === undefined) return null;
      if (entry.layers.length > 1)
        throw damaged(entry.name, `it holds ${entry.layers.length} files; one of predictions is expected`);
      await restore(entry, folder);
      return { file: path.join(folder, ...layer.path.split('/')) };
    },

    async findReport(inputs) {
      const entry = await readEntry('report', reportTag(inputs));
      return entry === null ? null : readDocument('data-report', entry);
    },

    async saveReport(inputs, report) {
      return (await addEntry('report', reportTag(inputs), formatDocument('data-report', report), []))
        ? 'stored'
        : 'present';
    },

    handOverKey: readHandOverKey,

    async createHandOverKey() {
      const present = await readHandOverKey();
      if (present !== null) return present;
      await addEntry('hand-over-key', handOverTag, `${JSON.stringify(await newHandOverKey(), null, 2)}\n`, []);
      // Another job may have been first: what the store says now is what everybody uses.
      const key = await readHandOverKey();
      if (key === null) throw damaged(handOverTag, 'it vanished while it was written');
      return key;
    },

    async findProof(key) {
      const found = await findProofEntry(key);
      return found === null ? null : proofOf(found.proof);
    },

    async saveProof(key, proof, predictions) {
      const document: StoredProof = {
        schema: 'passloop/stored-proof/v1',
        evaluation: key.evaluation,
        image: proof.image,
        scan: proof.scan,
        probe: proof.probe,
      };
      const text = `${JSON.stringify(document, null, 2)}\n`;
      const tag = proofTag(key);
      const checked = parseStoredProof(text, key);
      if (tag === null || typeof checked === 'string') {
        throw new ConfigurationError(
          `The proof of ${proof.image.imageKey} can't be stored: ${typeof checked === 'string' ? checked : 'its key is none'}.`,
        );
      }
      if ((await findProofEntry(key)) !== null) return 'present';
      return (await addEntry('proof', tag, text, [predictions])) ? 'stored' : 'present';
    },

    async restoreProof(key, folder) {
      const found = await findProofEntry(key);
      const layer = found?.entry.layers[0];
      if (found === null || layer === undefined) return null;
      await restore(found.entry, folder);
      return { ...proofOf(found.proof), predictions: path.join(folder, ...layer.path.split('/')) };
    },
  };
}

function proofOf({ image, scan, probe }: StoredProof) {
  return { image, scan, probe };
}

/** sha256 (hex) of what a run made, whoever made it and when: the identity of a result under its key. */
function resultDigest(outputs: readonly FileDigest[]): string {
  return sha256Hex(canonicalJson(sortedOutputs(outputs)));
}

function sameResult(left: readonly FileDigest[], right: readonly FileDigest[]): boolean {
  return resultDigest(left) === resultDigest(right);
}

function sortedOutputs(outputs: readonly FileDigest[]): [string, string][] {
  return outputs
    .map((output): [string, string] => [output.path, output.digest])
    .sort(([left], [right]) => (left < right ? -1 : left > right ? 1 : 0));
}

/** Null where document and files name the same outputs. */
function firstDifference(
  outputs: readonly FileDigest[],
  layers: readonly { path: string; digest: Digest; bytes: number }[],
): string | null {
  const files = new Map(layers.map((layer) => [layer.path, layer]));
  for (const output of outputs) {
    const file = files.get(output.path);
    if (file === undefined) return `the output ${output.path} has no file`;
    if (file.digest !== output.digest || file.bytes !== output.bytes) {
      return `the output ${output.path} is ${output.digest} (${output.bytes} bytes) in the document, but the file is ${file.digest} (${file.bytes} bytes)`;
    }
    files.delete(output.path);
  }
  const [extra] = files.keys();
  return extra === undefined ? null : `${extra} is in no document`;
}

async function exists(folder: string): Promise<boolean> {
  try {
    await stat(folder);
    return true;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}
