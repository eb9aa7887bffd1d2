import type { StatusDocument } from '@passloop/documents';
import { readStatus } from '@passloop/gitops';
import type { Context } from './context.ts';
import { type DeployPlace, deployQuery, openDeployRepository } from './deploy-repository.ts';
import { openWorkspace, selectModel } from './workspace.ts';

export type StatusRequest = DeployPlace & {
  /** As `deployRepo`; no model file is read then. */
  repository?: string | undefined;
  branch?: string | undefined;
  model?: string | undefined;
};

/** Models x environments of a deploy repository: the one that was named, or the one that the model file names. */
export async function status(context: Context, request: StatusRequest): Promise<StatusDocument> {
  const named = request.repository ?? request.deployRepo;
  if (named !== undefined)
    return readStatus(await openDeployRepository(context, null, { deployRepo: named }), request.branch ?? null);
  const workspace = await openWorkspace(context);
  const { repository, query } = deployQuery(workspace, selectModel(workspace.models, request.model));
  return readStatus(await openDeployRepository(context, repository), request.branch ?? query.branch);
}
