import { copyFile, mkdir } from 'node:fs/promises';
import path from 'node:path';
import {
  ConfigurationError,
  type GitRepository,
  insidePath,
  type Progress,
  temporaryFolder,
  toDecimal,
} from '@passloop/core';
import type { RunDocument } from '@passloop/documents';
import type { LoadedModel } from '@passloop/model';
import type { Saved, Store } from '@passloop/record';
import type { Runner, StagesRun } from './local-runner.ts';
import { modelDigest, moveOutputs, readMetrics } from './outputs.ts';
import { planTraining, type TrainingPlan } from './training-plan.ts';

export type TrainRequest = {
  repository: GitRepository;
  /** Full id. */
  commit: string;
  /** As loaded from that commit. */
  model: LoadedModel;
  /** The repository's root on disk: datasets are read from it, nothing else is. */
  workTree: string;
  /** Null where no store may be known: the run is then made, and kept nowhere but in `outputFolder`. */
  store: Store | null;
  /** Where the outputs appear, each under its path from the model's folder. */
  outputFolder: string;
  runner: Runner;
  /** The machine as it is: recorded, never keyed. */
  machine: { platform: string; cpu: string };
  producer: { repository: string | null; ref: string | null; run: string | null };
  now: () => Date;
  progress: Progress;
};

/** `saved`: null where there is no store. */
export type Trained = { run: RunDocument; saved: Saved | null };

/**
 * The result of a model at a commit: from the store where its key is there, else by running its stages.
 * Either way every output is verified, and appears in `outputFolder` whole or not at all.
 * @throws ConfigurationError for what the author mends (2), InfrastructureError for a damaged entry, a timeout (3)
 */
export async function trainRun(request: TrainRequest): Promise<Trained> {
  const plan = await planTraining(request.repository, request.commit, request.model);
  const { store } = request;
  const found = (await store?.findRun(plan.key.runKey)) ?? null;
  if (store !== null && found !== null) return { run: await restoreHit(plan, store, request), saved: 'present' };

  await using work = await temporaryFolder('train');
  const startedAt = request.now();
  const result = await request.runner(plan, request, work.path);
  const finishedAt = request.now();
  await mkdir(request.outputFolder, { recursive: true });
  await using staging = await temporaryFolder('outputs', request.outputFolder);
  for (const output of result.outputs) {
    const target = await insidePath(staging.path, output.path, 'an output');
    await mkdir(path.dirname(target), { recursive: true });
    await copyFile(output.file, target);
  }
  const run: RunDocument = {
    ...describeResult(plan, result),
    metrics: await readMetrics(request.model, staging.path),
    machine: { ...request.machine, interpreter: result.interpreter },
    producer: {
      repository: request.producer.repository,
      commit: request.commit,
      tree: await request.repository.treeOf(request.commit),
      ref: request.producer.ref,
      run: request.producer.run,
    },
    startedAt: timestamp(startedAt),
    finishedAt: timestamp(finishedAt),
  };
  const files = run.outputs.map((output) => ({
    path: output.path,
    file: path.join(staging.path, ...output.path.split('/')),
  }));
  const saved = (await store?.saveRun({ run, files })) ?? null;
  if (store !== null && saved === 'other-result') {
    // Someone else's result came first and holds the key; it is the one that everybody sees.
    request.progress.note(
      `Another result of ${run.runKey} is in the store; it is used, and this one is kept as evidence.`,
    );
    return { run: await restoreHit(plan, store, request), saved };
  }
  await moveOutputs(staging.path, request.outputFolder, declaredOutputs(plan));
  return { run, saved };
}

async function restoreHit(plan: TrainingPlan, store: Store, request: TrainRequest): Promise<RunDocument> {
  request.progress.phase(`Restore ${plan.key.runKey}`);
  await mkdir(request.outputFolder, { recursive: true });
  await using staging = await temporaryFolder('outputs', request.outputFolder);
  const stored = await store.restoreRun(plan.key.runKey, staging.path);
  const metrics = await readMetrics(request.model, staging.path);
  await moveOutputs(staging.path, request.outputFolder, declaredOutputs(plan));
  request.progress.done();
  return { ...runOf(plan, stored), metrics };
}

/** Names, rows and which output is the model are this commit's to say; the rest is the run's. */
function runOf(plan: TrainingPlan, stored: RunDocument): RunDocument {
  const digest = modelDigest(plan.model, stored.outputs);
  return { ...stored, ...identityOf(plan), cache: 'hit', modelDigest: digest, reproduction: null };
}

/**
 * A stored run as the commit of a request sees it, without its outputs: `metrics` are the ones that were stored with it.
 * @throws ConfigurationError where the stored run is of another key, or lacks the model
 */
export async function storedRun(
  request: Pick<TrainRequest, 'repository' | 'commit' | 'model'>,
  stored: RunDocument,
): Promise<RunDocument> {
  const plan = await planTraining(request.repository, request.commit, request.model);
  if (stored.runKey !== plan.key.runKey) {
    throw new ConfigurationError(
      `${stored.runKey} is not the run of ${request.commit.slice(0, 12)} (${plan.key.runKey}).`,
    );
  }
  return runOf(plan, stored);
}

function declaredOutputs(plan: TrainingPlan): string[] {
  return plan.stages.flatMap((planned) => planned.stage.outputs);
}

/** What a commit says of its run, before anything has run. */
export function identityOf(plan: TrainingPlan) {
  return {
    model: plan.model.name,
    runKey: plan.key.runKey,
    data: plan.data,
    params: plan.params,
    seeds: plan.seeds,
    environment: plan.environment,
    trust: plan.train.trust,
  };
}

function describeResult(plan: TrainingPlan, result: StagesRun) {
  const outputs = result.outputs.map(({ path: name, digest, bytes }) => ({ path: name, digest, bytes }));
  return {
    schema: 'passloop/run/v1' as const,
    ...identityOf(plan),
    cache: 'miss' as const,
    stages: result.stages.map(({ name, key, seconds }) => ({
      name,
      key,
      seconds: toDecimal(Number(seconds.toFixed(3))),
    })),
    outputs,
    modelDigest: modelDigest(plan.model, outputs),
    reproduction: null,
  };
}

/** Seconds are enough, and the same text on every platform. */
function timestamp(date: Date): string {
  return date.toISOString().replace(/\.\d+Z$/, 'Z');
}
