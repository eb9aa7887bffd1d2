import type { ModelReport, ReportDocument } from '@passloop/documents';
import { overridesAt } from '@passloop/model';
import { judgeModel } from '@passloop/report';
import type { Parts } from './check-parts.ts';
import { type Context, timestamp } from './context.ts';
import type { CheckPlan } from './plan.ts';

/** Judges a model by its parts and the committed exceptions that are in force today. */
export async function judged(context: Context, plan: Pick<CheckPlan, 'workspace'>, parts: Parts): Promise<ModelReport> {
  const { repository, commit } = plan.workspace;
  return judgeModel(parts, await overridesAt(repository, commit, timestamp(context).slice(0, 10)));
}

/** @param head the commit that the report is about: a pull request's, where what is checked out is its merge */
export function oneModelReport(
  context: Context,
  plan: Pick<CheckPlan, 'workspace' | 'base'>,
  head: string | undefined,
  model: ModelReport,
): ReportDocument {
  return {
    schema: 'passloop/report/v1',
    passloop: context.version,
    repository: plan.workspace.name,
    head: head ?? plan.workspace.commit,
    base: plan.base,
    verdict: model.verdict,
    models: [model],
    madeAt: timestamp(context),
  };
}
