import path from 'node:path';
import { worstVerdict, writeFileAtomic } from '@passloop/core';
import { formatDocument, type ModelReport, type PlanDocument, type ReportDocument } from '@passloop/documents';
import { judgeModel, renderComment, renderSummary } from '@passloop/report';
import { openTables } from '@passloop/tables';
import { dataPart, imagePart, openEvaluation } from './candidate-part.ts';
import { begun, notEvaluated, type Parts, untouched, withMissing } from './check-parts.ts';
import { comparePart, heldPart, isHeld, readProduction } from './compare-part.ts';
import { type Context, timestamp } from './context.ts';
import { lazyEngine } from './lazy-engine.ts';
import { overridesOf } from './one-model-report.ts';
import { type OutFolder, outFolder } from './out-folder.ts';
import { type CheckPlan, type PlannedCheck, type PlanRequest, planCheck } from './plan.ts';
import { plotsOf } from './plots-part.ts';
import { remoteTables } from './remote-tables.ts';
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
  const overrides = await overridesOf(context, plan);
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
  const { renderHtml } = await import('@passloop/report/page');
  await writeFileAtomic(files.html, await renderHtml(report));
  return { comment, files };
}

async function checkModel(context: Context, plan: CheckPlan, check: PlannedCheck, out: OutFolder): Promise<Parts> {
  const { workspace } = plan;
  const { model } = check;
  const parts = begun(check);
  if (check.isRemoved) return parts;
  if (check.key !== null) await out.write('key', check.key);
  await using session = await openTables();
  await using engine = lazyEngine(context);
  const part = { context, session, engine, plan, check, out, fetch: remoteTables(context) };
  const data = await dataPart(part, parts);
  if (!data.goesOn) return data.parts;

  const store = await openModelStore(context, workspace.root, model);
  const run = await runStage(context, { workspace, model, store, outputs: out.outputs });
  await out.write('run', run);
  const known = await readProduction(context, store, model);
  const plots = await plotsOf(session, model, {
    outputs: out.outputs,
    model: path.join(workspace.root, model.folder),
  });
  const trained: Parts = { ...data.parts, run, production: known.pointer, ...plots };
  const { evaluate } = model;
  if (evaluate === undefined) return withMissing(trained, notEvaluated(model));
  const evaluation = await openEvaluation(session, workspace, { ...model, evaluate }, out.outputs, part.fetch);
  const subject = { store, known, run, evaluation };
  if (isHeld(known, run)) return await heldPart(part, trained, subject);
  const findPushed = async (key: string) => (await store.findImage(key))?.reference ?? null;
  const proven = await imagePart(part, trained, evaluation, findPushed);
  return proven.scored === null
    ? proven.parts
    : await comparePart(part, proven.parts, { ...subject, scored: proven.scored });
}
