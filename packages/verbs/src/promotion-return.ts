import { type GitRepository, PassloopError } from '@passloop/core';
import type { PromotionDocument } from '@passloop/documents';
import {
  imageGone,
  planDocument,
  planRollback,
  prepareRollback,
  type RollbackTarget,
  rollback,
} from '@passloop/gitops';
import { fromRoot, loadModelsAt } from '@passloop/model';
import { trainingKey } from '@passloop/training';
import { timestamp } from './context.ts';
import { actor, deployQuery, retryPorts } from './deploy-repository.ts';
import type { Promotion } from './promotion.ts';
import { revertedCommits } from './revert.ts';
import { hasImage } from './rollback.ts';
import type { Workspace } from './workspace.ts';

/** Brings the environment back to a record that ran there before, without training or building. */
export async function returnTo(promotion: Promotion, to: RollbackTarget, reason: string): Promise<PromotionDocument> {
  const { context, forge, state, environment, declared, model, workspace } = promotion;
  const asked = {
    environment: environment.name,
    to,
    leave: environment.production?.digest ?? null,
    again: promotion.request.again,
    reason,
    by: actor(context),
    at: timestamp(context),
  };
  if (promotion.request.plan === true) {
    const plan = await prepareRollback(forge, state, asked);
    const isGone = plan.kind === 'change' && !(await hasImage(context, plan.to.record.image.reference));
    return planDocument(model.name, environment.name, isGone ? imageGone(plan.to) : plan);
  }
  context.progress.phase(`bring ${environment.name} back`);
  const document = await rollback(forge, deployQuery(workspace, model).query, asked, {
    merge: declared.rollback?.merge ?? declared.merge,
    ports: retryPorts,
    state,
    hasImage: (reference) => hasImage(context, reference),
  });
  const { from: _from, to: _to, hold: _hold, ...rest } = document;
  return { ...rest, schema: 'passloop/promotion/v1' };
}

/**
 * A revert whose tree nobody has trained, since other changes came between: production goes back at once to the record before
 * what was reverted; the new tree is an ordinary candidate of the next run. Null where nothing of production was reverted,
 * or there is nothing to go back to: then the new tree is the way out.
 */
export async function returnBeforeReverted(promotion: Promotion): Promise<PromotionDocument | null> {
  const { context } = promotion;
  const due = await dueReturn(promotion);
  if (due === null) return null;
  const document = await returnTo(
    promotion,
    { kind: 'before', commits: due.commits },
    `${due.reverted.map((commit) => commit.slice(0, 12)).join(', ')} was reverted; the new tree trains as an ordinary candidate.`,
  );
  if (document.outcome === 'blocked') context.progress.note(`no way back: ${document.reason ?? document.outcome}`);
  return document.outcome === 'already-promoted' || document.outcome === 'blocked' ? null : document;
}

/** True where `returnBeforeReverted` would bring production back; nothing is written. */
export async function isReturnDue(promotion: Promotion): Promise<boolean> {
  const due = await dueReturn(promotion);
  if (due === null) return false;
  const { context, state, environment } = promotion;
  const plan = planRollback(state, {
    environment: environment.name,
    to: { kind: 'before', commits: due.commits },
    leave: environment.production?.digest ?? null,
    again: promotion.request.again,
    reason: 'reverted',
    by: actor(context),
    at: timestamp(context),
  });
  // A return whose image is gone is none: then the new tree is the way out.
  return plan.kind === 'change'
    ? hasImage(context, plan.to.record.image.reference)
    : plan.outcome !== 'already-promoted' && plan.outcome !== 'blocked';
}

/** What was reverted of production, and the source commits of the records that carry it; null where nothing was. */
async function dueReturn({
  workspace,
  environment,
}: Promotion): Promise<{ reverted: string[]; commits: string[] } | null> {
  const production = environment.production?.record ?? null;
  if (production?.source == null) return null;
  const since = await workspace.repository.resolve(production.source.commit);
  const reverted: string[] = [];
  for (const commit of await revertedCommits(workspace.repository, since, workspace.commit)) {
    const isOfProduction = await carries(workspace, production.source.commit, commit);
    if (isOfProduction && (await changesModel(workspace, production.model, commit))) reverted.push(commit);
  }
  if (reverted.length === 0) return null;
  const commits: string[] = [];
  for (const version of environment.history.flatMap((entry) => entry.version ?? [])) {
    const source = version.record.source?.commit;
    if (source === undefined) continue;
    for (const commit of reverted) if (await carries(workspace, source, commit)) commits.push(source);
  }
  return commits.includes(production.source.commit) ? { reverted, commits: [...new Set(commits)] } : null;
}

/** Whether a commit changed what a model is made of: to take back a line of the README is no reason to leave production. */
async function changesModel({ repository }: Workspace, name: string, commit: string): Promise<boolean> {
  const before = await repository.resolve(`${commit}^1`);
  if (before === null) return true;
  return (await ingredientsAt(repository, before, name)) !== (await ingredientsAt(repository, commit, name));
}

async function ingredientsAt(repository: GitRepository, commit: string, name: string): Promise<string> {
  try {
    const model = (await loadModelsAt(repository, commit)).find((one) => one.name === name);
    if (model?.train === undefined) return 'none';
    const section = model.package ?? null;
    const packaged = [section?.requirements, section?.signature].flatMap((file) => file ?? []);
    const paths = packaged.map((file) => fromRoot(model, file));
    const files = (await repository.listFiles(commit)).filter(({ path }) => paths.includes(path));
    const { runKey } = await trainingKey(repository, commit, model);
    return JSON.stringify([runKey, section, files.map(({ oid }) => oid)]);
  } catch (error) {
    // What this version can't read counts as another model.
    if (error instanceof PassloopError) return `${commit} is unreadable`;
    throw error;
  }
}

/** True where a record's source commit contains a commit. */
async function carries(workspace: Workspace, source: string, commit: string): Promise<boolean> {
  const { repository } = workspace;
  if ((await repository.resolve(source)) === null || (await repository.resolve(commit)) === null) return false;
  return repository.isAncestor(commit, source);
}
