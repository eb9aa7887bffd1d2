import { createHmac } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { canonicalJson, type Digest, fileDigest, PassloopError, sha256 } from '@passloop/core';
import {
  type DocumentKind,
  type DocumentOf,
  type ProofDocument,
  parseDocument,
  readDocument,
  writeDocument,
} from '@passloop/documents';

/** The documents of a proof, as another job takes them: `proof.json` names each of the others by digest. */
export type ProofFolder = {
  folder: string;
  write<K extends DocumentKind>(kind: K, document: DocumentOf<K>, name?: string): Promise<string>;
  /** Writes `proof.json`, which closes the proof. */
  close(proof: Omit<ProofDocument, 'schema' | 'files' | 'seal'>, key: string | null): Promise<ProofDocument>;
};

export function proofFolder(folder: string): ProofFolder {
  const files: ProofDocument['files'] = [];
  return {
    folder,
    async write(kind, document, name) {
      const file = `${kind}${name === undefined ? '' : `-${name}`}.json`;
      const target = path.join(folder, file);
      await writeDocument(kind, target, document);
      files.push({ path: file, digest: await fileDigest(target), bytes: (await readFile(target)).byteLength });
      return target;
    },
    async close(about, key) {
      const proof = { schema: 'passloop/proof/v1' as const, ...about, files, seal: null };
      const sealed = { ...proof, seal: key === null ? null : sealOf(key, proof) };
      await writeDocument('proof', path.join(folder, 'proof.json'), sealed);
      return sealed;
    },
  };
}

/**
 * The seal of a proof: HMAC-SHA256 over its RFC 8785 JSON, under a key that only readers of the store have.
 * @param key the private half of the store's hand-over key
 */
export function sealOf(key: string, proof: Omit<ProofDocument, 'seal'> & { seal?: unknown }): string {
  const { seal: _seal, ...sealed } = proof;
  const purpose = createHmac('sha256', key).update('passloop/proof/v1').digest();
  return `hmac-sha256:${createHmac('sha256', purpose).update(canonicalJson(sealed)).digest('hex')}`;
}

/** A proof's documents, each with the digest that `proof.json` names. */
export type ReadProof = {
  proof: ProofDocument;
  /** @throws PassloopError where the proof has none of that name, or it is no such document */
  read<K extends DocumentKind>(kind: K, name?: string): Promise<DocumentOf<K>>;
};

/** @throws ConfigurationError where there is no `proof.json`, or it is none */
export async function openProof(folder: string): Promise<ReadProof> {
  const proof = await readDocument('proof', path.join(folder, 'proof.json'));
  return {
    proof,
    async read(kind, name) {
      const file = `${kind}${name === undefined ? '' : `-${name}`}.json`;
      const listed = proof.files.find((one) => one.path === file);
      if (listed === undefined) throw new PassloopError('configuration', `it has no ${file}`);
      const text = await readFile(path.join(folder, file), 'utf8').catch(() => {
        throw new PassloopError('configuration', `${file} is missing`);
      });
      const digest: Digest = sha256(text);
      if (digest !== listed.digest) throw new PassloopError('configuration', `${file} is not the file that was proven`);
      return parseDocument(kind, text, file);
    },
  };
}
