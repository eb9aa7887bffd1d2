import type { Forge, Repository } from '../forge.ts';
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

/** OpenAPI `pull-request-simple`. */
export function presentPullSimple(forge: Forge, state: RepositoryState, pull: PullRequest, testMerge?: string | null) {
  const url = repoApi(forge, state, `/pulls/${pull.number}`);
  const issue = repoApi(forge, state, `/issues/${pull.number}`);
  const page = pullPage(forge, state, pull);
  const statuses = repoApi(forge, state, `/statuses/${pull.head.sha}`);
  const repo = presentRepository(forge, state);
  const owner = presentUser(forge, state.owner);
  const side = ({ ref, sha }: { ref: string; sha: string }) => ({
    label: `${state.owner}:${ref}`,
    ref,
    sha,
    user: owner,
    repo,
  });
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
    head: side(pull.head),
    base: side(pull.base),
    author_association: associationOf(state, pull.author),
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
    ...presentPullSimple(forge, state, pull, merge.testMerge),
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
