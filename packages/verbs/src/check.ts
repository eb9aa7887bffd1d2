import path from 'node:path';
import { type Digest, PassloopError, type Verdict, worstVerdict, writeFileAtomic } from '@passloop/core';
import {
  type Change,
  formatDocument,
  type MissingPart,
  type ModelReport,
  type PlanDocument,
  type ProductionPointer,
  type ReportDocument,
} from '@passloop/documents';
import { type LoadedModel, overridesAt, productionEnvironment } from '@passloop/model';
import type { Store } from '@passloop/record';
import { judgeModel, renderComment, renderHtml, renderSummary } from '@passloop/report';
import { openTables, type TableSession } from '@passloop/tables';
import { explainKeys } from '@passloop/training';
import { compareStage } from './compare-stage.ts';
import { type Context, timestamp } from './context.ts';
import { lockedFiles, validateModelData } from './data-stage.ts';
import { buildModelImage, engineOf, packageFolder, proveImage } from './image-stage.ts';
import { type OutFolder, outFolder } from './out-folder.ts';
import { type CheckPlan, type PlannedCheck, type PlanRequest, planCheck } from './plan.ts';
import { runStage } from './run-stage.ts';
import { openModelStore } from './store.ts';

export type CheckRequest = PlanRequest & {
  /** Folder of the documents; `.passloop/out` by default. */
  out?: string | undefined;
  /** Address of the run, for the comment. */
  runUrl?: string | undefined;
};

export type CheckResult = {
  plan: PlanDocument;
  report: ReportDocument;
  /** The pull-request comment, Markdown. */
  comment: string;
  /** Files that were written: report.json, comment.md, summary.md, report.html. */
  files: { report: string; comment: string; summary: string; html: string };
};

/**
 * What a pull request runs, as one report: policy from the target branch, data, training (or its result from the store), the
 * image with its probe, and the comparison with production; per affected model.
 */
export async function check(context: Context, request: CheckRequest): Promise<CheckResult> {
  const plan = await planCheck(context, request);
  const { workspace } = plan;
  const overrides = await overridesAt(workspace.repository, workspace.commit, timestamp(context).slice(0, 10));
  const models: ModelReport[] = [];
  for (const planned of plan.checks) {
    const out = outFolder(workspace.root, planned.model.name, request.out);
    const parts = planned.planned.affected ? await checkModel(context, plan, planned, out) : untouched(planned);
    models.push(judgeModel(parts, overrides));
  }
  const report: ReportDocument = {
    schema: 'passloop/report/v1',
    passloop: context.version,
    repository: workspace.name,
    head: workspace.commit,
    base: plan.base,
    verdict: worstVerdict(models.map((model) => model.verdict)),
    models,
    madeAt: timestamp(context),
  };
  return { plan: plan.document, report, ...(await writeReport(workspace.root, request, report)) };
}

async function writeReport(
  root: string,
  request: CheckRequest,
  report: ReportDocument,
): Promise<Pick<CheckResult, 'comment' | 'files'>> {
  const folder = path.resolve(root, request.out ?? '.passloop/out');
  const files = {
    report: path.join(folder, 'report.json'),
    comment: path.join(folder, 'comment.md'),
    summary: path.join(folder, 'summary.md'),
    html: path.join(folder, 'report.html'),
  };
  const comment = renderComment(report, { run: request.runUrl });
  await writeFileAtomic(files.report, formatDocument('report', report));
  await writeFileAtomic(files.comment, comment);
  await writeFileAtomic(files.summary, renderSummary(report, { run: request.runUrl }));
  await writeFileAtomic(files.html, renderHtml(report));
  return { comment, files };
}

type Parts = Omit<ModelReport, 'verdict' | 'reasons'>;

function untouched(check: PlannedCheck): Parts {
  return {
    name: check.model.name,
    affected: check.planned.affected,
    outcome: null,
    runKey: check.planned.runKey,
    policy: check.planned.policy,
    changes: [],
    production: null,
    data: [],
    run: null,
    image: null,
    scan: null,
    probe: null,
    comparison: null,
    missing: [],
  };
}

async function checkModel(context: Context, plan: CheckPlan, check: PlannedCheck, out: OutFolder): Promise<Parts> {
  const { workspace, base } = plan;
  const { model } = check;
  const parts: Parts = { ...untouched(check), changes: changesOf(check) };
  if (check.isRemoved) return { ...parts, missing: notReached(['run', 'comparison'], 'the change removes the model') };
  if (check.key !== null) await out.write('key', check.key);
  await using session = await openTables();

  parts.data = await validateModelData(context, session, workspace, model, base?.commit ?? null);
  for (const report of parts.data) await out.write('data-report', report, report.dataset.name);
  if (parts.data.length === 0) {
    const reason =
      'No dataset of it declares a check, so nothing was validated: give one `checks` under `data` (docs/model-file.md).';
    parts.missing.push({ part: 'data', verdict: 'fail', reason });
  }
  if (parts.data.some((report) => report.verdict === 'fail')) {
    return withMissing(
      parts,
      notReached(['run', 'image', 'comparison'], 'the data failed, so nothing was trained on it'),
    );
  }
  // What is deployed must be held against production by something, and a gate that never ran is no pass.
  const unproven = model.deploy === undefined && model.gates.length === 0 ? 'skipped' : 'fail';
  if (check.key === null) {
    const why = 'the model file has no `train` section';
    return withMissing(parts, notReached(['run', 'image', 'comparison'], why, unproven));
  }

  const store = await openModelStore(context, workspace.root, model);
  const run = await runStage(context, { workspace, model, store, outputs: out.outputs });
  parts.run = run;
  await out.write('run', run);

  const environment = productionEnvironment(model)?.name ?? null;
  const known = await readProduction(context, store, model, environment);
  parts.production = known.pointer;

  if (model.evaluate === undefined)
    return withMissing(
      parts,
      notReached(['image', 'comparison'], 'the model file has no `evaluate` section', unproven),
    );
  const files = await lockedFiles(workspace, model, model.evaluate.dataset);
  const dataset = await session.open({ uri: files.uri, root: files.root, name: files.uri });
  const stagePredictions = path.join(out.outputs, model.evaluate.predictions);
  const stage = await session.open({
    uri: path.basename(stagePredictions),
    root: path.dirname(stagePredictions),
    name: model.evaluate.predictions,
  });

  // A model that is held has nothing to prove: no image is built for it, and nothing is scored.
  if (known.problem === null && known.pointer?.held.includes(run.modelDigest)) {
    parts.comparison = await compareStage({
      ...comparisonBase(context, session, store, model, environment, known),
      engine: null,
      signature: null,
      dataset: { table: dataset, digest: files.digest },
      candidate: { modelDigest: run.modelDigest, imageDigest: null, predictions: stagePredictions },
      probe: null,
      imageBytes: null,
      folder: out.folder,
    });
    parts.outcome = parts.comparison.outcome;
    await out.write('comparison', parts.comparison);
    return withMissing(parts, notReached(['image'], 'the model is held'));
  }
  const wantsImage = model.package !== undefined && model.evaluate.scoring === 'image';
  const engine = wantsImage ? await engineOrReason(context) : null;
  let predictions = stagePredictions;
  let signature = null;
  if (typeof engine === 'string') parts.missing.push({ part: 'image', verdict: 'fail', reason: engine });
  else if (engine === null) {
    const reason =
      model.package === undefined
        ? 'the model file has no `package` section'
        : '`evaluate.scoring: stage` opts out of the image';
    parts.missing.push({ part: 'image', verdict: 'skipped', reason });
  } else {
    const folder = await packageFolder(workspace, model, out.outputs);
    signature = folder.signature;
    const built = await buildModelImage(
      context,
      engine,
      model,
      folder,
      async (key) => (await store.findImage(key))?.reference ?? null,
    );
    parts.scan = built.scan;
    await out.write('scan', built.scan);
    if (built.image === null)
      return withMissing(parts, notReached(['image', 'comparison'], 'the model file was refused by the scan'));
    parts.image = built.image;
    await out.write('image', built.image);
    const file = path.join(out.folder, 'image-predictions.parquet');
    const proof = await proveImage(context, engine, session, {
      image: built.image.imageId,
      model,
      signature,
      dataset,
      stage,
      file,
    });
    parts.probe = proof.probe;
    await out.write('probe', proof.probe);
    if (proof.probe.verdict === 'fail')
      return withMissing(parts, notReached(['comparison'], 'the image failed its probe'));
    predictions = proof.predictions;
  }

  // A key that the store does not know is an image that production cannot have: its own id says that it is another one.
  const imageDigest =
    parts.image === null ? null : ((await pushedDigest(store, parts.image.imageKey)) ?? parts.image.imageId);
  parts.comparison = await compareStage({
    ...comparisonBase(context, session, store, model, environment, known),
    engine: typeof engine === 'string' ? null : engine,
    signature,
    dataset: { table: dataset, digest: files.digest },
    candidate: { modelDigest: run.modelDigest, imageDigest, predictions },
    probe: parts.probe,
    imageBytes: parts.image?.bytes ?? null,
    folder: out.folder,
  });
  parts.outcome = parts.comparison.outcome;
  await out.write('comparison', parts.comparison);
  return parts;
}

type Known = Awaited<ReturnType<typeof readProduction>>;

function comparisonBase(
  context: Context,
  session: TableSession,
  store: Store,
  model: LoadedModel,
  environment: string | null,
  known: Known,
) {
  const production = { production: known.pointer, productionProblem: known.problem };
  return { context, session, store, model, environment, ...production, inconclusive: 'warn' as const };
}

async function pushedDigest(
  store: Awaited<ReturnType<typeof openModelStore>>,
  imageKey: string,
): Promise<Digest | null> {
  return (await store.findImage(imageKey))?.digest ?? null;
}

/** The engine, or the sentence that says what is missing. */
async function engineOrReason(context: Context) {
  try {
    return await engineOf(context);
  } catch (error) {
    if (!(error instanceof PassloopError)) throw error;
    return `${error.message}${error.hint === null ? '' : ` ${error.hint}`} The image was neither built nor proven.`;
  }
}

function changesOf(check: PlannedCheck): Change[] {
  return check.key === null || check.baseKey === null ? [] : explainKeys(check.baseKey, check.key);
}

function withMissing(parts: Parts, missing: MissingPart[]): Parts {
  return { ...parts, missing: [...parts.missing, ...missing] };
}

function notReached(parts: MissingPart['part'][], why: string, verdict: Verdict = 'skipped'): MissingPart[] {
  return parts.map((part) => ({ part, verdict, reason: `${part} was not run: ${why}.` }));
}

/** What the store knows of production; knowledge that is too old is as good as none. */
export async function readProduction(
  context: Context,
  store: Store,
  model: { name: string; evaluate?: { maxAge: string } | undefined; deploy?: unknown },
  environment: string | null,
): Promise<{ pointer: ProductionPointer | null; problem: string | null }> {
  if (environment === null || model.deploy === undefined) return { pointer: null, problem: null };
  const pointer = await store.readPointer(model.name, environment);
  if (pointer === null) return { pointer: null, problem: null };
  const hours = (context.now().getTime() - Date.parse(pointer.at)) / 3_600_000;
  const limit = ageInHours(model.evaluate?.maxAge ?? '30d');
  if (hours <= limit) return { pointer, problem: null };
  return {
    pointer,
    problem: `What is known of production is ${Math.round(hours / 24)} days old (allowed: ${model.evaluate?.maxAge}): run \`passloop promote\` on the default branch, which refreshes it.`,
  };
}

function ageInHours(age: string): number {
  return Number(age.slice(0, -1)) * (age.endsWith('d') ? 24 : 1);
}
