import { ApiError } from '../api-error.ts';
import { fullName, type Repository } from '../forge.ts';
import { nodeId } from '../node-id.ts';
import { pullOf } from '../pull-requests.ts';
import { listRefs, readRef } from '../refs.ts';
import type { Label, Protection } from '../state.ts';
import { hasPermission } from '../tokens.ts';
import { repoApi, repoPage } from '../urls.ts';
import { actorNode } from './actors.ts';
import { connection, type PageArguments } from './connection.ts';
import { type Context, need } from './context.ts';
import { type DeploymentFilter, deploymentNode, filterDeployments } from './deployment-nodes.ts';
import { objectNode, refNode } from './git-nodes.ts';
import { queueNode } from './merge-queue-nodes.ts';
import { filterPulls, type PullFilter, pullNode } from './pull-nodes.ts';

export function protectionNode(repository: Repository, pattern: string, protection: Protection) {
  const { requiredChecks: checks, requiredReviews: reviews } = protection;
  return {
    id: nodeId('BPR', repository.state.id, pattern),
    pattern,
    allowsDeletions: protection.allowDeletions,
    allowsForcePushes: protection.allowForcePushes,
    dismissesStaleReviews: reviews?.dismissStale ?? false,
    isAdminEnforced: protection.enforceAdmins,
    requiredApprovingReviewCount: reviews?.count ?? null,
    requiredStatusCheckContexts: checks?.contexts.map(({ context }) => context) ?? [],
    requiresApprovingReviews: reviews !== null,
    requiresLinearHistory: protection.requireLinearHistory,
    requiresStatusChecks: checks !== null,
    requiresStrictStatusChecks: checks?.strict ?? false,
  };
}

export function labelNode(context: Context, repository: Repository, label: Label) {
  return {
    __typename: 'Label',
    id: nodeId('LA', repository.state.id, label.id),
    name: label.name,
    color: label.color,
    description: label.description,
    createdAt: repository.state.createdAt,
    isDefault: false,
    url: repoApi(context.forge, repository.state, `/labels/${encodeURIComponent(label.name)}`),
    repository: () => repositoryNode(context, repository),
  };
}

export function repositoryNode(context: Context, repository: Repository) {
  const { forge, actor } = context;
  const { state } = repository;
  const { settings } = state;
  const url = repoPage(forge, state);
  const mayReadCode = () => need(context, repository, ['contents'], 'read');
  const mayReadPulls = () => need(context, repository, ['pull_requests'], 'read');
  const mayReadLabels = () => need(context, repository, ['issues', 'pull_requests'], 'read');
  const findRef = async (name: string) => {
    mayReadCode();
    const ref = await readRef(repository, name);
    return ref === undefined ? null : refNode(context, repository, ref);
  };
  return {
    __typename: 'Repository',
    id: nodeId('R', state.id),
    databaseId: state.id,
    name: state.name,
    nameWithOwner: fullName(state),
    owner: actorNode(forge, state.owner),
    description: state.description,
    url,
    resourcePath: new URL(url).pathname,
    sshUrl: `git@${new URL(forge.url).hostname}:${fullName(state)}.git`,
    createdAt: state.createdAt,
    updatedAt: state.updatedAt,
    pushedAt: state.pushedAt,
    isArchived: state.archived,
    isFork: state.parent !== null,
    isPrivate: state.private,
    visibility: state.private ? 'PRIVATE' : 'PUBLIC',
    isEmpty: async () => (await listRefs(repository, 'refs/heads/')).length === 0,
    viewerCanAdminister: actor.admin,
    viewerPermission: () => {
      if (actor.admin) return 'ADMIN';
      return hasPermission(actor, repository, 'contents', 'write') ? 'WRITE' : 'READ';
    },
    autoMergeAllowed: settings.allowAutoMerge,
    deleteBranchOnMerge: settings.deleteBranchOnMerge,
    mergeCommitAllowed: settings.allowMergeCommit,
    mergeCommitMessage: settings.mergeCommitMessage,
    rebaseMergeAllowed: settings.allowRebaseMerge,
    squashMergeAllowed: settings.allowSquashMerge,
    squashMergeCommitMessage: settings.squashMergeCommitMessage,
    mergeQueue: ({ branch }: { branch?: string | null }) =>
      queueNode(context, repository, branch ?? state.defaultBranch),
    deployments: (args: PageArguments & DeploymentFilter) => {
      need(context, repository, ['deployments'], 'read');
      const deployments = filterDeployments(repository, args);
      return connection('deployments', deployments, args, (deployment) => deploymentNode(repository, deployment));
    },
    defaultBranchRef: () => findRef(`refs/heads/${state.defaultBranch}`),
    // as GitHub: a name without `refs/` is looked for among branches, then among tags
    ref: async ({ qualifiedName: name }: { qualifiedName: string }) => {
      if (name.startsWith('refs/')) return findRef(name);
      return (await findRef(`refs/heads/${name}`)) ?? findRef(`refs/tags/${name}`);
    },
    refs: async (args: PageArguments & { refPrefix: string; query?: string | null }) => {
      mayReadCode();
      if (!args.refPrefix.endsWith('/')) throw new ApiError(422, 'refPrefix must end with a slash');
      const part = args.query ?? '';
      const refs = (await listRefs(repository, args.refPrefix)).filter(({ name }) => name.includes(part));
      return connection('refs', refs, args, (ref) => refNode(context, repository, ref));
    },
    object: async ({ expression, oid }: { expression?: string | null; oid?: string | null }) => {
      mayReadCode();
      const object = await repository.objects.read(oid ?? expression ?? '');
      return object === undefined ? null : objectNode(context, repository, object);
    },
    pullRequest: ({ number }: { number: number }) => {
      mayReadPulls();
      const pull = pullOf(state, number);
      if (pull !== undefined) return pullNode(context, repository, pull);
      throw new ApiError(404, `Could not resolve to a PullRequest with the number of ${number}.`);
    },
    pullRequests: (args: PageArguments & PullFilter) => {
      mayReadPulls();
      const pulls = filterPulls(repository, args);
      return connection('pullRequests', pulls, args, (pull) => pullNode(context, repository, pull));
    },
    label: ({ name }: { name: string }) => {
      mayReadLabels();
      const label = state.labels.find((one) => one.name.toLowerCase() === name.toLowerCase());
      return label === undefined ? null : labelNode(context, repository, label);
    },
    labels: (args: PageArguments) => {
      mayReadLabels();
      return connection('labels', state.labels, args, (label) => labelNode(context, repository, label));
    },
    branchProtectionRules: (args: PageArguments) => {
      need(context, repository, ['administration'], 'read');
      return connection('branchProtectionRules', Object.entries(state.protections), args, ([pattern, protection]) =>
        protectionNode(repository, pattern, protection),
      );
    },
  };
}
