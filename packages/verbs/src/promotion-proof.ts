import path from 'node:path';
import { ConfigurationError, isPassing, worstVerdict } from '@passloop/core';
import type {
  ComparedMetric,
  ComparedSlice,
  ComparisonDocument,
  DataReport,
  ImageDocument,
  ProbeDocument,
  ProductionPointer,
  RunDocument,
} from '@passloop/documents';
import type { LoadedModel } from '@passloop/model';
import { type Engine, pushImage } from '@passloop/packaging';
import type { Store } from '@passloop/record';
import { dataSentence, metricSentence, phraseText } from '@passloop/report';
import { openTables } from '@passloop/tables';
import { compareStage } from './compare-stage.ts';
import type { Context } from './context.ts';
import { lockedFiles, validateModelData } from './data-stage.ts';
import { promotionPolicy } from './gate-policy.ts';
import { buildModelImage, engineOf, type PackageFolder, packageFolder, proveImage } from './image-stage.ts';
import type { OutFolder } from './out-folder.ts';
import { pointerOf } from './production-pointer.ts';
import type { Promotion } from './promotion.ts';
import { remoteTables } from './remote-tables.ts';
import type { Workspace } from './workspace.ts';

/** What a promotion rests on, whoever made it: this process, or another job whose documents are read. */
export type Proven = {
  kind: 'proven';
  run: RunDocument;
  image: ImageDocument;
  probe: ProbeDocument;
  comparison: ComparisonDocument;
  /** A report of every dataset that declares checks. */
  data: readonly DataReport[];
};

export type Proof = Proven | { kind: 'refused'; outcome: 'blocked' | 'superseded'; reason: string };

/** @throws ConfigurationError where nothing would measure a candidate: nothing measured is no pass */
export function evaluationOf(model: LoadedModel): NonNullable<LoadedModel['evaluate']> {
  if (model.evaluate !== undefined) return model.evaluate;
  throw new ConfigurationError(`${model.name} has no \`evaluate\` section: nothing would measure what is promoted.`, {
    file: model.file,
    line: model.lineOf([]),
    hint: 'Add evaluate: {dataset: test, predictions: out/predictions.parquet, metrics: out/metrics.json}, and `gates`.',
  });
}

/**
 * Validates the data of the commit. No pull request may have checked it: the branch can be pushed to, and a run can come into the
 * store by `passloop train run`.
 */
export async function validatedData(
  context: Context,
  { workspace, model }: { workspace: Workspace; model: LoadedModel },
  out: OutFolder,
): Promise<DataReport[]> {
  await using session = await openTables();
  const reports = await validateModelData(context, session, workspace, model, null, remoteTables(context));
  for (const report of reports) await out.write('data-report', report, report.dataset.name);
  return reports;
}

/** What speaks against the data; null where every check of it holds. */
export function unsoundData(reports: readonly DataReport[]): string | null {
  if (reports.length === 0) return 'No dataset of the model declares a check, so nothing was validated.';
  return isPassing(worstVerdict(reports.map((report) => report.verdict))) ? null : dataSentence(reports);
}

/** Image by its key (taken or built), pushed, started without network, scored, and held against production now. */
export async function proveCandidate(
  promotion: Promotion,
  run: RunDocument,
  data: readonly DataReport[],
  out: OutFolder,
): Promise<Proof> {
  const { context, workspace, model, store, environment, state } = promotion;
  await using engine = await engineOf(context);
  const section = await packageFolder(workspace, model, out.outputs);
  const findPushed = async (key: string) => (await store.findImage(key))?.reference ?? null;
  const built = await buildModelImage(context, engine, model, section, findPushed);
  if (built.image === null) return blocked(refusedScan);
  const image =
    built.image.reference === null
      ? await pushImage(engine, built.image, section.package.repository, context.progress)
      : built.image;
  await store.saveImage(image);
  const { probe, comparison } = await measureCandidate({
    context,
    workspace,
    model,
    store,
    engine,
    run,
    image,
    started: image.imageId,
    section,
    environment: environment.name,
    production: pointerOf(context, state, environment, await store.readPointer(model.name, environment.name)),
    out,
  });
  const reason = objection(probe, comparison);
  if (reason !== null || comparison === null) return blocked(reason ?? 'Nothing was compared.');
  return { kind: 'proven', run, image, probe, comparison, data };
}

export const refusedScan = 'The model file was refused by the scan: `passloop package scan` shows why.';

export type Measurement = {
  context: Context;
  workspace: Workspace;
  model: LoadedModel;
  store: Store;
  engine: Engine;
  run: RunDocument;
  image: ImageDocument;
  /** What the engine starts: the image's id, or its reference by digest. */
  started: string;
  section: PackageFolder;
  environment: string;
  production: ProductionPointer | null;
  out: OutFolder;
};

/** Probe and scores of an image, and the comparison with production; null where the probe failed already. */
export async function measureCandidate(
  request: Measurement,
): Promise<{ probe: ProbeDocument; comparison: ComparisonDocument | null }> {
  const { context, workspace, model, engine, image, section, out } = request;
  const evaluate = evaluationOf(model);
  await using session = await openTables();
  const files = await lockedFiles(workspace, model, evaluate.dataset, remoteTables(context));
  const dataset = await session.open({ ...files, name: files.uri });
  const predictions = path.join(out.outputs, evaluate.predictions);
  const stage = await session.open({
    uri: path.basename(predictions),
    root: path.dirname(predictions),
    name: evaluate.predictions,
  });
  const proof = await proveImage(context, engine, session, {
    image: request.started,
    model,
    signature: section.signature,
    dataset,
    stage,
    file: path.join(out.folder, 'image-predictions.parquet'),
  });
  await out.write('probe', proof.probe);
  if (!isPassing(proof.probe.verdict)) return { probe: proof.probe, comparison: null };
  const comparison = await compareStage({
    context,
    session,
    store: request.store,
    scoredBy: 'image',
    engine: async () => engine,
    model,
    environment: request.environment,
    signature: section.signature,
    dataset: { table: dataset, digest: files.digest },
    candidate: {
      modelDigest: request.run.modelDigest,
      imageDigest: image.digest,
      image: request.started,
      predictions: proof.predictions,
      metrics: request.run.metrics,
    },
    production: request.production,
    productionProblem: null,
    probe: proof.probe,
    imageBytes: image.bytes,
    policy: promotionPolicy(model, request.environment),
    folder: out.folder,
  });
  await out.write('comparison', comparison);
  return { probe: proof.probe, comparison };
}

/** What speaks against a candidate that was measured; null where nothing does. */
export function objection(probe: ProbeDocument, comparison: ComparisonDocument | null): string | null {
  if (!isPassing(probe.verdict)) {
    const failed = probe.checks.filter((check) => !isPassing(check.verdict)).map((check) => check.id);
    return `The image failed its probe: ${failed.join(', ') || 'its predictions differ from the evaluated ones'}.`;
  }
  if (comparison === null) return 'Nothing was compared.';
  return isPassing(comparison.verdict) ? null : blockedReason(comparison);
}

function blocked(reason: string): Proof {
  return { kind: 'refused', outcome: 'blocked', reason };
}

/** Every gate's measurement, on the whole and on slices. */
export function judgedBy(comparison: ComparisonDocument): (ComparedMetric | ComparedSlice)[] {
  return [...comparison.metrics, ...comparison.slices];
}

function blockedReason(comparison: ComparisonDocument): string {
  const worst = judgedBy(comparison).filter((metric) => metric.gate === 'fail' || metric.gate === 'inconclusive');
  const said = worst.slice(0, 5).map((metric) => phraseText(metricSentence(metric)));
  return said.length === 0 ? (comparison.reason ?? `The comparison is ${comparison.verdict}.`) : said.join(' ');
}
