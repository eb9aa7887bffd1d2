import path from 'node:path';
import { ConfigurationError } from '@passloop/core';
import type { KeyDocument, RunDocument } from '@passloop/documents';
import { loadModelsAt } from '@passloop/model';
import { explainKeys, reproduceRun, trainingKey } from '@passloop/training';
import type { Context } from './context.ts';
import { outFolder } from './out-folder.ts';
import { runnerOf, runStage } from './run-stage.ts';
import { openModelStore } from './store.ts';
import { openWorkspace, selectModel, type Workspace } from './workspace.ts';

export type TrainRequest = { model?: string | undefined; ref?: string | undefined; out?: string | undefined };

/** The run key of a commit: from its objects alone, in no time. */
export async function trainKey(context: Context, request: TrainRequest): Promise<KeyDocument> {
  const workspace = await openWorkspace(context, { ref: request.ref });
  return trainingKey(workspace.repository, workspace.commit, selectModel(workspace.models, request.model));
}

/** What differs between the key of one commit and another's. */
export async function trainExplain(
  context: Context,
  request: TrainRequest & { against: string },
): Promise<KeyDocument> {
  const workspace = await openWorkspace(context, { ref: request.ref });
  const model = selectModel(workspace.models, request.model);
  const commit = await workspace.repository.resolve(request.against);
  if (commit === null)
    throw new ConfigurationError(`${JSON.stringify(request.against)} is no commit of this repository.`);
  const other = (await loadModelsAt(workspace.repository, commit)).find((candidate) => candidate.name === model.name);
  if (other === undefined) throw new ConfigurationError(`${request.against} has no model named ${model.name}.`);
  const key = await trainingKey(workspace.repository, workspace.commit, model);
  const before = await trainingKey(workspace.repository, commit, other);
  return {
    ...key,
    against: { runKey: before.runKey, name: request.against, commit, changes: explainKeys(before, key) },
  };
}

/** Trains a commit, or restores its run from the store and verifies it. */
export async function trainRunVerb(context: Context, request: TrainRequest): Promise<RunDocument> {
  const workspace = await openWorkspace(context, { ref: request.ref });
  const model = selectModel(workspace.models, request.model);
  await warnUncommitted(context, workspace);
  const out = outFolder(workspace.root, model.name, request.out);
  const store = await openModelStore(context, workspace.root, model);
  const run = await runStage(context, { workspace, model, store, outputs: out.outputs });
  await out.write('run', run);
  return run;
}

/** Runs a stored result again and says how alike the two are. */
export async function trainReproduce(context: Context, request: TrainRequest): Promise<RunDocument> {
  const workspace = await openWorkspace(context, { ref: request.ref });
  const model = selectModel(workspace.models, request.model);
  const out = outFolder(workspace.root, model.name, request.out);
  const run = await reproduceRun({
    repository: workspace.repository,
    commit: workspace.commit,
    model,
    workTree: workspace.root,
    store: await openModelStore(context, workspace.root, model),
    progress: context.progress,
    runner: runnerOf(context, path.join(out.folder, 'logs')),
    comparePredictions: async (...files) =>
      (await import('./compare-stored-predictions.ts')).comparePredictions(...files),
  });
  await out.write('run', run);
  return run;
}

/** What isn't committed is no part of a run: said, since it surprises. */
async function warnUncommitted(context: Context, workspace: Workspace): Promise<void> {
  const changed = (await workspace.repository.run(['status', '--porcelain', '--untracked-files=no']))
    .split('\n')
    .filter((line) => line !== '');
  if (changed.length > 0)
    context.progress.note(
      `${changed.length} uncommitted changes are not part of this run: it reads ${workspace.commit.slice(0, 12)}.`,
    );
}
