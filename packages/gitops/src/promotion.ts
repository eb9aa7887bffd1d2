import type { ComparisonDocument, Outcome, RecordDocument } from '@passloop/documents';
import { type CandidateRecord, sameIdentity } from '@passloop/record';
import type { Refusal } from './apply-change.ts';
import { commitMessage, promotionTrailers } from './commit-message.ts';
import { type Decision, decide } from './decision.ts';
import { type DeployChange, isApplied } from './deploy-change.ts';
import { lintNotes, lintRefusal, lintTargets } from './deploy-lint.ts';
import { type DeployState, type EnvironmentState, environmentOf } from './deploy-state.ts';
import { changedLines, type PlannedFile } from './edits.ts';
import { lintLine } from './lint/lint.ts';
import { promotionBranch } from './paths.ts';
import { precedenceProblem } from './precedence.ts';
import { type PromotionEvidence, promotionText, type RunsIn } from './pull-request-text.ts';
import { changeRecord, openRecord } from './record-change.ts';

export type PromotionRequest = {
  environment: string;
  candidate: CandidateRecord;
  evidence: PromotionEvidence;
  /** `true`: promote it though people closed its pull request before. */
  again?: boolean | undefined;
  /** The environment that has to run this very model and image first. */
  after?: string | undefined;
  /** ISO 8601, UTC. An attempt that continues an earlier one keeps the earlier time. */
  at: string;
};

export type PromotionPlan = {
  kind: 'change';
  change: DeployChange;
  record: RecordDocument;
  recordDigest: string;
  what: Outcome;
  /** What a person should know of the edits, and of the manifests as they leave them. */
  warnings?: readonly string[];
};

/**
 * The one commit that promotes a candidate: manifest edits and the record, with trailers derived from it.
 * @throws ConfigurationError where a target can't be found or edited
 */
export function planPromotion(state: DeployState, request: PromotionRequest): PromotionPlan | Refusal {
  const environment = environmentOf(state, request.environment);
  const { candidate } = request;
  const known = {
    runKey: candidate.runKey,
    imageKey: candidate.image.imageKey,
    modelDigest: candidate.modelDigest,
    imageDigest: candidate.image.digest,
    inStore: true,
  };
  const refusal =
    refusalOf(decide(environment, known, { again: request.again }), environment) ??
    (request.after === undefined ? null : precedenceProblem(environmentOf(state, request.after), known));
  if (refusal !== null) return refusal;
  const { production } = environment;
  const { record, recordDigest, editor, warnings } = changeRecord(state, environment, candidate, {
    cause: 'promotion',
    at: request.at,
  });
  const findings = lintTargets(environment, editor);
  const unfit = lintRefusal(findings);
  if (unfit !== null) return unfit;
  const files = editor.files();
  const headline = `promote(${record.model}/${environment.name}): ${record.version}`;
  const change: DeployChange = {
    branch: promotionBranch(state.model, environment.name),
    files,
    message: commitMessage(headline, [], promotionTrailers(record, null)),
    text: promotionText(record, request.evidence, listedFiles(files), {
      runsIn: runsBefore(state, environment, request),
      pulledAs: pulledAs(environment, record),
      notes: warnings,
      productionCommit: production?.commit ?? null,
      findings: lintNotes(findings),
    }),
  };
  const what = outcomeOf(production === null, production?.record ?? null, candidate, request.evidence.comparison);
  // The edit itself tells of the marker on a line that it changes.
  const told = findings.filter(({ rule }) => rule !== 'image-policy').map(lintLine);
  return { kind: 'change', change, record, recordDigest, what, warnings: [...warnings, ...told] };
}

function pulledAs(environment: EnvironmentState, { image }: RecordDocument): string[] {
  const names = environment.targets.flatMap(({ pulls }) => pulls ?? []);
  return [...new Set(names)].filter((name) => image.reference !== `${name}@${image.digest}`);
}

function runsBefore(state: DeployState, environment: EnvironmentState, request: PromotionRequest): RunsIn | null {
  for (const { name, production } of state.environments
    .slice(0, state.environments.indexOf(environment))
    .toReversed()) {
    if (production?.at == null || !sameIdentity(production.record, request.candidate)) continue;
    return { environment: name, since: production.at };
  }
  return null;
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
  return openRollback(environment);
}

/** A rollback that waits in its pull request isn't replaced by anything but another one. */
export function openRollback(environment: EnvironmentState): Refusal | null {
  const own = openRecord(environment)?.deployment.cause === 'rollback';
  const open = own ? (environment.head?.pullRequest?.url ?? environment.head?.branch) : environment.groupRollback?.url;
  if (open == null) return null;
  return { kind: 'refused', outcome: 'blocked', reason: `A rollback is open: ${open}. Merge or close it first.` };
}

/**
 * The record of the open pull request, where that promotes on top of what is there now and nothing of it would be written
 * anew: an attempt of the same candidate then has nothing to prove again.
 */
export function openPromotion(state: DeployState, environment: EnvironmentState): RecordDocument | null {
  const record = openRecord(environment);
  if (record === null || record.deployment.cause !== 'promotion') return null;
  const { deployment, ...candidate } = record;
  const evidence = { comparison: null, changes: null, facts: [], previousImage: null };
  const plan = planPromotion(state, { environment: environment.name, candidate, evidence, at: deployment.at });
  return plan.kind === 'change' && isApplied(environment.head, plan.change, state.snapshot) ? record : null;
}

export function listedFiles(files: readonly PlannedFile[]): { file: string; lines: number | null }[] {
  return files.map(({ path, before, content }) => ({
    file: path,
    lines: before === null || content === null || path.startsWith('.passloop/') ? null : changedLines(before, content),
  }));
}
