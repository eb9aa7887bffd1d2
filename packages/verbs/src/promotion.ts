import type { PromotionDocument } from '@passloop/documents';
import { type DeployState, type EnvironmentState, type Forge, refusalDocument } from '@passloop/gitops';
import type { Environment, LoadedModel } from '@passloop/model';
import type { Store } from '@passloop/record';
import type { Context } from './context.ts';
import type { DeployPlace } from './deploy-repository.ts';
import type { Workspace } from './workspace.ts';

export type PromoteRequest = DeployPlace & {
  model?: string | undefined;
  /** The commit to promote; HEAD by default. */
  ref?: string | undefined;
  /** By default the first environment, in the model file's order, that runs something else. */
  environment?: string | undefined;
  /** Print the edits as diffs; train, build, push and write nothing. */
  plan?: boolean | undefined;
  /** Promote it though people closed its pull request without merging it. */
  again?: boolean | undefined;
  /** `false`: never run the repository's code here. A commit that nobody trained is then blocked; a job with a token wants this. */
  train?: boolean | undefined;
  /**
   * Take what another job proved, from this folder of documents, instead of proving it here: then nothing is trained, built, started or
   * measured. `folder` is null where there is no proof; what needs none (a return, a hold) is answered all the same.
   */
  proof?: { folder: string | null } | undefined;
  out?: string | undefined;
};

/** One promotion under way: what it was asked for, and what was read once for all of its steps. */
export type Promotion = {
  context: Context;
  workspace: Workspace;
  model: LoadedModel;
  store: Store;
  forge: Forge;
  state: DeployState;
  environment: EnvironmentState;
  declared: Environment;
  request: PromoteRequest;
};

export function refused(
  { model, environment }: Promotion,
  outcome: PromotionDocument['outcome'],
  reason: string,
): PromotionDocument {
  return refusalDocument(model.name, environment.name, { outcome, reason });
}
