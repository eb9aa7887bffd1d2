import type { Forge, Repository } from '../forge.ts';
import { headOwnerOf, headRepositoryOf } from '../forks.ts';
import { mergeabilityOf, UNKNOWN } from '../merge-pull.ts';
import { nodeId } from '../node-id.ts';
import { commitsOf, filesOf } from '../pull-requests.ts';
import type { Label, PullRequest, RepositoryState } from '../state.ts';
import type { Actor } from '../tokens.ts';
import { pullPage, repoApi } from '../urls.ts';
import { presentUser } from './accounts.ts';
import { presentRepository } from './repository.ts';

/** OpenAPI `label`. */
export function presentLabel(forge: Forge, state: RepositoryState, label: Label) {
  return {
    id: label.id,
    node_id: nodeId('LA', state.id, label.id),
    url: repoApi(forge, state, `/labels/${encodeURIComponent(label.name)}`),
    name: label.name,
    description: label.description,
    color: label.color,
    default: false,
  };
}

export function labelsOf(state: RepositoryState, pull: PullRequest): Label[] {
  return state.labels.filter((label) => pull.labels.includes(label.id));
}

export function associationOf(state: RepositoryState, login: string): 'MEMBER' | 'OWNER' {
  return state.owner.toLowerCase() === login.toLowerCase() ? 'OWNER' : 'MEMBER';
}

/** What the author of a pull request is to the repository; writers of it are taken for members. */
export function authorAssociationOf(state: RepositoryState, pull: PullRequest) {
  if (pull.head.fork === null) return associationOf(state, pull.author);
  const isKnown = state.pulls.some((one) => one.author === pull.author && one.mergedAt !== null && one !== pull);
  return isKnown ? 'CONTRIBUTOR' : 'FIRST_TIME_CONTRIBUTOR';
}

/** OpenAPI `pull-request-minimal`, of a pull request whose branch is in the same repository. */
export function presentPullMinimal(forge: Forge, state: RepositoryState, pull: PullRequest) {
  const repo = { id: state.id, url: repoApi(forge, state), name: state.name };
  return {
    id: pull.id,
    number: pull.number,
    url: repoApi(forge, state, `/pulls/${pull.number}`),
    head: { ref: pull.head.ref, sha: pull.head.sha, repo },
    base: { ref: pull.base.ref, sha: pull.base.sha, repo },
  };
}

/** One side of a pull request. `repo` is null for a fork that was deleted. */
function presentSide(
  forge: Forge,
  owner: string,
  state: RepositoryState | undefined,
  at: { ref: string; sha: string },
) {
  return {
    label: `${owner}:${at.ref}`,
    ref: at.ref,
    sha: at.sha,
    user: presentUser(forge, owner),
    repo: state === undefined ? null : presentRepository(forge, state),
  };
}

/** OpenAPI `pull-request-simple`. */
export function presentPullSimple(forge: Forge, repository: Repository, pull: PullRequest, testMerge?: string | null) {
  const { state } = repository;
  const source = headRepositoryOf(forge, repository, pull);
  const url = repoApi(forge, state, `/pulls/${pull.number}`);
  const issue = repoApi(forge, state, `/issues/${pull.number}`);
  const page = pullPage(forge, state, pull);
  const statuses = repoApi(forge, state, `/statuses/${pull.head.sha}`);
  return {
    id: pull.id,
    node_id: nodeId('PR', state.id, pull.number),
    number: pull.number,
    url,
    html_url: page,
    diff_url: `${page}.diff`,
    patch_url: `${page}.patch`,
    issue_url: issue,
    commits_url: `${url}/commits`,
    review_comments_url: `${url}/comments`,
    review_comment_url: repoApi(forge, state, '/pulls/comments{/number}'),
    comments_url: `${issue}/comments`,
    statuses_url: statuses,
    state: pull.state,
    locked: false,
    active_lock_reason: null,
    draft: pull.draft,
    title: pull.title,
    user: presentUser(forge, pull.author),
    body: pull.body,
    labels: labelsOf(state, pull).map((label) => presentLabel(forge, state, label)),
    milestone: null,
    assignee: null,
    assignees: [],
    requested_reviewers: [],
    requested_teams: [],
    created_at: pull.createdAt,
    updated_at: pull.updatedAt,
    closed_at: pull.closedAt,
    merged_at: pull.mergedAt,
    merge_commit_sha: pull.mergeCommit ?? testMerge ?? null,
    head: presentSide(forge, headOwnerOf(state, pull), source?.state, pull.head),
    base: presentSide(forge, state.owner, state, pull.base),
    author_association: authorAssociationOf(state, pull),
    auto_merge:
      pull.autoMerge === null
        ? null
        : {
            enabled_by: presentUser(forge, pull.autoMerge.enabledBy),
            merge_method: pull.autoMerge.method,
            commit_title: pull.autoMerge.headline ?? '',
            commit_message: pull.autoMerge.body ?? '',
          },
    _links: {
      self: { href: url },
      html: { href: page },
      issue: { href: issue },
      comments: { href: `${issue}/comments` },
      review_comments: { href: `${url}/comments` },
      review_comment: { href: repoApi(forge, state, '/pulls/comments{/number}') },
      commits: { href: `${url}/commits` },
      statuses: { href: statuses },
    },
  };
}

/** OpenAPI `pull-request`: with counts and mergeability, unless GitHub would not know that yet. */
export async function presentPull(
  forge: Forge,
  repository: Repository,
  actor: Actor,
  pull: PullRequest,
  isUntested = false,
) {
  const { state } = repository;
  const merge = isUntested ? UNKNOWN : await mergeabilityOf(forge, repository, pull, { ...actor, admin: false });
  const commits = await commitsOf(repository, pull);
  const files = await filesOf(repository, pull);
  return {
    ...presentPullSimple(forge, repository, pull, merge.testMerge),
    merged: pull.mergedAt !== null,
    mergeable: merge.mergeable,
    rebaseable: merge.rebaseable,
    mergeable_state: merge.state,
    merged_by: pull.mergedBy === null ? null : presentUser(forge, pull.mergedBy),
    comments: state.comments.filter(({ number }) => number === pull.number).length,
    review_comments: 0,
    maintainer_can_modify: pull.maintainerCanModify,
    commits: commits.length,
    additions: files.reduce((sum, file) => sum + (file.additions ?? 0), 0),
    deletions: files.reduce((sum, file) => sum + (file.deletions ?? 0), 0),
    changed_files: files.length,
  };
}
