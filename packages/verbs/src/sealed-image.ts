import path from 'node:path';
import { canonicalJson, insidePath, worstVerdict } from '@passloop/core';
import type { ImageDocument, ModelReport, ProbeDocument, RunDocument, ScanDocument } from '@passloop/documents';
import { type LoadedModel, type Package, type Signature, tensorColumn } from '@passloop/model';
import { readTableColumns, requireSameRows, type Skew } from '@passloop/packaging';
import type { Store } from '@passloop/record';
import { asCandidate, type HandedOver, WrongCandidate } from './candidate-files.ts';
import {
  type Evaluation,
  failedProbe,
  imagePredictions,
  type PartContext,
  refusedByScan,
  type Scored,
  scoredByStage,
  scoringOf,
  withoutImage,
} from './candidate-part.ts';
import { type Parts, withMissing } from './check-parts.ts';
import { imageIdentityOf } from './image-key-of.ts';
import { signatureOf, skewOf } from './image-stage.ts';
import { scanFiles } from './package-scan.ts';
import type { Workspace } from './workspace.ts';

/** A day has 86 400 000 milliseconds; no request of a probe lasts longer. */
const longestMs = 86_400_000;

/**
 * The image part of a candidate that another job built and asked: its key and digests from the commit and the model file, the scan made again,
 * the image's predictions held against the stage's again. The image's id and size, and how it answered the probe, are that job's word.
 * Nothing is started.
 * @throws WrongCandidate where what it says doesn't match what is found
 */
export async function sealedImagePart(
  part: PartContext,
  parts: Parts,
  request: { candidate: HandedOver; run: RunDocument; evaluation: Evaluation; outputs: string; store: Store | null },
): Promise<{ parts: Parts; scored: Scored | null }> {
  const { plan, check } = part;
  const { candidate, run, evaluation, outputs, store } = request;
  const { model } = check;
  const byStage = scoredByStage(evaluation);
  if (scoringOf(model) === 'stage') {
    if (candidate.predictions !== null)
      throw new WrongCandidate(`the model file asks no image, and it has ${imagePredictions}`);
    return { parts: withMissing(parts, [withoutImage(model)]), scored: byStage };
  }
  if (model.package === undefined) throw new Error('an image is scored, and nothing is packaged');
  const signature = await signatureOf(plan.workspace, model, model.package);
  const scan = await scanModel(model.package, outputs);
  const scanned = { ...parts, scan };
  if (scan.verdict !== 'pass') return { parts: withMissing(scanned, refusedByScan), scored: null };
  const { image: claimed, probe: answered } = candidate.model;
  if (claimed === null || answered === null) {
    const said = candidate.model.missing.find(({ part: name }) => name === 'image')?.reason;
    const reason = said ?? 'The job that trains neither built nor proved an image.';
    return { parts: withMissing(scanned, [{ part: 'image', verdict: 'fail', reason }]), scored: byStage };
  }
  const image = await sealedImage(plan.workspace, model, run, claimed, store);
  // An image that no registry has yet is told from production's by its id.
  if (image.digest === null && image.imageId === parts.production?.imageDigest)
    throw new WrongCandidate("its image says to be production's, which has another key");
  if (answered.target !== image.imageId) throw new WrongCandidate('it probed another image than it built');
  if (answered.verdict === 'fail') {
    const probe = sealedProbe(answered, answered.predictions);
    return { parts: withMissing({ ...scanned, image, probe }, failedProbe), scored: null };
  }
  if (candidate.predictions === null)
    throw new WrongCandidate(`its image answers the probe, and ${imagePredictions} is missing`);
  const skew = await asCandidate(skewFrom(part, signature, evaluation, candidate.predictions));
  const probe = sealedProbe(answered, skew);
  const probed = { ...scanned, image, probe };
  if (probe.verdict === 'fail') return { parts: withMissing(probed, failedProbe), scored: null };
  return {
    parts: probed,
    scored: { scoredBy: 'image', predictions: candidate.predictions, signature, image: null },
  };
}

/** Holds the predictions that were handed over against the stage's, on the rows that the commit locks. */
async function skewFrom(
  { session, check }: PartContext,
  signature: Signature,
  { dataset, stage }: Evaluation,
  file: string,
): Promise<Skew> {
  const { model } = check;
  const { key } = model.columns;
  const name = "the image's predictions";
  const table = await session.open({ uri: path.basename(file), root: path.dirname(file), name });
  await requireSameRows(session, dataset.table, table, key, "The image's predictions");
  const image = await readTableColumns(session, table, { columns: signature.outputs.map(tensorColumn), key });
  return skewOf(session, { model, signature, dataset: dataset.table, stage, image });
}

/** Scans the model file of a run again: what is allowed is the policy's, and whoever scanned it before isn't believed. */
export async function scanModel(section: Package, outputs: string): Promise<ScanDocument> {
  const file = await insidePath(outputs, section.model, 'package.model');
  return scanFiles([{ path: section.model, file }], section.allow);
}

async function sealedImage(
  workspace: Workspace,
  model: LoadedModel,
  run: RunDocument,
  claimed: ImageDocument,
  store: Store | null,
): Promise<ImageDocument> {
  const identity = await imageIdentityOf(workspace, model, run.modelDigest);
  if (identity === null) throw new WrongCandidate('it has an image, and the commit packages none');
  for (const [field, found] of Object.entries(identity)) {
    const said = claimed[field as keyof typeof identity];
    if (canonicalJson(said) !== canonicalJson(found))
      throw new WrongCandidate(
        `its image says that \`${field}\` is ${said}, and the commit and its model give ${found}`,
      );
  }
  const pushed = (await store?.findImage(identity.imageKey)) ?? null;
  return {
    schema: 'passloop/image/v1',
    ...identity,
    reference: pushed?.reference ?? null,
    digest: pushed?.digest ?? null,
    imageId: claimed.imageId,
    bytes: claimed.bytes,
    cache: claimed.cache,
  };
}

/** A probe as the other job tells it, within bounds, with the verdict that its parts give and never a better one. */
function sealedProbe(answered: ProbeDocument, skew: ProbeDocument['predictions']): ProbeDocument {
  const { checks, latency, readySeconds } = answered;
  if (checks.length === 0 || answered.executed === 0) throw new WrongCandidate('its probe checked nothing');
  const within = (text: string | null | undefined, most: number) =>
    text === null || text === undefined || (Number(text) >= 0 && Number(text) <= most);
  if (
    !within(readySeconds, longestMs / 1000) ||
    !within(latency?.p50Ms, longestMs) ||
    !within(latency?.p95Ms, longestMs)
  )
    throw new WrongCandidate("its probe names times that can't be");
  if (latency !== null && Number(latency.p50Ms) > Number(latency.p95Ms))
    throw new WrongCandidate('its probe names a median above its 95th percentile');
  const verdicts = [...checks.map((check) => check.verdict), ...(skew === null ? [] : [skew.verdict])];
  return { ...answered, predictions: skew, verdict: worstVerdict([answered.verdict, ...verdicts]) };
}

/** The claims of a candidate whose files were not handed over, as far as anything can be said of it. */
export function claimedProbe({ probe }: ModelReport): ProbeDocument | null {
  return probe === null ? null : sealedProbe(probe, probe.predictions);
}
