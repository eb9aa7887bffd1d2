import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { runOrThrow, sha256, silentProgress } from '@passloop/core';
import { type ModelReport, type ReportDocument, readDocument } from '@passloop/documents';
import { parseSignature } from '@passloop/model';
import { readTableColumns, writePredictions } from '@passloop/packaging';
import { encryptFile, openDirectoryStore, type Store } from '@passloop/record';
import { openTables } from '@passloop/tables';
import { createRepository, lockOf, type TestRepository } from '../../../training/src/fixtures/repository.ts';
import type { Context } from '../context.ts';
import { imageIdentityOf } from '../image-key-of.ts';
import type { SealRequest } from '../open-seal.ts';
import { type Sealed, sealCandidate } from '../seal-candidate.ts';
import { trainCandidate } from '../train-candidate.ts';
import { openWorkspace, selectModel } from '../workspace.ts';

const rowCount = 240;
const searchPath = process.env.PATH ?? '/usr/bin:/bin';

/** Trains with Python alone; `scale` decides how good the model is. The model file is a real one of the format safetensors. */
const fitScript = `import csv, json, pathlib, struct
params = json.loads(pathlib.Path("params.json").read_text())
out = pathlib.Path("out")
header = json.dumps({"w": {"dtype": "F64", "shape": [1], "data_offsets": [0, 8]}}).encode()
out.joinpath("model.safetensors").write_bytes(struct.pack("<Q", len(header)) + header + struct.pack("<d", params["scale"]))
rows = list(csv.DictReader(open("data/test.csv")))
with open(out / "predictions.csv", "w") as table:
    table.write("id,score\\n")
    for row in rows:
        table.write(f"{row['id']},{float(row['x']) * params['scale'] / 1000!r}\\n")
(out / "metrics.json").write_text(json.dumps({"scale": params["scale"], "rows": len(rows)}))
`;

function table(rows: number): string {
  const lines = Array.from({ length: rows }, (_, row) => `${row},${(row * 37) % 101},${(row * 37) % 101 > 50 ? 1 : 0}`);
  return ['id,x,late', ...lines, ''].join('\n');
}

const signature = JSON.stringify({
  inputs: [{ name: 'x', datatype: 'FP64' }],
  outputs: [{ name: 'score', datatype: 'FP64' }],
});

function modelFile(python: string, store: string, trust: string): string {
  return `version: 1
models:
  - name: toy
    task: binary
    columns: {key: [id], label: late, score: score}
    data:
      test: {path: data/test.csv, checks: [{kind: row-count, min: 200}, {kind: set, column: late, values: [0, 1]}]}
    train:
      environment: {python: "${python}", lock: requirements.lock}
      trust: ${trust}
      stages:
        - name: fit
          run: [python, fit.py]
          code: [fit.py]
          data: [test]
          params: {file: params.json}
          outputs: [out/model.safetensors, out/predictions.csv, out/metrics.json]
          timeout: 60s
    evaluate: {dataset: test, predictions: out/predictions.csv, metrics: out/metrics.json}
    gates: [{metric: roc_auc, direction: higher, margin: 0.05, min: 0.6}]
    plots: [{path: out/predictions.csv, x: id, y: score}, out/metrics.json]
    package:
      model: out/model.safetensors
      requirements: serve.lock
      signature: signature.json
      base: python:3.11-slim@sha256:${'9'.repeat(64)}
      repository: localhost:5000/toy
    store: {directory: ${store}}
    deploy:
      repository: acme/deploy
      environments: [{name: prod, targets: [{kind: kustomize, file: k.yaml, image: localhost:5000/toy}]}]
`;
}

/** What is edited of an honest candidate before it is handed over. */
export type Forgery = {
  report?: (model: ModelReport & { run: NonNullable<ModelReport['run']> }, report: ReportDocument) => void;
  /** Works on the plain files, before they are encrypted. */
  files?: (folder: string) => Promise<void>;
  /** Works on the folder as it is handed over. */
  folder?: (folder: string) => Promise<void>;
  /** Null: handed over as they are. */
  recipient?: string | null;
};

/**
 * A pull request of a toy model, trained for real by the verb that trains; no engine is here, so its image is made up as a job with one would have
 * left it. What is tried is the job that seals.
 */
export type SealedWorld = AsyncDisposable & {
  repository: TestRepository;
  context: Context;
  store: Store;
  recipient: string;
  head: string;
  base: string;
  candidate(forgery?: Forgery): Promise<string>;
  seal(candidate: string | SealRequest['candidate'], overrides?: Partial<SealRequest>): Promise<Sealed>;
  /** Tags of the store, without the hand-over key. */
  kept(): Promise<string[]>;
  fresh(): Promise<string>;
};

export async function sealedWorld(folder: string, options: { trust?: string } = {}): Promise<SealedWorld> {
  const question = 'import platform; print(".".join(platform.python_version().split(".")[:2]))';
  const python = (await runOrThrow({ argv: ['python3', '-c', question], env: { PATH: searchPath } })).toString().trim();
  const place = path.join(folder, 'store');
  const rows = table(rowCount);
  const repository = await createRepository({
    'passloop.yaml': modelFile(python, place, options.trust ?? 'writers'),
    'passloop.lock': lockOf({ 'data/test.csv': rows }),
    'requirements.lock': '# The standard library is enough.\n',
    'serve.lock': '# Nothing.\n',
    'signature.json': signature,
    'params.json': '{"scale": 8.0}\n',
    'data/test.csv': rows,
    'fit.py': fitScript,
  });
  const base = await repository.git('rev-parse', 'HEAD');
  await repository.write('params.json', '{"scale": 9.0}\n');
  await repository.commit();
  const head = await repository.git('rev-parse', 'HEAD');
  const context: Context = {
    cwd: repository.folder,
    env: {
      PATH: searchPath,
      HOME: folder,
      PASSLOOP_CACHE: path.join(folder, 'cache'),
      PASSLOOP_DOCKER: '/nowhere/docker',
      GITHUB_SERVER_URL: 'https://github.example.com',
      GITHUB_REPOSITORY: 'acme/toy',
      GITHUB_RUN_ID: '4711',
    },
    now: () => new Date(),
    progress: silentProgress,
    version: '0.0.0',
  };
  const store = openDirectoryStore(place);
  const { recipient } = await store.createHandOverKey();
  const trained = await trainCandidate(context, {
    model: 'toy',
    against: base,
    shareRows: true,
    out: path.join(folder, 'trained'),
  });
  const honest = await withImage(context, trained.folder, trained.report);

  async function fresh(): Promise<string> {
    return mkdtemp(path.join(folder, 'fresh-'));
  }
  async function candidate(forgery: Forgery = {}): Promise<string> {
    const [plain, target] = [await fresh(), await fresh()];
    const report = structuredClone(honest);
    const model = report.models[0] as ModelReport & { run: NonNullable<ModelReport['run']> };
    forgery.report?.(model, report);
    for (const name of await filesBelow(trained.folder))
      await copied(path.join(trained.folder, name), path.join(plain, name));
    await forgery.files?.(plain);
    await rm(path.join(plain, 'report.json'));
    await writeFile(path.join(target, 'report.json'), JSON.stringify(report));
    const to = forgery.recipient === undefined ? recipient : forgery.recipient;
    for (const name of await filesBelow(plain)) {
      if (to === null) await copied(path.join(plain, name), path.join(target, name));
      else await encryptFile(path.join(plain, name), path.join(target, `${name}.age`), to);
    }
    await forgery.folder?.(target);
    return target;
  }
  return {
    repository,
    context,
    store,
    recipient,
    head,
    base,
    candidate,
    fresh,
    async seal(given, overrides = {}) {
      return sealCandidate(context, {
        model: 'toy',
        against: base,
        candidate: typeof given === 'string' ? { folder: given } : given,
        store: true,
        compare: true,
        isPullRequest: true,
        ...overrides,
      });
    },
    async kept() {
      const names = await readdir(path.join(place, 'tags'));
      return names.map((name) => name.replace(/\.json$/, '')).filter((name) => name !== 'hand-over-key');
    },
    [Symbol.asyncDispose]: () => repository[Symbol.asyncDispose](),
  };
}

/** Adds what a job with an engine finds: image, probe, and predictions that equal the stage's. */
async function withImage(context: Context, folder: string, report: ReportDocument): Promise<ReportDocument> {
  const workspace = await openWorkspace(context);
  const model = selectModel(workspace.models, 'toy');
  const [part] = report.models;
  const identity = await imageIdentityOf(workspace, model, part?.run?.modelDigest ?? '');
  if (part === undefined || identity === null) throw new Error('the toy model was not trained');
  part.missing = part.missing.filter((missing) => missing.part !== 'image');
  part.scan = { schema: 'passloop/scan/v1', verdict: 'pass', files: [] };
  part.image = {
    schema: 'passloop/image/v1',
    ...identity,
    reference: null,
    digest: null,
    imageId: sha256('image'),
    bytes: 200_000_000,
    cache: 'miss',
  };
  part.probe = {
    schema: 'passloop/probe/v1',
    target: sha256('image'),
    verdict: 'pass',
    executed: 2,
    checks: [{ id: 'rest.infer', verdict: 'pass', detail: 'equal' }],
    readySeconds: '1.4',
    latency: { requests: 100, p50Ms: '1.8', p95Ms: '3.1' },
    predictions: { rows: rowCount, equal: rowCount, worst: '0', verdict: 'pass', detail: 'all equal' },
  };
  await writeImagePredictions(
    path.join(folder, 'files/out/predictions.csv'),
    path.join(folder, 'image-predictions.parquet'),
  );
  return report;
}

/** A Parquet file as an image's predictions are written, with the scores of a CSV file. */
export async function writeImagePredictions(from: string, to: string): Promise<void> {
  await rm(to, { force: true });
  await using session = await openTables();
  const scores = await session.open({ uri: path.basename(from), root: path.dirname(from), name: 'scores' });
  const predictions = await readTableColumns(session, scores, { columns: ['score'], key: ['id'] });
  const parsed = parseSignature(signature, 'signature.json');
  await writePredictions(session, scores, { key: ['id'], signature: parsed, predictions, file: to });
}

export async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)))
    .sort();
}

async function copied(from: string, to: string): Promise<void> {
  await mkdir(path.dirname(to), { recursive: true });
  await copyFile(from, to);
}

export async function modelIn(folder: string): Promise<ModelReport> {
  const report = await readDocument('report', path.join(folder, 'report.json'));
  return report.models[0] as ModelReport;
}

/** Replaces text in a file, or throws where there is nothing to replace. */
export async function replaceIn(file: string, from: string | RegExp, to: string): Promise<void> {
  const text = await readFile(file, 'utf8');
  if (text.replace(from, to) === text) throw new Error(`${file} has no ${from}`);
  await writeFile(file, text.replace(from, to));
}
