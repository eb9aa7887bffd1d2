import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { InfrastructureError, runOrThrow, silentProgress, type TemporaryFolder, temporaryFolder } from '@passloop/core';
import { formatDocument, type ImageDocument, type ScanDocument } from '@passloop/documents';
import { formatRequirements, type Package, parseRequirements, parseSignature, type Signature } from '@passloop/model';
import { openTables } from '@passloop/tables';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BuildPorts, buildImage, engineTag } from './build.ts';
import { type Engine, openEngine } from './engine.ts';
import { inspectImage } from './image-facts.ts';
import { grpcClient } from './oip-grpc.ts';
import { probeImage, probeServer } from './probe.ts';
import { findManifest, pushImage } from './push.ts';
import { withLogin } from './registry-login.ts';
import { pythonEnvironment } from './runtime/python-environment.ts';
import { type Runtime, readRuntime } from './runtime-files.ts';
import { scanModelFile } from './scan/index.ts';
import { scoreByImage } from './scoring.ts';
import { timeSideBySide } from './side-by-side.ts';
import { compareSkew } from './skew.ts';
import { startServing } from './start.ts';
import { readTableColumns, writePredictions } from './table-columns.ts';
import type { Column, Value } from './tensor.ts';
import { pushBase, testEngine, testWheels } from './testing/images.ts';
import { type LocalRegistry, startRegistry } from './testing/registry.ts';

/** One base, one dependency layer, one honest image for all; what differs is the model's own layer. */
let folder: TemporaryFolder;
let registry: LocalRegistry;
let engine: Engine;
let runtime: Runtime;
let base: string;
let signature: Signature;
let rows: Column[];
let predictions: Column[];
let image: ImageDocument;
const built = new Set<string>();

const signatureText = JSON.stringify({
  inputs: [
    { name: 'distance', datatype: 'FP64' },
    { name: 'departed', datatype: 'INT64' },
    { name: 'origin', datatype: 'BYTES' },
  ],
  outputs: [
    { name: 'score', datatype: 'FP64' },
    { name: 'late_hat', datatype: 'INT64' },
  ],
  positive: 1,
});

function section(changes: Partial<Package> = {}): Package {
  return {
    model: 'honest.joblib',
    requirements: 'serve.lock',
    signature: 'signature.json',
    base,
    repository: `${registry.host}/acme/late`,
    platforms: ['linux/amd64'],
    allow: [],
    ...changes,
  };
}

async function scan(file: string, allow: readonly string[]): Promise<ScanDocument> {
  const scanned = await scanModelFile(file, { allow });
  return { schema: 'passloop/scan/v1', verdict: scanned.verdict, files: [scanned] };
}

async function unreachable(): Promise<never> {
  throw new InfrastructureError('nothing should be fetched');
}

function ports(changes: Partial<BuildPorts> = {}): BuildPorts {
  return { engine, wheels: testWheels(), scan, progress: silentProgress, ...changes };
}

async function build(changes: Partial<Package> = {}, with_: Partial<BuildPorts> = {}): Promise<ImageDocument> {
  const result = await buildImage(
    { model: 'late', package: section(changes), root: folder.path, runtime },
    ports(with_),
  );
  if (result.image === null) throw new Error(`refused: ${JSON.stringify(result.scan)}`);
  built.add(result.image.imageId);
  return result.image;
}

beforeAll(async () => {
  [folder, registry, engine, runtime] = await Promise.all([
    temporaryFolder('package'),
    startRegistry(),
    testEngine(),
    readRuntime(),
  ]);
  const python = await pythonEnvironment();
  const train = fileURLToPath(new URL('./testing/train.py', import.meta.url));
  const env = { PATH: process.env.PATH ?? '', PYTHONDONTWRITEBYTECODE: '1' };
  await runOrThrow({ argv: [python, train, folder.path], env, timeoutMs: 120_000 });

  const lock = fileURLToPath(new URL('./runtime/requirements-test.lock', import.meta.url));
  const served = /^(numpy|scipy|scikit-learn|joblib|cloudpickle|threadpoolctl)$/;
  const requirements = parseRequirements(await readFile(lock, 'utf8'), lock).filter(({ name }) => served.test(name));
  await writeFile(path.join(folder.path, 'serve.lock'), formatRequirements(requirements));
  await writeFile(path.join(folder.path, 'signature.json'), signatureText);
  signature = parseSignature(signatureText, 'signature.json');

  const stored = JSON.parse(await readFile(path.join(folder.path, 'rows.json'), 'utf8')) as {
    rows: Record<string, Value[]>;
    predictions: Record<string, Value[]>;
  };
  const columns = (table: Record<string, Value[]>) => Object.entries(table).map(([name, values]) => ({ name, values }));
  rows = [...columns(stored.rows), { name: 'late', values: new Array<number>(300).fill(1) }];
  predictions = columns(stored.predictions);
  base = await pushBase(engine, registry.host);
  image = await build();
}, 600_000);

afterAll(async () => {
  for (const id of built) await engine.attempt(['image', 'rm', '--force', id]);
  if (base !== undefined) await engine.attempt(['image', 'rm', '--force', base]);
  await registry?.[Symbol.asyncDispose]();
  await folder?.[Symbol.asyncDispose]();
}, 120_000);

describe('buildImage', () => {
  it('says what it built, in a document', async () => {
    expect(() => formatDocument('image', image)).not.toThrow();
    expect(image).toMatchObject({
      model: 'late',
      cache: 'miss',
      reference: null,
      digest: null,
      platform: 'linux/amd64',
    });
    const facts = await inspectImage(engine, image.imageId);
    expect(facts).toMatchObject({ bytes: image.bytes, user: '10001:10001' });
    expect(facts?.labels['passloop.image-key']).toBe(image.imageKey);
  });

  it('finds an image by its key, and neither scans, fetches nor builds', async () => {
    const again = await build({}, { wheels: unreachable, scan: unreachable });
    expect(again).toEqual({ ...image, cache: 'hit' });
  });

  it('leaves neither wheels nor the installer in the image', async () => {
    const text = await engine.run([
      'run',
      '--rm',
      '--network',
      'none',
      '--entrypoint',
      'python3',
      image.imageId,
      '-c',
      listing,
    ]);
    const found = JSON.parse(text) as { wheels: string[]; own: string[]; writable: string[]; network: boolean };
    expect(found.wheels).toEqual([]);
    expect(found.own.sort()).toEqual(['model.joblib', 'signature.json']);
    expect(found.writable).toEqual([]);
  });

  it('holds no more than its dependencies and 60 MB', async () => {
    const baseFacts = await inspectImage(engine, base);
    const text = await engine.run([
      'run',
      '--rm',
      '--network',
      'none',
      '--entrypoint',
      'python3',
      image.imageId,
      '-c',
      dependencyBytes,
    ]);
    expect(image.bytes - (baseFacts?.bytes ?? 0) - Number(text)).toBeLessThan(60_000_000);
  });

  it('builds nothing from a model that would run a command when it is loaded', async () => {
    const request = { model: 'late', package: section({ model: 'command.pkl' }), root: folder.path, runtime };
    const result = await buildImage(request, ports({ wheels: unreachable }));
    expect(result.image).toBeNull();
    expect(result.scan?.verdict).toBe('fail');
    await expect(readFile('/tmp/passloop-model-was-loaded')).rejects.toThrow(/ENOENT/);
  });

  it('builds with the classic builder too', async () => {
    const classic = await openEngine({ environment: { ...process.env, DOCKER_BUILDKIT: '0' } });
    // Small wheels, so that the classic builder's own cache costs little.
    const small = path.join(folder.path, 'small.lock');
    const lock = parseRequirements(await readFile(path.join(folder.path, 'serve.lock'), 'utf8'), 'serve.lock');
    await writeFile(
      small,
      formatRequirements(lock.filter(({ name }) => /^(joblib|cloudpickle|threadpoolctl)$/.test(name))),
    );
    const other = await build({ requirements: 'small.lock' }, { engine: classic });
    expect(other.imageKey).not.toBe(image.imageKey);
    expect(await inspectImage(engine, other.imageId)).toMatchObject({ user: '10001:10001' });

    // Without numpy nothing can be served: the probe says so, with the container's own words.
    const probe = await probeImage(engine, other.imageId, { model: 'late', progress: silentProgress });
    expect(probe.verdict).toBe('fail');
    expect(probe.checks.find((check) => check.id === 'container.isolated')).toMatchObject({
      verdict: 'fail',
      detail: expect.stringMatching(/exit code 1; .*No module named 'numpy'/),
    });
    expect(probe.checks.some((check) => check.id === 'container.serves')).toBe(false);
  }, 240_000);

  it.each<[string, Partial<Package>, RegExp]>([
    ['a missing model', { model: 'nothing.joblib' }, /package.model does not exist/],
    ['a model outside', { model: '../../etc/passwd.pkl' }, /not a path inside/],
    ['a model of an unknown form', { model: 'serve.lock' }, /\.joblib, \.pkl and \.pickle/],
    ['a signature that is none', { signature: 'rows.json' }, /rows\.json/],
    ['a lock with an option', { requirements: 'options.lock' }, /options\.lock:2/],
    ['an incomplete lock', { requirements: 'incomplete.lock' }, /cannot be installed: .*numpy/],
  ])(
    'refuses %s',
    async (_what, changes, message) => {
      await writeFile(path.join(folder.path, 'options.lock'), '# lock\n--index-url https://example.org/simple\n');
      const lock = parseRequirements(await readFile(path.join(folder.path, 'serve.lock'), 'utf8'), 'serve.lock');
      await writeFile(
        path.join(folder.path, 'incomplete.lock'),
        formatRequirements(lock.filter(({ name }) => name === 'scipy')),
      );
      await expect(build(changes)).rejects.toThrow(message);
    },
    120_000,
  );

  it('refuses a base that its registry does not have, and a registry that is not there', async () => {
    const nowhere = `${base.split('@')[0]}@sha256:${'0'.repeat(64)}`;
    await expect(build({ base: nowhere })).rejects.toMatchObject({
      code: 'configuration',
      message: expect.stringContaining('does not exist'),
    });
    const absent = `localhost:9/python@sha256:${'0'.repeat(64)}`;
    await expect(build({ base: absent })).rejects.toMatchObject({
      code: 'infrastructure',
      hint: expect.stringContaining('does not answer'),
    });
  });
});

const listing = `
import json, os
wheels = [os.path.join(f, n) for top in ("/opt", "/model", "/passloop", "/tmp") for f, _, names in os.walk(top) for n in names if n.endswith(".whl")]
writable = [f for top in ("/opt", "/model") for f, _, _ in os.walk(top) if os.access(f, os.W_OK)]
print(json.dumps({"wheels": wheels, "own": os.listdir("/model"), "writable": writable}))
`;

/** Files and bytecode, as pip installs them. */
const dependencyBytes = `
import os
folders = ["/opt/passloop/site-packages", "/opt/passloop/bytecode/opt/passloop/site-packages"]
print(sum(os.lstat(os.path.join(f, n)).st_size for top in folders for f, _, names in os.walk(top) for n in names))
`;

describe('probeImage', () => {
  it('passes an honest image, with every check executed', async () => {
    const probe = await probeImage(engine, image.imageId, {
      model: 'late',
      signature,
      columns: rows,
      withheld: ['late'],
      expected: predictions,
      requests: 20,
      progress: silentProgress,
    });
    expect(() => formatDocument('probe', probe)).not.toThrow();
    expect(probe.checks.filter((check) => check.verdict !== 'pass')).toEqual([]);
    expect(probe.verdict).toBe('pass');
    expect(probe.executed).toBeGreaterThanOrEqual(39);
    expect(probe.predictions).toMatchObject({ rows: 300, equal: 300, verdict: 'pass' });
    expect(probe.latency?.requests).toBe(20);
    expect(Number(probe.readySeconds)).toBeGreaterThan(0);
  }, 120_000);

  it('leaves no container and no network behind', async () => {
    // Of this process: the engine may serve others at the same time.
    const own = `label=passloop.owner=${hostname()}/${process.pid}`;
    const containers = await engine.run(['ps', '--all', '--quiet', '--filter', own]);
    const networks = await engine.run(['network', 'ls', '--quiet', '--filter', own]);
    expect([containers.trim(), networks.trim()]).toEqual(['', '']);
  });

  it('fails an image that serves nothing', async () => {
    const probe = await probeImage(engine, 'passloop-base:bookworm', {
      model: 'late',
      progress: silentProgress,
      limits: { readyMs: 5000 },
    });
    const failed = probe.checks.filter((check) => check.verdict === 'fail').map((check) => check.id);
    expect(probe.verdict).toBe('fail');
    expect(failed).toEqual(expect.arrayContaining(['image.user', 'image.healthcheck', 'container.isolated']));
  });

  it('tells where an answer and the signature differ, by the metadata alone', async () => {
    await using serving = await startServing(engine, image.imageId);
    const other = structuredClone(signature);
    other.outputs[0] = { name: 'score', datatype: 'FP32' };
    const target = { rest: serving.restUrl, grpc: serving.grpcAddress };
    const probe = await probeServer(target, {
      model: 'late',
      signature: other,
      columns: rows,
      requests: 0,
      progress: silentProgress,
    });
    expect(probe.checks.find((check) => check.id === 'oip.rest.signature')).toMatchObject({
      verdict: 'fail',
      detail: 'outputs: score is FP32 in the signature and FP64 in the server',
    });

    // Knowing nothing, the prober asks with rows made up from the metadata.
    const alone = await probeServer(target, { model: 'late', requests: 5, progress: silentProgress });
    expect(alone.executed).toBeGreaterThan(20);
    expect(alone.checks.filter((check) => check.verdict === 'fail').map((check) => check.id)).toEqual([]);

    using client = grpcClient(serving.grpcAddress);
    const nan = { name: 'distance', datatype: 'FP64', values: [Number.NaN] };
    const rest = [
      { name: 'departed', datatype: 'INT64', values: [980_000_000] },
      { name: 'origin', datatype: 'BYTES', values: ['Zürich'] },
    ];
    const answered = await client.infer({ model: 'late', inputs: [nan, ...rest] });
    expect(answered).toMatchObject({ ok: false });
  }, 60_000);
});

/** The engine as a remote or rootless one is: its containers run, at addresses that lead nowhere from here. */
function outOfReach(real: Engine): Engine {
  return {
    ...real,
    run: async (args, options) =>
      (await real.run(args, options)).replace(/"IPAddress":"[0-9.]+"/g, '"IPAddress":"192.0.2.1"'),
  };
}

it('tells an image that is not ready from one that cannot be reached', async () => {
  await expect(startServing(outOfReach(engine), image.imageId)).rejects.toMatchObject({
    message: expect.stringMatching(/^The image is healthy, and its address 192\.0\.2\.1:8080 cannot be reached/),
    hint: expect.stringContaining('rootless'),
  });
}, 120_000);

describe('scoring by the image', () => {
  it('gives the predictions of the stage, in the order of the rows', async () => {
    const scores = await scoreByImage(scoreRequest(image.imageId));
    expect(compareSkew(predictions, scores.columns)).toMatchObject({ rows: 300, equal: 300, verdict: 'pass' });
  });

  it('writes a table of key and predictions that reads back exactly', async () => {
    await using session = await openTables();
    const lines = rows[0]?.values as number[];
    // In the file the key runs backwards.
    const table = [...lines.keys()]
      .reverse()
      .map((row) => JSON.stringify({ id: `k${String(row).padStart(4, '0')}`, ...rowOf(row) }));
    await writeFile(path.join(folder.path, 'rows.jsonl'), `${table.join('\n')}\n`);
    const source = await session.open({ uri: 'rows.jsonl', root: folder.path });
    const names = signature.inputs.map(({ name }) => name);
    const columns = await readTableColumns(session, source, { columns: names, key: ['id'] });
    const scores = await scoreByImage({ ...scoreRequest(image.imageId), columns });
    const file = path.join(folder.path, 'predictions.parquet');
    await writePredictions(session, source, { key: ['id'], signature, predictions: scores.columns, file });

    const written = await session.open({ uri: file, root: '/' });
    const back = await readTableColumns(session, written, { columns: ['id', 'score', 'late_hat'], key: ['id'] });
    expect(written.columns.map(({ name, engineType }) => [name, engineType])).toEqual([
      ['id', 'VARCHAR'],
      ['score', 'DOUBLE'],
      ['late_hat', 'BIGINT'],
    ]);
    expect(back[0]?.values[0]).toBe('k0000');
    expect(Array.from(back[1]?.values ?? [])).toEqual(Array.from(scores.columns[0]?.values ?? []));
    expect(compareSkew(predictions, back.slice(1))).toMatchObject({ rows: 300, equal: 300 });
  });

  it('hides the label', async () => {
    const cheating = structuredClone(signature);
    cheating.inputs[0] = { name: 'distance', column: 'late', datatype: 'FP64' };
    await expect(scoreByImage({ ...scoreRequest(image.imageId), signature: cheating })).rejects.toThrow(
      /"late", which is withheld/,
    );
  });
});

describe('two images side by side', () => {
  const request = () => ({ ...scoreRequest(image.imageId), production: image.imageId, candidate: image.imageId });

  it('are each started, and asked the same', async () => {
    const measured = await timeSideBySide({ ...request(), starts: 1, turns: 20 });
    for (const side of [measured.production, measured.candidate]) {
      expect(side).toHaveLength(1);
      for (const { readySeconds, p50Ms, p95Ms } of side) {
        expect(readySeconds).toBeGreaterThan(0);
        expect(p50Ms).toBeGreaterThan(0);
        expect(p95Ms).toBeGreaterThanOrEqual(p50Ms);
      }
    }
  }, 120_000);

  it('say which of them does not start, and leave none running', async () => {
    const gone = { ...request(), production: `localhost/gone@sha256:${'0'.repeat(64)}` };
    await expect(timeSideBySide(gone)).rejects.toThrow(/^Production's image did not start: /);
    const own = `label=passloop.owner=${hostname()}/${process.pid}`;
    expect((await engine.run(['ps', '--all', '--quiet', '--filter', own])).trim()).toBe('');
  });
});

function rowOf(row: number): Record<string, Value> {
  return Object.fromEntries(rows.slice(0, 3).map(({ name, values }) => [name, values[row] ?? null]));
}

function scoreRequest(target: string) {
  return {
    engine,
    image: target,
    model: 'late',
    signature,
    columns: rows,
    withheld: ['late'],
    progress: silentProgress,
  };
}

describe('an image that is not the model of the stage is refused', () => {
  it.each([
    ['one coefficient that is a thousandth larger', 'coefficient.joblib'],
    ['swapped classes', 'classes.joblib'],
    ['a float32 cast', 'float32.joblib'],
    ['other preprocessing', 'preprocessing.joblib'],
  ])(
    '%s',
    async (_what, model) => {
      const other = await build({ model });
      const scores = await scoreByImage(scoreRequest(other.imageId));
      const skew = compareSkew(predictions, scores.columns);
      expect(skew.verdict).toBe('fail');
      expect(skew.equal).toBeLessThan(skew.rows);
      expect(skew.detail).toMatch(/^row \d+, "(score|late_hat)": the stage has .*, the image /);
    },
    60_000,
  );

  it('swapped columns in the signature', async () => {
    const swapped = structuredClone(signature);
    swapped.inputs[0] = { name: 'distance', column: 'departed', datatype: 'FP64' };
    swapped.inputs[1] = { name: 'departed', column: 'distance_whole', datatype: 'INT64' };
    await writeFile(path.join(folder.path, 'swapped.json'), JSON.stringify(swapped));
    const whole = {
      name: 'distance_whole',
      values: Array.from(rows[0]?.values ?? [], (value) => Math.round(Number(value))),
    };
    const other = await build({ signature: 'swapped.json' });
    const scores = await scoreByImage({
      ...scoreRequest(other.imageId),
      signature: swapped,
      columns: [...rows, whole],
    });
    expect(compareSkew(predictions, scores.columns)).toMatchObject({ verdict: 'fail' });
  }, 60_000);

  it('a model that was exchanged inside the image does not start', async () => {
    const context = path.join(folder.path, 'exchanged');
    await mkdir(context, { recursive: true });
    await copyFile(path.join(folder.path, 'coefficient.joblib'), path.join(context, 'model.joblib'));
    await writeFile(
      path.join(context, 'Dockerfile'),
      `FROM ${engineTag(image.model, image.imageKey)}\nCOPY model.joblib /model/\n`,
    );
    const tag = 'passloop/exchanged:test';
    const result = await engine.follow(['build', '--tag', tag, context], { timeoutMs: 60_000 });
    expect(result.exitCode, result.stderr.toString('utf8')).toBe(0);
    built.add(tag);
    // It inherits the label of the key, and isn't found by it.
    expect((await build({}, { wheels: unreachable, scan: unreachable })).imageId).toBe(image.imageId);
    await expect(scoreByImage(scoreRequest(tag))).rejects.toThrow(/exit code 1.*sha256/);
  }, 60_000);
});

describe('pushImage', () => {
  it('pushes under the key, and answers with the digest of the registry', async () => {
    const pushed = await pushImage(engine, image, section().repository, silentProgress);
    const head = await fetch(`http://${registry.host}/v2/acme/late/manifests/${image.imageKey}`, {
      method: 'HEAD',
      headers: { accept: 'application/vnd.docker.distribution.manifest.v2+json' },
    });
    expect(pushed.digest).toBe(head.headers.get('docker-content-digest'));
    expect(pushed.reference).toBe(`${registry.host}/acme/late@${pushed.digest}`);
    expect(await pushImage(engine, image, section().repository, silentProgress)).toEqual({ ...pushed, cache: 'hit' });
  }, 120_000);

  it('an image that only the registry has is pulled, not built', async () => {
    const pushed = await pushImage(engine, image, section().repository, silentProgress);
    await engine.run(['image', 'rm', '--force', image.imageId]);
    const found = await build({}, { wheels: unreachable, scan: unreachable, findPushed: async () => pushed.reference });
    expect(found).toEqual({ ...pushed, cache: 'hit' });
  }, 120_000);

  it("takes the registry's image where another build of the same key was first", async () => {
    const context = path.join(folder.path, 'second');
    await mkdir(context, { recursive: true });
    await writeFile(
      path.join(context, 'Dockerfile'),
      `FROM ${engineTag(image.model, image.imageKey)}\nLABEL built.by=another-machine\n`,
    );
    await engine.follow(['build', '--tag', 'passloop/second:test', context], { timeoutMs: 60_000 });
    const second = await inspectImage(engine, 'passloop/second:test');
    built.add('passloop/second:test');
    expect(second?.id).not.toBe(image.imageId);
    const pushed = await pushImage(
      engine,
      { ...image, imageId: second?.id ?? '' },
      section().repository,
      silentProgress,
    );
    expect(pushed).toMatchObject({ imageId: image.imageId, cache: 'hit' });
  }, 60_000);

  it('refuses a stranger under the tag of a key', async () => {
    const key = `ik1-${'9'.repeat(64)}`;
    const tag = `${section().repository}:${key}`;
    await engine.run(['image', 'tag', 'passloop-base:bookworm', tag]);
    await engine.follow(['push', tag], { timeoutMs: 60_000 });
    await engine.run(['image', 'rm', tag]);
    await expect(pushImage(engine, { ...image, imageKey: key }, section().repository, silentProgress)).rejects.toThrow(
      /isn't that image/,
    );
    await expect(build({}, { findPushed: async () => tag, engine: withoutImages(engine) })).rejects.toThrow(
      /isn't labelled so/,
    );
  }, 60_000);

  it('says what a registry refuses, and that one is not there', async () => {
    const htpasswd = path.join(folder.path, 'htpasswd');
    // bcrypt of "correct horse", made by Python's bcrypt.
    await writeFile(htpasswd, 'passloop:$2b$04$QQbmyQTVAOWm96x2PkHfuO0JYcSoHMbsAWgMgDwt72JAghRYiGzoC\n');
    await using guarded = await startRegistry(htpasswd);
    const target = `${guarded.host}/acme/late`;
    const tiny = await buildTiny();
    await expect(pushImage(engine, tiny, target, silentProgress)).rejects.toMatchObject({
      code: 'infrastructure',
      hint: expect.stringContaining('refuses these credentials'),
    });
    const login = (password: string) =>
      withLogin(
        engine,
        { host: guarded.host, username: 'passloop', password },
        { configFolder: null, searchPath: process.env.PATH ?? '' },
      );
    await using wrong = await login('wrong horse');
    await expect(pushImage(wrong, tiny, target, silentProgress)).rejects.toMatchObject({
      message: expect.not.stringContaining('wrong horse'),
      hint: expect.stringContaining('refuses these credentials'),
    });
    await using session = await login('correct horse');
    const pushed = await pushImage(session, tiny, target, silentProgress);
    expect(await findManifest(session, `${target}:${image.imageKey}`, 'linux/amd64')).toMatchObject({
      digest: pushed.digest,
    });
    await expect(findManifest(engine, 'localhost:9/acme/late:x', 'linux/amd64')).rejects.toMatchObject({
      code: 'infrastructure',
      hint: expect.stringContaining('does not answer'),
    });
  }, 120_000);
});

/** An image of a few bytes under the honest image's key: how a registry answers doesn't depend on the size. */
async function buildTiny(): Promise<ImageDocument> {
  const context = path.join(folder.path, 'tiny');
  await mkdir(context, { recursive: true });
  await writeFile(path.join(context, 'Dockerfile'), `FROM scratch\nCOPY Dockerfile /\n`);
  const tag = 'passloop/tiny:test';
  await engine.follow(['build', '--tag', tag, context], { timeoutMs: 60_000 });
  const facts = await inspectImage(engine, tag);
  built.add(tag);
  return { ...image, imageId: facts?.id ?? '' };
}

/** The engine as another machine would see it: without an image of any key. */
function withoutImages(real: Engine): Engine {
  const missing = { ok: false, stdout: '', stderr: 'Error: No such image' };
  return {
    ...real,
    attempt: (args, options) =>
      args.some((argument) => argument.startsWith('passloop/late:'))
        ? Promise.resolve(missing)
        : real.attempt(args, options),
  };
}
