import { PassloopError, sha256 } from '@passloop/core';
import type { ComparisonDocument, Outcome, Producer, PromotionDocument, RecordDocument } from '@passloop/documents';
import { formatDocument, parseDocument } from '@passloop/documents';
import { type MergePolicy, type Performed, performChange, type Refusal, type RetryPorts } from './apply-change.ts';
import { commitMessage, promotionTrailers } from './commit-message.ts';
import { type Decision, decide } from './decision.ts';
import { type DeployChange, type FileEditor, fileEditor } from './deploy-change.ts';
import {
  type DeployQuery,
  type DeployState,
  type EnvironmentState,
  environmentOf,
  readDeployState,
} from './deploy-state.ts';
import { changedLines, editsOf, type PlannedFile } from './edits.ts';
import type { Forge } from './forge.ts';
import { holdDocument } from './holds.ts';
import { promotionBranch, recordPath } from './paths.ts';
import { promotionIdOf } from './promotion-id.ts';
import { type PromotionEvidence, promotionText } from './pull-request-text.ts';
import { sameIdentity } from './record-history.ts';
import { editTarget, manifestText, recordedTarget } from './targets.ts';

/** A record before it is deployed anywhere. */
export type CandidateRecord = Omit<RecordDocument, 'deployment'>;

export type PromotionRequest = {
  environment: string;
  candidate: CandidateRecord;
  evidence: PromotionEvidence;
  /** ISO 8601, UTC. An attempt that continues an earlier one keeps the earlier time. */
  at: string;
};

export type PromotionPlan = {
  kind: 'change';
  change: DeployChange;
  record: RecordDocument;
  recordDigest: string;
  what: Outcome;
};

/**
 * The one commit that promotes a candidate: manifest edits and the record, with trailers derived from it.
 * @throws ConfigurationError where a target can't be found or edited
 */
export function planPromotion(state: DeployState, request: PromotionRequest): PromotionPlan | Refusal {
  const environment = environmentOf(state, request.environment);
  const { candidate } = request;
  const decision = decide(environment, {
    runKey: candidate.runKey,
    imageKey: candidate.image.imageKey,
    modelDigest: candidate.modelDigest,
    imageDigest: candidate.image.digest,
    inStore: true,
  });
  const refusal = refusalOf(decision, environment);
  if (refusal !== null) return refusal;
  const { production } = environment;
  const record = deployedRecord(state, environment, candidate, 'promotion', request.at);
  const editor = fileEditor(state.snapshot);
  editTargets(editor, environment, record);
  keepDerivedHolds(editor, environment, state.model);
  const recordText = formatDocument('record', record);
  editor.write(recordPath(state.model, environment.name), recordText);
  const files = editor.files();
  const headline = `promote(${record.model}/${environment.name}): ${record.version}`;
  const change: DeployChange = {
    branch: promotionBranch(state.model, environment.name),
    files,
    message: commitMessage(headline, [], promotionTrailers(record, null)),
    text: promotionText(record, request.evidence, listedFiles(files)),
  };
  const what = outcomeOf(production === null, production?.record ?? null, candidate, request.evidence.comparison);
  return { kind: 'change', change, record, recordDigest: sha256(recordText), what };
}

function outcomeOf(
  isFirst: boolean,
  production: RecordDocument | null,
  candidate: CandidateRecord,
  comparison: ComparisonDocument | null,
): Outcome {
  if (isFirst) return 'first';
  if (production?.modelDigest === candidate.modelDigest) return 'same-model';
  return comparison?.outcome ?? 'compared';
}

function refusalOf(decision: Decision, environment: EnvironmentState): Refusal | null {
  switch (decision.kind) {
    case 'already-promoted':
      return {
        kind: 'refused',
        outcome: 'already-promoted',
        reason: `${environment.name} runs it already, by promotion ${decision.production.record.deployment.promotionId}.`,
      };
    case 'held': {
      const { hold } = decision;
      return {
        kind: 'refused',
        outcome: 'held',
        reason: `Model ${hold.modelDigest} is held${hold.environment === null ? '' : ` in ${hold.environment}`}: ${hold.reason} Lift it with \`passloop hold ${hold.modelDigest} --lift\`.`,
      };
    }
    case 'blocked':
      return { kind: 'refused', outcome: 'blocked', reason: decision.reason };
    case 'rollback':
      return {
        kind: 'refused',
        outcome: 'blocked',
        reason: `${environment.name} ran it before (record ${decision.to.digest}): that is a rollback, which also holds the model that is left.`,
      };
    default:
      break;
  }
  const open = openRecord(environment);
  if (open?.deployment.cause !== 'rollback') return null;
  return {
    kind: 'refused',
    outcome: 'blocked',
    reason: `A rollback is open: ${environment.head?.pullRequest?.url ?? environment.head?.branch}. Merge or close it first.`,
  };
}

/** The record in the open promotion pull request, or null. */
export function openRecord(environment: EnvironmentState): RecordDocument | null {
  return environment.head?.pullRequest == null ? null : headRecord(environment);
}

function headRecord(environment: EnvironmentState): RecordDocument | null {
  for (const [path, file] of environment.head?.files ?? []) {
    if (file.text === null || !path.startsWith(`.passloop/${environment.name}/`)) continue;
    try {
      return parseDocument('record', file.text, path);
    } catch (error) {
      if (!(error instanceof PassloopError)) throw error;
    }
  }
  return null;
}

/** The candidate as a record of this environment. A promotion that was begun already keeps its time, and so its bytes. */
export function deployedRecord(
  state: DeployState,
  environment: EnvironmentState,
  candidate: CandidateRecord,
  cause: RecordDocument['deployment']['cause'],
  at: string,
): RecordDocument {
  const { production } = environment;
  const previous =
    production === null
      ? null
      : {
          record: production.digest,
          modelDigest: production.record.modelDigest,
          imageDigest: production.record.image.digest,
          promotionId: production.record.deployment.promotionId,
        };
  const targets = environment.targets.map(({ target }) => recordedTarget(target, candidate.image.digest));
  const record: RecordDocument = {
    ...candidate,
    identity: state.identity,
    model: state.model,
    deployment: { environment: environment.name, promotionId: sha256(''), cause, targets, previous, at },
  };
  record.deployment.promotionId = promotionIdOf(record, previous?.promotionId ?? null);
  const begun = headRecord(environment);
  if (begun?.deployment.promotionId === record.deployment.promotionId && begun.deployment.cause === cause) {
    record.deployment.at = begun.deployment.at;
  }
  return record;
}

/** Writes the record's image to every target. @throws ConfigurationError where one can't be found or edited */
export function editTargets(editor: FileEditor, environment: EnvironmentState, record: RecordDocument): void {
  for (const { target, file } of environment.targets) {
    const text = editor.read(target.file) ?? manifestText(target, file);
    manifestText(target, file);
    editor.write(target.file, editTarget(text, target, record.image.digest));
  }
}

/** A hold that only history tells is written as a file with the next commit: later ones needn't read as far back. */
export function keepDerivedHolds(editor: FileEditor, environment: EnvironmentState, model: string): void {
  for (const hold of environment.holds) {
    if (hold.source !== 'history') continue;
    const existing = editor.read(hold.file);
    if (existing !== null && parseDocument('hold', existing, hold.file).environment === null) continue;
    const document = holdDocument(
      { ...hold, model, by: hold.by ?? 'history' },
      existing === null ? null : parseDocument('hold', existing, hold.file),
    );
    editor.write(hold.file, formatDocument('hold', document));
  }
}

export function listedFiles(files: readonly PlannedFile[]): { file: string; lines: number | null }[] {
  return files.map(({ path, before, content }) => ({
    file: path,
    lines: before === null || content === null || path.startsWith('.passloop/') ? null : changedLines(before, content),
  }));
}

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

/** True where production is this very promotion. */
export function isLanded(environment: EnvironmentState, record: RecordDocument): boolean {
  return environment.production?.record.deployment.promotionId === record.deployment.promotionId;
}

/** The fields that a promotion moves, as they stand: what a compare-and-swap on them compares. */
export function fieldsOf(environment: EnvironmentState): string {
  return JSON.stringify([
    environment.production?.digest ?? null,
    environment.targets.map(({ target, digest, tag }) => [target.file, target.image, digest, tag]),
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

export function promotionDocument(
  model: string,
  environment: string,
  { plan, applied }: Performed<DeployState, PromotionPlan>,
): PromotionDocument {
  if (applied === null) {
    return {
      schema: 'passloop/promotion/v1',
      outcome: plan.outcome,
      model,
      environment,
      change: null,
      reason: plan.reason.slice(0, 4096),
      promotionId: null,
      recordDigest: null,
      branch: null,
      commit: null,
      pullRequest: null,
      merged: false,
      edits: [],
    };
  }
  return {
    schema: 'passloop/promotion/v1',
    outcome: applied.outcome,
    model,
    environment,
    change: plan.what,
    reason: null,
    promotionId: plan.record.deployment.promotionId,
    recordDigest: plan.recordDigest,
    branch: plan.change.branch,
    commit: applied.commit,
    pullRequest: { number: applied.pullRequest.number, url: applied.pullRequest.url },
    merged: applied.merged !== null,
    edits: editsOf(plan.change.files),
  };
}
