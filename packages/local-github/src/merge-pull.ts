import { ApiError } from './api-error.ts';
import { requiredChecksProblem, rollupOf } from './checks.ts';
import { type Forge, now, type Repository, signatureOf, webSignature, writing } from './forge.ts';
import { headTip, parentOf } from './forks.ts';
import { isAncestor, mergeBase } from './git-history.ts';
import { type Commit, writeCommit, ZERO_OID } from './git-objects.ts';
import { joinMessage, mergeMessage, squashMessage } from './merge-message.ts';
import { type MergeMethod, mergeTrees, readCommit, rebaseCommits } from './merging.ts';
import { commitsOf, markMerged, syncPulls, writePullRef } from './pull-requests.ts';
import { bindingProtection, branchTip, checkWorkflows, writeRefs } from './refs.ts';
import { opinionsOf } from './reviews.ts';
import type { PullRequest } from './state.ts';
import { type Actor, ANONYMOUS } from './tokens.ts';

/** REST's `mergeable_state`; GraphQL's `mergeStateStatus` in lower case. */
type MergeableState = 'behind' | 'blocked' | 'clean' | 'dirty' | 'draft' | 'unknown' | 'unstable';
export type Mergeability = {
  mergeable: boolean | null;
  rebaseable: boolean | null;
  state: MergeableState;
  /** Why a merge is refused, in GitHub's words; undefined when nothing forbids it. */
  problem: string | undefined;
  /** `refs/pull/N/merge`: what the merge would be. */
  testMerge: string | null;
};

/** Of a closed pull request, and of an open one until its test merge was made. */
export const UNKNOWN: Mergeability = {
  mergeable: null,
  rebaseable: null,
  state: 'unknown',
  problem: undefined,
  testMerge: null,
};

const tested = new WeakMap<PullRequest, { base: string; head: string; testMerge: Promise<string | null> }>();

/** Merges the tips in the object database, once: reads that come together share it until one of the tips moves. */
function testMergeOf(forge: Forge, repository: Repository, pull: PullRequest, base: string): Promise<string | null> {
  const head = pull.head.sha;
  const known = tested.get(pull);
  if (known?.base === base && known.head === head) return known.testMerge;
  const testMerge = makeTestMerge(forge, repository, pull, base);
  tested.set(pull, { base, head, testMerge });
  testMerge.catch(() => tested.delete(pull));
  return testMerge;
}

async function makeTestMerge(
  forge: Forge,
  repository: Repository,
  pull: PullRequest,
  base: string,
): Promise<string | null> {
  const tree = await mergeTrees(repository.directory, base, pull.head.sha);
  if (tree === undefined) {
    await writePullRef(repository, pull.number, 'merge', ZERO_OID);
    return null;
  }
  const testMerge = await writeCommit(repository.directory, {
    tree,
    parents: [base, pull.head.sha],
    message: `Merge ${pull.head.sha} into ${base}`,
    author: signatureOf(forge, pull.author),
    committer: webSignature(forge),
  });
  await writePullRef(repository, pull.number, 'merge', testMerge);
  return testMerge;
}

/** What the base branch's rules, as they bind this actor, still ask of a pull request. */
async function ruleProblem(
  repository: Repository,
  pull: PullRequest,
  base: string,
  actor: Actor,
): Promise<{ state: 'behind' | 'blocked'; message: string } | undefined> {
  const protection = bindingProtection(repository, actor, pull.base.ref);
  if (protection === undefined) return undefined;
  if (protection.requiredReviews !== null) {
    const opinions = opinionsOf(repository.state, pull);
    if (opinions.some(({ state }) => state === 'CHANGES_REQUESTED')) {
      return { state: 'blocked', message: 'Changes have been requested by a reviewer with write access.' };
    }
    const { count } = protection.requiredReviews;
    const approvals = opinions.filter(({ state }) => state === 'APPROVED').length;
    if (approvals < count) {
      const reviews = count === 1 ? 'review is' : 'reviews are';
      return {
        state: 'blocked',
        message: `At least ${count} approving ${reviews} required by reviewers with write access.`,
      };
    }
  }
  const message = requiredChecksProblem(repository.state, protection, pull.head.sha);
  if (message !== undefined) return { state: 'blocked', message };
  const strict = protection.requiredChecks?.strict === true && protection.requiredChecks.contexts.length > 0;
  if (strict && !(await isAncestor(repository.directory, base, pull.head.sha))) {
    return { state: 'behind', message: 'Head branch is out of date. Review and try the merge again.' };
  }
  return undefined;
}

/** Whether an open pull request can be merged by this actor now, and if not, why. */
export async function mergeabilityOf(
  forge: Forge,
  repository: Repository,
  pull: PullRequest,
  actor: Actor = ANONYMOUS,
): Promise<Mergeability> {
  if (pull.state === 'closed') return UNKNOWN;
  const base = await branchTip(repository, pull.base.ref);
  if (base === undefined) return UNKNOWN;
  const testMerge = await testMergeOf(forge, repository, pull, base);
  if (testMerge === null) {
    const problem = 'Pull Request is not mergeable';
    return { mergeable: false, rebaseable: false, state: 'dirty', problem, testMerge };
  }
  const open = { mergeable: true, rebaseable: true, testMerge };
  if (pull.draft) return { ...open, state: 'draft', problem: 'Pull Request is still a draft' };
  const rule = await ruleProblem(repository, pull, base, actor);
  if (rule !== undefined) return { ...open, state: rule.state, problem: rule.message };
  const rollup = rollupOf(repository.state, pull.head.sha);
  const state = rollup === undefined || rollup === 'success' ? 'clean' : 'unstable';
  return { ...open, state, problem: undefined };
}

export type MergeRequest = {
  method: MergeMethod;
  expectedHead?: string | undefined;
  headline?: string | undefined;
  body?: string | undefined;
};

const METHODS = {
  merge: { setting: 'allowMergeCommit', name: 'Merge commits' },
  rebase: { setting: 'allowRebaseMerge', name: 'Rebase merges' },
  squash: { setting: 'allowSquashMerge', name: 'Squash merges' },
} as const;

/**
 * Merges a pull request with git, moves its base branch by compare-and-swap, and follows up: the pull request is
 * marked, the branch deleted when the repository says so. Callers hold the repository's queue.
 * @returns the base branch's new tip
 * @throws ApiError 405 with GitHub's reason, 409 when the head is not the expected one
 */
export async function mergePull(
  forge: Forge,
  repository: Repository,
  pull: PullRequest,
  actor: Actor,
  request: MergeRequest,
): Promise<string> {
  const { state } = repository;
  if (pull.state === 'closed') throw new ApiError(405, 'Pull Request is not mergeable');
  if (request.expectedHead !== undefined && request.expectedHead !== pull.head.sha) {
    throw new ApiError(409, 'Head branch was modified. Review and try the merge again.');
  }
  const method = METHODS[request.method];
  if (!state.settings[method.setting]) {
    throw new ApiError(405, `${method.name} are not allowed on this repository.`);
  }
  const linear = bindingProtection(repository, actor, pull.base.ref)?.requireLinearHistory === true;
  if (linear && request.method === 'merge') {
    throw new ApiError(405, 'Merge commits are not allowed on this branch: it requires linear history.');
  }
  const { problem } = await mergeabilityOf(forge, repository, pull, actor);
  if (problem !== undefined) throw new ApiError(405, problem);
  if (hasQueue(repository, pull)) throw new ApiError(405, 'Changes must be made through the merge queue');

  const base = (await branchTip(repository, pull.base.ref))!;
  const from = (await mergeBase(repository.directory, base, pull.head.sha)) ?? base;
  const tip = await mergeCommitOf(forge, repository, pull, actor, request, base);
  if (tip === undefined) throw new ApiError(405, "This branch can't be rebased");
  await checkWorkflows(repository, actor, base, tip);
  try {
    await writeRefs(repository, [{ name: `refs/heads/${pull.base.ref}`, before: base, after: tip }]);
  } catch (error) {
    if (!(error instanceof ApiError) || error.type !== 'STALE_DATA') throw error;
    throw new ApiError(405, 'Base branch was modified. Review and try the merge again.');
  }
  markMerged(forge, pull, { login: actor.login, commit: tip, mergeBase: from });
  if (state.settings.deleteBranchOnMerge) await deleteMergedBranch(repository, pull);
  await settlePulls(forge, repository, actor);
  return tip;
}

/** The commit that a merge would put on a base; undefined when it conflicts. */
export async function mergeCommitOf(
  forge: Forge,
  repository: Repository,
  pull: PullRequest,
  actor: Actor,
  request: MergeRequest,
  base: string,
): Promise<string | undefined> {
  const { directory, objects } = repository;
  const committer = webSignature(forge);
  if (request.method === 'rebase') {
    const ours = signatureOf(forge, actor.login);
    return rebaseCommits(directory, objects, base, pull.head.sha, ours);
  }
  const tree = await mergeTrees(directory, base, pull.head.sha);
  if (tree === undefined) return undefined;
  if (request.method === 'merge') {
    const message = joinMessage(mergeMessage(repository, pull), request);
    const author = signatureOf(forge, actor.login);
    return writeCommit(directory, { tree, parents: [base, pull.head.sha], message, author, committer });
  }
  const commits: Commit[] = [];
  for (const oid of await commitsOf(repository, pull)) commits.push(await readCommit(objects, oid));
  const author = signatureOf(forge, pull.author);
  const message = joinMessage(squashMessage(repository, pull, commits, author), request);
  return writeCommit(directory, { tree, parents: [base], message, author, committer });
}

/** GitHub deletes the merged branch and moves the pull requests that were based on it to its base. */
async function deleteMergedBranch(repository: Repository, pull: PullRequest): Promise<void> {
  const { ref } = pull.head;
  const tip = await branchTip(repository, ref);
  if (pull.head.fork !== null) return;
  const isProtected = repository.state.protections[ref] !== undefined || ref === repository.state.defaultBranch;
  if (tip !== pull.head.sha || isProtected) return;
  try {
    await writeRefs(repository, [{ name: `refs/heads/${ref}`, before: tip, after: ZERO_OID }]);
  } catch (error) {
    // a push came first, or git refuses: the merge is done all the same, and the branch stays
    if (!(error instanceof ApiError)) throw error;
    return;
  }
  for (const other of repository.state.pulls) {
    if (other.state === 'open' && other.base.ref === ref) other.base.ref = pull.base.ref;
  }
}

function hasQueue(repository: Repository, pull: PullRequest): boolean {
  return repository.state.mergeQueues.includes(pull.base.ref);
}

/**
 * Puts a pull request into its base branch's merge queue. Nothing merges it here: a merge group is made and landed by the fixture.
 * @throws ApiError 422 where there is no queue, it is in it, or something is missing that the branch asks for
 */
export async function enqueuePull(
  forge: Forge,
  repository: Repository,
  pull: PullRequest,
  actor: Actor,
): Promise<void> {
  if (!hasQueue(repository, pull)) throw new ApiError(422, 'Merge queue is not enabled for this branch');
  if (pull.state === 'closed') throw new ApiError(422, 'Pull request is closed');
  if (pull.queued !== null) throw new ApiError(422, 'Pull request is already in the queue');
  const { problem } = await mergeabilityOf(forge, repository, pull, actor);
  if (problem !== undefined) throw new ApiError(422, `Pull request ${problem}`);
  pull.queued = { by: actor.login, at: now(forge) };
  pull.autoMerge = null;
}

/** Why auto-merge can't be switched on, in GitHub's words; undefined when it can. */
export async function autoMergeProblem(
  forge: Forge,
  repository: Repository,
  pull: PullRequest,
  method: MergeMethod,
): Promise<string | undefined> {
  if (pull.state === 'closed') return 'Pull request Pull request is closed';
  if (!repository.state.settings.allowAutoMerge) return 'Pull request Auto merge is not allowed for this repository';
  if (!repository.state.settings[METHODS[method].setting]) {
    return `Pull request ${METHODS[method].name} are not allowed on this repository.`;
  }
  if (repository.state.protections[pull.base.ref] === undefined) {
    return 'Pull request Protected branch rules not configured for this branch';
  }
  const { state } = await mergeabilityOf(forge, repository, pull);
  return state === 'clean' || state === 'unstable' ? `Pull request Pull request is in ${state} status` : undefined;
}

/**
 * Follows every change of branches, checks, reviews and rules: pull requests first, then the test merges of new heads, which
 * `refs/pull/N/merge` shows to workflows, and the auto-merges that have become possible, until nothing moves. What
 * moved in a fork moves its pull requests in the parent. Where only the base moved, a test merge waits until somebody asks, as
 * on GitHub.
 */
export async function settlePulls(forge: Forge, repository: Repository, actor: Actor): Promise<void> {
  await syncPulls(forge, repository, actor);
  for (const pull of repository.state.pulls) {
    const wish = pull.autoMerge;
    if (pull.state === 'closed' || (wish === null && tested.get(pull)?.head === pull.head.sha)) continue;
    const { state } = await mergeabilityOf(forge, repository, pull);
    if (wish === null) continue;
    if (state !== 'clean' && state !== 'unstable') continue;
    if (hasQueue(repository, pull)) {
      pull.queued = { by: wish.enabledBy, at: now(forge) };
      pull.autoMerge = null;
      continue;
    }
    // GitHub itself merges, in the name of who asked for it
    const who: Actor = { ...ANONYMOUS, kind: 'personal', login: wish.enabledBy, permissions: { workflows: 'write' } };
    try {
      await mergePull(forge, repository, pull, who, {
        method: wish.method,
        headline: wish.headline ?? undefined,
        body: wish.body ?? undefined,
      });
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      pull.autoMerge = null; // as GitHub does when a merge that was due fails
    }
  }
  const parent = parentOf(forge, repository.state);
  // the parent's queue is taken while the fork's is held, never the other way round
  if (parent !== undefined && (await hasMoved(forge, parent, repository))) {
    await writing(forge, parent, () => settlePulls(forge, parent, actor));
  }
}

/** Whether an open pull request of the parent is behind its branch in the fork. */
async function hasMoved(forge: Forge, parent: Repository, fork: Repository): Promise<boolean> {
  for (const pull of parent.state.pulls) {
    if (pull.state === 'closed' || pull.head.fork?.id !== fork.state.id) continue;
    if ((await headTip(forge, parent, pull)) !== pull.head.sha) return true;
  }
  return false;
}
