import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileDigest, sha256, silentProgress } from '@passloop/core';
import {
  type ComparedMetric,
  type DataReport,
  type DocumentKind,
  type DocumentOf,
  formatDocument,
  type ImageDocument,
  type ProofDocument,
  type RunDocument,
} from '@passloop/documents';
import { fromRoot, type LoadedModel } from '@passloop/model';
import type { Store } from '@passloop/record';
import { storedRun, trainingKey } from '@passloop/training';
import { createWorld, type World } from '../../../../test/world/world.ts';
import { createImage, createRun } from '../../../record/src/fixtures/documents.ts';
import type { Context } from '../context.ts';
import { readHandOverKey } from '../hand-over.ts';
import { imageKeyOf } from '../image-key-of.ts';
import { proofFolder } from '../proof-folder.ts';
import { openModelStore } from '../store.ts';
import { lockAt, openWorkspace, selectModel, type Workspace } from '../workspace.ts';
import { command, pushedImage } from './deployed-world.ts';

/**
 * A world whose store has a run and a pushed image of the commit, and a proof of them, made by hand: what a job would have left behind
 * that trained, built and proved. So the half that writes is tested without training, engine or rows.
 */
export type ProvenWorld = AsyncDisposable & {
  world: World;
  context: Context;
  workspace: Workspace;
  model: LoadedModel;
  store: Store;
  folder: string;
  /** Writes the proof anew: `edit` changes its documents before they are digested and sealed, `about` what `proof.json` says. */
  prove(options?: { edit?: Edits; about?: Partial<ProofDocument>; key?: string | null; leave?: string }): Promise<void>;
  /** Calls of the deploy token since the world began that wrote something. */
  writes(): number;
};

type Edits = { [K in DocumentKind]?: (document: DocumentOf<K>) => void };

export async function provenWorld(folder: string, { producer = 'acme/flights' } = {}): Promise<ProvenWorld> {
  await using stack = new AsyncDisposableStack();
  const world = stack.use(await createWorld({ folder: path.join(folder, 'world'), command }));
  const context: Context = {
    cwd: world.flightsClone,
    env: {
      PATH: process.env.PATH,
      HOME: folder,
      GITHUB_API_URL: world.github.restUrl,
      GITHUB_SERVER_URL: world.github.url,
      GITHUB_REPOSITORY: 'acme/flights',
      GITHUB_RUN_ID: '4711',
      GITHUB_ACTOR: 'ada',
      GITHUB_TOKEN: world.tokens.job,
      PASSLOOP_DEPLOY_TOKEN: world.tokens.deploy,
      // No engine and no program is here: the writing half needs none.
      PASSLOOP_DOCKER: '/nowhere/docker',
    },
    now: () => new Date('2026-11-25T10:00:00Z'),
    progress: silentProgress,
    version: '0.0.0',
  };
  const workspace = await openWorkspace(context);
  const model = selectModel(workspace.models, undefined);
  const store = await openModelStore(context, workspace.root, model);
  await store.createHandOverKey();
  const run = await savedRun(folder, workspace, model, store, producer);
  const image = await savedImage(world, workspace, model, store, run);
  const place = path.join(folder, 'proof');
  const reports = await dataReports(workspace, model);
  const from = world.github.log.length;

  async function prove(options: Parameters<ProvenWorld['prove']>[0] = {}): Promise<void> {
    await rm(place, { recursive: true, force: true });
    await mkdir(place, { recursive: true });
    const documents = proofFolder(place);
    const edited = <K extends DocumentKind>(kind: K, document: DocumentOf<K>): DocumentOf<K> => {
      const copy = structuredClone(document);
      (options.edit?.[kind] as ((document: DocumentOf<K>) => void) | undefined)?.(copy);
      return copy;
    };
    for (const report of reports) {
      if (options.leave === report.dataset.name) continue;
      await documents.write('data-report', edited('data-report', report), report.dataset.name);
    }
    await documents.write('run', edited('run', run));
    await documents.write('image', edited('image', image));
    await documents.write('scan', edited('scan', scanOf(model)));
    await documents.write('probe', edited('probe', probeOf(image)));
    await documents.write('comparison', edited('comparison', comparisonOf(run)));
    const key = options.key === undefined ? ((await readHandOverKey(store))?.identity ?? null) : options.key;
    await documents.close(
      {
        model: model.name,
        environment: 'prod',
        commit: workspace.commit,
        runKey: run.runKey,
        modelDigest: run.modelDigest,
        imageKey: image.imageKey,
        imageDigest: image.digest ?? '',
        production: null,
        verdict: 'pass',
        reason: null,
        run: `${world.github.url}/acme/flights/actions/runs/4711`,
        ...options.about,
      },
      key,
    );
  }
  await prove();
  const owned = stack.move();
  return {
    world,
    context,
    workspace,
    model,
    store,
    folder: place,
    prove,
    writes: () => world.github.counts(from).writes,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function savedRun(
  folder: string,
  workspace: Workspace,
  model: LoadedModel,
  store: Store,
  producer: string,
): Promise<RunDocument> {
  const { repository, commit, tree } = workspace;
  const key = await trainingKey(repository, commit, model);
  const files: { path: string; file: string }[] = [];
  for (const output of ['out/model.joblib', 'out/predictions.parquet', 'out/metrics.json']) {
    const file = path.join(folder, 'run', output);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, output.endsWith('.json') ? '{"roc_auc": 0.75}' : output);
    files.push({ path: output, file });
  }
  const outputs: RunDocument['outputs'] = [];
  for (const { path: name, file } of files) {
    outputs.push({ path: name, digest: await fileDigest(file), bytes: (await readFile(file)).byteLength });
  }
  const stored = createRun({
    model: model.name,
    runKey: key.runKey,
    stages: [{ name: 'fit', key: key.runKey, seconds: '1' }],
    outputs,
    modelDigest: outputs[0]?.digest ?? '',
    data: [],
    params: [],
    seeds: [],
    producer: { repository: producer, commit, tree, ref: 'refs/heads/main', run: null },
  });
  const run = await storedRun({ repository, commit, model }, stored);
  await store.saveRun({ run, files });
  return run;
}

async function savedImage(
  world: World,
  workspace: Workspace,
  model: LoadedModel,
  store: Store,
  run: RunDocument,
): Promise<ImageDocument> {
  const pushed = await pushedImage(world, 'candidate');
  const signature = fromRoot(model, model.package?.signature ?? '');
  const image = createImage({
    model: model.name,
    imageKey: (await imageKeyOf(workspace, model, run.modelDigest)) ?? '',
    reference: pushed.reference,
    digest: pushed.digest,
    modelDigest: run.modelDigest,
    signatureDigest: sha256((await workspace.repository.readFile(workspace.commit, signature)) ?? ''),
  });
  await store.saveImage(image);
  return image;
}

/** One passing result a declared check: what a check says is another test's matter. */
async function dataReports(workspace: Workspace, model: LoadedModel): Promise<DataReport[]> {
  const lock = await lockAt(workspace.repository, workspace.commit, model);
  return Object.entries(model.data).map(([name, source]) => ({
    schema: 'passloop/data-report/v1',
    dataset: {
      name,
      uri: source.path ?? '',
      digest: lock?.datasets.find((dataset) => dataset.uri === source.path)?.digest ?? null,
    },
    engine: 'duckdb 1.5.4',
    rows: 60_000,
    verdict: 'pass',
    executed: source.checks.length,
    checks: source.checks
      .filter((check) => check.kind !== 'drift')
      .map((check, index) => ({
        id: `${check.kind}-${index}`,
        kind: check.kind,
        column: null,
        severity: 'error',
        verdict: 'pass',
        expected: 'all',
        observed: 'all',
        failingRows: 0,
        sql: null,
        reason: null,
      })),
    drift: source.checks
      .filter((check) => check.kind === 'drift')
      .map(() => ({
        column: 'distance',
        method: 'psi',
        statistic: '0.01',
        pValue: null,
        threshold: '0.1',
        verdict: 'pass',
        n: { reference: 1000, current: 1000 },
        reason: null,
      })),
  }));
}

function scanOf(model: LoadedModel): DocumentOf<'scan'> {
  const file = {
    path: model.package?.model ?? '',
    format: 'joblib',
    verdict: 'pass' as const,
    globals: [],
    findings: [],
  };
  return { schema: 'passloop/scan/v1', verdict: 'pass', files: [file] };
}

function probeOf(image: ImageDocument): DocumentOf<'probe'> {
  return {
    schema: 'passloop/probe/v1',
    target: image.reference ?? '',
    verdict: 'pass',
    executed: 2,
    checks: [{ id: 'rest.infer', verdict: 'pass', detail: 'equal' }],
    readySeconds: '1.4',
    latency: { requests: 100, p50Ms: '1.8', p95Ms: '3.1' },
    predictions: { rows: 60_000, equal: 60_000, worst: '0', verdict: 'pass', detail: 'all equal' },
  };
}

/** A first candidate: only the gates with a bound decide. */
function comparisonOf(run: RunDocument): DocumentOf<'comparison'> {
  const metric = (name: string, direction: 'higher' | 'lower', more: Partial<ComparedMetric>): ComparedMetric => ({
    name,
    direction,
    production: null,
    candidate: null,
    delta: null,
    interval: null,
    level: null,
    method: null,
    margin: null,
    min: null,
    max: null,
    severity: 'error',
    verdict: 'within',
    gate: 'pass',
    rowsNeeded: null,
    reason: null,
    ...more,
  });
  return {
    schema: 'passloop/comparison/v1',
    outcome: 'first',
    verdict: 'pass',
    reason: null,
    rows: 60_000,
    evaluationDigest: sha256('rows'),
    production: null,
    candidate: { digest: run.modelDigest, scoredBy: 'image' },
    metrics: [
      metric('roc_auc', 'higher', { candidate: '0.7531', margin: '0.005', min: '0.65', reason: 'no baseline' }),
      metric('log_loss', 'lower', {
        candidate: '0.41',
        margin: '0.003',
        verdict: 'not-comparable',
        gate: 'skipped',
        reason: 'no baseline',
      }),
      metric('latency_p95_ms', 'lower', { candidate: '3.1', max: '40', severity: 'warn' }),
    ],
    slices: [],
    fairness: [],
    resamples: 2000,
    seed: 7,
  };
}

/** Writes a document of the proof over, without anybody noticing its digest. */
export async function overwrite<K extends DocumentKind>(
  folder: string,
  kind: K,
  change: (document: DocumentOf<K>) => void,
): Promise<void> {
  const file = path.join(folder, `${kind}.json`);
  const document = JSON.parse(await readFile(file, 'utf8')) as DocumentOf<K>;
  change(document);
  await writeFile(file, formatDocument(kind, document));
}
