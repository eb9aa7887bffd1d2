import path from 'node:path';
import { ConfigurationError, isPassing, worstVerdict } from '@passloop/core';
import type {
  ComparedMetric,
  ComparedSlice,
  ComparisonDocument,
  ImageDocument,
  ProbeDocument,
  RunDocument,
} from '@passloop/documents';
import { type LoadedModel, productionEnvironment } from '@passloop/model';
import { pushImage } from '@passloop/packaging';
import { dataSentence } from '@passloop/report';
import { openTables } from '@passloop/tables';
import { compareStage } from './compare-stage.ts';
import { lockedFiles, validateModelData } from './data-stage.ts';
import { buildModelImage, engineOf, packageFolder, proveImage } from './image-stage.ts';
import type { OutFolder } from './out-folder.ts';
import { pointerOf } from './production-pointer.ts';
import type { Promotion } from './promotion.ts';

export type Proof =
  | { kind: 'proven'; image: ImageDocument; probe: ProbeDocument; comparison: ComparisonDocument }
  | { kind: 'blocked'; reason: string };

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
 * What speaks against the data of the commit; null where every check of it holds. No pull request may have checked it: the branch
 * can be pushed to, and a run can come into the store by `passloop train run`.
 */
export async function unsoundData({ context, workspace, model }: Promotion, out: OutFolder): Promise<string | null> {
  await using session = await openTables();
  const reports = await validateModelData(context, session, workspace, model, null);
  for (const report of reports) await out.write('data-report', report, report.dataset.name);
  if (reports.length === 0) return 'No dataset of the model declares a check, so nothing was validated.';
  return isPassing(worstVerdict(reports.map((report) => report.verdict))) ? null : dataSentence(reports);
}

/** Image by its key (taken or built), pushed, started by digest without network, scored, and held against production now. */
export async function proveCandidate(promotion: Promotion, run: RunDocument, out: OutFolder): Promise<Proof> {
  const { context, workspace, model, store, environment, state } = promotion;
  const evaluate = evaluationOf(model);
  const engine = await engineOf(context);
  const section = await packageFolder(workspace, model, out.outputs);
  const findPushed = async (key: string) => (await store.findImage(key))?.reference ?? null;
  const built = await buildModelImage(context, engine, model, section, findPushed);
  if (built.image === null) {
    return blocked('The model file was refused by the scan: `passloop package scan` shows why.');
  }
  const image =
    built.image.reference === null
      ? await pushImage(engine, built.image, section.package.repository, context.progress)
      : built.image;
  await store.saveImage(image);

  await using session = await openTables();
  const files = await lockedFiles(workspace, model, evaluate.dataset);
  const dataset = await session.open({ uri: files.uri, root: files.root, name: files.uri });
  const predictions = path.join(out.outputs, evaluate.predictions);
  const stage = await session.open({
    uri: path.basename(predictions),
    root: path.dirname(predictions),
    name: evaluate.predictions,
  });
  const proof = await proveImage(context, engine, session, {
    image: image.imageId,
    model,
    signature: section.signature,
    dataset,
    stage,
    file: path.join(out.folder, 'image-predictions.parquet'),
  });
  await out.write('probe', proof.probe);
  if (!isPassing(proof.probe.verdict)) {
    const failed = proof.probe.checks.filter((check) => !isPassing(check.verdict)).map((check) => check.id);
    const what = failed.join(', ') || 'its predictions differ from the evaluated ones';
    return blocked(`The image failed its probe: ${what}.`);
  }
  const isLast = productionEnvironment(model)?.name === environment.name;
  const comparison = await compareStage({
    context,
    session,
    store,
    engine,
    model,
    environment: environment.name,
    signature: section.signature,
    dataset: { table: dataset, digest: files.digest },
    candidate: { modelDigest: run.modelDigest, imageDigest: image.digest, predictions: proof.predictions },
    production: pointerOf(context, state, environment, await store.readPointer(model.name, environment.name)),
    productionProblem: null,
    probe: proof.probe,
    imageBytes: image.bytes,
    inconclusive: isLast ? 'block' : 'warn',
    folder: out.folder,
  });
  await out.write('comparison', comparison);
  if (!isPassing(comparison.verdict)) return blocked(blockedReason(comparison));
  return { kind: 'proven', image, probe: proof.probe, comparison };
}

function blocked(reason: string): Proof {
  return { kind: 'blocked', reason };
}

/** Every gate's measurement, on the whole and on slices. */
export function judgedBy(comparison: ComparisonDocument): (ComparedMetric | ComparedSlice)[] {
  return [...comparison.metrics, ...comparison.slices];
}

function blockedReason(comparison: ComparisonDocument): string {
  const worst = judgedBy(comparison).filter((metric) => metric.gate === 'fail' || metric.gate === 'inconclusive');
  const said = worst.slice(0, 5).map((metric) => {
    const where = 'slice' in metric ? ` on ${metric.slice.column} = ${metric.slice.value}` : '';
    const interval = metric.interval === null ? '' : ` (${metric.interval[0]} … ${metric.interval[1]})`;
    return `${metric.name}${where} is ${metric.verdict}: ${metric.delta ?? metric.candidate ?? metric.reason ?? ''}${interval}`;
  });
  return said.length === 0 ? (comparison.reason ?? `The comparison is ${comparison.verdict}.`) : `${said.join('; ')}.`;
}
