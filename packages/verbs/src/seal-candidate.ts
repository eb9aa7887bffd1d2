import path from 'node:path';
import { ConfigurationError, canonicalJson, InfrastructureError, plainText, temporaryFolder } from '@passloop/core';
import type { MissingPart, PlanDocument, ReportDocument, RunDocument } from '@passloop/documents';
import { DeniedError, type Saved, type Store } from '@passloop/record';
import { openTables } from '@passloop/tables';
import { ForeignRun, sealedRun } from '@passloop/training';
import { asCandidate, type HandedOver, openCandidate, WrongCandidate } from './candidate-files.ts';
import {
  dataPart,
  type Evaluation,
  failedProbe,
  imagePredictions,
  openEvaluation,
  type PartContext,
  refusedByScan,
  type Scored,
  scoredByStage,
  scoringOf,
  withoutImage,
} from './candidate-part.ts';
import { begun, notEvaluated, notReached, type Parts, untouched, withMissing } from './check-parts.ts';
import { comparePart, isHeld, readProduction } from './compare-part.ts';
import type { Context } from './context.ts';
import { readHandOverKey } from './hand-over.ts';
import { signatureOf } from './image-stage.ts';
import { lazyEngine } from './lazy-engine.ts';
import { judged, oneModelReport } from './one-model-report.ts';
import { outFolder } from './out-folder.ts';
import { type CheckPlan, type PlannedCheck, planCheck } from './plan.ts';
import { producerOf, runStage } from './run-stage.ts';
import { claimedProbe, scanModel, sealedImagePart } from './sealed-image.ts';
import { openModelStore, refuseVanishing } from './store.ts';
import { proofKeyOf } from './stored-proof.ts';

export type SealRequest = {
  model: string;
  against?: string | undefined;
  /** The commit that the report is about, where that isn't the one that is checked out. */
  head?: string | undefined;
  /** What the job that planned said; this job must see the same. */
  plan?: PlanDocument | undefined;
  /** What was handed over, unpacked; null where there is nothing of that name. A text says why it could not be unpacked. */
  candidate: { folder: string } | { problem: string } | null;
  /** Run and proof are written into the store. */
  store: boolean;
  /** Production is asked for, and the candidate held against it. */
  compare: boolean;
  /** The change comes from a branch that others may push to: under `trust: retrain` its run isn't kept. */
  isPullRequest: boolean;
  /** A fork's job may not read a private store. */
  mayBeDenied?: boolean | undefined;
  out?: string | undefined;
};

export type Sealed = {
  report: ReportDocument;
  /** What was written; null where nothing was. */
  saved: { run: Saved | null; proof: Saved | null };
  /** What whoever reads the log should know besides. */
  notes: string[];
};

/**
 * What the job does that reads and writes the store, and runs nothing of a pull request: it takes the candidate that another job made, believes of
 * it only what it can't find out itself, keeps run and proof, and holds the candidate against production. What doesn't match makes a failing
 * report, and nothing is kept then.
 * @throws InfrastructureError where there is no candidate, or the store has not what the plan saw in it
 * @throws ConfigurationError where the plan is another commit's
 */
export async function sealCandidate(context: Context, request: SealRequest): Promise<Sealed> {
  const { against, head, model: name } = request;
  const plan = await planCheck(context, { against, head, models: [name], asksStore: false });
  const [check] = plan.checks;
  if (check === undefined) throw new ConfigurationError(`No model is named ${JSON.stringify(name)}.`);
  if (request.plan !== undefined) requireSamePlan(request.plan, plan, check);
  const sealed: Omit<Sealed, 'report'> = { saved: { run: null, proof: null }, notes: [] };
  const parts = check.planned.affected ? await sealModel(context, plan, check, request, sealed) : untouched(check);
  context.progress.done();
  return { report: oneModelReport(context, plan, request.head, await judged(context, plan, parts)), ...sealed };
}

/** @throws ConfigurationError where another commit, model or policy was planned than this job has before it */
function requireSamePlan(given: PlanDocument, plan: CheckPlan, check: PlannedCheck): void {
  const planned = given.models.find((model) => model.name === check.planned.name);
  const says = (document: Pick<PlanDocument, 'commit' | 'base'>, model: typeof planned) =>
    canonicalJson([
      document.commit,
      document.base?.commit ?? null,
      model?.runKey ?? null,
      model?.policy.digest ?? null,
    ]);
  if (planned !== undefined && says(given, planned) === says(plan.document, check.planned)) return;
  throw new ConfigurationError(
    `The plan is of ${given.commit.slice(0, 12)} against ${given.base?.commit.slice(0, 12) ?? 'nothing'}, and here is ${plan.workspace.commit.slice(0, 12)} against ${plan.base?.commit.slice(0, 12) ?? 'nothing'}: ${check.planned.name} differs.`,
    { hint: 'Check out the same commit in every job, and give each the same `against`.' },
  );
}

async function sealModel(
  context: Context,
  plan: CheckPlan,
  check: PlannedCheck,
  request: SealRequest,
  sealed: Omit<Sealed, 'report'>,
): Promise<Parts> {
  const parts = begun(check);
  if (check.isRemoved) return parts;
  refuseVanishing(context, plan.workspace.root, check.model);
  await using session = await openTables();
  await using engine = lazyEngine(context);
  await using work = await temporaryFolder('seal', context.env.RUNNER_TEMP);
  const out = outFolder(plan.workspace.root, check.model.name, request.out ?? path.join(work.path, 'out'));
  const part: PartContext = { context, session, engine, plan, check, out };
  const data = await dataPart(part, parts);
  if (!data.goesOn) return data.parts;
  try {
    const step = await openSeal(part, data.parts, request, path.join(work.path, 'candidate'));
    return 'withheld' in step ? step.withheld : await sealStep(step, request, sealed);
  } catch (error) {
    if (!(error instanceof WrongCandidate) && !(error instanceof ForeignRun)) throw error;
    const reason = `What the training job handed over was not taken: ${plainText(error.message, 3000)}.`;
    const missing: MissingPart[] = [{ part: 'run', verdict: 'fail', reason }];
    return withMissing(data.parts, [...missing, ...notReached(['image', 'comparison'], 'the candidate was not taken')]);
  }
}

/** A run whose outputs lie here, from another job or from the store. */
type Step = {
  part: PartContext;
  parts: Parts;
  /** Null: this job can't read it, and needn't. */
  store: Store | null;
  run: RunDocument;
  outputs: string;
  /** Null: it came from the store. */
  candidate: HandedOver | null;
};

async function openSeal(
  part: PartContext,
  parts: Parts,
  request: SealRequest,
  folder: string,
): Promise<Step | { withheld: Parts }> {
  const { context, plan, check, out } = part;
  const { workspace } = plan;
  const { model } = check;
  const { candidate: given } = request;
  if (given === null) {
    throw new InfrastructureError(`There is no artifact with the candidate of ${model.name} in this run.`, {
      hint: 'The job that trains it did not finish: its log says why.',
    });
  }
  if ('problem' in given) throw new WrongCandidate(given.problem.replace(/\.$/, ''));
  const store = await readableStore(context, workspace.root, model, request.mayBeDenied ?? false);
  const identity = store === null ? null : ((await readHandOverKey(store))?.identity ?? null);
  const candidate = await openCandidate(given.folder, folder, identity);
  requireSubject(candidate, part, request);
  if (candidate.model.run === null) {
    if (candidate.outputs !== null || candidate.predictions !== null)
      throw new WrongCandidate('it holds files, and its report no run');
    const runKey = check.key?.runKey ?? '';
    if (store === null || (await store.findRun(runKey)) === null)
      throw new WrongCandidate(`it holds no run, and the store has none of ${runKey}`);
    const run = await runStage(context, { workspace, model, store, outputs: out.outputs, train: false });
    return { part, parts: { ...parts, run }, store, run, outputs: out.outputs, candidate: null };
  }
  if (candidate.outputs === null) {
    if (candidate.predictions !== null) throw new WrongCandidate('it holds predictions, and no output of its run');
    return { withheld: withheld(candidate, parts, request) };
  }
  const run = await sealedRun({
    repository: workspace.repository,
    commit: workspace.commit,
    model,
    outputFolder: candidate.outputs,
    claimed: candidate.model.run,
    producer: producerOf(context, workspace),
    now: context.now(),
  });
  return { part, parts: { ...parts, run }, store, run, outputs: candidate.outputs, candidate };
}

/** @throws WrongCandidate for the report of another commit, model, key or policy */
function requireSubject({ report, model }: HandedOver, { plan, check }: PartContext, request: SealRequest): void {
  const head = request.head ?? plan.workspace.commit;
  if (report.head !== head) throw new WrongCandidate(`its report is about the commit ${report.head.slice(0, 12)}`);
  if (model.name !== check.model.name) throw new WrongCandidate(`its report is about the model ${model.name}`);
  if (model.runKey !== check.planned.runKey)
    throw new WrongCandidate(
      `its report is about ${model.runKey ?? 'no run key'}, and the commit gives ${check.planned.runKey}`,
    );
  if (model.policy.digest !== check.planned.policy.digest)
    throw new WrongCandidate("its report is judged by another policy than the target branch's");
}

/** A fork's job may meet a private store; null then. Elsewhere a store that can't be read is an error. */
async function readableStore(
  context: Context,
  root: string,
  model: PlannedCheck['model'],
  mayBeDenied: boolean,
): Promise<Store | null> {
  const store = await openModelStore(context, root, model);
  try {
    await store.handOverKey();
    return store;
  } catch (error) {
    if (!mayBeDenied || !(error instanceof DeniedError)) throw error;
    return null;
  }
}

const waysToCompare =
  'Set `share-rows: true`, which lets whoever may read the repository read the rows; or keep results in a store that the job can read, so that rows travel encrypted to its readers.';

/** What can be said of a candidate whose rows and outputs stayed on the machine that made them. */
function withheld(candidate: HandedOver, parts: Parts, request: SealRequest): Parts {
  const probe = claimedProbe(candidate.model);
  const missing: MissingPart[] = [
    {
      part: 'run',
      verdict: 'skipped',
      reason: 'The candidate was trained, and its outputs were not handed over, so nothing of it was verified or kept.',
    },
  ];
  if (request.compare) {
    missing.push({
      part: 'comparison',
      verdict: 'inconclusive',
      reason: `The rows that the candidate predicted were not handed over, so nothing was compared. ${waysToCompare}`,
    });
  }
  return withMissing({ ...parts, probe }, missing);
}

/** Verifies all of a candidate first, then keeps it, then compares. */
async function sealStep(step: Step, request: SealRequest, sealed: Omit<Sealed, 'report'>): Promise<Parts> {
  const { part, store, run, candidate, outputs } = step;
  const { context, session, plan, check } = part;
  const { model } = check;
  const { evaluate } = model;
  const known = store === null ? null : await readProduction(context, store, model);
  const trained: Parts = { ...step.parts, production: known?.pointer ?? null };
  if (evaluate === undefined) {
    return withMissing(await keep(step, request, sealed, trained, null), notEvaluated(model));
  }
  const opened = openEvaluation(session, plan.workspace, { ...model, evaluate }, outputs);
  const evaluation = await (candidate === null ? opened : asCandidate(opened));
  const { parts, scored } =
    candidate === null
      ? await storedImagePart(step, trained, evaluation)
      : await sealedImagePart(part, trained, { candidate, run, evaluation, outputs, store });
  const kept = candidate === null ? parts : await keep(step, request, sealed, parts, scored);
  if (!request.compare) return withMissing(kept, notReached(['comparison'], 'the job that promotes compares it'));
  if (store === null || known === null) return withMissing(kept, [unknownProduction]);
  // A model that is held is said to be held, whatever its image is like.
  const subject = scored ?? (isHeld(known, run) ? scoredByStage(evaluation) : null);
  return subject === null ? kept : await comparePart(part, kept, { store, known, run, evaluation, scored: subject });
}

const unknownProduction: MissingPart = {
  part: 'comparison',
  verdict: 'inconclusive',
  reason: `This job can't read the store, so it isn't known what is in production, and nothing was compared. Let the package of the store be read by the jobs of a fork, or let a maintainer push the branch.`,
};

/** The proof that the store has of a run's image; the model file is scanned again. */
async function storedImagePart(
  { part, store, run, outputs }: Step,
  parts: Parts,
  evaluation: Evaluation,
): Promise<{ parts: Parts; scored: Scored | null }> {
  const { plan, check, out } = part;
  const { model } = check;
  if (scoringOf(model) === 'stage' || model.package === undefined)
    return { parts: withMissing(parts, [withoutImage(model)]), scored: scoredByStage(evaluation) };
  const scan = await scanModel(model.package, outputs);
  const scanned = { ...parts, scan };
  if (scan.verdict !== 'pass') return { parts: withMissing(scanned, refusedByScan), scored: null };
  const key = await proofKeyOf(plan.workspace, model, run);
  const folder = path.join(out.folder, 'proof');
  const proof = key === null || store === null ? null : await store.restoreProof(key, folder);
  if (store === null || proof === null) {
    throw new InfrastructureError(`The store has the run of ${model.name}, and no proof of its image.`, {
      hint: 'Run the whole workflow again: the plan sees what is missing, and the image is proven.',
    });
  }
  const pushed = await store.findImage(proof.image.imageKey);
  const image = { ...proof.image, reference: pushed?.reference ?? null, digest: pushed?.digest ?? null };
  const probed = { ...scanned, image, probe: proof.probe };
  if (proof.probe.verdict === 'fail') return { parts: withMissing(probed, failedProbe), scored: null };
  const signature = await signatureOf(plan.workspace, model, model.package);
  return { parts: probed, scored: { scoredBy: 'image', predictions: proof.predictions, signature } };
}

/** Writes run and proof into the store, where they may be kept. */
async function keep(
  step: Step,
  request: SealRequest,
  sealed: Omit<Sealed, 'report'>,
  parts: Parts,
  scored: Scored | null,
): Promise<Parts> {
  const { part, store, run, outputs } = step;
  const { model } = part.check;
  if (!request.store || store === null) return parts;
  if (run.trust !== 'writers' && request.isPullRequest) {
    sealed.notes.push(
      `Nothing of ${model.name} was kept: under \`trust: ${run.trust}\` the run of a pull request does not count, and what is merged is trained again.`,
    );
    return parts;
  }
  const files = run.outputs.map((output) => ({ path: output.path, file: path.join(outputs, output.path) }));
  sealed.saved.run = await store.saveRun({ run, files });
  if (sealed.saved.run === 'other-result') {
    const reason = `The store has another result of ${run.runKey}, so this training isn't determined by its key. What is merged is the stored one; this report is about the one that was trained here.`;
    return withMissing(parts, [{ part: 'run', verdict: 'warn', reason }]);
  }
  const { image, probe, scan } = parts;
  const key = await proofKeyOf(part.plan.workspace, model, run);
  if (key === null || image === null || probe === null || scan === null || scored?.scoredBy !== 'image') return parts;
  sealed.saved.proof = await store.saveProof(
    key,
    { image, probe, scan },
    { path: imagePredictions, file: scored.predictions },
  );
  return parts;
}
