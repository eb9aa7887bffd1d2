import path from 'node:path';
import { PassloopError, temporaryFolder } from '@passloop/core';
import type { Holdout, ProductionPointer, RecordDocument } from '@passloop/documents';
import { type DeployState, type EnvironmentState, returnsIn, versionsIn } from '@passloop/gitops';
import { type LoadedModel, loadModelsAt } from '@passloop/model';
import type { Store } from '@passloop/record';
import { trainingKey } from '@passloop/training';
import { type Context, timestamp } from './context.ts';
import { lockAt, type Workspace } from './workspace.ts';

const historyLimit = 50;

/** What the deploy repository says of production, as checks of pull requests read it from the store. */
export function pointerOf(
  context: Context,
  state: DeployState,
  environment: EnvironmentState,
  stored: ProductionPointer | null,
): ProductionPointer | null {
  const { production } = environment;
  if (production === null) return null;
  const { record } = production;
  const isSame = stored?.record === production.digest;
  return {
    schema: 'passloop/pointer/v1',
    model: state.model,
    environment: environment.name,
    record: production.digest,
    modelDigest: record.modelDigest,
    imageDigest: record.image.digest,
    imageReference: record.image.reference,
    imageBytes: record.image.bytes,
    runKey: record.runKey,
    deployCommit: production.commit ?? state.snapshot.commit,
    evaluatedOn: isSame ? stored.evaluatedOn : null,
    history: returnsIn(environment)
      .slice(0, historyLimit)
      .map((version) => ({
        modelDigest: version.record.modelDigest,
        imageDigest: version.record.image.digest,
        runKey: version.record.runKey,
      })),
    holdouts: holdoutsOf(versionsIn(environment).map((version) => version.record)),
    held: [...new Set(environment.holds.filter((hold) => hold.imageDigest === null).map((hold) => hold.modelDigest))],
    at: timestamp(context),
  };
}

/** How often each set of rows has decided a promotion, and since when. */
export function holdoutsOf(records: readonly RecordDocument[]): Holdout[] {
  const found = new Map<string, Holdout>();
  for (const { evaluation, deployment } of records) {
    if (evaluation === null || deployment.cause !== 'promotion') continue;
    const { evaluationDigest } = evaluation;
    const known = found.get(evaluationDigest) ?? { evaluationDigest, promotions: 0, since: deployment.at };
    const since = Date.parse(deployment.at) < Date.parse(known.since) ? deployment.at : known.since;
    found.set(evaluationDigest, { evaluationDigest, promotions: known.promotions + 1, since });
  }
  return [...found.values()];
}

/**
 * Writes the pointers of all environments whose record, holds or history the store doesn't know yet, with the predictions of
 * the run that made production: a pull request can then compare without reading the deploy repository. What was read is the
 * truth; a store that can't be written makes checks say that their knowledge is old, and is no reason to stop a promotion.
 */
export async function refreshPointer(
  context: Context,
  request: {
    workspace: Workspace;
    model: LoadedModel;
    store: Store;
    state: DeployState;
    /** `true`: what can't be written stops, since another job reads it. */
    strict?: boolean;
  },
): Promise<void> {
  const { model, store, state, workspace, strict } = request;
  for (const environment of state.environments) {
    try {
      const stored = await store.readPointer(model.name, environment.name);
      const pointer = pointerOf(context, state, environment, stored);
      if (pointer === null || isCurrent(stored, pointer, context)) continue;
      await using folder = await temporaryFolder('pointer');
      const promoted = environment.production?.record.source?.commit ?? null;
      const predictions = await runPredictions(workspace, model, store, { ...pointer, promoted }, folder.path);
      await store.writePointer(
        { ...pointer, evaluatedOn: predictions?.evaluatedOn ?? null },
        predictions?.file ?? null,
      );
    } catch (error) {
      if (strict === true || !(error instanceof PassloopError)) throw error;
      context.progress.note(`the store's pointer to ${environment.name} was not refreshed: ${error.message}`);
    }
  }
}

function isCurrent(stored: ProductionPointer | null, pointer: ProductionPointer, context: Context): boolean {
  if (stored === null || stored.record !== pointer.record) return false;
  if (JSON.stringify([stored.history, stored.held]) !== JSON.stringify([pointer.history, pointer.held])) return false;
  // Younger than a day says enough; older knowledge is written again, so that checks see its age.
  return context.now().getTime() - Date.parse(stored.at) < 24 * 3_600_000;
}

/** Predictions of the run that made production, with the dataset that they are for. They equal its image's: that was proven. */
async function runPredictions(
  workspace: Workspace,
  model: LoadedModel,
  store: Store,
  production: { runKey: string | null; promoted: string | null },
  folder: string,
): Promise<{ file: { path: string; file: string }; evaluatedOn: string } | null> {
  const { runKey, promoted } = production;
  if (runKey === null) return null;
  const found = await store.findRun(runKey);
  if (found === null) return null;
  const source = await sourceOf(workspace, model.name, runKey, [found.run.producer.commit, promoted]);
  const evaluate = source?.model.evaluate;
  if (source === null || evaluate === undefined) return null;
  const uri = source.model.data[evaluate.dataset]?.path;
  const lock = await lockAt(workspace.repository, source.commit, source.model);
  const locked = lock?.datasets.find((dataset) => dataset.uri === uri);
  if (locked === undefined) return null;
  await store.restoreRun(runKey, folder);
  const name = `predictions${path.extname(evaluate.predictions)}`;
  return { file: { path: name, file: path.join(folder, evaluate.predictions) }, evaluatedOn: locked.digest };
}

/**
 * The commit that says what a run's outputs mean: the one that it was trained on, or the one that it was promoted by. A pull request's merge, on which
 * most runs are trained, is in no branch afterwards.
 */
async function sourceOf(
  workspace: Workspace,
  name: string,
  runKey: string,
  commits: readonly (string | null)[],
): Promise<{ commit: string; model: LoadedModel } | null> {
  const { repository } = workspace;
  for (const named of commits) {
    const commit = named === null ? null : await repository.resolve(named);
    if (commit === null) continue;
    const model = (await loadModelsAt(repository, commit)).find((one) => one.name === name);
    if (model?.train !== undefined && (await trainingKey(repository, commit, model)).runKey === runKey)
      return { commit, model };
  }
  return null;
}
