import { ConfigurationError } from '@passloop/core';
import type { PromotionDocument } from '@passloop/documents';
import {
  type Candidate,
  isStuck,
  nextEnvironment,
  openedAs,
  openPromotion,
  readDeployState,
  refusalDocument,
} from '@passloop/gitops';
import type { LoadedModel } from '@passloop/model';
import { trainingKey } from '@passloop/training';
import type { Context } from './context.ts';
import { deployQuery, environmentNamed, openDeployRepository } from './deploy-repository.ts';
import { imageKeyOf } from './image-key-of.ts';
import type { PromoteRequest, Promotion } from './promotion.ts';
import { openModelStore } from './store.ts';
import type { Workspace } from './workspace.ts';

/**
 * What a promotion begins with: the deploy repository, read once; what the store knows of the commit's key; and the environment that is
 * asked for, or the first one, in the model file's order, that runs something else.
 */
export async function openPromotionOf(
  context: Context,
  workspace: Workspace,
  model: LoadedModel,
  request: PromoteRequest,
): Promise<{ promotion: Promotion; candidate: Candidate }> {
  const { query, repository } = deployQuery(workspace, model);
  const forge = await openDeployRepository(context, repository, request);
  const store = await openModelStore(context, workspace.root, model);
  context.progress.phase(`read ${forge.repository}`);
  const state = await readDeployState(forge, query);
  const key = model.train === undefined ? null : await trainingKey(workspace.repository, workspace.commit, model);
  const known = key === null ? null : await store.findRun(key.runKey);
  const candidate = {
    runKey: key?.runKey ?? null,
    imageKey: known === null ? null : await imageKeyOf(workspace, model, known.run.modelDigest),
    modelDigest: known?.run.modelDigest ?? null,
    imageDigest: null,
    inStore: known !== null,
  };
  const environment =
    request.environment === undefined
      ? (nextEnvironment(state.environments, candidate) ?? state.environments.at(-1))
      : state.environments.find((one) => one.name === environmentNamed(model, request.environment).name);
  if (environment === undefined)
    throw new ConfigurationError(`${model.name} is deployed nowhere.`, { file: model.file });
  const declared = environmentNamed(model, environment.name);
  return { promotion: { context, workspace, model, store, forge, state, environment, declared, request }, candidate };
}

/** The promotion of this very commit that waits in its pull request: nothing is proven twice, nothing is written. */
export function waiting(
  { model, state, environment, declared, workspace }: Promotion,
  candidate: Candidate,
): PromotionDocument | null {
  const { head } = environment;
  const record = openPromotion(state, environment);
  if (record === null || head?.pullRequest == null || record.source?.commit !== workspace.commit) return null;
  if (record.modelDigest !== candidate.modelDigest || record.image.imageKey !== candidate.imageKey) return null;
  if (declared.merge === 'auto' && !head.pullRequest.autoMerge) return null;
  if (isStuck(head.pullRequest, declared.merge)) return null;
  return {
    ...refusalDocument(model.name, environment.name, { outcome: 'unchanged', reason: null }),
    promotionId: record.deployment.promotionId,
    branch: head.branch,
    commit: head.commit,
    ...openedAs(head.pullRequest, head.pullRequest, false),
  };
}
