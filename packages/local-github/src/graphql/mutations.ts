import { ApiError } from '../api-error.ts';
import { accountOf, now, type Repository, signatureOf, webSignature, writing } from '../forge.ts';
import { changeTree, MissingPathError, type TreeChange, writeBlob, writeCommit, ZERO_OID } from '../git-objects.ts';
import { autoMergeProblem, mergePull, settlePulls } from '../merge-pull.ts';
import { readCommit } from '../merging.ts';
import { addReview, closePull, createPull, editPull, reopenPull } from '../pull-requests.ts';
import { branchTip, changeRefs, type RefUpdate, readRef } from '../refs.ts';
import { isTreePath } from '../rest/git-data.ts';
import { addComment, addLabels, checkBody } from '../rest/issues.ts';
import type { PermissionName, PullRequest } from '../state.ts';
import { canSee } from '../tokens.ts';
import { actorNode } from './actors.ts';
import { type Context, need } from './context.ts';
import { commitNode, refNode } from './git-nodes.ts';
import { commentOfId, labelOfId, pullOfId, refOfId, repositoryOfId } from './lookup.ts';
import { commentNode, pullNode, reviewNode } from './pull-nodes.ts';

type Input<T> = { input: T & { clientMutationId?: string | null } };

/** Runs a write alone in its repository, lets pull requests follow, and answers with the mutation's id. */
async function change<T extends object>(
  context: Context,
  repository: Repository,
  anyOf: PermissionName[],
  input: { clientMutationId?: string | null },
  work: () => Promise<T>,
) {
  need(context, repository, anyOf, 'write');
  if (repository.state.archived) throw new ApiError(403, 'Repository was archived so is read-only.');
  const result = await writing(context.forge, repository, async () => {
    const made = await work();
    await settlePulls(context.forge, repository, context.actor);
    return made;
  });
  return { clientMutationId: input.clientMutationId ?? null, ...result };
}

async function pullChange(
  context: Context,
  anyOf: PermissionName[],
  input: { pullRequestId: string; clientMutationId?: string | null },
  work: (repository: Repository, pull: PullRequest) => Promise<unknown>,
) {
  const { repository, pull } = pullOfId(context, input.pullRequestId);
  return change(context, repository, anyOf, input, async () => {
    await work(repository, pull);
    return {
      actor: actorNode(context.forge, context.actor.login),
      pullRequest: () => pullNode(context, repository, pull),
    };
  });
}

async function updateRefs(
  {
    input,
  }: Input<{
    repositoryId: string;
    refUpdates: { name: string; beforeOid?: string | null; afterOid: string; force?: boolean | null }[];
  }>,
  context: Context,
) {
  const repository = repositoryOfId(context, input.repositoryId);
  const updates: RefUpdate[] = input.refUpdates.map(({ name, beforeOid, afterOid, force }) => ({
    name,
    after: afterOid,
    force: force ?? false,
    ...(beforeOid == null ? {} : { before: beforeOid }),
  }));
  return change(context, repository, ['contents'], input, async () => {
    await changeRefs(repository, context.actor, updates);
    return {};
  });
}

async function refPayload(context: Context, repository: Repository, name: string) {
  const ref = await readRef(repository, name);
  return { ref: ref === undefined ? null : refNode(context, repository, ref) };
}

async function createRef({ input }: Input<{ repositoryId: string; name: string; oid: string }>, context: Context) {
  const repository = repositoryOfId(context, input.repositoryId);
  return change(context, repository, ['contents'], input, async () => {
    if ((await readRef(repository, input.name)) !== undefined) {
      throw new ApiError(422, `A ref named "${input.name}" already exists in the repository.`);
    }
    await changeRefs(repository, context.actor, [
      { name: input.name, before: ZERO_OID, after: input.oid, force: false },
    ]);
    return refPayload(context, repository, input.name);
  });
}

async function updateRef({ input }: Input<{ refId: string; oid: string; force?: boolean | null }>, context: Context) {
  const { repository, name } = refOfId(context, input.refId);
  return change(context, repository, ['contents'], input, async () => {
    await changeRefs(repository, context.actor, [{ name, after: input.oid, force: input.force ?? false }]);
    return refPayload(context, repository, name);
  });
}

async function deleteRef({ input }: Input<{ refId: string }>, context: Context) {
  const { repository, name } = refOfId(context, input.refId);
  return change(context, repository, ['contents'], input, async () => {
    await changeRefs(repository, context.actor, [{ name, after: ZERO_OID, force: true }]);
    return {};
  });
}

type CommitOnBranch = {
  branch: { id?: string | null; repositoryNameWithOwner?: string | null; branchName?: string | null };
  expectedHeadOid: string;
  message: { headline: string; body?: string | null };
  fileChanges?: { additions?: { path: string; contents: string }[]; deletions?: { path: string }[] } | null;
};

function branchOf(context: Context, { branch }: CommitOnBranch): { repository: Repository; name: string } {
  if (branch.id != null) return refOfId(context, branch.id);
  const repository = context.forge.repositories.get((branch.repositoryNameWithOwner ?? '').toLowerCase());
  if (repository === undefined || !canSee(context.actor, repository) || branch.branchName == null) {
    throw new ApiError(404, 'Branch not found');
  }
  return { repository, name: `refs/heads/${branch.branchName.replace(/^refs\/heads\//, '')}` };
}

async function createCommitOnBranch({ input }: Input<CommitOnBranch>, context: Context) {
  const { forge, actor } = context;
  const { repository, name } = branchOf(context, input);
  return change(context, repository, ['contents'], input, async () => {
    const branch = name.slice('refs/heads/'.length);
    const tip = await branchTip(repository, branch);
    if (tip === undefined) throw new ApiError(404, `Branch not found: ${branch}`);
    if (tip !== input.expectedHeadOid) {
      const message = `Expected branch to point to "${input.expectedHeadOid}" but it did not. Pull and try again.`;
      throw new ApiError(422, message, { type: 'STALE_DATA' });
    }
    const changes = new Map<string, TreeChange>();
    for (const { path } of input.fileChanges?.deletions ?? []) changes.set(path, null);
    for (const { path, contents } of input.fileChanges?.additions ?? []) {
      if (!isTreePath(path)) throw new ApiError(422, `A path was requested that is invalid: ${path}`);
      const oid = await writeBlob(repository.directory, Buffer.from(contents, 'base64'));
      changes.set(path, { mode: '100644', type: 'blob', oid });
    }
    const head = await readCommit(repository.objects, tip);
    let tree: string;
    try {
      tree = await changeTree(repository.directory, repository.objects, head.tree, changes);
    } catch (error) {
      if (!(error instanceof MissingPathError)) throw error;
      throw new ApiError(422, `A path was requested for deletion which does not exist as of commit oid \`${tip}\``);
    }
    const { headline, body } = input.message;
    const after = await writeCommit(repository.directory, {
      tree,
      parents: [tip],
      message: body == null || body === '' ? `${headline}\n` : `${headline}\n\n${body}\n`,
      author: signatureOf(forge, actor.login),
      committer: webSignature(forge),
    });
    await changeRefs(repository, actor, [{ name, before: tip, after, force: false }]);
    const commit = await readCommit(repository.objects, after);
    return { commit: commitNode(context, repository, commit), ...(await refPayload(context, repository, name)) };
  });
}

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
  return change(context, repository, ['pull_requests'], input, async () => {
    try {
      const pull = await createPull(context.forge, repository, context.actor, {
        title: input.title,
        body: input.body ?? null,
        head: input.headRefName.replace(/^refs\/heads\//, ''),
        base: input.baseRefName.replace(/^refs\/heads\//, ''),
        draft: input.draft ?? false,
        maintainerCanModify: input.maintainerCanModify ?? true,
      });
      return { pullRequest: () => pullNode(context, repository, pull) };
    } catch (error) {
      throw inWords(error);
    }
  });
}

/** GraphQL gives the reason itself where REST says "Validation Failed" and lists it. */
function inWords(error: unknown): unknown {
  const [first] = error instanceof ApiError ? (error.errors ?? []) : [];
  if (first === undefined) return error;
  if (typeof first === 'string') return new ApiError(422, first);
  return new ApiError(422, first.message ?? `${first.field} is ${first.code === 'invalid' ? 'invalid' : 'missing'}`);
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
    try {
      await editPull(context.forge, repository, pull, {
        title: input.title ?? undefined,
        body: input.body ?? undefined,
        base: input.baseRefName?.replace(/^refs\/heads\//, '') ?? undefined,
        state: input.state === 'OPEN' ? 'open' : input.state === 'CLOSED' ? 'closed' : undefined,
        maintainerCanModify: input.maintainerCanModify ?? undefined,
      });
    } catch (error) {
      throw inWords(error);
    }
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
    checkBody(input.body);
    comment.body = input.body;
    comment.updatedAt = now(context.forge);
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
    try {
      const review = addReview(context.forge, repository, context.actor, pull, {
        event: event ?? undefined,
        body: input.body ?? '',
        commit: input.commitOID ?? undefined,
      });
      const node = () => reviewNode(context, repository, pull, review);
      return { pullRequestReview: node, reviewEdge: { cursor: String(review.id), node } };
    } catch (error) {
      throw inWords(error);
    }
  });
}

type ById = Input<{ pullRequestId: string }>;

export const mutations = {
  addComment: postComment,
  addLabelsToLabelable,
  addPullRequestReview,
  closePullRequest: ({ input }: ById, context: Context) =>
    pullChange(context, ['pull_requests'], input, async (_repository, pull) => closePull(context.forge, pull)),
  convertPullRequestToDraft: ({ input }: ById, context: Context) => setDraft(input, context, true),
  createCommitOnBranch,
  createPullRequest,
  createRef,
  deleteRef,
  disablePullRequestAutoMerge: disableAutoMerge,
  enablePullRequestAutoMerge: enableAutoMerge,
  markPullRequestReadyForReview: ({ input }: ById, context: Context) => setDraft(input, context, false),
  mergePullRequest,
  reopenPullRequest: ({ input }: ById, context: Context) =>
    pullChange(context, ['pull_requests'], input, async (repository, pull) => {
      try {
        await reopenPull(context.forge, repository, pull);
      } catch (error) {
        throw inWords(error);
      }
    }),
  updateIssueComment,
  updatePullRequest,
  updateRef,
  updateRefs,
};
