import path from 'node:path';
import { ConfigurationError, canonicalJson, InfrastructureError, plainText, temporaryFolder } from '@passloop/core';
import type { MissingPart, PlanDocument, ReportDocument } from '@passloop/documents';
import type { Saved } from '@passloop/record';
import { openTables } from '@passloop/tables';
import { ForeignRun } from '@passloop/training';
import { asCandidate, WrongCandidate } from './candidate-files.ts';
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
import { comparePart, isHeld, type KnownProduction, readProduction } from './compare-part.ts';
import type { Context } from './context.ts';
import { signatureOf } from './image-stage.ts';
import { lazyEngine } from './lazy-engine.ts';
import { judged, oneModelReport } from './one-model-report.ts';
import { openSeal, type SealRequest, type SealStep } from './open-seal.ts';
import { outFolder } from './out-folder.ts';
import { type CheckPlan, type PlannedCheck, planCheck } from './plan.ts';
import { plotsOf } from './plots-part.ts';
import { remoteTables } from './remote-tables.ts';
import { fetchNamed } from './sealed-data.ts';
import { scanModel, sealedImagePart } from './sealed-image.ts';
import { refuseVanishing } from './store.ts';
import { proofKeyOf } from './stored-proof.ts';

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
 * @throws InfrastructureError where a promotion has no candidate, or the store has not what the plan saw in it
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
  // This job holds the store's credential: it reaches no address that a change could name.
  const fetch = fetchNamed(check.base, remoteTables(context));
  const part: PartContext = { context, session, engine, plan, check, out, fetch };
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

/** Verifies all of a candidate and compares it, and only then keeps it: what can't be read as a candidate is not kept. */
async function sealStep(step: SealStep, request: SealRequest, sealed: Omit<Sealed, 'report'>): Promise<Parts> {
  const { part, store, run, candidate, outputs } = step;
  const { context, session, plan, check } = part;
  const { model } = check;
  const { evaluate } = model;
  const known = store === null ? null : await readProduction(context, store, model);
  const plots = await plotsOf(session, model, { outputs, model: path.join(plan.workspace.root, model.folder) });
  const trained: Parts = { ...step.parts, production: known?.pointer ?? null, ...plots };
  if (evaluate === undefined) {
    return withMissing(await keep(step, request, sealed, trained, null), notEvaluated(model));
  }
  const opened = openEvaluation(session, plan.workspace, { ...model, evaluate }, outputs, part.fetch);
  const evaluation = await (candidate === null ? opened : asCandidate(opened));
  const proven =
    candidate === null
      ? await storedImagePart(step, trained, evaluation)
      : await sealedImagePart(part, trained, { candidate, run, evaluation, outputs, store });
  const compared = compareStep(step, request, known, evaluation, proven);
  const parts = await (candidate === null ? compared : asCandidate(compared));
  return candidate === null ? parts : keep(step, request, sealed, parts, proven.scored);
}

async function compareStep(
  { part, store, run }: SealStep,
  request: SealRequest,
  known: KnownProduction | null,
  evaluation: Evaluation,
  { parts, scored }: { parts: Parts; scored: Scored | null },
): Promise<Parts> {
  if (!request.compare) return withMissing(parts, notReached(['comparison'], 'the job that promotes compares it'));
  if (store === null || known === null) return withMissing(parts, [unknownProduction]);
  // A model that is held is said to be held, whatever its image is like.
  const subject = scored ?? (isHeld(known, run) ? scoredByStage(evaluation) : null);
  return subject === null ? parts : comparePart(part, parts, { store, known, run, evaluation, scored: subject });
}

const unknownProduction: MissingPart = {
  part: 'comparison',
  verdict: 'inconclusive',
  reason: `This job can't read the store, so it isn't known what is in production, and nothing was compared. Let the package of the store be read by the jobs of a fork, or let a maintainer push the branch.`,
};

/** The proof that the store has of a run's image; the model file is scanned again. */
async function storedImagePart(
  { part, store, run, outputs }: SealStep,
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
  return { parts: probed, scored: { scoredBy: 'image', predictions: proof.predictions, signature, image: null } };
}

/** Writes run and proof into the store, where they may be kept. */
async function keep(
  step: SealStep,
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
  if (parts.scan !== null && parts.scan.verdict !== 'pass') {
    // The first result of a key is the one that everybody gets: one that must not be served would block an honest one.
    sealed.notes.push(`Nothing of ${model.name} was kept: its model file was refused by the scan.`);
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
