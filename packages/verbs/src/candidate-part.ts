import path from 'node:path';
import { type Digest, PassloopError } from '@passloop/core';
import type { FetchRemote } from '@passloop/data';
import type { DataReport, MissingPart } from '@passloop/documents';
import type { LoadedModel, Signature } from '@passloop/model';
import type { Engine } from '@passloop/packaging';
import type { Table, TableSession } from '@passloop/tables';
import { notReached, type Parts, unprovenVerdict, withMissing } from './check-parts.ts';
import type { Context } from './context.ts';
import { lockedFiles, validateModelData } from './data-stage.ts';
import { buildModelImage, packageFolder, proveImage } from './image-stage.ts';
import type { LazyEngine } from './lazy-engine.ts';
import type { OutFolder } from './out-folder.ts';
import type { CheckPlan, PlannedCheck } from './plan.ts';
import type { Workspace } from './workspace.ts';

/** What every part of a check works with. */
export type PartContext = {
  context: Context;
  session: TableSession;
  engine: LazyEngine;
  plan: Pick<CheckPlan, 'workspace' | 'base'>;
  check: PlannedCheck;
  out: OutFolder;
  /** Brings remote datasets here; undefined in a job that holds a credential. */
  fetch: FetchRemote | undefined;
};

/** Validates the data; `goesOn` where there is something to train after it. */
export async function dataPart(part: PartContext, parts: Parts): Promise<{ parts: Parts; goesOn: boolean }> {
  const { context, session, plan, check, out, fetch } = part;
  const base = plan.base?.commit ?? null;
  const data = await validateModelData(context, session, plan.workspace, check.model, base, fetch);
  for (const report of data) await out.write('data-report', report, report.dataset.name);
  const judged = withMissing({ ...parts, data }, unvalidated(data));
  if (data.some((report) => report.verdict === 'fail')) {
    const why = 'the data failed, so nothing was trained on it';
    return { parts: withMissing(judged, notReached(['run', 'image', 'comparison'], why)), goesOn: false };
  }
  if (check.key === null) {
    const why = 'the model file has no `train` section';
    const missing = notReached(['run', 'image', 'comparison'], why, unprovenVerdict(check.model));
    return { parts: withMissing(judged, missing), goesOn: false };
  }
  return { parts: judged, goesOn: true };
}

function unvalidated(data: readonly DataReport[]): MissingPart[] {
  if (data.length > 0) return [];
  const reason =
    'No dataset of it declares a check, so nothing was validated: give one `checks` under `data` (docs/model-file.md).';
  return [{ part: 'data', verdict: 'fail', reason }];
}

/** Who predicts for the comparison: the image, or the training stage where the model file asks for that or packages nothing. */
export function scoringOf(model: LoadedModel): 'image' | 'stage' {
  return model.package !== undefined && model.evaluate?.scoring === 'image' ? 'image' : 'stage';
}

/** Why a model has no image where that is as its file says. */
export function withoutImage(model: LoadedModel): MissingPart {
  const why =
    model.package === undefined
      ? 'the model file has no `package` section'
      : '`evaluate.scoring: stage` opts out of the image';
  return { part: 'image', verdict: 'skipped', reason: why };
}

/** The rows that decide, and the stage's own predictions for them. */
export type Evaluation = { dataset: { table: Table; digest: Digest }; stage: Table; stageFile: string };

/** @throws ConfigurationError for rows that are not what the commit locks */
export async function openEvaluation(
  session: TableSession,
  workspace: Workspace,
  model: LoadedModel & { evaluate: NonNullable<LoadedModel['evaluate']> },
  outputs: string,
  fetch: FetchRemote | undefined,
): Promise<Evaluation> {
  const { evaluate } = model;
  const files = await lockedFiles(workspace, model, evaluate.dataset, fetch);
  const table = await session.open({ ...files, name: files.uri });
  const stageFile = path.join(outputs, ...evaluate.predictions.split('/'));
  const stage = await session.open({
    uri: path.basename(stageFile),
    root: path.dirname(stageFile),
    name: evaluate.predictions,
  });
  return { dataset: { table, digest: files.digest }, stage, stageFile };
}

/** What the image part came to: who predicts and where the predictions lie; null where there is nothing to compare. */
export type Scored = {
  scoredBy: 'image' | 'stage';
  predictions: string;
  signature: Signature | null;
  /** What the engine of this job starts; null where another job built it, or nobody did. */
  image: string | null;
};

export function scoredByStage({ stageFile }: Evaluation): Scored {
  return { scoredBy: 'stage', predictions: stageFile, signature: null, image: null };
}

/**
 * Image, scan, probe and the image's predictions; without an engine the stage's predictions stand in, and the report says so.
 * @param findPushed where the store has an image of a key, by reference; null where it has none, or there is no store
 */
export async function imagePart(
  part: PartContext,
  parts: Parts,
  evaluation: Evaluation,
  findPushed: (key: string) => Promise<string | null>,
): Promise<{ parts: Parts; scored: Scored | null }> {
  const { context, session, plan, check, out } = part;
  const { model } = check;
  const byStage = scoredByStage(evaluation);
  if (scoringOf(model) === 'stage') return { parts: withMissing(parts, [withoutImage(model)]), scored: byStage };
  const engine = await engineOrReason(part.engine);
  if (typeof engine === 'string') {
    return { parts: withMissing(parts, [{ part: 'image', verdict: 'fail', reason: engine }]), scored: byStage };
  }
  const folder = await packageFolder(plan.workspace, model, out.outputs);
  const built = await buildModelImage(context, engine, model, folder, findPushed);
  await out.write('scan', built.scan);
  const scanned = { ...parts, scan: built.scan };
  if (built.image === null) return { parts: withMissing(scanned, refusedByScan), scored: null };
  await out.write('image', built.image);
  const { probe, predictions } = await proveImage(context, engine, session, {
    image: built.image.imageId,
    model,
    signature: folder.signature,
    dataset: evaluation.dataset.table,
    stage: evaluation.stage,
    file: path.join(out.folder, imagePredictions),
  });
  await out.write('probe', probe);
  const probed = { ...scanned, image: built.image, probe };
  if (probe.verdict === 'fail') return { parts: withMissing(probed, failedProbe), scored: null };
  return {
    parts: probed,
    scored: { scoredBy: 'image', predictions, signature: folder.signature, image: built.image.imageId },
  };
}

/** The image's predictions in a model's folder, and in the artifact of its job. */
export const imagePredictions = 'image-predictions.parquet';

export const refusedByScan = notReached(['image', 'comparison'], 'the model file was refused by the scan');
export const failedProbe = notReached(['comparison'], 'the image failed its probe');

/** The engine, or the sentence that says what is missing. */
async function engineOrReason(engine: LazyEngine): Promise<Engine | string> {
  try {
    return await engine.open();
  } catch (error) {
    if (!(error instanceof PassloopError)) throw error;
    return `${error.message}${error.hint === null ? '' : ` ${error.hint}`} The image was neither built nor proven.`;
  }
}
