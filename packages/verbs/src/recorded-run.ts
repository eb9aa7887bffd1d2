import { PassloopError, sha256 } from '@passloop/core';
import type { Change, ImageDocument, RecordedSignature, RunDocument } from '@passloop/documents';
import { fromRoot, type LoadedModel, loadModelsAt, parseSignature } from '@passloop/model';
import type { CandidateRecord } from '@passloop/record';
import { explainKeys, trainingKey } from '@passloop/training';
import type { Context } from './context.ts';
import type { Workspace } from './workspace.ts';

/** What a record says of the run that made its model. */
export type RecordedRun = Pick<
  CandidateRecord,
  'runKey' | 'source' | 'data' | 'params' | 'seeds' | 'environment' | 'code' | 'metrics'
>;

/** @param url of the job that promotes, where one does */
export async function recordedRun(
  workspace: Workspace,
  model: LoadedModel,
  run: RunDocument,
  url: string | null,
): Promise<RecordedRun> {
  const key = await trainingKey(workspace.repository, workspace.commit, model);
  return {
    runKey: run.runKey,
    source: {
      repository: workspace.name,
      commit: workspace.commit,
      tree: workspace.tree,
      ref: workspace.ref,
      run: url,
    },
    data: run.data,
    params: run.params,
    seeds: run.seeds,
    environment: run.environment,
    code: key.stages.flatMap((stage) => stage.inputs.code.map(({ path, digest }) => ({ path, digest }))),
    metrics: run.metrics,
  };
}

/** What callers of the commit's image send and get; null where the commit's signature isn't the one that the image was built with. */
export async function recordedSignature(
  { repository, commit }: Workspace,
  model: LoadedModel,
  image: ImageDocument,
): Promise<RecordedSignature | null> {
  const file = model.package === undefined ? null : fromRoot(model, model.package.signature);
  const text = file === null ? null : await repository.readFile(commit, file);
  if (file === null || text === null || sha256(text) !== image.signatureDigest) return null;
  const { inputs, outputs } = parseSignature(text.toString('utf8'), file);
  const tensors = (listed: readonly { name: string; datatype: string }[]) =>
    listed.map(({ name, datatype }) => ({ name, datatype }));
  return {
    digest: image.signatureDigest,
    runtime: image.runtime,
    inputs: tensors(inputs),
    outputs: tensors(outputs),
  };
}

/** `2026.11.22-3f9c1ab`: the commit's day and its name. */
export async function versionOf(workspace: Workspace): Promise<string> {
  const format = ['--format=%cd', '--date=format-local:%Y.%m.%d'];
  const day = (await workspace.repository.run(['show', '-s', ...format, workspace.commit])).trim();
  return `${day}-${workspace.commit.slice(0, 7)}`;
}

export function runUrl(context: Context): string | null {
  const { GITHUB_SERVER_URL: server, GITHUB_REPOSITORY: repository, GITHUB_RUN_ID: id } = context.env;
  return server === undefined || repository === undefined || id === undefined
    ? null
    : `${server}/${repository}/actions/runs/${id}`;
}

/** What differs from the run of an older record's commit; null where that commit isn't here or this version can't read it. */
export async function changesSince(
  workspace: Workspace,
  model: LoadedModel,
  commit: string | null,
): Promise<Change[] | null> {
  if (commit === null || (await workspace.repository.resolve(commit)) === null) return null;
  try {
    const before = (await loadModelsAt(workspace.repository, commit)).find((one) => one.name === model.name);
    if (before === undefined) return null;
    return explainKeys(
      await trainingKey(workspace.repository, commit, before),
      await trainingKey(workspace.repository, workspace.commit, model),
    );
  } catch (error) {
    if (error instanceof PassloopError) return null;
    throw error;
  }
}
