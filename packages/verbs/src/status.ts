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
  const deployed = workspace.models.filter(({ deploy }) => deploy !== undefined);
  const places = new Set(deployed.map(({ deploy }) => JSON.stringify([deploy?.repository, deploy?.branch ?? null])));
  // Where all models are deployed from one repository, nobody has to name one of them.
  const [first] = deployed;
  const model =
    request.model === undefined && places.size === 1 && first !== undefined
      ? first
      : selectModel(workspace.models, request.model);
  const { repository, query } = deployQuery(workspace, model);
  return readStatus(await openDeployRepository(context, repository), request.branch ?? query.branch);
}
