import { ConfigurationError } from '@passloop/core';
import type { PromotionDocument } from '@passloop/documents';
import {
  type Candidate,
  decide,
  type EnvironmentState,
  environmentOf,
  isStuck,
  nextEnvironments,
  openedAs,
  openPromotion,
  openRecord,
  precedenceProblem,
  type Refusal,
  readDeployState,
  refusalDocument,
  type Withdrawal,
  withdrawals,
} from '@passloop/gitops';
import type { LoadedModel } from '@passloop/model';
import type { Store } from '@passloop/record';
import { trainingKey } from '@passloop/training';
import type { Context } from './context.ts';
import { deployQuery, environmentNamed, openDeployRepository } from './deploy-repository.ts';
import { healthProblem } from './environment-health.ts';
import { imageKeyOf } from './image-key-of.ts';
import type { PromoteRequest, Promotion } from './promotion.ts';
import { openModelStore } from './store.ts';
import type { Workspace } from './workspace.ts';

export type OpenedPromotion = {
  promotion: Promotion;
  candidate: Candidate;
  /** Why the chain of environments doesn't let the candidate in yet; it doesn't concern what runs, ran, or is held there. */
  notYet: Refusal | null;
  /** Open promotions that would merge by themselves into an environment that has to wait for one which failed meanwhile. */
  unsafe: readonly Withdrawal[];
};

/**
 * What a promotion begins with: the deploy repository, read once; what the store knows of the commit's key; and the environment that is
 * asked for, or the first one, in the model file's order, that runs something else. Where that one has to wait, another one that comes
 * after an environment which has the model already isn't kept waiting by it.
 */
export async function openPromotionOf(
  context: Context,
  workspace: Workspace,
  model: LoadedModel,
  request: PromoteRequest,
): Promise<OpenedPromotion> {
  const { query, repository, environments } = deployQuery(workspace, model);
  const forge = await openDeployRepository(context, repository, request);
  const store = await openModelStore(context, workspace.root, model);
  context.progress.phase(`read ${forge.repository}`);
  const state = await readDeployState(forge, query);
  const candidate = await candidateOf(workspace, model, store);
  const after = new Map(environments.map((environment) => [environment.name, environment.after]));
  const asked =
    request.environment === undefined
      ? nextEnvironments(state.environments, candidate, after)
      : state.environments.filter(({ name }) => name === environmentNamed(model, request.environment).name);
  const health = new Map<string, Refusal | null>();
  let first: Omit<OpenedPromotion, 'unsafe'> | null = null;
  const unsafe: Withdrawal[] = [];
  for (const environment of asked.length === 0 ? state.environments.slice(-1) : asked) {
    const declared = environmentNamed(model, environment.name);
    const promotion = { context, workspace, model, store, forge, state, environment, declared, request };
    const notYet = await chainProblem(promotion, candidate, health);
    const opened = { promotion, candidate, notYet };
    first ??= opened;
    if (notYet?.outcome === 'blocked') unsafe.push(...mergingAlone(environment, notYet.reason));
    const { kind } = decide(environment, candidate, request);
    const isStill = kind === 'held' || kind === 'blocked' || waiting(promotion, candidate) !== null;
    if (notYet === null && !isStill) return { ...opened, unsafe };
  }
  if (first === null) throw new ConfigurationError(`${model.name} is deployed nowhere.`, { file: model.file });
  return { ...first, unsafe };
}

/** A promotion that waits for checks alone: nobody would look at it again before it is merged. */
function mergingAlone(environment: EnvironmentState, reason: string): Withdrawal[] {
  const pullRequest = environment.head?.pullRequest;
  // A way back is held up by nothing: whoever takes it is in a hurry.
  if (pullRequest?.autoMerge !== true || openRecord(environment)?.deployment.cause !== 'promotion') return [];
  return [{ environment: environment.name, pullRequest, reason }];
}

async function candidateOf(workspace: Workspace, model: LoadedModel, store: Store): Promise<Candidate> {
  const key = model.train === undefined ? null : await trainingKey(workspace.repository, workspace.commit, model);
  const known = key === null ? null : await store.findRun(key.runKey);
  return {
    runKey: key?.runKey ?? null,
    imageKey: known === null ? null : await imageKeyOf(workspace, model, known.run.modelDigest),
    modelDigest: known?.run.modelDigest ?? null,
    imageDigest: null,
    inStore: known !== null,
  };
}

/**
 * What `after` asks before a candidate goes forward. A way back isn't held up by it: what ran there before has been through the chain,
 * and whoever reverts is in a hurry.
 */
async function chainProblem(
  promotion: Promotion,
  candidate: Candidate,
  health: Map<string, Refusal | null>,
): Promise<Refusal | null> {
  const { environment, declared, state, model, request } = promotion;
  // As asked: what goes forward `again` is asked no less of than what nobody refused.
  const { kind } = decide(environment, candidate, request);
  if (declared.after === undefined || !['promote', 'same-model', 'train'].includes(kind)) return null;
  const missing = precedenceProblem(environmentOf(state, declared.after), candidate);
  if (missing !== null) return missing;
  const before = environmentNamed(model, declared.after);
  const known = health.get(before.name);
  const problem = known === undefined ? await healthProblem(promotion, before) : known;
  health.set(before.name, problem);
  return problem;
}

/** What of the model's open promotions must not be merged any more. */
export function dueWithdrawals({ state, model }: Promotion): Withdrawal[] {
  const environments = model.deploy?.environments ?? [];
  return withdrawals(state, new Map(environments.map(({ name, after }) => [name, after])));
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
