import { ConfigurationError, plainText, type Verdict } from '@passloop/core';
import type { PlannedPromotion, PromotionPlanDocument } from '@passloop/documents';
import { type Candidate, decide, type Refusal, type Withdrawal } from '@passloop/gitops';
import { type LoadedModel, modelFileName } from '@passloop/model';
import type { Context } from './context.ts';
import { supersededCommit } from './default-head.ts';
import { environmentNamed } from './deploy-repository.ts';
import { ensureHandOverKey } from './hand-over.ts';
import { dueWithdrawals, openPromotionOf, waiting } from './open-promotion.ts';
import { refreshPointer } from './production-pointer.ts';
import type { Promotion } from './promotion.ts';
import { isReturnDue } from './promotion-return.ts';
import { openWorkspace, selectModel, type Workspace } from './workspace.ts';

export type PromotionPlanRequest = {
  /** Only this model; by default every one that is deployed. */
  model?: string | undefined;
  ref?: string | undefined;
  /** Promote what people refused by closing its pull request. */
  again?: boolean | undefined;
};

/** `recipients`: by model that is trained, the public half of its store's hand-over key. */
export type PlannedPromotions = { document: PromotionPlanDocument; recipients: Record<string, string> };

/**
 * What brings the models of a commit to their next environments: reads each deploy repository once, writes into the store what production
 * is (the proof compares with that), and decides. Nothing is trained, built or proven, and no deploy repository is written.
 */
export async function planPromotions(context: Context, request: PromotionPlanRequest): Promise<PlannedPromotions> {
  const workspace = await openWorkspace(context, { ref: request.ref });
  const models =
    request.model === undefined
      ? workspace.models.filter((model) => (model.deploy?.environments.length ?? 0) > 0)
      : [selectModel(workspace.models, request.model)];
  if (models.length === 0) {
    throw new ConfigurationError('No model of this commit has a `deploy` section: nothing says where one runs.', {
      file: modelFileName,
      hint: 'docs/model-file.md shows one.',
    });
  }
  const superseded = await supersededCommit(context, workspace);
  const planned: PlannedPromotion[] = [];
  const refused = new Set<PlannedPromotion>();
  const recipients: Record<string, string> = {};
  for (const model of models) {
    const { promotion, plan, isRefused } = await planModel(
      context,
      workspace,
      model,
      superseded,
      request.again === true,
    );
    planned.push(plan);
    if (isRefused) refused.add(plan);
    if (promotion === null || (plan.needs !== 'train' && plan.needs !== 'image')) continue;
    // A proof is sealed under it, by a job that may only read the store.
    const key = await ensureHandOverKey(promotion.store);
    if (plan.needs === 'train') recipients[plan.name] = key.recipient;
  }
  context.progress.done();
  return {
    document: {
      schema: 'passloop/promotion-plan/v1',
      commit: workspace.commit,
      verdict: verdictOf(planned, refused),
      models: planned,
    },
    recipients,
  };
}

async function planModel(
  context: Context,
  workspace: Workspace,
  model: LoadedModel,
  superseded: string | null,
  again: boolean,
): Promise<{ promotion: Promotion | null; plan: PlannedPromotion; isRefused: boolean }> {
  if (superseded !== null) {
    const plan = {
      name: model.name,
      environment: environmentNamed(model, undefined).name,
      needs: 'nothing' as const,
      outcome: 'superseded' as const,
      reason: superseded,
      runKey: null,
    };
    return { promotion: null, plan, isRefused: false };
  }
  const { promotion, candidate, notYet, unsafe } = await openPromotionOf(context, workspace, model, { again });
  const { environment, store, state } = promotion;
  // A proof compares with what the store says: where it can't be written, nothing can be proven.
  await refreshPointer(context, { workspace, model, store, state, strict: true });
  const planned = { name: model.name, environment: environment.name, runKey: candidate.runKey };
  const plan = { ...planned, ...withWithdrawals(promotion, unsafe, await needsOf(promotion, candidate, notYet)) };
  const reason = plan.reason === null ? null : plainText(plan.reason, 4000);
  const isRefused =
    decide(environment, candidate, { again }).kind === 'blocked' &&
    decide(environment, candidate, { again: true }).kind !== 'blocked';
  return { promotion, plan: { ...plan, reason }, isRefused };
}

type Needs = Pick<PlannedPromotion, 'needs' | 'outcome' | 'reason'>;

async function needsOf(promotion: Promotion, candidate: Candidate, notYet: Refusal | null): Promise<Needs> {
  const { environment } = promotion;
  const decision = decide(environment, candidate, promotion.request);
  switch (decision.kind) {
    case 'already-promoted':
      return nothing('already-promoted', `${environment.name} runs the model of this commit already.`);
    case 'held': {
      const { modelDigest, reason } = decision.hold;
      return nothing(
        'held',
        `Model ${modelDigest} is held: ${reason} Lift it with \`passloop hold ${modelDigest} --lift\`.`,
      );
    }
    case 'blocked':
      return nothing('blocked', decision.reason);
    case 'rollback':
      return pending('promote', `${environment.name} ran it before: it comes back, and what runs there is held.`);
    case 'train':
      if (await isReturnDue(promotion)) {
        return pending('promote', 'What runs was reverted: production goes back first; the new tree follows.');
      }
      if (notYet !== null) return nothing(notYet.outcome, notYet.reason);
      return pending('train', `No store knows ${candidate.runKey ?? 'its key'}: it is trained.`);
    default:
      break;
  }
  if (notYet !== null) return nothing(notYet.outcome, notYet.reason);
  if (waiting(promotion, candidate) !== null) return nothing('unchanged', 'Its pull request waits.');
  return pending('image', `It is proven against what ${environment.name} runs.`);
}

/** The job that promotes is also the one that closes what must not be merged any more. */
function withWithdrawals(promotion: Promotion, unsafe: readonly Withdrawal[], needs: Needs): Needs {
  const [stopped] = unsafe;
  if (stopped !== undefined && needs.needs === 'nothing') {
    return pending(
      'promote',
      `The open promotion into ${stopped.environment} no longer merges by itself: ${stopped.reason}`,
    );
  }
  const [due] = dueWithdrawals(promotion);
  if (due === undefined || needs.needs !== 'nothing') return needs;
  return pending('promote', `The open promotion into ${due.environment} is closed: ${due.reason}`);
}

function nothing(outcome: PlannedPromotion['outcome'], reason: string): Needs {
  return { needs: 'nothing', outcome, reason };
}

function pending(needs: PlannedPromotion['needs'], reason: string): Needs {
  return { needs, outcome: 'pending', reason };
}

/**
 * What is held or blocked warns while other models go on; what is blocked fails a plan in which nothing else is to be done, and such a plan is
 * pending where it waits for an environment. What people refused is as they want it: it warns, and no push after it fails.
 */
function verdictOf(planned: readonly PlannedPromotion[], refused: ReadonlySet<PlannedPromotion>): Verdict {
  const isIdle = planned.every(({ needs }) => needs === 'nothing');
  const has = (outcome: PlannedPromotion['outcome']) => planned.some((one) => one.outcome === outcome);
  if (isIdle && planned.some((plan) => plan.outcome === 'blocked' && !refused.has(plan))) return 'fail';
  if (isIdle && has('pending')) return 'pending';
  return has('held') || has('blocked') ? 'warn' : 'pass';
}
