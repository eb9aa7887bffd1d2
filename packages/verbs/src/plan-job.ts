import type { PlanDocument } from '@passloop/documents';
import { DeniedError, type Store } from '@passloop/record';
import type { Context } from './context.ts';
import { ensureHandOverKey } from './hand-over.ts';
import { type CheckPlan, type PlannedCheck, type PlanRequest, planCheck } from './plan.ts';
import { openModelStore, refuseVanishing } from './store.ts';
import { type Stored, storedOf } from './stored-proof.ts';

export type PlanJobRequest = Omit<PlanRequest, 'asksStore'> & {
  /** A fork's job may not read a private store: then nothing is known, and no row travels. Elsewhere that is an error. */
  mayBeDenied?: boolean | undefined;
};

export type PlannedJobs = {
  plan: PlanDocument;
  /** The models that have something to do, for a matrix. */
  models: { name: string; stored: Stored }[];
  /** To whom rows are encrypted, by model; a model whose store can't be read has none. */
  recipients: Record<string, string>;
};

/**
 * What the jobs of a check will do: affected models, their keys and policies, what the store has already, and to whom rows are encrypted on
 * the way. Runs no code of the change and reads no data; makes the store's hand-over key where there is none.
 * @throws ConfigurationError in a workflow, for a store that is gone when the job ends
 */
export async function planJob(context: Context, request: PlanJobRequest): Promise<PlannedJobs> {
  const plan = await planCheck(context, { ...request, asksStore: false });
  const affected = plan.checks.filter((check) => check.planned.affected);
  for (const check of affected) if (!check.isRemoved) refuseVanishing(context, plan.workspace.root, check.model);
  const jobs: PlannedJobs = { plan: plan.document, models: [], recipients: {} };
  for (const check of affected) {
    const { name } = check.planned;
    const known = await askStore(context, plan, check, request.mayBeDenied ?? false);
    jobs.models.push({ name, stored: known?.stored ?? 'none' });
    if (known === null) continue;
    if (check.key !== null) check.planned.store = known.stored === 'none' ? 'miss' : 'hit';
    jobs.recipients[name] = known.recipient;
  }
  return { ...jobs, plan: { ...plan.document, models: plan.checks.map((check) => check.planned) } };
}

/** Null where there is nothing to ask for, or the store can't be read and needn't be. */
async function askStore(
  context: Context,
  plan: CheckPlan,
  check: PlannedCheck,
  mayBeDenied: boolean,
): Promise<{ stored: Stored; recipient: string } | null> {
  if (check.key === null || check.isRemoved) return null;
  const store = await openModelStore(context, plan.workspace.root, check.model);
  try {
    const stored = await storedOf(plan.workspace, check, store);
    return { stored, recipient: await recipientOf(store) };
  } catch (error) {
    if (!mayBeDenied || !(error instanceof DeniedError)) throw error;
    context.progress.note(`${error.message} Nothing is compared, since this is a fork's change: ${store.description}.`);
    return null;
  }
}

async function recipientOf(store: Store): Promise<string> {
  return (await ensureHandOverKey(store)).recipient;
}
