import { ConfigurationError, isDigest, shortDigest } from '@passloop/core';
import {
  formatDocument,
  type PromotionDocument,
  parseDocument,
  type RecordDocument,
  type RollbackDocument,
} from '@passloop/documents';
import { sameIdentity } from '@passloop/record';
import { type MergePolicy, performChange, type Refusal, type RetryPorts } from './apply-change.ts';
import { commitMessage, promotionTrailers } from './commit-message.ts';
import type { DeployChange, FileEditor } from './deploy-change.ts';
import { lintNotes, lintRefusal, lintTargets } from './deploy-lint.ts';
import {
  type DeployQuery,
  type DeployState,
  type EnvironmentState,
  environmentOf,
  readDeployState,
  versionsIn,
} from './deploy-state.ts';
import type { Forge } from './forge.ts';
import { holdAgainst, holdDocument } from './holds.ts';
import { holdPath, promotionBranch } from './paths.ts';
import { fieldsOf, movedField } from './promote.ts';
import { listedFiles, type PromotionPlan } from './promotion.ts';
import { planDocument, promotionDocument } from './promotion-document.ts';
import { rollbackText } from './pull-request-text.ts';
import { changeRecord, isLanded } from './record-change.ts';
import { ancestorsOf, isAfterReturn, isLeft, leftByReturns, type RecordVersion } from './record-history.ts';

/** Which record a rollback returns to. */
export type RollbackTarget =
  /** The nearest ancestor that verifies and isn't held; none where the last change was a return already. */
  | { kind: 'previous' }
  /** A record, model or image digest, a promotion id, a version, a run key, or a commit of the deploy repository. */
  | { kind: 'named'; name: string }
  /** The record before those which came from these commits of the model repository: what a revert there undoes. */
  | { kind: 'before'; commits: readonly string[] };

export type RollbackRequest = {
  environment: string;
  to: RollbackTarget;
  /** What is to be left, by the names of a record: where production is something else by now, there is nothing to do. */
  leave?: string | null;
  reason: string;
  by: string;
  /** ISO 8601, UTC. */
  at: string;
};

export type RollbackPlan = PromotionPlan & { from: RecordVersion; to: RecordVersion; hold: string | null };

/**
 * The one commit that brings an earlier record back: manifest edits, the record, and the hold of the model that is left.
 * @throws ConfigurationError where the name fits no record or several, or a target can't be edited
 */
export function planRollback(state: DeployState, request: RollbackRequest): RollbackPlan | Refusal {
  const environment = environmentOf(state, request.environment);
  if (environment.problem !== null) return blocked(environment.problem);
  const from = environment.production;
  if (from === null) return blocked(`${environment.name} has no record: there is nothing to return from.`);
  const drift = environment.drift[0];
  if (drift !== undefined) {
    return blocked(
      `${environment.name} has drifted: ${drift.file} runs ${drift.found ?? 'no image that can be read'}, its record says ${drift.recorded}. Record what runs with \`passloop adopt\`, then roll back.`,
    );
  }
  if (request.leave != null && !isNamed(from, request.leave)) {
    return {
      kind: 'refused',
      outcome: 'already-promoted',
      reason: `${environment.name} runs ${from.record.version}, no longer what was to be left.`,
    };
  }
  const to = rollbackTarget(environment, from, request.to);
  if ('kind' in to) return to;
  return rollbackPlan(state, environment, from, to, request);
}

function rollbackPlan(
  state: DeployState,
  environment: EnvironmentState,
  from: RecordVersion,
  to: RecordVersion,
  request: RollbackRequest,
): RollbackPlan | Refusal {
  const { deployment: _, ...older } = to.record;
  const { record, recordDigest, editor } = changeRecord(state, environment, older, {
    cause: 'rollback',
    at: request.at,
  });
  const findings = lintTargets(environment, editor);
  const unfit = lintRefusal(findings);
  if (unfit !== null) return unfit;
  const hold = writeHold(editor, environment, from.record, record, request);
  const files = editor.files();
  const headline = `rollback(${record.model}/${environment.name}): ${from.record.version} back to ${record.version}`;
  const change: DeployChange = {
    branch: promotionBranch(state.model, environment.name),
    files,
    message: commitMessage(headline, [request.reason], promotionTrailers(record, from.record.deployment.promotionId)),
    text: rollbackText(record, from.record, request.reason, hold, listedFiles(files), lintNotes(findings)),
  };
  return { kind: 'change', change, record, recordDigest, what: 'rollback', from, to, hold };
}

/** The model that is left is refused from now on; where only its image differs, that image of it. */
function writeHold(
  editor: FileEditor,
  environment: EnvironmentState,
  left: RecordDocument,
  record: RecordDocument,
  request: RollbackRequest,
): string {
  const imageDigest = left.modelDigest === record.modelDigest ? left.image.digest : null;
  const path = holdPath(left.model, imageDigest ?? left.modelDigest);
  const text = editor.read(path);
  const existing = text === null ? null : parseDocument('hold', text, path);
  const covers = existing !== null && (existing.environment === null || existing.environment === environment.name);
  if (covers && (existing.imageDigest === null || existing.imageDigest === imageDigest)) return path;
  const hold = holdDocument(
    {
      model: left.model,
      modelDigest: left.modelDigest,
      imageDigest,
      runKey: left.runKey,
      environment: environment.name,
      by: request.by,
      reason: request.reason,
      at: record.deployment.at,
    },
    existing,
  );
  editor.write(path, formatDocument('hold', hold));
  return path;
}

function rollbackTarget(
  environment: EnvironmentState,
  from: RecordVersion,
  target: RollbackTarget,
): RecordVersion | Refusal {
  const versions = versionsIn(environment);
  const chain = ancestorsOf(from, versions);
  const left = leftByReturns(environment.history);
  const usable = (version: RecordVersion) =>
    !sameIdentity(version.record, from.record) &&
    !isLeft(version.record, left) &&
    holdOn(environment, versions, version) === null;
  if (target.kind === 'named') return namedTarget(environment, versions, from, target.name);
  if (target.kind === 'previous') {
    const to = chain.find(usable);
    const isReturned = from.record.deployment.cause === 'rollback' || isAfterReturn(environment.history);
    if (isReturned) return returnedAlready(environment, from, to ?? null);
    return to ?? blocked(noneLeft(environment, chain));
  }
  const commits = new Set(target.commits);
  const comesFrom = ({ record }: RecordVersion) => record.source !== null && commits.has(record.source.commit);
  if (!comesFrom(from)) {
    return {
      kind: 'refused',
      outcome: 'already-promoted',
      reason: `${environment.name} runs ${from.record.version}, which doesn't come from what was reverted.`,
    };
  }
  return chain.find((version) => usable(version) && !comesFrom(version)) ?? blocked(noneLeft(environment, chain));
}

/** The same command sent again, or a second person's: one rollback goes back once. Further back is asked for by name. */
function returnedAlready(environment: EnvironmentState, from: RecordVersion, further: RecordVersion | null): Refusal {
  const next =
    further === null
      ? 'No earlier record can come back.'
      : `To go further back, name the record: --to ${typedName(further)}`;
  return {
    kind: 'refused',
    outcome: 'already-promoted',
    reason: `${environment.name} went back to ${from.record.version} already. ${next}`,
  };
}

/** A name that people may paste into a shell: the version if it is plain, else the record's digest. */
function typedName({ record, digest }: RecordVersion): string {
  return /^[\w.][\w.-]*$/.test(record.version) ? record.version : digest;
}

function noneLeft(environment: EnvironmentState, chain: readonly RecordVersion[]): string {
  return chain.length === 0
    ? `${environment.name} has no earlier record that verifies.`
    : `None of the ${chain.length} earlier records of ${environment.name} can come back: they are held, or are what runs now.`;
}

function holdOn(environment: EnvironmentState, versions: readonly RecordVersion[], { record }: RecordVersion) {
  const query = { modelDigest: record.modelDigest, imageDigest: record.image.digest, runKey: record.runKey };
  return holdAgainst(query, environment.name, environment.holds, versions);
}

function namedTarget(
  environment: EnvironmentState,
  versions: readonly RecordVersion[],
  from: RecordVersion,
  name: string,
): RecordVersion | Refusal {
  const found = versions.filter((version) => isNamed(version, name));
  const newest = found[0];
  const listed = versions.slice(0, 10).map(({ record }) => `${record.version} (${shortDigest(record.modelDigest)})`);
  if (newest === undefined) {
    throw new ConfigurationError(`${environment.name} has no earlier record ${JSON.stringify(name.slice(0, 100))}.`, {
      hint: `It has, newest first: ${listed.join(', ') || 'none'}. Name one by version, digest, run key or commit.`,
    });
  }
  if (found.some((version) => !sameIdentity(version.record, newest.record))) {
    throw new ConfigurationError(
      `${JSON.stringify(name.slice(0, 100))} names several records of ${environment.name}.`,
      {
        hint: `Name one by digest: ${found.map(({ digest }) => digest).join(', ')}.`,
      },
    );
  }
  if (sameIdentity(newest.record, from.record)) {
    return {
      kind: 'refused',
      outcome: 'already-promoted',
      reason: `${environment.name} runs ${newest.record.version} already.`,
    };
  }
  const hold = holdOn(environment, versions, newest);
  if (hold === null) return newest;
  return {
    kind: 'refused',
    outcome: 'held',
    reason: `${newest.record.version} is held: ${hold.reason} Lift it with \`passloop hold ${hold.modelDigest} --lift\`.`,
  };
}

function isNamed({ record, digest, commit }: RecordVersion, name: string): boolean {
  const names = [digest, record.modelDigest, record.image.digest, record.deployment.promotionId, record.version];
  if (names.includes(name) || (record.runKey !== null && record.runKey === name)) return true;
  if (isDigest(`sha256:${name}`)) return names.includes(`sha256:${name}`);
  return /^[0-9a-f]{7,64}$/.test(name) && commit?.startsWith(name) === true;
}

/** What isn't in its registry can't come back. */
export function imageGone({ record }: RecordVersion): Refusal {
  return blocked(`The image of ${record.version} is gone from its registry: ${record.image.reference}`);
}

function blocked(reason: string): Refusal {
  return { kind: 'refused', outcome: 'blocked', reason };
}

export type RollbackOptions = {
  merge: MergePolicy;
  ports: RetryPorts;
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
  const performed = await performChange<DeployState, RollbackPlan>(forge, {
    read: () => readDeployState(forge, query),
    async plan(state) {
      const environment = environmentOf(state, request.environment);
      const plan = planRollback(state, request);
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
    merge: options.merge,
    ports: options.ports,
  });
  const plan = performed.applied === null ? null : performed.plan;
  return rollbackDocument(promotionDocument(query.model, request.environment, performed), plan);
}

/** What a rollback would write: `--plan`. */
export function plannedRollback(model: string, environment: string, plan: RollbackPlan | Refusal): RollbackDocument {
  return rollbackDocument(planDocument(model, environment, plan), plan.kind === 'refused' ? null : plan);
}

function rollbackDocument(promotion: PromotionDocument, plan: RollbackPlan | null): RollbackDocument {
  return {
    ...promotion,
    schema: 'passloop/rollback/v1',
    from: plan === null ? null : sideOf(plan.from.record),
    to: plan === null ? null : sideOf(plan.to.record),
    hold: plan?.hold ?? null,
  };
}

function sideOf(record: RecordDocument): { modelDigest: string; imageDigest: string; version: string } {
  return { modelDigest: record.modelDigest, imageDigest: record.image.digest, version: record.version };
}
