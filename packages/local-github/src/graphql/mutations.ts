import { ApiError } from '../api-error.ts';
import { accountOf, fullName, now } from '../forge.ts';
import { autoMergeProblem, enqueuePull, mergePull } from '../merge-pull.ts';
import { closePull, createPull, editPull, reopenPull } from '../pull-requests.ts';
import { addComment, addLabels, editComment } from '../rest/issues.ts';
import { addReview } from '../reviews.ts';
import { change, type Input, pullChange } from './change.ts';
import type { Context } from './context.ts';
import { commentOfId, labelOfId, pullOfId, repositoryOfId } from './lookup.ts';
import { queueEntryNode } from './merge-queue-nodes.ts';
import { commentNode, pullNode, reviewNode } from './pull-nodes.ts';
import { refMutations } from './ref-mutations.ts';

type PullRequestInput = {
  repositoryId: string;
  headRepositoryId?: string | null;
  baseRefName: string;
  headRefName: string;
  title: string;
  body?: string | null;
  draft?: boolean | null;
  maintainerCanModify?: boolean | null;
};

async function createPullRequest({ input }: Input<PullRequestInput>, context: Context) {
  const repository = repositoryOfId(context, input.repositoryId);
  const source = input.headRepositoryId == null ? undefined : repositoryOfId(context, input.headRepositoryId);
  return change(context, repository, ['pull_requests'], input, async () => {
    const pull = await createPull(context.forge, repository, context.actor, {
      title: input.title,
      body: input.body ?? null,
      head: input.headRefName.replace(/^refs\/heads\//, ''),
      headRepository: source === undefined ? undefined : fullName(source.state),
      base: input.baseRefName.replace(/^refs\/heads\//, ''),
      draft: input.draft ?? false,
      maintainerCanModify: input.maintainerCanModify ?? true,
    });
    // GitHub begins its test merge when it has answered
    return { pullRequest: () => pullNode({ ...context, isUntested: true }, repository, pull) };
  });
}

type PullRequestEdit = {
  pullRequestId: string;
  title?: string | null;
  body?: string | null;
  baseRefName?: string | null;
  state?: 'CLOSED' | 'OPEN' | null;
  maintainerCanModify?: boolean | null;
};

async function updatePullRequest({ input }: Input<PullRequestEdit>, context: Context) {
  return pullChange(context, ['pull_requests'], input, async (repository, pull) => {
    await editPull(
      context.forge,
      repository,
      pull,
      {
        title: input.title ?? undefined,
        body: input.body ?? undefined,
        base: input.baseRefName?.replace(/^refs\/heads\//, '') ?? undefined,
        state: input.state === 'OPEN' ? 'open' : input.state === 'CLOSED' ? 'closed' : undefined,
        maintainerCanModify: input.maintainerCanModify ?? undefined,
      },
      context.actor,
    );
  });
}

type MergeInput = {
  pullRequestId: string;
  expectedHeadOid?: string | null;
  mergeMethod?: 'MERGE' | 'REBASE' | 'SQUASH' | null;
  commitHeadline?: string | null;
  commitBody?: string | null;
  authorEmail?: string | null;
};

function methodOf(input: MergeInput): 'merge' | 'rebase' | 'squash' {
  return (input.mergeMethod ?? 'MERGE').toLowerCase() as 'merge' | 'rebase' | 'squash';
}

async function mergePullRequest({ input }: Input<MergeInput>, context: Context) {
  return pullChange(context, ['contents'], input, (repository, pull) =>
    mergePull(context.forge, repository, pull, context.actor, {
      method: methodOf(input),
      expectedHead: input.expectedHeadOid ?? undefined,
      headline: input.commitHeadline ?? undefined,
      body: input.commitBody ?? undefined,
    }),
  );
}

async function enableAutoMerge({ input }: Input<MergeInput>, context: Context) {
  return pullChange(context, ['contents'], input, async (repository, pull) => {
    if (input.expectedHeadOid != null && input.expectedHeadOid !== pull.head.sha) {
      throw new ApiError(422, 'Head branch was modified. Review and try the merge again.');
    }
    const problem = await autoMergeProblem(context.forge, repository, pull, methodOf(input));
    if (problem !== undefined) throw new ApiError(422, problem);
    accountOf(context.forge, context.actor.login);
    pull.autoMerge = {
      enabledBy: context.actor.login,
      enabledAt: now(context.forge),
      method: methodOf(input),
      headline: input.commitHeadline ?? null,
      body: input.commitBody ?? null,
      authorEmail: input.authorEmail ?? null,
    };
  });
}

async function enqueuePullRequest(
  { input }: Input<{ pullRequestId: string; expectedHeadOid?: string | null }>,
  context: Context,
) {
  const { repository, pull } = pullOfId(context, input.pullRequestId);
  return change(context, repository, ['contents'], input, async () => {
    if (input.expectedHeadOid != null && input.expectedHeadOid !== pull.head.sha) {
      throw new ApiError(422, 'Head branch was modified. Review and try the merge again.');
    }
    await enqueuePull(context.forge, repository, pull, context.actor);
    return { mergeQueueEntry: () => queueEntryNode(context, repository, pull) };
  });
}

async function disableAutoMerge({ input }: Input<{ pullRequestId: string }>, context: Context) {
  return pullChange(context, ['contents'], input, async (_repository, pull) => {
    if (pull.autoMerge === null) throw new ApiError(422, "Can't disable auto-merge for this pull request");
    pull.autoMerge = null;
  });
}

async function setDraft(input: { pullRequestId: string }, context: Context, draft: boolean) {
  return pullChange(context, ['pull_requests'], input, async (_repository, pull) => {
    if (pull.state === 'closed') throw new ApiError(422, 'The pull request is closed.');
    pull.draft = draft;
    pull.updatedAt = now(context.forge);
  });
}

async function addLabelsToLabelable({ input }: Input<{ labelableId: string; labelIds: string[] }>, context: Context) {
  const { repository, pull } = pullOfId(context, input.labelableId);
  const labels = input.labelIds.map((id) => labelOfId(context, id).label);
  return change(context, repository, ['issues', 'pull_requests'], input, async () => {
    addLabels(context.forge, pull, labels);
    return { labelable: () => pullNode(context, repository, pull) };
  });
}

async function postComment({ input }: Input<{ subjectId: string; body: string }>, context: Context) {
  const { repository, pull } = pullOfId(context, input.subjectId);
  return change(context, repository, ['issues', 'pull_requests'], input, async () => {
    const comment = addComment(context.forge, repository, context.actor, pull, input.body);
    const node = () => commentNode(context, repository, pull, comment);
    return { subject: () => pullNode(context, repository, pull), commentEdge: { cursor: String(comment.id), node } };
  });
}

async function updateIssueComment({ input }: Input<{ id: string; body: string }>, context: Context) {
  const { repository, comment, pull } = commentOfId(context, input.id);
  return change(context, repository, ['issues', 'pull_requests'], input, async () => {
    editComment(context.forge, comment, input.body);
    return { issueComment: () => commentNode(context, repository, pull, comment) };
  });
}

type ReviewInput = {
  pullRequestId: string;
  event?: 'APPROVE' | 'COMMENT' | 'DISMISS' | 'REQUEST_CHANGES' | null;
  body?: string | null;
  commitOID?: string | null;
};

async function addPullRequestReview({ input }: Input<ReviewInput>, context: Context) {
  const { repository, pull } = pullOfId(context, input.pullRequestId);
  return change(context, repository, ['pull_requests'], input, async () => {
    const { event } = input;
    if (event === 'DISMISS') throw new ApiError(422, 'A new review cannot be dismissed');
    const review = addReview(context.forge, repository, context.actor, pull, {
      event: event ?? undefined,
      body: input.body ?? '',
      commit: input.commitOID ?? undefined,
    });
    const node = () => reviewNode(context, repository, pull, review);
    return { pullRequestReview: node, reviewEdge: { cursor: String(review.id), node } };
  });
}

type ById = Input<{ pullRequestId: string }>;

export const mutations = {
  ...refMutations,
  addComment: postComment,
  addLabelsToLabelable,
  addPullRequestReview,
  closePullRequest: ({ input }: ById, context: Context) =>
    pullChange(context, ['pull_requests'], input, async (_repository, pull) =>
      closePull(context.forge, pull, context.actor.login),
    ),
  convertPullRequestToDraft: ({ input }: ById, context: Context) => setDraft(input, context, true),
  createPullRequest,
  disablePullRequestAutoMerge: disableAutoMerge,
  enablePullRequestAutoMerge: enableAutoMerge,
  enqueuePullRequest,
  markPullRequestReadyForReview: ({ input }: ById, context: Context) => setDraft(input, context, false),
  mergePullRequest,
  reopenPullRequest: ({ input }: ById, context: Context) =>
    pullChange(context, ['pull_requests'], input, async (repository, pull) => {
      await reopenPull(context.forge, repository, pull);
    }),
  updateIssueComment,
  updatePullRequest,
};
