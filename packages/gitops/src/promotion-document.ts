import type { PromotionDocument, PromotionOutcome } from '@passloop/documents';
import type { Performed, Refusal } from './apply-change.ts';
import type { DeployState } from './deploy-state.ts';
import { editsOf } from './edits.ts';
import { openedAs } from './opened.ts';
import type { PromotionPlan } from './promotion.ts';

/** Nothing was written, and why. */
export function refusalDocument(
  model: string,
  environment: string,
  refusal: { outcome: PromotionOutcome; reason: string | null },
): PromotionDocument {
  return {
    schema: 'passloop/promotion/v1',
    outcome: refusal.outcome,
    model,
    environment,
    change: null,
    reason: refusal.reason?.slice(0, 4096) ?? null,
    promotionId: null,
    recordDigest: null,
    branch: null,
    commit: null,
    pullRequest: null,
    merged: false,
    edits: [],
  };
}

/** What would be written: `--plan`. */
export function planDocument(model: string, environment: string, plan: PromotionPlan | Refusal): PromotionDocument {
  if (plan.kind === 'refused') return refusalDocument(model, environment, plan);
  return {
    ...refusalDocument(model, environment, { outcome: 'unchanged', reason: 'A plan: nothing was written.' }),
    ...notesOf(plan.warnings ?? []),
    change: plan.what,
    promotionId: plan.record.deployment.promotionId,
    recordDigest: plan.recordDigest,
    branch: plan.change.branch,
    edits: editsOf(plan.change.files),
  };
}

function notesOf(warnings: readonly string[]): Pick<PromotionDocument, 'notes'> {
  return warnings.length === 0 ? {} : { notes: warnings.slice(0, 100).map((line) => line.slice(0, 4096)) };
}

/** What was written. */
export function promotionDocument(
  model: string,
  environment: string,
  { plan, applied }: Performed<DeployState, PromotionPlan>,
): PromotionDocument {
  if (applied === null) return refusalDocument(model, environment, plan);
  const { notes: _, ...planned } = planDocument(model, environment, plan);
  return {
    ...planned,
    outcome: applied.outcome,
    reason: null,
    commit: applied.commit,
    ...openedAs(applied.pullRequest, plan.change.text, applied.merged !== null),
    merged: applied.merged !== null,
  };
}
