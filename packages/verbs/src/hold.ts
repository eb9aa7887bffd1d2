import { ConfigurationError, isDigest } from '@passloop/core';
import type { PromotionDocument } from '@passloop/documents';
import { refusalDocument, hold as writeHold } from '@passloop/gitops';
import { type Context, timestamp } from './context.ts';
import {
  actor,
  type DeployPlace,
  deployQuery,
  environmentNamed,
  openDeployRepository,
  retryPorts,
} from './deploy-repository.ts';
import { openWorkspace, selectModel } from './workspace.ts';

export type HoldRequest = DeployPlace & {
  model?: string | undefined;
  /** The model digest that is refused, or whose holds are lifted. */
  digest: string;
  lift?: boolean | undefined;
  environment?: string | undefined;
  reason?: string | undefined;
};

/** Refuses a model digest from now on, or lifts what refuses it, by a pull request. */
export async function hold(context: Context, request: HoldRequest): Promise<PromotionDocument> {
  if (!isDigest(request.digest)) {
    throw new ConfigurationError(`${JSON.stringify(request.digest.slice(0, 100))} is no model digest.`, {
      hint: 'A hold names a model by its digest, sha256:<64 hex>; `passloop status` lists them.',
    });
  }
  const workspace = await openWorkspace(context);
  const model = selectModel(workspace.models, request.model);
  const { query, repository } = deployQuery(workspace, model);
  const environment = request.environment === undefined ? null : environmentNamed(model, request.environment).name;
  context.progress.phase(`${request.lift === true ? 'lift the hold of' : 'hold'} ${request.digest.slice(0, 19)}…`);
  const result = await writeHold(
    await openDeployRepository(context, repository, request),
    query,
    {
      action: request.lift === true ? 'lift' : 'hold',
      modelDigest: request.digest,
      environment,
      reason: request.reason ?? (request.lift === true ? 'Lifted by hand.' : 'Held by hand.'),
      by: actor(context),
      at: timestamp(context),
    },
    { merge: 'review', ports: retryPorts },
  );
  return {
    ...refusalDocument(model.name, environment ?? environmentNamed(model, undefined).name, result),
    branch: result.branch,
    commit: result.commit,
    pullRequest: result.pullRequest,
    ...(result.proposal === undefined ? {} : { proposal: result.proposal }),
    merged: result.merged,
  };
}
