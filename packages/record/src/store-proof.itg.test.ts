import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ConfigurationError, InfrastructureError, sha256, sha256Hex } from '@passloop/core';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startRegistry, type TestRegistry } from '../../../test/fixtures/registry.ts';
import { openDirectoryStore } from './directory-store.ts';
import { createImage, hex } from './fixtures/documents.ts';
import { openRegistry } from './oci-registry.ts';
import { openOciStore } from './oci-store.ts';
import type { ImageProof, Store } from './store.ts';
import { type ProofKey, proofTag } from './stored-proof.ts';

/** Hand-over key and proofs, in both stores. */
let folder: string;
let registry: TestRegistry;
let count = 0;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'passloop-proofs-'));
  registry = await startRegistry();
});
afterAll(async () => {
  await registry[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

function fresh(): string {
  count += 1;
  return path.join(folder, String(count));
}

type Opened = {
  store: Store;
  again(): Store;
  blob(digest: string): string;
  writeTag(tag: string, text: string): Promise<void>;
};

function openDirectory(): Opened {
  const where = fresh();
  const blob = (digest: string) => {
    const id = digest.slice('sha256:'.length);
    return path.join(where, 'blobs/sha256', id.slice(0, 2), id);
  };
  return {
    store: openDirectoryStore(where),
    again: () => openDirectoryStore(where),
    blob,
    async writeTag(tag, manifest) {
      await mkdir(path.join(where, 'tags'), { recursive: true });
      await writeFile(path.join(where, 'tags', `${tag}.json`), manifest);
    },
  };
}

function openOci(): Opened {
  count += 1;
  const repository = `${registry.address}/acme/proofs-${count}`;
  const options = { repository, credentials: null, retryDelaysMs: [20, 100] };
  return {
    store: openOciStore(options),
    again: () => openOciStore(options),
    blob(digest) {
      const id = digest.slice('sha256:'.length);
      return path.join(registry.storage, 'docker/registry/v2/blobs/sha256', id.slice(0, 2), id, 'data');
    },
    async writeTag(tag, manifest) {
      await openRegistry(options).pushManifest(tag, 'application/vnd.oci.image.manifest.v1+json', manifest);
    },
  };
}

const image = createImage();
const key: ProofKey = { imageKey: image.imageKey, evaluation: `sha256:${hex('1')}` };
const proof: ImageProof = {
  image,
  scan: { schema: 'passloop/scan/v1', verdict: 'pass', files: [] },
  probe: {
    schema: 'passloop/probe/v1',
    target: image.imageId,
    verdict: 'pass',
    executed: 1,
    checks: [{ id: 'rest.infer', verdict: 'pass', detail: 'equal' }],
    readySeconds: '1.4',
    latency: { requests: 100, p50Ms: '1.8', p95Ms: '3.1' },
    predictions: { rows: 2, equal: 2, worst: '0', verdict: 'pass', detail: 'all equal' },
  },
};

async function predictions(content = 'id,score\n1,0.5\n'): Promise<{ path: string; file: string }> {
  const file = fresh();
  await writeFile(file, content);
  return { path: 'image-predictions.parquet', file };
}

async function failureOf(work: Promise<unknown>): Promise<Error> {
  const failure = await work.then(
    () => new Error('nothing was refused'),
    (error: Error) => error,
  );
  return failure;
}

describe.each([
  ['directory', openDirectory],
  ['registry', openOci],
])('a store in a %s', (_kind, open) => {
  it('has no key until one is made, and then that one for everybody', async () => {
    const { store, again } = open();
    expect(await store.handOverKey()).toBeNull();

    const made = await store.createHandOverKey();

    expect(made.identity).toMatch(/^AGE-SECRET-KEY-1/);
    expect(await identityToRecipient(made.identity)).toBe(made.recipient);
    expect(await again().handOverKey()).toEqual(made);
    expect(await again().createHandOverKey()).toEqual(made);
  });

  it('gives a proof back as it was saved, with the predictions byte by byte; the first one stays', async () => {
    const { store, again } = open();
    expect(await store.findProof(key)).toBeNull();
    expect(await store.restoreProof(key, fresh())).toBeNull();

    expect(await store.saveProof(key, proof, await predictions())).toBe('stored');
    expect(await store.saveProof(key, proof, await predictions('id,score\n1,0.9\n'))).toBe('present');

    expect(await again().findProof(key)).toEqual(proof);
    const restored = await again().restoreProof(key, fresh());
    expect(restored).toMatchObject(proof);
    expect(await readFile(restored?.predictions ?? '', 'utf8')).toBe('id,score\n1,0.5\n');
    expect(await again().findProof({ ...key, evaluation: `sha256:${hex('2')}` })).toBeNull();
    expect(await again().findProof({ ...key, imageKey: `ik1-${hex('7')}` })).toBeNull();
  });

  it('refuses a proof of another image, and keys that are none', async () => {
    const { store } = open();
    const other = { ...key, imageKey: `ik1-${hex('7')}` };
    await expect(store.saveProof(other, proof, await predictions())).rejects.toThrow(/its document is of ik1-6/);
    expect(await store.findProof(other)).toBeNull();
    for (const wrong of [
      { ...key, imageKey: '../../x' },
      { ...key, evaluation: 'sha256:x' },
    ]) {
      await expect(store.findProof(wrong)).rejects.toThrow(ConfigurationError);
      await expect(store.restoreProof(wrong, fresh())).rejects.toThrow(ConfigurationError);
      await expect(store.saveProof(wrong, proof, await predictions())).rejects.toThrow(ConfigurationError);
    }
  });

  it('finds one flipped byte in stored predictions, and writes nothing', async () => {
    const { store, again, blob } = open();
    const file = await predictions();
    await store.saveProof(key, proof, file);
    const stored = blob(sha256(await readFile(file.file)));
    await writeFile(stored, 'id,score\n1,0.6\n');
    const target = fresh();

    const failure = await failureOf(again().restoreProof(key, target));

    expect(failure).toBeInstanceOf(InfrastructureError);
    expect(failure.message).toMatch(
      /^The store entry pf1-[0-9a-f]{64} is damaged: image-predictions\.parquet has sha256:/,
    );
    await expect(readdir(target)).rejects.toThrow(/ENOENT/);
  });

  it('finds a key that was changed where it lies', async () => {
    const { store, again, blob } = open();
    await store.createHandOverKey();
    const text = `${JSON.stringify({ schema: 'passloop/hand-over-key/v1', ...(await store.handOverKey()) }, null, 2)}\n`;
    await writeFile(blob(sha256(text)), text.replace('age1', 'age2'));

    await expect(again().handOverKey()).rejects.toThrow(
      /^The store entry hand-over-key is damaged: its document is missing or was changed/,
    );
    await expect(again().createHandOverKey()).rejects.toThrow(/damaged/);
  });
});

it('of many writers in a folder one makes the key, and every one is given that', async () => {
  const { again } = openDirectory();
  const keys = await Promise.all(Array.from({ length: 8 }, () => again().createHandOverKey()));
  expect(new Set(keys.map((made) => made.identity)).size).toBe(1);
});

describe('an entry that somebody else wrote', () => {
  const manifestType = 'application/vnd.oci.image.manifest.v1+json';

  async function write(
    opened: Opened,
    tag: string,
    kind: string,
    document: string,
    layers: string[] = [],
  ): Promise<void> {
    const put = async (content: string) => {
      const file = opened.blob(sha256(content));
      await mkdir(path.dirname(file), { recursive: true });
      await writeFile(file, content);
    };
    await put(document);
    for (const layer of layers) await put(layer);
    const artifactType = `application/vnd.passloop.${kind}.v1`;
    await opened.writeTag(
      tag,
      JSON.stringify({
        schemaVersion: 2,
        mediaType: manifestType,
        artifactType,
        config: { mediaType: `${artifactType}+json`, digest: `sha256:${sha256Hex(document)}`, size: document.length },
        layers: layers.map((content, index) => ({
          mediaType: 'application/octet-stream',
          digest: sha256(content),
          size: content.length,
          annotations: { 'org.opencontainers.image.title': `p${index}` },
        })),
      }),
    );
  }

  it("refuses a key whose recipient is another's: what is encrypted to it would be his to read", async () => {
    const opened = openDirectory();
    const identity = await generateX25519Identity();
    const recipient = await identityToRecipient(await generateX25519Identity());
    const document = JSON.stringify({ schema: 'passloop/hand-over-key/v1', identity, recipient });
    await write(opened, 'hand-over-key', 'hand-over-key', document);
    await expect(opened.store.handOverKey()).rejects.toThrow(
      /hand-over-key is damaged: its document is no age identity with its recipient/,
    );
  });

  it.each([
    '[]',
    'root:x:0:0',
    '{"schema":"passloop/hand-over-key/v1","identity":"x","recipient":"age1x"}',
  ])('refuses %s as a key', async (document) => {
    const opened = openDirectory();
    await write(opened, 'hand-over-key', 'hand-over-key', document);
    await expect(opened.store.createHandOverKey()).rejects.toThrow(/hand-over-key is damaged/);
  });

  const document = { schema: 'passloop/stored-proof/v1', evaluation: key.evaluation, ...proof };
  it.each<[string, object, string[], RegExp]>([
    ['is of another image', { ...document, image: { ...image, imageKey: `ik1-${hex('9')}` } }, ['p'], /is of ik1-9/],
    ['is of other rows', { ...document, evaluation: `sha256:${hex('9')}` }, ['p'], /is of the evaluation sha256:9/],
    ['has no predictions', document, [], /it holds 0 files; one of predictions is expected/],
    ['has predictions twice', document, ['p', 'q'], /it holds 2 files/],
    ['has no probe', { ...document, probe: null }, ['p'], /its document is no proof \(probe\)/],
    ['is of another version', { ...document, schema: 'passloop/stored-proof/v9' }, ['p'], /is no proof \(schema\)/],
  ])('refuses a proof that %s', async (_title, entry, layers, message) => {
    const opened = openDirectory();
    await write(opened, proofTag(key) ?? '', 'proof', JSON.stringify(entry), layers);
    const failure = await failureOf(opened.store.restoreProof(key, fresh()));
    expect(failure).toBeInstanceOf(InfrastructureError);
    expect(failure.message).toMatch(message);
    await expect(opened.store.findProof(key)).rejects.toThrow(message);
  });

  it('refuses a run under the tag of a proof', async () => {
    const opened = openDirectory();
    await write(opened, proofTag(key) ?? '', 'run', JSON.stringify(document), ['p']);
    await expect(opened.store.findProof(key)).rejects.toThrow(/not a application\/vnd\.passloop\.proof\.v1/);
  });
});
