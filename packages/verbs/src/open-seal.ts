import { InfrastructureError } from '@passloop/core';
import type { MissingPart, PlanDocument, RunDocument } from '@passloop/documents';
import { DeniedError, type Store } from '@passloop/record';
import { sealedRun } from '@passloop/training';
import { type HandedOver, openCandidate, WrongCandidate } from './candidate-files.ts';
import type { PartContext } from './candidate-part.ts';
import { notEvaluated, type Parts, withMissing } from './check-parts.ts';
import type { Context } from './context.ts';
import { readHandOverKey } from './hand-over.ts';
import type { PlannedCheck } from './plan.ts';
import { producerOf, runStage } from './run-stage.ts';
import { claimedProbe } from './sealed-image.ts';
import { openModelStore } from './store.ts';

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

/** A run whose outputs lie here, from another job or from the store. */
export type SealStep = {
  part: PartContext;
  parts: Parts;
  /** Null: this job can't read it, and needn't. */
  store: Store | null;
  run: RunDocument;
  outputs: string;
  /** Null: it came from the store. */
  candidate: HandedOver | null;
};

/**
 * Takes what was handed over: the run of this commit, verified, or the stored one where the plan found it in the store.
 * @throws WrongCandidate, ForeignRun where it isn't this commit's
 * @throws InfrastructureError where nothing was handed over to a promotion
 */
export async function openSeal(
  part: PartContext,
  parts: Parts,
  request: SealRequest,
  folder: string,
): Promise<SealStep | { withheld: Parts }> {
  const { context, plan, check, out } = part;
  const { workspace } = plan;
  const { model } = check;
  const { candidate: given } = request;
  if (given === null) {
    // In a check the report says it; a promotion has nothing to go on with.
    if (request.compare)
      throw new WrongCandidate('there is nothing of it, since the job did not finish: its log says why');
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
    return { withheld: withheld(candidate, parts, model, request.compare) };
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
function withheld(candidate: HandedOver, parts: Parts, model: PlannedCheck['model'], compares: boolean): Parts {
  const probe = claimedProbe(candidate.model);
  const missing: MissingPart[] = [
    {
      part: 'run',
      // A promotion needs the run itself; a check needs what comes of it.
      verdict: compares ? 'skipped' : 'fail',
      reason: 'The candidate was trained, and its outputs were not handed over, so nothing of it was verified or kept.',
    },
  ];
  if (model.evaluate === undefined) missing.push(...notEvaluated(model));
  else if (compares) {
    missing.push({
      part: 'comparison',
      verdict: 'inconclusive',
      reason: `The rows that the candidate predicted were not handed over, so nothing was compared. ${waysToCompare}`,
    });
  }
  return withMissing({ ...parts, probe }, missing);
}
