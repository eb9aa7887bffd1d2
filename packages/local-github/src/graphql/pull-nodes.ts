import type { Repository } from '../forge.ts';
import { headOwnerOf, headRepositoryOf } from '../forks.ts';
import { mergeabilityOf, UNKNOWN } from '../merge-pull.ts';
import { readCommit } from '../merging.ts';
import { nodeId } from '../node-id.ts';
import { commitsOf, filesOf } from '../pull-requests.ts';
import { readRef } from '../refs.ts';
import { authorAssociationOf, labelsOf } from '../rest/pull.ts';
import { opinionsOf } from '../reviews.ts';
import type { Comment, PullRequest, Review } from '../state.ts';
import { canSee } from '../tokens.ts';
import { pullPage } from '../urls.ts';
import { actorNode } from './actors.ts';
import { connection, type PageArguments } from './connection.ts';
import { type Context, need } from './context.ts';
import { commitNode, refNode, rollupNode } from './git-nodes.ts';
import { queueNode } from './merge-queue-nodes.ts';
import { labelNode, repositoryNode } from './repository-node.ts';

export type PullFilter = {
  states?: string[] | null;
  headRefName?: string | null;
  baseRefName?: string | null;
  labels?: string[] | null;
  orderBy?: { field: string; direction: string } | null;
};

function stateOf(pull: PullRequest): 'CLOSED' | 'MERGED' | 'OPEN' {
  if (pull.mergedAt !== null) return 'MERGED';
  return pull.state === 'open' ? 'OPEN' : 'CLOSED';
}

/** Oldest first unless `orderBy` says otherwise. */
export function filterPulls(repository: Repository, filter: PullFilter): PullRequest[] {
  const { baseRefName: base, headRefName: head, orderBy, states } = filter;
  const wanted = filter.labels?.map((name) => name.toLowerCase());
  const pulls = repository.state.pulls.filter((pull) => {
    if (states != null && !states.includes(stateOf(pull))) return false;
    if (head != null && head !== pull.head.ref) return false;
    if (base != null && base !== pull.base.ref) return false;
    const names = labelsOf(repository.state, pull).map(({ name }) => name.toLowerCase());
    return wanted === undefined || names.some((name) => wanted.includes(name));
  });
  const keys: Record<string, (pull: PullRequest) => number | string> = {
    COMMENTS: ({ number }) => repository.state.comments.filter((comment) => comment.number === number).length,
    UPDATED_AT: ({ updatedAt }) => updatedAt,
  };
  const key = keys[orderBy?.field ?? ''] ?? (({ number }: PullRequest) => number);
  const sign = orderBy?.direction === 'DESC' ? -1 : 1;
  return pulls.sort((a, b) => {
    const [left, right] = [key(a), key(b)];
    return sign * (left < right ? -1 : left > right ? 1 : a.number - b.number);
  });
}

/** Markdown without its marks would be a guess, so the text of a body is its source. */
export function pullNode(context: Context, repository: Repository, pull: PullRequest) {
  const { forge } = context;
  const { state, objects } = repository;
  const url = pullPage(forge, state, pull);
  const isOpen = pull.state === 'open';
  const merge = memo(async () =>
    context.isUntested ? UNKNOWN : mergeabilityOf(forge, repository, pull, { ...context.actor, admin: false }),
  );
  const files = memo(() => filesOf(repository, pull));
  const self = () => pullNode(context, repository, pull);
  const repo = () => repositoryNode(context, repository);
  const commitAt = async (oid: string | null) =>
    oid === null ? null : commitNode(context, repository, await readCommit(objects, oid));
  const refAt = async (holder: Repository | undefined, branch: string) => {
    const ref = holder === undefined ? undefined : await readRef(holder, `refs/heads/${branch}`);
    return ref === undefined ? null : refNode(context, holder!, ref);
  };
  return {
    __typename: 'PullRequest',
    id: nodeId('PR', state.id, pull.number),
    databaseId: pull.id,
    number: pull.number,
    title: pull.title,
    body: pull.body ?? '',
    bodyText: pull.body ?? '',
    url,
    permalink: url,
    resourcePath: new URL(url).pathname,
    state: stateOf(pull),
    author: actorNode(forge, pull.author),
    authorAssociation: authorAssociationOf(state, pull),
    viewerDidAuthor: pull.author === context.actor.login,
    createdAt: pull.createdAt,
    updatedAt: pull.updatedAt,
    closed: !isOpen,
    closedAt: pull.closedAt,
    merged: pull.mergedAt !== null,
    mergedAt: pull.mergedAt,
    mergedBy: pull.mergedBy === null ? null : actorNode(forge, pull.mergedBy),
    mergeCommit: () => commitAt(pull.mergeCommit),
    potentialMergeCommit: async () => commitAt((await merge()).testMerge),
    isDraft: pull.draft,
    locked: false,
    maintainerCanModify: pull.maintainerCanModify,
    isCrossRepository: pull.head.fork !== null,
    isInMergeQueue: pull.queued !== null,
    isMergeQueueEnabled: state.mergeQueues.includes(pull.base.ref),
    mergeQueue: () => queueNode(context, repository, pull.base.ref),
    repository: repo,
    headRepository: () => {
      const source = headRepositoryOf(forge, repository, pull);
      return source === undefined || !canSee(context.actor, source) ? null : repositoryNode(context, source);
    },
    baseRepository: repo,
    headRepositoryOwner: actorNode(forge, headOwnerOf(state, pull)),
    headRefName: pull.head.ref,
    headRefOid: pull.head.sha,
    headRef: () => refAt(headRepositoryOf(forge, repository, pull), pull.head.ref),
    baseRefName: pull.base.ref,
    baseRefOid: pull.base.sha,
    baseRef: () => refAt(repository, pull.base.ref),
    mergeable: async () => {
      const { mergeable } = await merge();
      if (mergeable === null) return 'UNKNOWN';
      return mergeable ? 'MERGEABLE' : 'CONFLICTING';
    },
    mergeStateStatus: async () => (await merge()).state.toUpperCase(),
    reviewDecision: () => reviewDecisionOf(repository, pull),
    autoMergeRequest: pull.autoMerge === null ? null : autoMergeNode(context, repository, pull),
    viewerCanEnableAutoMerge: isOpen && state.settings.allowAutoMerge && pull.autoMerge === null,
    additions: async () => (await files()).reduce((sum, file) => sum + (file.additions ?? 0), 0),
    deletions: async () => (await files()).reduce((sum, file) => sum + (file.deletions ?? 0), 0),
    changedFiles: async () => (await files()).length,
    files: async (args: PageArguments) =>
      connection('files', await files(), args, (file) => ({
        path: file.path,
        additions: file.additions ?? 0,
        deletions: file.deletions ?? 0,
        changeType: file.status === 'removed' ? 'DELETED' : file.status.toUpperCase(),
      })),
    commits: async (args: PageArguments) =>
      connection('commits', await commitsOf(repository, pull), args, (oid) => ({
        id: nodeId('PRC', state.id, pull.number, oid),
        url: `${url}/commits/${oid}`,
        commit: () => commitAt(oid),
        pullRequest: self,
      })),
    labels: (args: PageArguments) =>
      connection('labels', labelsOf(state, pull), args, (label) => labelNode(context, repository, label)),
    comments: (args: PageArguments) => {
      need(context, repository, ['issues', 'pull_requests'], 'read');
      const comments = state.comments.filter(({ number }) => number === pull.number);
      return connection('comments', comments, args, (comment) => commentNode(context, repository, pull, comment));
    },
    timelineItems: (args: PageArguments & { itemTypes?: string[] | null }) => {
      const isWanted = args.itemTypes == null || args.itemTypes.includes('CLOSED_EVENT');
      const events = isWanted && pull.closedAt !== null ? [pull] : [];
      return connection('timelineItems', events, args, () => ({
        __typename: 'ClosedEvent',
        id: nodeId('CE', state.id, pull.number),
        actor: pull.closedBy == null ? null : actorNode(forge, pull.closedBy),
        createdAt: pull.closedAt,
        url: `${url}#event-${pull.id}`,
      }));
    },
    reviews: (args: PageArguments & { author?: string | null; states?: string[] | null }) => {
      const { author, states } = args;
      const reviews = state.reviews.filter(
        (review) =>
          review.number === pull.number &&
          (author == null || review.author === author) &&
          (states == null || states.includes(review.state)),
      );
      return connection('reviews', reviews, args, (review) => reviewNode(context, repository, pull, review));
    },
    statusCheckRollup: async () => rollupNode(context, repository, await readCommit(objects, pull.head.sha)),
  };
}

function memo<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

function reviewDecisionOf(repository: Repository, pull: PullRequest) {
  const required = repository.state.protections[pull.base.ref]?.requiredReviews ?? null;
  const opinions = opinionsOf(repository.state, pull);
  if (opinions.some(({ state }) => state === 'CHANGES_REQUESTED')) return 'CHANGES_REQUESTED';
  if (required === null) return null;
  const approvals = opinions.filter(({ state }) => state === 'APPROVED').length;
  return approvals >= required.count ? 'APPROVED' : 'REVIEW_REQUIRED';
}

function autoMergeNode(context: Context, repository: Repository, pull: PullRequest) {
  const wish = pull.autoMerge!;
  return {
    authorEmail: wish.authorEmail,
    commitHeadline: wish.headline,
    commitBody: wish.body,
    enabledAt: wish.enabledAt,
    enabledBy: actorNode(context.forge, wish.enabledBy),
    mergeMethod: wish.method.toUpperCase(),
    pullRequest: () => pullNode(context, repository, pull),
  };
}

export function commentNode(context: Context, repository: Repository, pull: PullRequest, comment: Comment) {
  return {
    __typename: 'IssueComment',
    id: nodeId('IC', repository.state.id, comment.id),
    databaseId: comment.id,
    author: actorNode(context.forge, comment.author),
    body: comment.body,
    bodyText: comment.body,
    createdAt: comment.createdAt,
    updatedAt: comment.updatedAt,
    url: `${pullPage(context.forge, repository.state, pull)}#issuecomment-${comment.id}`,
    viewerDidAuthor: comment.author === context.actor.login,
    pullRequest: () => pullNode(context, repository, pull),
    repository: () => repositoryNode(context, repository),
  };
}

export function reviewNode(context: Context, repository: Repository, pull: PullRequest, review: Review) {
  return {
    __typename: 'PullRequestReview',
    id: nodeId('PRR', repository.state.id, review.id),
    databaseId: review.id,
    author: actorNode(context.forge, review.author),
    body: review.body,
    state: review.state,
    commit: async () => commitNode(context, repository, await readCommit(repository.objects, review.commit)),
    createdAt: review.submittedAt,
    updatedAt: review.submittedAt,
    submittedAt: review.state === 'PENDING' ? null : review.submittedAt,
    url: `${pullPage(context.forge, repository.state, pull)}#pullrequestreview-${review.id}`,
    pullRequest: () => pullNode(context, repository, pull),
  };
}
