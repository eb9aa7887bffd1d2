import { formatDocument, parseDocument, type RecordDocument } from '@passloop/documents';
import { sameIdentity } from '@passloop/record';
import type { Refusal } from './apply-change.ts';
import { type CanaryField, canaryFields } from './canary-fields.ts';
import { commitMessage, promotionTrailers } from './commit-message.ts';
import type { DeployChange, FileEditor } from './deploy-change.ts';
import { lintNotes, lintRefusal, lintTargets } from './deploy-lint.ts';
import { type DeployState, type EnvironmentState, environmentOf } from './deploy-state.ts';
import { holdDocument } from './holds.ts';
import { holdPath, promotionBranch } from './paths.ts';
import { listedFiles, type PromotionPlan } from './promotion.ts';
import { rollbackText } from './pull-request-text.ts';
import { changeRecord, openRecord } from './record-change.ts';
import type { RecordVersion } from './record-history.ts';
import { refusalAgainst, refusalReason } from './refused-promotion.ts';
import { noRestoration, type Restoration } from './restored-files.ts';
import { blocked, isNamed, type RollbackTarget, rollbackTarget } from './rollback-target.ts';
import { type SignatureChange, signatureChange } from './signature-change.ts';

export type RollbackRequest = {
  environment: string;
  to: RollbackTarget;
  /** What is to be left, by the names of a record: where production is something else by now, there is nothing to do. */
  leave?: string | null;
  /** `true`: go back though people closed the pull request of this very return before. */
  again?: boolean | undefined;
  /** `true`: go back though callers then send or get something else. */
  allowSignatureChange?: boolean | undefined;
  reason: string;
  by: string;
  /** ISO 8601, UTC. */
  at: string;
};

export type RollbackPlan = PromotionPlan & {
  from: RecordVersion;
  to: RecordVersion;
  hold: string | null;
  /** What people must look at before they merge. */
  notes: readonly string[];
  /** Why it waits for people whatever the model file says; null where it may merge by itself. */
  waits: string | null;
};

/**
 * The one commit that brings an earlier record back: manifest edits, the record, and the hold of the model that is left.
 * @param restoration what the commit of that record says of its manifests; without it fields are edited, and people merge
 * @throws ConfigurationError where the name fits no record or several, or a target can't be edited
 */
export function planRollback(
  state: DeployState,
  request: RollbackRequest,
  restoration: Restoration = noRestoration,
): RollbackPlan | Refusal {
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
  const { modelDigest, image } = to.record;
  const refusal = refusalAgainst(environment.refusals, { modelDigest, imageDigest: image.digest, imageKey: null });
  const open = openRecord(environment);
  const isOpen = open !== null && sameIdentity(open, to.record);
  if (refusal !== null && request.again !== true && !isOpen) return blocked(refusalReason(environment.name, refusal));
  const signature = signatureChange(from.record, to.record);
  if (signature.kind === 'changed' && request.allowSignatureChange !== true) {
    return blocked(
      `Callers of ${to.record.version} send or get something else than now: ${signature.changes.join('; ')}. If they can, say so: --allow-signature-change.`,
    );
  }
  return rollbackPlan(state, environment, { from, to, signature }, request, restoration);
}

function rollbackPlan(
  state: DeployState,
  environment: EnvironmentState,
  { from, to, signature }: { from: RecordVersion; to: RecordVersion; signature: SignatureChange },
  request: RollbackRequest,
  restoration: Restoration,
): RollbackPlan | Refusal {
  const { deployment: _, ...older } = to.record;
  const { record, recordDigest, editor, warnings } = changeRecord(state, environment, older, {
    cause: 'rollback',
    at: request.at,
  });
  for (const [path, text] of restoration.files) editor.write(path, text);
  const findings = lintTargets(environment, editor);
  const unfit = lintRefusal(findings);
  if (unfit !== null) return unfit;
  const hold = writeHold(editor, environment, from.record, record, request);
  const files = editor.files();
  const canaries = canariesIn(environment, editor);
  const waits = restoration.ranThere
    ? idleCanary(canaries)
    : `Nobody can tell that ${record.version} ran in ${environment.name}: its commit doesn't carry its image, or isn't in the history.`;
  const notes = [
    ...warnings,
    ...signatureNotes(signature),
    ...canaries.map(canaryNote),
    ...(waits === null ? [] : [waits]),
  ];
  const headline = `rollback(${record.model}/${environment.name}): ${from.record.version} back to ${record.version}`;
  const change: DeployChange = {
    branch: promotionBranch(state.model, environment.name),
    files,
    message: commitMessage(headline, [request.reason], promotionTrailers(record, from.record.deployment.promotionId)),
    text: rollbackText(
      record,
      from.record,
      { reason: request.reason, hold, notes },
      listedFiles(files),
      lintNotes(findings),
    ),
  };
  return { kind: 'change', change, record, recordDigest, what: 'rollback', from, to, hold, notes, waits };
}

function signatureNotes(signature: SignatureChange): string[] {
  if (signature.kind === 'same') return [];
  if (signature.kind === 'unknown')
    return ['Whether callers still fit is not known: one of the records says nothing of its signature.'];
  return [`Callers send or get something else: ${signature.changes.join('; ')}.`];
}

type SharedTraffic = { file: string; fields: readonly CanaryField[] };

/** Traffic that the manifests share out stays as it is, and so does a canary beside what comes back. */
function canariesIn({ targets }: EnvironmentState, editor: FileEditor): SharedTraffic[] {
  const files = [...new Set(targets.map(({ target }) => target.file))];
  return files
    .map((file) => ({ file, fields: canaryFields(editor.read(file) ?? '') }))
    .filter(({ fields }) => fields.length > 0);
}

function canaryNote({ file, fields }: SharedTraffic): string {
  const said = fields.slice(0, 10).map(({ line, field, value }) => `${field}: ${value} (line ${line})`);
  return `${file} shares traffic out, and still does after this: ${said.join(', ')}. Is a canary left beside it?`;
}

/** A canary without traffic beside what comes back: somebody has to take it away, or say that it stays. */
function idleCanary(canaries: readonly SharedTraffic[]): string | null {
  for (const { file, fields } of canaries) {
    const idle = fields.find(({ isIdle }) => isIdle);
    if (idle === undefined) continue;
    return `${file} keeps a canary without traffic (${idle.field}: 0 in line ${idle.line}): people look at it before this is merged.`;
  }
  return null;
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
