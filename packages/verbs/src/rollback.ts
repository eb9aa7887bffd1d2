import { ConfigurationError } from '@passloop/core';
import type { RollbackDocument } from '@passloop/documents';
import {
  imageGone,
  plannedRollback,
  prepareRollback,
  type RollbackTarget,
  readDeployState,
  rollback as rollBack,
} from '@passloop/gitops';
import { type Context, timestamp } from './context.ts';
import {
  actor,
  type DeployPlace,
  deployQuery,
  environmentNamed,
  openDeployRepository,
  retryPorts,
} from './deploy-repository.ts';
import { rollbackGroup } from './rollback-group.ts';
import { openImageRegistry } from './store.ts';
import { openWorkspace, selectModel, type Workspace } from './workspace.ts';

export type RollbackRequest = DeployPlace & {
  model?: string | undefined;
  /** Several models, which go back in one commit; in place of `model`. */
  models?: readonly string[] | undefined;
  /** Every model whose production came from this commit, of the model repository or of the deploy repository. */
  allOf?: string | undefined;
  environment?: string | undefined;
  /** A record by version, digest, run key, promotion id or commit; the previous one where absent. */
  to?: string | undefined;
  reason?: string | undefined;
  /** What is to be left, by the names of a record: where production is something else by now, nothing happens. */
  leave?: string | undefined;
  /** Go back though people closed the pull request of this very return; true by default, since a person's command is a decision of its own. */
  again?: boolean | undefined;
  /** Go back though callers then send or get something else. */
  allowSignatureChange?: boolean | undefined;
  /** Print the plan, write nothing. */
  plan?: boolean | undefined;
};

/** Returns an environment to an earlier verified record by a pull request, and holds the model that is left. */
export async function rollback(context: Context, request: RollbackRequest): Promise<RollbackDocument> {
  const workspace = await openWorkspace(context);
  const names = request.models ?? [];
  if (names.length > 1 || request.allOf !== undefined) return rollbackSeveral(context, workspace, names, request);
  const model = selectModel(workspace.models, request.model ?? names[0]);
  const { query, repository } = deployQuery(workspace, model);
  const environment = environmentNamed(model, request.environment);
  const forge = await openDeployRepository(context, repository, request);
  const to: RollbackTarget = request.to === undefined ? { kind: 'previous' } : { kind: 'named', name: request.to };
  const asked = {
    environment: environment.name,
    to,
    again: request.again ?? true,
    leave: request.leave ?? null,
    allowSignatureChange: request.allowSignatureChange,
    reason: request.reason ?? 'Rolled back by hand.',
    by: actor(context),
    at: timestamp(context),
  };
  if (request.plan === true) {
    context.progress.phase(`read ${forge.repository}`);
    const plan = await prepareRollback(forge, await readDeployState(forge, query), asked);
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

async function rollbackSeveral(
  context: Context,
  workspace: Workspace,
  names: readonly string[],
  request: RollbackRequest,
): Promise<RollbackDocument> {
  if (request.leave !== undefined) {
    throw new ConfigurationError('--leave names what one model is to leave; several models are named.');
  }
  const deployed = workspace.models.filter((model) => model.deploy !== undefined);
  const models = names.length === 0 ? deployed : [...new Set(names)].map((name) => selectModel(workspace.models, name));
  return rollbackGroup(context, workspace, models, {
    deployRepo: request.deployRepo,
    environment: request.environment,
    to: request.to === undefined ? null : { kind: 'named', name: request.to },
    allOf: request.allOf ?? null,
    plan: request.plan === true,
    asked: {
      again: request.again ?? true,
      allowSignatureChange: request.allowSignatureChange,
      reason: request.reason ?? 'Rolled back by hand.',
      by: actor(context),
      at: timestamp(context),
    },
    hasImage: (reference) => hasImage(context, reference),
  });
}

/** Whether an image is where its reference says: asked at the registry, nothing is pulled. */
export async function hasImage(context: Context, reference: string): Promise<boolean> {
  const at = reference.lastIndexOf('@');
  const registry = await openImageRegistry(context, reference.slice(0, at));
  return registry.manifestExists(reference.slice(at + 1));
}
