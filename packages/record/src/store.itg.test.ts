import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ConfigurationError, fileDigest, InfrastructureError, runOrThrow, sha256Hex } from '@passloop/core';
import type { DataReport } from '@passloop/documents';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startRegistry, type TestRegistry } from '../../../test/fixtures/registry.ts';
import { openDirectoryStore } from './directory-store.ts';
import { createImage, createPointer, createResult, createRun, hex } from './fixtures/documents.ts';
import { openRegistry } from './oci-registry.ts';
import { openOciStore } from './oci-store.ts';
import type { Store } from './store.ts';

let folder: string;
let registry: TestRegistry;
let count = 0;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'passloop-store-'));
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

type Opened = { store: Store; again(): Store; blob(digest: string): string; where: string };

function openDirectory(): Opened {
  const where = fresh();
  return {
    where,
    store: openDirectoryStore(where),
    again: () => openDirectoryStore(where),
    blob(digest) {
      const id = digest.slice('sha256:'.length);
      return path.join(where, 'blobs/sha256', id.slice(0, 2), id);
    },
  };
}

function openOci(): Opened {
  count += 1;
  const where = `${registry.address}/acme/flight-runs-${count}`;
  const open = () => openOciStore({ repository: where, credentials: null, retryDelaysMs: [20, 100, 400] });
  return {
    where,
    store: open(),
    again: open,
    blob(digest) {
      const id = digest.slice('sha256:'.length);
      return path.join(registry.storage, 'docker/registry/v2/blobs/sha256', id.slice(0, 2), id, 'data');
    },
  };
}

async function filesBelow(where: string): Promise<string[]> {
  const names = await readdir(where, { recursive: true }).catch(() => []);
  const files: string[] = [];
  for (const name of names) if ((await stat(path.join(where, name))).isFile()) files.push(name);
  return files.sort();
}

describe.each([
  ['directory', openDirectory],
  ['registry', openOci],
])('a store in a %s', (_kind, open) => {
  it('knows nothing that was not saved', async () => {
    const { store } = open();
    expect(await store.findRun(`rk1-${hex('0')}`)).toBeNull();
    expect(await store.findImage(`ik1-${hex('0')}`)).toBeNull();
    expect(await store.readPointer('flight-delay', 'prod')).toBeNull();
    expect(await store.restorePredictions('flight-delay', 'prod', fresh())).toBeNull();
    expect(await store.otherResults(`rk1-${hex('0')}`)).toEqual([]);
    await expect(store.restoreRun(`rk1-${hex('0')}`, fresh())).rejects.toThrow(/is not in the/);
  });

  it('gives a run back as it was saved, and its outputs byte by byte', async () => {
    const { store, again } = open();
    const model = randomBytes(300_000);
    const { run, files } = await createResult(fresh(), {
      'out/model.joblib': model,
      'out/metrics.json': '{"roc_auc": 0.75}\n',
      'out/copy.json': '{"roc_auc": 0.75}\n',
    });

    expect(await store.saveRun({ run, files })).toBe('stored');
    expect(await store.saveRun({ run, files })).toBe('present');
    const target = fresh();
    const restored = await again().restoreRun(run.runKey, target);

    expect(restored).toEqual(run);
    expect(await again().findRun(run.runKey)).toEqual({ run });
    expect(await filesBelow(target)).toEqual(['out/copy.json', 'out/metrics.json', 'out/model.joblib']);
    expect(await fileDigest(path.join(target, 'out/model.joblib'))).toBe(`sha256:${sha256Hex(model)}`);
  });

  it('restores over what lies there, and leaves other files alone', async () => {
    const { store } = open();
    const { run, files } = await createResult(fresh(), { 'out/model.joblib': 'the model' });
    await store.saveRun({ run, files });
    const target = fresh();
    await mkdir(path.join(target, 'out'), { recursive: true });
    await writeFile(path.join(target, 'out/model.joblib'), 'an older one, and longer');
    await writeFile(path.join(target, 'out/notes.txt'), 'mine');

    await store.restoreRun(run.runKey, target);

    expect(await readFile(path.join(target, 'out/model.joblib'), 'utf8')).toBe('the model');
    expect(await readFile(path.join(target, 'out/notes.txt'), 'utf8')).toBe('mine');
  });

  it('keeps the first result of a key; a second one is evidence beside it', async () => {
    const { store } = open();
    const first = await createResult(fresh(), { 'out/model.joblib': 'one' });
    const second = await createResult(fresh(), { 'out/model.joblib': 'two' });
    await store.saveRun(first);

    expect(await store.saveRun(second)).toBe('other-result');
    expect(await store.saveRun(second)).toBe('other-result');

    expect((await store.findRun(first.run.runKey))?.run.outputs).toEqual(first.run.outputs);
    const others = await store.otherResults(first.run.runKey);
    expect(others).toHaveLength(1);
    expect(others[0]).toMatch(/^rk1-5{64}\.[0-9a-f]{8}$/);
  });

  it('says `present` for the same result of another machine and time', async () => {
    const { store } = open();
    const { run, files } = await createResult(fresh(), { 'out/model.joblib': 'one' });
    await store.saveRun({ run, files });
    const later = { ...run, finishedAt: '2027-01-01T00:00:00Z', machine: { ...run.machine, cpu: 'another' } };
    expect(await store.saveRun({ run: later, files })).toBe('present');
    expect((await store.findRun(run.runKey))?.run.finishedAt).toBe(run.finishedAt);
  });

  it('refuses files that are not what the document says', async () => {
    const { store } = open();
    const { run, files } = await createResult(fresh(), { 'out/model.joblib': 'one' });
    await writeFile(files[0]!.file, 'two');
    await expect(store.saveRun({ run, files })).rejects.toThrow(/the output out\/model\.joblib is sha256:/);
    await expect(store.saveRun({ run, files: [] })).rejects.toThrow(/out\/model\.joblib has no file/);
    expect(await store.findRun(run.runKey)).toBeNull();
  });

  it('takes nothing that another disk could not hold', async () => {
    const { store } = open();
    const { run, files } = await createResult(fresh(), { 'out/Model.joblib': 'one', 'out/model.joblib': 'two' });
    await expect(store.saveRun({ run, files })).rejects.toThrow(
      /The run can't be stored: "out\/model\.joblib" is in it twice\./,
    );
    expect(await store.findRun(run.runKey)).toBeNull();
  });

  it('finds one flipped byte, names entry and file, and writes nothing', async () => {
    const { store, again, blob } = open();
    const { run, files } = await createResult(fresh(), {
      'a/metrics.json': '{}',
      'out/model.joblib': randomBytes(2000),
    });
    await store.saveRun({ run, files });
    const stored = blob(run.outputs[1]!.digest);
    const bytes = await readFile(stored);
    bytes[1000] = bytes[1000]! ^ 1;
    await writeFile(stored, bytes);
    const target = fresh();

    const failure = await again()
      .restoreRun(run.runKey, target)
      .catch((error: unknown) => error);

    expect(failure).toBeInstanceOf(InfrastructureError);
    expect((failure as InfrastructureError).exitCode).toBe(3);
    expect((failure as InfrastructureError).message).toMatch(
      new RegExp(
        `^The store entry ${run.runKey} is damaged: out/model\\.joblib has sha256:[0-9a-f]{64}, but ${run.outputs[1]!.digest}`,
      ),
    );
    expect(await filesBelow(target)).toEqual([]);
    await expect(stat(target)).rejects.toThrow(/ENOENT/);
  });

  it('finds a truncated, a longer and a missing output', async () => {
    const { store, again, blob } = open();
    const { run, files } = await createResult(fresh(), { 'out/model.joblib': 'x'.repeat(5000) });
    await store.saveRun({ run, files });
    const stored = blob(run.outputs[0]!.digest);
    for (const content of ['x'.repeat(4000), 'x'.repeat(9000)]) {
      await writeFile(stored, content);
      await expect(again().restoreRun(run.runKey, fresh())).rejects.toThrow(/damaged|did not answer|fell silent/);
    }
    await rm(stored);
    await expect(again().restoreRun(run.runKey, fresh())).rejects.toThrow(
      /damaged: the content of out\/model\.joblib is missing/,
    );
  });

  it('never writes through a link that leads out of the folder', async () => {
    const { store } = open();
    const { run, files } = await createResult(fresh(), { 'out/model.joblib': 'one' });
    await store.saveRun({ run, files });
    const target = fresh();
    const outside = fresh();
    await mkdir(target, { recursive: true });
    await mkdir(outside, { recursive: true });
    await symlink(outside, path.join(target, 'out'));

    await expect(store.restoreRun(run.runKey, target)).rejects.toThrow(/not a path inside/);

    expect(await filesBelow(outside)).toEqual([]);
  });

  it('keeps one result when many write at once', async () => {
    const { store, again } = open();
    const { run, files } = await createResult(fresh(), { 'out/model.joblib': randomBytes(50_000) });
    const saved = await Promise.all(Array.from({ length: 6 }, () => again().saveRun({ run, files })));
    expect(saved.filter((answer) => answer === 'other-result')).toEqual([]);
    expect(saved).toContain('stored');
    expect(await store.otherResults(run.runKey)).toEqual([]);
    await store.restoreRun(run.runKey, fresh());
  });

  it('keeps images by key: the first build wins, a push completes it', async () => {
    const { store, again } = open();
    const built = createImage();
    const pushed = createImage({ digest: `sha256:${hex('8')}`, reference: `ghcr.io/acme/flight@sha256:${hex('8')}` });
    expect(await store.saveImage(built)).toBe('stored');
    expect(await store.saveImage(built)).toBe('present');
    expect(await store.saveImage(pushed)).toBe('stored');
    expect(await again().findImage(built.imageKey)).toEqual(pushed);
    expect(await store.saveImage(built)).toBe('present');
    expect(await store.saveImage(createImage({ imageId: `sha256:${hex('9')}` }))).toBe('other-result');
    expect(await again().findImage(built.imageKey)).toEqual(pushed);
  });

  it('points to what production is, per model and environment, with its predictions', async () => {
    const { store, again } = open();
    const predictions = path.join(folder, `predictions-${count}.csv`);
    await writeFile(predictions, 'id,score\n1,0.5\n');
    const older = createPointer();
    const newer = createPointer({ modelDigest: `sha256:${hex('9')}`, at: '2026-11-23T09:00:00Z' });
    const staging = createPointer({ environment: 'staging' });
    await store.writePointer(older, { path: 'predictions.csv', file: predictions });
    await store.writePointer(staging, null);
    await writeFile(predictions, 'id,score\n1,0.75\n');
    await store.writePointer(newer, { path: 'predictions.csv', file: predictions });

    expect(await again().readPointer('flight-delay', 'prod')).toEqual(newer);
    expect(await again().readPointer('flight-delay', 'staging')).toEqual(staging);
    expect(await again().readPointer('other', 'prod')).toBeNull();
    expect(await again().restorePredictions('flight-delay', 'staging', fresh())).toBeNull();
    const restored = await again().restorePredictions('flight-delay', 'prod', fresh());
    expect(await readFile(restored!.file, 'utf8')).toBe('id,score\n1,0.75\n');
  });

  it('keeps a data report by the digest of its inputs', async () => {
    const { store } = open();
    const report: DataReport = JSON.parse(
      await readFile(new URL('../../documents/fixtures/v1/data-report.json', import.meta.url), 'utf8'),
    );
    expect(await store.findReport(`sha256:${hex('1')}`)).toBeNull();
    expect(await store.saveReport(`sha256:${hex('1')}`, report)).toBe('stored');
    expect(await store.saveReport(`sha256:${hex('1')}`, report)).toBe('present');
    expect(await store.findReport(`sha256:${hex('1')}`)).toEqual(report);
  });

  it.each(['../../etc/passwd', `rk1-${hex('g')}`, '', `rk1-${hex('5')}/..`])('refuses %j as a key', async (key) => {
    const { store } = open();
    await expect(store.findRun(key)).rejects.toThrow(ConfigurationError);
    await expect(store.findImage(key)).rejects.toThrow(ConfigurationError);
    await expect(store.readPointer(key, 'prod')).rejects.toThrow(ConfigurationError);
    await expect(store.findReport(key)).rejects.toThrow(ConfigurationError);
  });
});

/** Saves in a process of its own, which may write no file of more than `blocks` KiB: what a full disk does, without one. */
async function saveApart(where: string, letter: string, blocks = 'unlimited'): Promise<Buffer> {
  const result = await createResult(fresh(), { 'out/model.joblib': letter.repeat(300_000) });
  const script = `
    import { openDirectoryStore } from ${source('./directory-store.ts')};
    const result = ${JSON.stringify(result)};
    await new Promise((resolve) => setTimeout(resolve, 700 - (performance.timeOrigin + performance.now()) % 700));
    try {
      console.log(await openDirectoryStore(${JSON.stringify(where)}).saveRun(result));
    } catch (error) {
      console.log(error.name, error.exitCode, error.message);
    }
  `;
  const shell = `trap '' XFSZ; ulimit -f ${blocks}; exec "$0" --input-type=module -e "$1"`;
  return runOrThrow({ argv: ['bash', '-c', shell, process.execPath, script], env: { PATH: process.env.PATH ?? '' } });
}
function source(name: string): string {
  return JSON.stringify(new URL(name, import.meta.url).href);
}

it('a store without room for an output says so and holds no half entry', async () => {
  const { store, where } = openDirectory();
  const run = createRun();
  const full = (await saveApart(where, 'a', '64')).toString();
  expect(full).toMatch(/^InfrastructureError 3 The disk has no room for a file/);
  expect((await filesBelow(where)).filter((file) => /tmp|tags/.test(file))).toEqual([]);
  expect(await store.findRun(run.runKey)).toBeNull();
  expect((await saveApart(where, 'a')).toString()).toBe('stored\n');
  await store.restoreRun(run.runKey, fresh());
});

it('of processes that race with different results, one wins, and every one is told the truth', async () => {
  const { store, where } = openDirectory();
  const saved = await Promise.all(['a', 'b', 'c', 'd'].map((letter) => saveApart(where, letter)));
  expect(saved.map((answer) => answer.toString().trim()).sort()).toEqual([
    'other-result',
    'other-result',
    'other-result',
    'stored',
  ]);
  const target = fresh();
  const run = await store.restoreRun(createRun().runKey, target);
  const winner = 'abcd'[saved.findIndex((answer) => answer.toString().trim() === 'stored')] as string;
  expect(await readFile(path.join(target, 'out/model.joblib'), 'utf8')).toBe(winner.repeat(300_000));
  expect(await store.otherResults(run.runKey)).toHaveLength(3);
});

it('what a killed writer left behind is no entry, and is written over', async () => {
  const { store, where, blob } = openDirectory();
  const { run, files } = await createResult(fresh(), { 'out/model.joblib': 'x'.repeat(5000) });
  const half = blob(run.outputs[0]!.digest);
  await mkdir(path.dirname(half), { recursive: true });
  await writeFile(half, 'x'.repeat(1234));
  await writeFile(`${half}.1-abcd.tmp`, 'x');
  await mkdir(path.join(where, 'tags'));
  await writeFile(path.join(where, 'tags', `${run.runKey}.json.1-abcd.tmp`), '{"schemaVersion"');

  expect(await store.findRun(run.runKey)).toBeNull();
  expect(await store.otherResults(run.runKey)).toEqual([]);
  expect(await store.saveRun({ run, files })).toBe('stored');
  await store.restoreRun(run.runKey, fresh());
});

it('a store in a repository is not committed by `git add --all`', async () => {
  const { store, where } = openDirectory();
  await store.saveRun(await createResult(fresh(), { 'out/predictions.csv': 'id,label\n' }));
  expect(await readFile(path.join(where, '.gitignore'), 'utf8')).toBe('*\n');
});

describe('an entry that somebody else wrote', () => {
  const run = createRun();
  const manifestType = 'application/vnd.oci.image.manifest.v1+json';

  function manifest(layers: unknown[], document: string, artifactType = 'application/vnd.passloop.run.v1'): string {
    return JSON.stringify({
      schemaVersion: 2,
      mediaType: manifestType,
      artifactType,
      config: {
        mediaType: `${artifactType}+json`,
        digest: `sha256:${sha256Hex(document)}`,
        size: Buffer.byteLength(document),
      },
      layers,
    });
  }
  function layer(title: string, content = 'x') {
    return {
      mediaType: 'application/octet-stream',
      digest: `sha256:${sha256Hex(content)}`,
      size: content.length,
      annotations: { 'org.opencontainers.image.title': title },
    };
  }
  const good = JSON.stringify(run);
  const cases: [string, string, RegExp][] = [
    ['climbs out', manifest([layer('../../.ssh/authorized_keys')], good), /is not a path inside a folder/],
    ['is absolute', manifest([layer('/etc/cron.d/x')], good), /is not a path inside a folder/],
    ['hides a dot', manifest([layer('out/./../../x')], good), /is not a path inside a folder/],
    ['has no name', manifest([layer('')], good), /is not a path inside a folder/],
    ['has a name twice', manifest([layer('a'), layer('a', 'y')], good), /"a" is in it twice/],
    ['has a file that is a folder', manifest([layer('a/b'), layer('a')], good), /"a" is both file and folder/],
    [
      'is of another kind',
      manifest([], good, 'application/vnd.passloop.image.v1'),
      /not a application\/vnd\.passloop\.run/,
    ],
    ['is no JSON', '{"schemaVersion": 2', /its manifest is not JSON/],
    ['is a list', '[]', /its manifest is no artifact manifest/],
    [
      'has a document of another key',
      manifest([], JSON.stringify({ ...run, runKey: `rk1-${hex('9')}` })),
      /its document is of rk1-9/,
    ],
    [
      'has a document of another version',
      manifest([], JSON.stringify({ ...run, schema: 'passloop/run/v9' })),
      /expected passloop\/run\/v1/,
    ],
    ['has a document that is none', manifest([], 'root:x:0:0'), /is not JSON/],
    ['has files that its document does not name', manifest([layer('a')], good), /a is in no document/],
  ];

  it.each(cases)('is refused when it %s', async (_title, text, message) => {
    const { store, where } = openDirectory();
    await mkdir(path.join(where, 'tags'), { recursive: true });
    await writeFile(path.join(where, 'tags', `${run.runKey}.json`), text);
    for (const content of [good, 'root:x:0:0', 'x', 'y', ...documentsOf(text)]) {
      const id = sha256Hex(content);
      await mkdir(path.join(where, 'blobs/sha256', id.slice(0, 2)), { recursive: true });
      await writeFile(path.join(where, 'blobs/sha256', id.slice(0, 2), id), content);
    }
    const target = fresh();

    const failure = await store.restoreRun(run.runKey, target).catch((error: unknown) => error);

    expect(failure).toBeInstanceOf(InfrastructureError);
    expect((failure as Error).message).toMatch(message);
    expect((failure as Error).message).toContain(run.runKey);
    expect(await filesBelow(target)).toEqual([]);
  });

  /** The documents of the cases above, so that their blobs are there. */
  function documentsOf(text: string): string[] {
    return [
      JSON.stringify({ ...run, runKey: `rk1-${hex('9')}` }),
      JSON.stringify({ ...run, schema: 'passloop/run/v9' }),
    ].filter((document) => text.includes(sha256Hex(document)));
  }

  it('is refused in a registry too', async () => {
    const { store, where } = openOci();
    const repository = openRegistry({ repository: where, credentials: null });
    await repository.pushBlob(`sha256:${sha256Hex(good)}`, { text: good });
    await repository.pushBlob(`sha256:${sha256Hex('x')}`, { text: 'x' });
    await repository.pushManifest(run.runKey, manifestType, manifest([layer('../x')], good));
    await expect(store.findRun(run.runKey)).rejects.toThrow(/"\.\.\/x" is not a path inside a folder/);
  });

  it('is refused where a link stands in for a file', async () => {
    const { store, where, blob } = openDirectory();
    const result = await createResult(fresh(), { 'out/model.joblib': 'one' });
    await store.saveRun(result);
    const outside = fresh();
    await writeFile(outside, 'one');
    const stored = blob(result.run.outputs[0]!.digest);
    await rm(stored);
    await symlink(outside, stored);
    await expect(store.restoreRun(result.run.runKey, fresh())).rejects.toThrow(
      /the content of out\/model\.joblib is missing/,
    );
    await rm(path.join(where, 'tags', `${result.run.runKey}.json`));
    await symlink('/etc/passwd', path.join(where, 'tags', `${result.run.runKey}.json`));
    await expect(store.findRun(result.run.runKey)).rejects.toThrow(/is damaged: it is a symbolic link/);
  });
});
