import { ApiError, BODY_LIMIT, validationFailed } from './api-error.ts';
import { accountOf, type Forge, nextId, now, type Repository } from './forge.ts';
import { fetchCommit, findHead, headOwnerOf, headRepositoryOf, headTip } from './forks.ts';
import { diffTrees, isAncestor, mergeBase, revList } from './git-history.ts';
import { ZERO_OID } from './git-objects.ts';
import { branchTip, readRef, writeRefs } from './refs.ts';
import type { PullRequest, RepositoryState } from './state.ts';
import { type Actor, canSee } from './tokens.ts';

export function pullOf(state: RepositoryState, number: number): PullRequest | undefined {
  return state.pulls.find((pull) => pull.number === number);
}

function pullFailure(message: string) {
  return validationFailed({ resource: 'PullRequest', code: 'custom', message });
}

function invalidField(field: string) {
  return validationFailed({ resource: 'PullRequest', field, code: 'invalid' });
}

/** @throws ApiError 422; a pull request's texts are checked as an issue's */
function checkTexts(texts: { title?: string | undefined; body?: string | null | undefined }): void {
  const limits = { title: 256, body: BODY_LIMIT };
  for (const field of ['title', 'body'] as const) {
    if ((texts[field] ?? '').length <= limits[field]) continue;
    const message = `${field} is too long (maximum is ${limits[field]} characters)`;
    throw validationFailed({ resource: 'Issue', code: 'custom', field, message });
  }
}

export type PullInput = {
  title: string;
  body: string | null;
  /** `branch` or `owner:branch`. */
  head: string;
  /** `owner/name` of the fork, where the owner has several. */
  headRepository?: string | undefined;
  base: string;
  draft: boolean;
  maintainerCanModify: boolean;
};

/** There is one open pull request from a branch to a branch. */
function openPullOf(
  state: RepositoryState,
  head: Pick<PullRequest['head'], 'fork' | 'ref'>,
  base: string,
): PullRequest | undefined {
  return state.pulls.find(
    (pull) =>
      pull.state === 'open' &&
      pull.head.ref === head.ref &&
      pull.head.fork?.id === head.fork?.id &&
      pull.base.ref === base,
  );
}

/**
 * Opens a pull request.
 * @throws ApiError 422 for a branch that is missing, no commits between, or a pull request that is open already
 */
export async function createPull(
  forge: Forge,
  repository: Repository,
  actor: Actor,
  input: PullInput,
): Promise<PullRequest> {
  const { state } = repository;
  const found = findHead(forge, repository, input);
  if (found === undefined || !canSee(actor, found.source)) throw invalidField('head');
  const { source, branch: head } = found;
  const fork = source === repository ? null : { id: source.state.id, owner: source.state.owner };
  const headSha = await branchTip(source, head);
  if (headSha === undefined) throw invalidField('head');
  const baseSha = await branchTip(repository, input.base);
  if (baseSha === undefined) throw invalidField('base');
  const open = openPullOf(state, { ref: head, fork }, input.base);
  if (open !== undefined) throw pullFailure(`A pull request already exists for ${source.state.owner}:${head}.`);
  await fetchCommit(repository, source, headSha);
  if (await isAncestor(repository.directory, headSha, baseSha)) {
    throw pullFailure(`No commits between ${input.base} and ${head}`);
  }
  if ((await mergeBase(repository.directory, headSha, baseSha)) === undefined) {
    throw pullFailure(`The ${head} branch has no history in common with ${input.base}`);
  }
  checkTexts(input);
  accountOf(forge, actor.login);
  const number = state.nextNumber;
  const created = now(forge);
  const pull: PullRequest = {
    id: nextId(forge),
    number,
    title: input.title,
    body: input.body,
    author: actor.login,
    appId: actor.appId,
    state: 'open',
    draft: input.draft,
    maintainerCanModify: input.maintainerCanModify,
    createdAt: created,
    updatedAt: created,
    closedAt: null,
    closedBy: null,
    mergedAt: null,
    mergedBy: null,
    mergeCommit: null,
    head: { ref: head, sha: headSha, fork },
    base: { ref: input.base, sha: baseSha },
    mergeBase: null,
    labels: [],
    autoMerge: null,
    queued: null,
  };
  state.nextNumber += 1;
  state.pulls.push(pull);
  repository.seenBases.set(number, baseSha);
  await writePullRef(repository, number, 'head', headSha);
  return pull;
}

/** Moves `refs/pull/N/head` or `refs/pull/N/merge`, which everyone may fetch and nobody may push. */
export async function writePullRef(
  repository: Repository,
  number: number,
  kind: 'head' | 'merge',
  after: string,
): Promise<void> {
  const name = `refs/pull/${number}/${kind}`;
  for (let attempt = 1; ; attempt += 1) {
    const before = (await readRef(repository, name))?.oid ?? ZERO_OID;
    if (before === after) return;
    try {
      await writeRefs(repository, [{ name, before, after }]);
      return;
    } catch (error) {
      // reads make test merges too, and may have moved it just now
      if (!(error instanceof ApiError) || attempt === 5) throw error;
    }
  }
}

export function closePull(forge: Forge, pull: PullRequest, login: string): void {
  if (pull.state === 'closed') return;
  pull.state = 'closed';
  pull.closedAt = now(forge);
  pull.closedBy = login;
  pull.updatedAt = pull.closedAt;
  pull.autoMerge = null;
  pull.queued = null;
}

/** @throws ApiError 422 when the branch is gone, the pull request was merged, or another one took its place */
export async function reopenPull(forge: Forge, repository: Repository, pull: PullRequest): Promise<void> {
  if (pull.state === 'open') return;
  if (pull.mergedAt !== null) throw pullFailure('The pull request cannot be reopened.');
  const source = headRepositoryOf(forge, repository, pull);
  if (source === undefined) throw pullFailure('The repository that submitted this pull request has been deleted.');
  const tip = await branchTip(source, pull.head.ref);
  if (tip === undefined) throw pullFailure(`The ${pull.head.ref} branch has been deleted.`);
  const base = await branchTip(repository, pull.base.ref);
  if (base === undefined) throw pullFailure(`The ${pull.base.ref} branch has been deleted.`);
  await fetchCommit(repository, source, tip);
  if (await isAncestor(repository.directory, tip, base)) throw pullFailure('There are no new commits on the branch.');
  if (openPullOf(repository.state, pull.head, pull.base.ref) !== undefined) {
    const owner = headOwnerOf(repository.state, pull);
    throw pullFailure(`A pull request already exists for ${owner}:${pull.head.ref}.`);
  }
  pull.state = 'open';
  pull.closedAt = null;
  pull.closedBy = null;
  pull.updatedAt = now(forge);
}

export type PullEdit = {
  title?: string | undefined;
  body?: string | null | undefined;
  state?: 'closed' | 'open' | undefined;
  base?: string | undefined;
  maintainerCanModify?: boolean | undefined;
};

/** @throws ApiError 422 */
export async function editPull(
  forge: Forge,
  repository: Repository,
  pull: PullRequest,
  edit: PullEdit,
  actor: Pick<Actor, 'login'>,
): Promise<void> {
  if (edit.title !== undefined && edit.title.trim() === '') {
    throw validationFailed({ resource: 'PullRequest', field: 'title', code: 'missing_field' });
  }
  checkTexts(edit);
  if (edit.base !== undefined && edit.base !== pull.base.ref) {
    if (pull.state === 'closed') throw pullFailure('Cannot change the base branch of a closed pull request.');
    const sha = await branchTip(repository, edit.base);
    if (sha === undefined) throw invalidField('base');
    if (await isAncestor(repository.directory, pull.head.sha, sha)) {
      throw pullFailure(
        `There are no new commits between base branch '${edit.base}' and head branch '${pull.head.ref}'`,
      );
    }
    pull.base = { ref: edit.base, sha };
    pull.autoMerge = null;
    repository.seenBases.set(pull.number, sha);
  }
  if (edit.title !== undefined) pull.title = edit.title;
  if (edit.body !== undefined) pull.body = edit.body;
  if (edit.maintainerCanModify !== undefined) pull.maintainerCanModify = edit.maintainerCanModify;
  pull.updatedAt = now(forge);
  if (edit.state === 'closed') closePull(forge, pull, actor.login);
  if (edit.state === 'open') await reopenPull(forge, repository, pull);
}

/** Where a pull request's changes begin: the merge base with its base branch, or where that was when it was merged. */
export async function diffBase(repository: Repository, pull: PullRequest): Promise<string> {
  if (pull.mergeBase !== null) return pull.mergeBase;
  const tip = (await branchTip(repository, pull.base.ref)) ?? pull.base.sha;
  return (await mergeBase(repository.directory, tip, pull.head.sha)) ?? pull.base.sha;
}

/** Oldest first. */
export async function commitsOf(repository: Repository, pull: PullRequest): Promise<string[]> {
  const base = await diffBase(repository, pull);
  return revList(repository.directory, ['--reverse', '--topo-order', `${base}..${pull.head.sha}`]);
}

export async function filesOf(repository: Repository, pull: PullRequest) {
  return diffTrees(repository.directory, await diffBase(repository, pull), pull.head.sha);
}

/** How a merged pull request came in by a push: the first commit on the base's first-parent line that holds its head. */
async function arrivalOf(repository: Repository, head: string, tip: string): Promise<string> {
  const line = await revList(repository.directory, ['--first-parent', tip, `^${head}`]);
  const holders = await revList(repository.directory, ['--ancestry-path', `${head}..${tip}`]);
  const set = new Set(holders);
  const arrival = line.filter((oid) => set.has(oid)).at(-1);
  if (arrival === undefined) return head;
  const onLine = await revList(repository.directory, ['--first-parent', tip]);
  return onLine.includes(head) ? head : arrival;
}

/** Records a merge; whoever calls moved the base branch already. */
export function markMerged(
  forge: Forge,
  pull: PullRequest,
  merge: { login: string; commit: string; mergeBase: string },
): void {
  const time = now(forge);
  Object.assign(pull, {
    state: 'closed',
    closedAt: time,
    closedBy: merge.login,
    mergedAt: time,
    updatedAt: time,
    mergedBy: merge.login,
    mergeCommit: merge.commit,
    mergeBase: merge.mergeBase,
    autoMerge: null,
    queued: null,
  } satisfies Partial<PullRequest>);
}

/**
 * Brings the open pull requests in line with the branches after any change of them: follows heads, closes those whose
 * branch is gone or has nothing left to merge, marks those merged whose head a push of the base brought in.
 */
export async function syncPulls(forge: Forge, repository: Repository, actor: Actor): Promise<void> {
  const open = repository.state.pulls.filter((pull) => pull.state === 'open');
  for (const pull of open) {
    const head = await headTip(forge, repository, pull);
    const base = await branchTip(repository, pull.base.ref);
    if (head === undefined || base === undefined) {
      closePull(forge, pull, actor.login);
      continue;
    }
    const headMoved = head !== pull.head.sha;
    const baseMoved = base !== (repository.seenBases.get(pull.number) ?? pull.base.sha);
    if (!headMoved && !baseMoved) continue;
    const oldBase = repository.seenBases.get(pull.number) ?? pull.base.sha;
    repository.seenBases.set(pull.number, base);
    if (headMoved) await followHead(forge, repository, pull, { head, base });
    if (!(await isAncestor(repository.directory, head, base))) continue;
    if (!baseMoved) {
      closePull(forge, pull, actor.login);
      continue;
    }
    const commit = await arrivalOf(repository, head, base);
    const from = (await mergeBase(repository.directory, oldBase, head)) ?? oldBase;
    markMerged(forge, pull, { login: actor.login, commit, mergeBase: from });
  }
}

async function followHead(
  forge: Forge,
  repository: Repository,
  pull: PullRequest,
  tips: { head: string; base: string },
): Promise<void> {
  await fetchCommit(repository, headRepositoryOf(forge, repository, pull) ?? repository, tips.head);
  pull.head.sha = tips.head;
  pull.queued = null;
  pull.base.sha = tips.base;
  pull.updatedAt = now(forge);
  await writePullRef(repository, pull.number, 'head', tips.head);
  if (repository.state.protections[pull.base.ref]?.requiredReviews?.dismissStale !== true) return;
  for (const review of repository.state.reviews) {
    if (review.number === pull.number && review.state === 'APPROVED') review.state = 'DISMISSED';
  }
}
