import type { Producer, PromotionDocument } from '@passloop/documents';
import { type CandidateRecord, sameIdentity } from '@passloop/record';
import { type MergePolicy, performChange, type Refusal, type RetryPorts } from './apply-change.ts';
import {
  type DeployQuery,
  type DeployState,
  type EnvironmentState,
  environmentOf,
  readDeployState,
} from './deploy-state.ts';
import type { Forge } from './forge.ts';
import { type PromotionPlan, type PromotionRequest, planPromotion } from './promotion.ts';
import { promotionDocument } from './promotion-document.ts';
import { isLanded, openRecord } from './record-change.ts';
import { targetAddress } from './targets.ts';

export type PromotionOptions = {
  merge: MergePolicy;
  ports: RetryPorts;
  /** What the decision and the comparison were made on: where production moved since, that is a conflict. */
  decidedOn?: EnvironmentState | null;
  /** True where `other`, open or in production, comes from a later commit than this candidate: then we yield. */
  isNewer?: (other: Producer) => Promise<boolean>;
};

/**
 * Promotes: reads, plans, writes, and reads again where somebody was faster. Can be killed anywhere and run again.
 * @throws ConfigurationError, InfrastructureError; a conflict is an outcome
 */
export async function promote(
  forge: Forge,
  query: DeployQuery,
  request: PromotionRequest,
  options: PromotionOptions,
): Promise<PromotionDocument> {
  let seen = options.decidedOn == null ? null : fieldsOf(options.decidedOn);
  const performed = await performChange<DeployState, PromotionPlan>(forge, {
    read: () => readDeployState(forge, query),
    async plan(state) {
      const environment = environmentOf(state, request.environment);
      const plan = planPromotion(state, request);
      if (plan.kind === 'refused' && plan.outcome !== 'blocked') return plan;
      const moved = movedField(environment, seen);
      seen ??= fieldsOf(environment);
      if (moved !== null) return moved;
      if (plan.kind === 'refused') return plan;
      return (await yieldToNewer(environment, request.candidate, options)) ?? plan;
    },
    hasLanded: (state, plan) => isLanded(environmentOf(state, request.environment), plan.record),
    merge: options.merge,
    ports: options.ports,
  });
  return promotionDocument(query.model, request.environment, performed);
}

/** The fields that a promotion moves, as they stand: what a compare-and-swap on them compares. */
export function fieldsOf(environment: EnvironmentState): string {
  return JSON.stringify([
    environment.production?.digest ?? null,
    environment.targets.map(({ target, value, tag }) => [target.kind, target.file, targetAddress(target), value, tag]),
  ]);
}

export function movedField(environment: EnvironmentState, seen: string | null): Refusal | null {
  if (seen === null || seen === fieldsOf(environment)) return null;
  const now = environment.production;
  return {
    kind: 'refused',
    outcome: 'conflict',
    reason: `${environment.name} moved meanwhile: it now runs ${now === null ? 'no recorded model' : `${now.record.version} (promotion ${now.record.deployment.promotionId})`}. Compare with that, and promote again.`,
  };
}

async function yieldToNewer(
  environment: EnvironmentState,
  candidate: CandidateRecord,
  options: PromotionOptions,
): Promise<Refusal | null> {
  if (options.isNewer === undefined) return null;
  for (const other of [openRecord(environment), environment.production?.record ?? null]) {
    if (other === null || other.source === null || sameIdentity(other, candidate)) continue;
    if (other.source.commit === candidate.source?.commit || !(await options.isNewer(other.source))) continue;
    return {
      kind: 'refused',
      outcome: 'superseded',
      reason: `${other.version} of the later commit ${other.source.commit.slice(0, 12)} is ahead of this candidate.`,
    };
  }
  return null;
}
