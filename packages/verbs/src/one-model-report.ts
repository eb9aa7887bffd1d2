import { ConfigurationError, canonicalJson } from '@passloop/core';
import type { ModelReport, ReportDocument } from '@passloop/documents';
import { overridesAt } from '@passloop/model';
import { type JudgedOverride, judgeModel } from '@passloop/report';
import type { Parts } from './check-parts.ts';
import { type Context, timestamp } from './context.ts';
import type { CheckPlan } from './plan.ts';

/** Judges a model by its parts and the committed exceptions. */
export async function judged(
  context: Context,
  plan: Pick<CheckPlan, 'workspace' | 'base'>,
  parts: Parts,
): Promise<ModelReport> {
  return judgeModel(parts, await overridesOf(context, plan));
}

/** The exceptions of the change, each told apart from those that the target branch has already. */
export async function overridesOf(
  context: Context,
  { workspace, base }: Pick<CheckPlan, 'workspace' | 'base'>,
): Promise<JudgedOverride[]> {
  const { repository, commit } = workspace;
  const today = timestamp(context).slice(0, 10);
  const there = base === null ? [] : await overridesAt(repository, base.commit, today).catch(noneRead);
  const known = new Set(there.map((override) => canonicalJson(override)));
  const found = await overridesAt(repository, commit, today);
  return found.map((override) => ({ ...override, isNew: base !== null && !known.has(canonicalJson(override)) }));
}

/** A file that the target branch has and nobody can read allows nothing there, and must not stop the change that mends it. */
function noneRead(error: unknown): [] {
  if (error instanceof ConfigurationError) return [];
  throw error;
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
