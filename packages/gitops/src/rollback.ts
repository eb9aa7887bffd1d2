import { sha256 } from '@passloop/core';
import type { PromotionDocument, RecordDocument, RollbackDocument } from '@passloop/documents';
import { type MergePolicy, performChange, type Refusal, type RetryPorts } from './apply-change.ts';
import {
  type DeployQuery,
  type DeployState,
  type EnvironmentState,
  environmentOf,
  readDeployState,
  versionsIn,
} from './deploy-state.ts';
import type { Forge } from './forge.ts';
import { recordPath } from './paths.ts';
import { fieldsOf, movedField } from './promote.ts';
import { planDocument, promotionDocument } from './promotion-document.ts';
import { isLanded } from './record-change.ts';
import type { RecordVersion } from './record-history.ts';
import { changesSince, restorationOf } from './restored-files.ts';
import { planRollback, type RollbackPlan, type RollbackRequest } from './rollback-plan.ts';
import { blocked, isNamed, type RollbackTarget } from './rollback-target.ts';

/** What isn't in its registry can't come back. */
export function imageGone({ record }: RecordVersion): Refusal {
  return blocked(`The image of ${record.version} is gone from its registry: ${record.image.reference}`);
}

/**
 * The plan with what only earlier commits tell: the record as of a commit that people named, and the manifests as the older record left them. One call
 * to the forge more than the plan by itself, and one for such a name.
 */
export async function prepareRollback(
  forge: Forge,
  state: DeployState,
  request: RollbackRequest,
): Promise<RollbackPlan | Refusal> {
  const environment = environmentOf(state, request.environment);
  const file = recordPath(state.model, environment.name);
  const asked = { ...request, to: await namedRecord(forge, environment, request.to, file) };
  const plan = planRollback(state, asked);
  if (plan.kind === 'refused') return plan;
  const chain = changesSince(state.snapshot.histories.get(file) ?? [], plan.to);
  if (chain.length === 0) return plan;
  const declared = environment.targets.map(({ target }) => target.file);
  const recorded = plan.to.record.deployment.targets.map((target) => target.file);
  const commits = await forge.readCommits(chain, [...new Set([...declared, ...recorded])]);
  return planRollback(state, asked, restorationOf(state.snapshot, environment, plan, { chain, commits }));
}

/** A merge, or any other commit after which a record ran: its own history knows only the commit that wrote it. */
async function namedRecord(
  forge: Forge,
  environment: EnvironmentState,
  to: RollbackTarget,
  file: string,
): Promise<RollbackTarget> {
  if (to.kind !== 'named' || !/^[0-9a-f]{7,64}$/.test(to.name)) return to;
  if (versionsIn(environment).some((version) => isNamed(version, to.name))) return to;
  const found = (await forge.readCommits([to.name], [file])).get(to.name)?.files.get(file)?.text ?? null;
  return found === null ? to : { kind: 'named', name: sha256(found) };
}

export type RollbackOptions = {
  merge: MergePolicy;
  ports: RetryPorts;
  /** What the caller has just read; it is read again where somebody was faster. */
  state?: DeployState;
  /** Whether an image is in its registry, by `name@sha256:…`. What isn't there can't come back. */
  hasImage(reference: string): Promise<boolean>;
};

/** Rolls back. Can be killed anywhere and run again. @throws ConfigurationError, InfrastructureError */
export async function rollback(
  forge: Forge,
  query: DeployQuery,
  request: RollbackRequest,
  options: RollbackOptions,
): Promise<RollbackDocument> {
  let seen: string | null = null;
  let checked: string | null = null;
  let known = options.state ?? null;
  const performed = await performChange<DeployState, RollbackPlan>(forge, {
    async read() {
      const state = known ?? (await readDeployState(forge, query));
      known = null;
      return state;
    },
    async plan(state) {
      const environment = environmentOf(state, request.environment);
      const plan = await prepareRollback(forge, state, request);
      if (plan.kind === 'refused' && plan.outcome !== 'blocked') return plan;
      const moved = movedField(environment, seen);
      seen ??= fieldsOf(environment);
      if (moved !== null) return moved;
      if (plan.kind === 'refused') return plan;
      const { reference } = plan.to.record.image;
      if (checked !== reference && !(await options.hasImage(reference))) {
        return imageGone(plan.to);
      }
      checked = reference;
      return plan;
    },
    hasLanded: (state, plan) => isLanded(environmentOf(state, request.environment), plan.record),
    merge: (plan) => (plan.waits === null ? options.merge : 'review'),
    ports: options.ports,
  });
  const plan = performed.applied === null ? null : performed.plan;
  return rollbackDocument(promotionDocument(query.model, request.environment, performed), plan);
}

/** What a rollback would write: `--plan`. */
export function plannedRollback(model: string, environment: string, plan: RollbackPlan | Refusal): RollbackDocument {
  if (plan.kind === 'refused') return rollbackDocument(planDocument(model, environment, plan), null);
  return rollbackDocument(planDocument(model, environment, { ...plan, warnings: plan.notes }), plan);
}

function rollbackDocument(promotion: PromotionDocument, plan: RollbackPlan | null): RollbackDocument {
  return {
    ...promotion,
    schema: 'passloop/rollback/v1',
    reason: promotion.reason ?? plan?.waits ?? null,
    from: plan === null ? null : sideOf(plan.from.record),
    to: plan === null ? null : sideOf(plan.to.record),
    hold: plan?.hold ?? null,
  };
}

/** A record as a rollback's document names it. */
export function sideOf(record: RecordDocument): { modelDigest: string; imageDigest: string; version: string } {
  return { modelDigest: record.modelDigest, imageDigest: record.image.digest, version: record.version };
}
