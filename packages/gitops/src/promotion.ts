import { PassloopError, sha256 } from '@passloop/core';
import type { ComparisonDocument, Outcome, RecordDocument } from '@passloop/documents';
import { formatDocument, parseDocument } from '@passloop/documents';
import type { Refusal } from './apply-change.ts';
import { commitMessage, promotionTrailers } from './commit-message.ts';
import { type Decision, decide } from './decision.ts';
import { type DeployChange, type FileEditor, fileEditor } from './deploy-change.ts';
import { type DeployState, type EnvironmentState, environmentOf } from './deploy-state.ts';
import { changedLines, type PlannedFile } from './edits.ts';
import { holdDocument } from './holds.ts';
import { promotionBranch, recordPath } from './paths.ts';
import { promotionIdOf } from './promotion-id.ts';
import { type PromotionEvidence, promotionText } from './pull-request-text.ts';
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

/** True where production is this very promotion. */
export function isLanded(environment: EnvironmentState, record: RecordDocument): boolean {
  return environment.production?.record.deployment.promotionId === record.deployment.promotionId;
}
