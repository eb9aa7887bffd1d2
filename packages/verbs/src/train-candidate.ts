import { copyFile, mkdir } from 'node:fs/promises';
import path from 'node:path';
import { ConfigurationError, insidePath, removeFolder } from '@passloop/core';
import { type ReportDocument, type RunDocument, writeDocument } from '@passloop/documents';
import { encryptedEnding, encryptFile } from '@passloop/record';
import { openTables } from '@passloop/tables';
import {
  dataPart,
  imagePart,
  imagePredictions,
  openEvaluation,
  type PartContext,
  type Scored,
} from './candidate-part.ts';
import { begun, notEvaluated, notReached, type Parts, withMissing } from './check-parts.ts';
import type { Context } from './context.ts';
import { lazyEngine } from './lazy-engine.ts';
import { judged, oneModelReport } from './one-model-report.ts';
import { type OutFolder, outFolder } from './out-folder.ts';
import { type PlannedCheck, planCheck } from './plan.ts';
import { remoteTables } from './remote-tables.ts';
import { runStage } from './run-stage.ts';
import { unsealable, unsealableHint } from './sealed-data.ts';
import type { Stored } from './stored-proof.ts';

export type TrainCandidateRequest = {
  model: string;
  against?: string | undefined;
  /** The commit that the report is about, where that isn't the one that is checked out. */
  head?: string | undefined;
  /** What the store has, as the job that planned says: with `proof` nothing but the data is looked at. */
  stored?: Stored | undefined;
  /** To whom files of rows and outputs are encrypted; without one they stay here, unless `shareRows` says otherwise. */
  recipient?: string | undefined;
  /** Rows and outputs are handed over as they are: whoever may read the repository may read them. */
  shareRows?: boolean | undefined;
  out?: string | undefined;
};

/** `folder` is what is handed over, and nothing else is in it. */
export type TrainedCandidate = { report: ReportDocument; folder: string };

/** Names in the artifact of a candidate. */
export const candidateReport = 'report.json';
export const candidateFiles = 'files';

/**
 * What the job does that runs a pull request's code and holds no credential: data, training, image, probe and scores of one model, without a
 * store. What failed is in the report, and is no error: the jobs after it say it.
 * @throws ConfigurationError, InfrastructureError where it could not be found out how the candidate is
 */
export async function trainCandidate(context: Context, request: TrainCandidateRequest): Promise<TrainedCandidate> {
  const { against, model: name } = request;
  const plan = await planCheck(context, { against, head: request.head, models: [name], asksStore: false });
  const [check] = plan.checks;
  if (check === undefined) throw new ConfigurationError(`No model is named ${JSON.stringify(name)}.`);
  const out = outFolder(plan.workspace.root, check.model.name, request.out);
  const folder = path.join(out.folder, 'candidate');
  await removeFolder(folder);
  await using session = await openTables();
  await using engine = lazyEngine(context);
  const part = { context, session, engine, plan, check, out, fetch: remoteTables(context) };
  const { parts, scored } = await candidate(part, request);
  const later = notReached(['comparison'], 'the job that seals the candidate compares it');
  const handedOver = scored === null ? parts : withMissing(parts, later);
  const report = oneModelReport(context, plan, request.head, await judged(context, plan, handedOver));
  await writeDocument('report', path.join(folder, candidateReport), report);
  if (parts.run !== null) await handOver(request, parts.run, out, scored, folder);
  context.progress.done();
  return { report, folder };
}

async function candidate(
  part: PartContext,
  request: TrainCandidateRequest,
): Promise<{ parts: Parts; scored: Scored | null }> {
  const { context, session, plan, check, out } = part;
  const { workspace } = plan;
  const { model } = check;
  const parts = begun(check);
  if (check.isRemoved) return { parts, scored: null };
  refuseUnsealable(check);
  const data = await dataPart(part, parts);
  if (!data.goesOn) return { parts: data.parts, scored: null };
  if (request.stored === 'proof') {
    const why = 'the store has the run and the proof of this key';
    return { parts: withMissing(data.parts, notReached(['run', 'image', 'comparison'], why)), scored: null };
  }
  const run = await runStage(context, { workspace, model, store: null, outputs: out.outputs });
  const trained: Parts = { ...data.parts, run };
  const { evaluate } = model;
  if (evaluate === undefined) return { parts: withMissing(trained, notEvaluated(model)), scored: null };
  const evaluation = await openEvaluation(session, workspace, { ...model, evaluate }, out.outputs, part.fetch);
  return imagePart(part, trained, evaluation, async () => null);
}

/** Said before hours of training: the job that seals could not read the rows. */
function refuseUnsealable({ model, base }: PlannedCheck): void {
  const found = unsealable(model, base);
  if (found === null) return;
  throw new ConfigurationError(
    `data.${found.name} is remote (${found.uri}), ${found.why}, and the target branch doesn't name its address: the job that seals a candidate would not fetch it.`,
    { file: model.file, line: model.lineOf(['data', found.name]), hint: unsealableHint },
  );
}

/** Lays the run's outputs and the image's predictions into the folder: encrypted, as they are, or not at all. */
async function handOver(
  request: TrainCandidateRequest,
  run: RunDocument,
  out: OutFolder,
  scored: Scored | null,
  folder: string,
): Promise<void> {
  const { recipient, shareRows } = request;
  if (recipient === undefined && shareRows !== true) return;
  const files = run.outputs.map((output) => ({
    from: path.join(out.outputs, output.path),
    to: `${candidateFiles}/${output.path}`,
  }));
  if (scored?.scoredBy === 'image') files.push({ from: scored.predictions, to: imagePredictions });
  for (const { from, to } of files) {
    const target = await insidePath(folder, to, 'an output');
    await mkdir(path.dirname(target), { recursive: true });
    if (shareRows === true) await copyFile(from, target);
    else await encryptFile(from, `${target}${encryptedEnding}`, recipient ?? '');
  }
}
