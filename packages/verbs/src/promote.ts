import { PassloopError } from '@passloop/core';
import type { DataReport, PromotionDocument } from '@passloop/documents';
import {
  type Candidate,
  type DataEvidence,
  type Decision,
  decide,
  type PromotionEvidence,
  planDocument,
  planPromotion,
  promote as promoteTo,
  requireTargets,
  type Withdrawal,
  withdraw,
} from '@passloop/gitops';
import { overridesAt } from '@passloop/model';
import type { CandidateRecord } from '@passloop/record';
import { type Context, timestamp } from './context.ts';
import { supersededCommit } from './default-head.ts';
import { deployQuery, retryPorts } from './deploy-repository.ts';
import { imageKeyOf } from './image-key-of.ts';
import { dueWithdrawals, openPromotionOf, waiting } from './open-promotion.ts';
import { outFolder } from './out-folder.ts';
import { refreshPointer } from './production-pointer.ts';
import { type PromoteRequest, type Promotion, refused } from './promotion.ts';
import {
  evaluationOf,
  judgedBy,
  type Proof,
  type Proven,
  proveCandidate,
  unsoundData,
  validatedData,
} from './promotion-proof.ts';
import { returnBeforeReverted, returnTo } from './promotion-return.ts';
import { takeProof } from './proof-check.ts';
import { changesSince, recordedRun, recordedSignature, runUrl, versionOf } from './recorded-run.ts';
import { hasImage } from './rollback.ts';
import { runStage } from './run-stage.ts';
import { openWorkspace, selectModel } from './workspace.ts';

/**
 * Brings the default branch's model to its next environment. The key of HEAD decides before any metric: what runs already
 * stays, what is held stays out, what ran before comes back without training, what the store has is compared and promoted,
 * and only what nobody knows is trained.
 */
export async function promote(context: Context, request: PromoteRequest): Promise<PromotionDocument> {
  const workspace = await openWorkspace(context, { ref: request.ref });
  const model = selectModel(workspace.models, request.model);
  const { promotion, candidate, notYet, unsafe } = await openPromotionOf(context, workspace, model, request);
  if (request.proof !== undefined) {
    // Trained for hours, or run again alone: what the job that planned saw of the branch may be long past.
    const superseded = await supersededCommit(context, workspace);
    if (superseded !== null) return refused(promotion, 'superseded', superseded);
  }
  if (request.plan !== true) await withdrawDue(promotion, unsafe);
  if (request.plan !== true && request.proof === undefined) {
    await refreshPointer(context, { workspace, model, store: promotion.store, state: promotion.state });
  }
  const decision = decide(promotion.environment, candidate, request);
  const answer = await answerTo(promotion, decision);
  if (answer !== null) return answer;
  if (decision.kind === 'train') {
    const before = await returnBeforeReverted(promotion);
    if (before !== null) return before;
  }
  if (notYet !== null) return refused(promotion, notYet.outcome, notYet.reason);
  if (decision.kind === 'train') {
    if (request.train === false || request.proof !== undefined) {
      const where =
        'Train it first, in a job that holds no token: `passloop train run`, or the action reproduce-training.';
      return refused(
        promotion,
        'blocked',
        `The ${promotion.store.description} has no run ${candidate.runKey ?? ''}. ${where}`,
      );
    }
  }
  const open = waiting(promotion, candidate);
  if (open !== null) return open;
  if (request.plan === true) {
    const missing = await missingForPlan(promotion, candidate);
    if (missing !== null) return refused(promotion, 'unchanged', `A plan: ${missing}, then compared and promoted.`);
  }
  return promoteCandidate(promotion);
}

/** Whatever becomes of this commit: what was taken back in one environment doesn't wait for its merge into the next one. */
async function withdrawDue(promotion: Promotion, unsafe: readonly Withdrawal[]): Promise<void> {
  const { context, forge } = promotion;
  for (const { pullRequest, reason } of unsafe) {
    await forge.disableAutoMerge(pullRequest.id);
    context.progress.note(`switched auto-merge of ${pullRequest.url} off: ${reason}`);
  }
  for (const due of dueWithdrawals(promotion)) {
    await withdraw(forge, due);
    context.progress.note(`closed ${due.pullRequest.url}: ${due.reason}`);
  }
}

/** What speaks against where a proven candidate comes from: a run of another repository, or an image that no cluster could pull. */
async function originProblem({ context, workspace, store }: Promotion, { run, image }: Proven): Promise<string | null> {
  const { repository } = run.producer;
  if (repository !== null && workspace.name !== null && repository.toLowerCase() !== workspace.name.toLowerCase()) {
    return `The run ${run.runKey} in the ${store.description} was made by ${repository}, not by ${workspace.name}: nothing of a fork is promoted. Remove it from the store, and it is trained again here; so too after the repository was renamed.`;
  }
  if (image.reference !== null && !(await hasImage(context, image.reference))) {
    return `The image is not in its registry: ${image.reference}. \`passloop package push\` builds it from the store and pushes it again.`;
  }
  return null;
}

/** What a decision comes to by itself; null where the candidate is to be proven. */
async function answerTo(promotion: Promotion, decision: Decision): Promise<PromotionDocument | null> {
  const { environment, workspace } = promotion;
  switch (decision.kind) {
    case 'already-promoted':
      return refused(promotion, 'already-promoted', `${environment.name} runs the model of this commit already.`);
    case 'held': {
      const { modelDigest, reason } = decision.hold;
      const lift = `Lift it with \`passloop hold ${modelDigest} --lift\`.`;
      return refused(promotion, 'held', `Model ${modelDigest} is held: ${reason} ${lift}`);
    }
    case 'blocked':
      return refused(promotion, 'blocked', decision.reason);
    case 'rollback': {
      const { digest, record } = decision.to;
      const why = `The default branch is back at ${record.version} (${workspace.commit.slice(0, 12)}).`;
      return returnTo(promotion, { kind: 'named', name: digest }, why);
    }
    default:
      return null;
  }
}

/** A plan trains, builds and pushes nothing: what would have to be done first is its answer. */
async function missingForPlan({ store }: Promotion, candidate: Candidate): Promise<string | null> {
  if (!candidate.inStore)
    return `the key of this commit (${candidate.runKey ?? 'none'}) is unknown and would be trained`;
  const image = candidate.imageKey === null ? null : await store.findImage(candidate.imageKey);
  return image?.reference == null ? 'the image of this model would be built and pushed' : null;
}

async function promoteCandidate(promotion: Promotion): Promise<PromotionDocument> {
  const { context, workspace, model, state, environment, forge, declared, request } = promotion;
  evaluationOf(model);
  requireTargets(environment.targets);
  const proof =
    request.proof === undefined ? await proveHere(promotion) : await takeProof(promotion, request.proof.folder);
  if (proof.kind === 'answered') return proof.answer;
  if (proof.kind === 'refused') return refused(promotion, proof.outcome, proof.reason);
  const foreign = await originProblem(promotion, proof);
  if (foreign !== null) return refused(promotion, 'blocked', foreign);
  const asked = {
    environment: environment.name,
    candidate: await candidateRecord(promotion, proof),
    evidence: await evidenceOf(promotion, proof),
    again: request.again,
    after: declared.after,
    at: timestamp(context),
  };
  if (request.plan === true) return planDocument(model.name, environment.name, planPromotion(state, asked));
  context.progress.phase(`promote to ${environment.name}`);
  return promoteTo(forge, deployQuery(workspace, model).query, asked, {
    merge: declared.merge,
    ports: retryPorts,
    decidedOn: environment,
    isNewer: async (other) => {
      const commit = await workspace.repository.resolve(other.commit);
      return commit !== null && workspace.repository.isAncestor(workspace.commit, commit);
    },
  });
}

/** Data, run, image and comparison, all in this process; `answered` where the run's digests decide before any metric. */
async function proveHere(promotion: Promotion): Promise<Proof | { kind: 'answered'; answer: PromotionDocument }> {
  const { context, workspace, model, store, environment, request } = promotion;
  const out = outFolder(workspace.root, model.name, request.out);
  const data = await validatedData(context, { workspace, model }, out);
  const unsound = unsoundData(data);
  if (unsound !== null) return { kind: 'refused', outcome: 'blocked', reason: unsound };
  const run = await runStage(context, { workspace, model, store, outputs: out.outputs });
  await out.write('run', run);
  // By the digests that the run gave: another key may have led to a model that runs, ran or is held.
  const answer = await answerTo(
    promotion,
    decide(
      environment,
      {
        runKey: run.runKey,
        imageKey: await imageKeyOf(workspace, model, run.modelDigest),
        modelDigest: run.modelDigest,
        imageDigest: null,
        inStore: true,
      },
      request,
    ),
  );
  return answer === null ? proveCandidate(promotion, run, data, out) : { kind: 'answered', answer };
}

async function candidateRecord(promotion: Promotion, { run, image, comparison }: Proven): Promise<CandidateRecord> {
  const { context, workspace, model, state } = promotion;
  if (image.reference === null || image.digest === null)
    throw new PassloopError('infrastructure', 'The image has no digest in its registry.');
  const { dataset, predictions } = evaluationOf(model);
  const { rows, evaluationDigest, production } = comparison;
  const committed = await overridesAt(workspace.repository, workspace.commit, timestamp(context).slice(0, 10));
  return {
    schema: 'passloop/record/v1',
    identity: state.identity,
    model: model.name,
    version: await versionOf(workspace),
    modelDigest: run.modelDigest,
    image: {
      reference: image.reference,
      digest: image.digest,
      imageKey: image.imageKey,
      bytes: image.bytes,
      signature: await recordedSignature(workspace, model, image),
    },
    ...(await recordedRun(workspace, model, run, runUrl(context))),
    evaluation: evaluationDigest === null ? null : { dataset, rows, evaluationDigest },
    predictionsDigest: run.outputs.find((output) => output.path === predictions)?.digest ?? null,
    gates: judgedBy(comparison).map((metric) => ({
      metric: metric.name,
      slice: 'slice' in metric ? `${metric.slice.column}=${metric.slice.value}` : null,
      verdict: metric.gate,
      value: metric.candidate,
      delta: metric.delta,
      interval: metric.interval,
    })),
    overrides: committed
      .filter((override) => !override.isOver && (override.model ?? model.name) === model.name)
      .map(({ isOver: _, ...override }) => override),
    comparedWith:
      production?.digest == null
        ? null
        : { modelDigest: production.digest, outcome: comparison.outcome, verdict: comparison.verdict },
    reproduction: run.reproduction,
    trust: run.trust,
  };
}

async function evidenceOf(
  { context, workspace, environment, model }: Promotion,
  { run, probe, comparison, data }: Proven,
): Promise<PromotionEvidence> {
  const production = environment.production?.record ?? null;
  // Of the run and not of this attempt: the next one says the same.
  const { commit } = run.producer;
  const facts = [commit === workspace.commit ? 'trained from this commit' : `trained once, at ${commit.slice(0, 12)}`];
  if (run.reproduction !== null) facts.push(`reproduced: ${run.reproduction.level}`);
  facts.push('image scanned and probed');
  if (probe.predictions?.verdict === 'pass') facts.push('image predicts what the stage predicted');
  return {
    comparison,
    changes: await changesSince(workspace, model, production?.source?.commit ?? null),
    facts,
    data: data.map(dataEvidence),
    previousImage: production === null ? null : await imageState(context, production.image.reference),
  };
}

function dataEvidence({ dataset, rows, executed, checks, drift }: DataReport): DataEvidence {
  const verdicts = [...checks, ...drift].map(({ verdict }) => verdict);
  return { dataset: dataset.name, rows, executed, passed: verdicts.filter((verdict) => verdict === 'pass').length };
}

/** Whether production's image can come back later; a registry that doesn't answer is no reason to stop here. */
async function imageState(context: Context, reference: string): Promise<PromotionEvidence['previousImage']> {
  try {
    return (await hasImage(context, reference)) ? 'present' : 'gone';
  } catch (error) {
    if (error instanceof PassloopError) return null;
    throw error;
  }
}
