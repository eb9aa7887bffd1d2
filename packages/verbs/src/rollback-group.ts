import { ConfigurationError } from '@passloop/core';
import type { RollbackDocument } from '@passloop/documents';
import {
  type DeployQuery,
  deployState,
  environmentOf,
  type Forge,
  type GroupMember,
  groupDocument,
  groupRequest,
  planTogether,
  type RollbackRequest,
  type RollbackTarget,
  rollbackTogether,
} from '@passloop/gitops';
import type { Environment, LoadedModel } from '@passloop/model';
import type { Context } from './context.ts';
import {
  type DeployPlace,
  deployQuery,
  environmentNamed,
  openDeployRepository,
  retryPorts,
} from './deploy-repository.ts';
import type { Workspace } from './workspace.ts';

export type GroupRollback = DeployPlace & {
  environment: string | undefined;
  /** Null: each goes back to its previous record. */
  to: RollbackTarget | null;
  /** A commit of the model repository or of the deploy repository; null where the models are named. */
  allOf: string | null;
  plan: boolean;
  asked: Omit<RollbackRequest, 'environment' | 'to' | 'leave'>;
  hasImage(reference: string): Promise<boolean>;
};

type Member = { query: DeployQuery; environment: Environment };

/** Returns several models of one environment together: one commit, one pull request. They merge by themselves only if each of them may. */
export async function rollbackGroup(
  context: Context,
  workspace: Workspace,
  models: readonly LoadedModel[],
  request: GroupRollback,
): Promise<RollbackDocument> {
  const { repository, name, members } = membersOf(workspace, models, request.environment);
  const forge = await openDeployRepository(context, repository, request);
  context.progress.phase(`read ${forge.repository}`);
  const group =
    request.allOf === null
      ? members.map((member) => memberOf(member, name, request, request.to ?? { kind: 'previous' }, null))
      : await thoseOf(forge, members, name, request, request.allOf);
  const names = group.map(({ query }) => query.model);
  if (request.plan) {
    const snapshot = await forge.read(
      groupRequest(
        group.map(({ query }) => query),
        name,
      ),
    );
    return groupDocument(names, name, await planTogether(forge, snapshot, name, group));
  }
  context.progress.phase(`roll ${names.join(', ')} back in ${name}`);
  const isAuto = members.every(({ environment }) => (environment.rollback?.merge ?? environment.merge) === 'auto');
  return rollbackTogether(forge, name, group, {
    merge: isAuto ? 'auto' : 'review',
    ports: retryPorts,
    hasImage: request.hasImage,
  });
}

function membersOf(
  workspace: Workspace,
  models: readonly LoadedModel[],
  asked: string | undefined,
): { repository: string; name: string; members: Member[] } {
  const found = models.map((model) => {
    const { query, repository } = deployQuery(workspace, model);
    return { query, repository, environment: environmentNamed(model, asked) };
  });
  const places = new Set(found.map((one) => `${one.environment.name} of ${one.repository}`));
  const [first] = found;
  if (first === undefined) throw new ConfigurationError('The model file deploys no model.');
  if (places.size > 1) {
    throw new ConfigurationError(`One pull request can't bring back ${[...places].join(' and ')}.`, {
      hint: 'Name models of one deploy repository, and the environment where their names differ: --environment.',
    });
  }
  return { repository: first.repository, name: first.environment.name, members: found };
}

function memberOf(
  { query }: Member,
  environment: string,
  { asked }: GroupRollback,
  to: RollbackTarget,
  leave: string | null,
): GroupMember {
  return { query, request: { ...asked, environment, to, leave } };
}

/** The models of which production came from a commit of the model repository, or was brought by one of the deploy repository. */
async function thoseOf(
  forge: Forge,
  members: readonly Member[],
  environment: string,
  request: GroupRollback,
  commit: string,
): Promise<GroupMember[]> {
  if (!/^[0-9a-f]{7,64}$/.test(commit)) {
    throw new ConfigurationError(`--all-of: ${JSON.stringify(commit.slice(0, 80))} is no commit.`, {
      hint: 'Give a commit of the model repository or of the deploy repository, at least seven hex digits.',
    });
  }
  const snapshot = await forge.read(
    groupRequest(
      members.map(({ query }) => query),
      environment,
    ),
  );
  const found = members.flatMap((member) => {
    const state = deployState(forge.repository, member.query, snapshot);
    const { production } = environmentOf(state, environment);
    const source = production?.record.source?.commit ?? null;
    if (production === null) return [];
    if (source?.startsWith(commit) === true) {
      return [
        memberOf(member, environment, request, request.to ?? { kind: 'before', commits: [source] }, production.digest),
      ];
    }
    if (production.commit?.startsWith(commit) !== true) return [];
    return [memberOf(member, environment, request, request.to ?? { kind: 'previous' }, production.digest)];
  });
  if (found.length === 0) {
    throw new ConfigurationError(`Nothing that runs in ${environment} came from ${commit}.`, {
      hint: '`passloop status` lists what runs; name the models instead of --all-of.',
    });
  }
  return found;
}
