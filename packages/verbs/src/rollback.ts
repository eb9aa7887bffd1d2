import type { RollbackDocument } from '@passloop/documents';
import {
  imageGone,
  plannedRollback,
  planRollback,
  type RollbackTarget,
  readDeployState,
  rollback as rollBack,
} from '@passloop/gitops';
import { type Context, timestamp } from './context.ts';
import { actor, deployQuery, environmentNamed, openDeployRepository, retryPorts } from './deploy-repository.ts';
import { openImageRegistry } from './store.ts';
import { openWorkspace, selectModel } from './workspace.ts';

export type RollbackRequest = {
  model?: string | undefined;
  environment?: string | undefined;
  /** A record by version, digest, run key, promotion id or commit; the previous one where absent. */
  to?: string | undefined;
  reason?: string | undefined;
  /** What is to be left, by the names of a record: where production is something else by now, nothing happens. */
  leave?: string | undefined;
  /** Print the plan, write nothing. */
  plan?: boolean | undefined;
};

/** Returns an environment to an earlier verified record by a pull request, and holds the model that is left. */
export async function rollback(context: Context, request: RollbackRequest): Promise<RollbackDocument> {
  const workspace = await openWorkspace(context);
  const model = selectModel(workspace.models, request.model);
  const { query, repository } = deployQuery(workspace, model);
  const environment = environmentNamed(model, request.environment);
  const forge = await openDeployRepository(context, repository);
  const to: RollbackTarget = request.to === undefined ? { kind: 'previous' } : { kind: 'named', name: request.to };
  const asked = {
    environment: environment.name,
    to,
    leave: request.leave ?? null,
    reason: request.reason ?? 'Rolled back by hand.',
    by: actor(context),
    at: timestamp(context),
  };
  if (request.plan === true) {
    context.progress.phase(`read ${repository}`);
    const plan = planRollback(await readDeployState(forge, query), asked);
    const isGone = plan.kind === 'change' && !(await hasImage(context, plan.to.record.image.reference));
    return plannedRollback(model.name, environment.name, isGone ? imageGone(plan.to) : plan);
  }
  context.progress.phase(`roll ${model.name} back in ${environment.name}`);
  return rollBack(forge, query, asked, {
    merge: environment.rollback?.merge ?? environment.merge,
    ports: retryPorts,
    hasImage: (reference) => hasImage(context, reference),
  });
}

/** Whether an image is where its reference says: asked at the registry, nothing is pulled. */
export async function hasImage(context: Context, reference: string): Promise<boolean> {
  const at = reference.lastIndexOf('@');
  const registry = await openImageRegistry(context, reference.slice(0, at));
  return registry.manifestExists(reference.slice(at + 1));
}
