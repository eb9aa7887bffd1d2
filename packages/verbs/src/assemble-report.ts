import { canonicalJson, plainText, worstVerdict } from '@passloop/core';
import type { ModelReport, PlanDocument, PlannedModel, ReportDocument } from '@passloop/documents';
import { judgeModel } from '@passloop/report';
import { nothingOf } from './check-parts.ts';
import { type Context, timestamp } from './context.ts';

export type AssembleRequest = {
  /** Of the job that planned, by its job output: no other job can have written it. */
  plan: PlanDocument;
  /** The commit that the report is about. */
  head: string;
  repository: string | null;
  /** By model: the report of the job that sealed it. */
  reports: ReadonlyMap<string, ReportDocument>;
  /** By model: why it has none, or why the one that it has doesn't count, as a sentence. */
  missing: ReadonlyMap<string, string>;
};

/**
 * One report of what the jobs of a check found. A model of the plan that no job reported on, or whose report is about something else than was
 * planned, fails and says so.
 */
export async function assembleReport(context: Context, request: AssembleRequest): Promise<ReportDocument> {
  const { plan, head, repository } = request;
  const models = plan.models.map((planned) => modelOf(planned, request));
  return {
    schema: 'passloop/report/v1',
    passloop: context.version,
    repository,
    head,
    base: plan.base,
    verdict: worstVerdict(models.map((model) => model.verdict)),
    models,
    madeAt: timestamp(context),
  };
}

function modelOf(planned: PlannedModel, { plan, head, reports, missing }: AssembleRequest): ModelReport {
  if (!planned.affected) return judgeModel(nothingOf(planned));
  const said = missing.get(planned.name);
  if (said !== undefined) return failed(planned, said);
  const report = reports.get(planned.name);
  if (report === undefined) return failed(planned, 'No job reported on it.');
  const [model] = report.models;
  if (model === undefined || report.models.length > 1 || model.name !== planned.name)
    return failed(planned, 'The report of its job is about other models.');
  const about = (commit: string, base: PlanDocument['base'], one: Pick<PlannedModel, 'runKey' | 'policy'>) =>
    canonicalJson([commit, base?.commit ?? null, one.runKey, one.policy.digest]);
  if (about(report.head, report.base, model) !== about(head, plan.base, planned))
    return failed(planned, 'The report of its job is about another commit, key or policy than was planned.');
  return model;
}

function failed(planned: PlannedModel, reason: string): ModelReport {
  const parts = nothingOf(planned);
  return judgeModel({ ...parts, missing: [{ part: 'run', verdict: 'fail', reason: plainText(reason, 4000) }] });
}
