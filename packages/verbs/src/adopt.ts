import { ConfigurationError, isDigest } from '@passloop/core';
import type { PromotionDocument } from '@passloop/documents';
import { adopt as adoptRunning, environmentOf, planAdoption, planDocument, readDeployState } from '@passloop/gitops';
import { trainingKey } from '@passloop/training';
import { type Context, timestamp } from './context.ts';
import {
  type DeployPlace,
  deployQuery,
  environmentNamed,
  openDeployRepository,
  retryPorts,
} from './deploy-repository.ts';
import { imageKeyOf } from './image-key-of.ts';
import { recordedRun, versionOf } from './recorded-run.ts';
import { openModelStore } from './store.ts';
import { openWorkspace, selectModel } from './workspace.ts';

export type AdoptRequest = DeployPlace & {
  model?: string | undefined;
  environment?: string | undefined;
  /** The commit from which the running model was trained; HEAD by default. */
  ref?: string | undefined;
  /** Digest of the running model, where its run isn't in the store. */
  modelDigest?: string | undefined;
  /** Digest of the running image, where the manifest names a tag only. */
  imageDigest?: string | undefined;
  version?: string | undefined;
  plan?: boolean | undefined;
};

/**
 * Writes a first record for what runs already, by a pull request; no manifest changes but for a tag that becomes a digest.
 * The commit that the running model was trained from gives the rest of the record, if its run is in the store.
 */
export async function adopt(context: Context, request: AdoptRequest): Promise<PromotionDocument> {
  const workspace = await openWorkspace(context, { ref: request.ref });
  const model = selectModel(workspace.models, request.model);
  const { query, repository } = deployQuery(workspace, model);
  const environment = environmentNamed(model, request.environment);
  const forge = await openDeployRepository(context, repository, request);
  const store = await openModelStore(context, workspace.root, model);
  context.progress.phase(`read ${forge.repository}`);
  const state = await readDeployState(forge, query);
  const { targets } = environmentOf(state, environment.name);
  const running = targets.find(({ digest }) => digest !== null)?.digest ?? request.imageDigest ?? null;
  const pulledAs = targets.find(({ pulls }) => pulls !== null)?.pulls;

  const key = model.train === undefined ? null : await trainingKey(workspace.repository, workspace.commit, model);
  const run = key === null ? null : ((await store.findRun(key.runKey))?.run ?? null);
  const imageKey = run === null ? null : await imageKeyOf(workspace, model, run.modelDigest);
  const image = imageKey === null ? null : await store.findImage(imageKey);
  // The run of this commit is the running model's only if its image is the one that runs.
  const isRunning = image !== null && image.digest !== null && image.digest === running;
  const modelDigest = request.modelDigest ?? (isRunning ? run?.modelDigest : undefined);
  if (modelDigest === undefined || !isDigest(modelDigest)) {
    throw new ConfigurationError(
      `What ${environment.name} runs (${running ?? 'a tag without digest'}) is not the image of ${workspace.commit.slice(0, 12)} that the store knows.`,
      {
        hint: 'Name the commit that it was made from with --ref (after `passloop train run` and `passloop package push` there), or give its model digest with --model-digest sha256:….',
      },
    );
  }
  const asked = {
    environment: environment.name,
    modelDigest,
    version: request.version ?? (isRunning ? await versionOf(workspace) : 'adopted'),
    repository: image?.reference?.split('@')[0] ?? pulledAs ?? '',
    imageDigest: request.imageDigest ?? null,
    known: run === null || !isRunning ? {} : { ...(await recordedRun(workspace, model, run, null)), imageKey },
    at: timestamp(context),
  };
  if (request.plan === true) {
    return planDocument(model.name, environment.name, planAdoption(state, asked));
  }
  context.progress.phase(`adopt what ${environment.name} runs`);
  return adoptRunning(forge, query, asked, { merge: 'review', ports: retryPorts });
}
