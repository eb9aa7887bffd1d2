import { accountOf, type Forge, fullName, type Repository } from '../forge.ts';
import { forksOf, parentOf } from '../forks.ts';
import { nodeId } from '../node-id.ts';
import type { RepositoryState } from '../state.ts';
import { type Actor, hasPermission } from '../tokens.ts';
import { repoApi, repoPage } from '../urls.ts';
import { presentUser } from './accounts.ts';

const LINKS: Record<string, string> = {
  archive_url: '/{archive_format}{/ref}',
  assignees_url: '/assignees{/user}',
  blobs_url: '/git/blobs{/sha}',
  branches_url: '/branches{/branch}',
  collaborators_url: '/collaborators{/collaborator}',
  comments_url: '/comments{/number}',
  commits_url: '/commits{/sha}',
  compare_url: '/compare/{base}...{head}',
  contents_url: '/contents/{+path}',
  contributors_url: '/contributors',
  deployments_url: '/deployments',
  downloads_url: '/downloads',
  events_url: '/events',
  forks_url: '/forks',
  git_commits_url: '/git/commits{/sha}',
  git_refs_url: '/git/refs{/sha}',
  git_tags_url: '/git/tags{/sha}',
  hooks_url: '/hooks',
  issue_comment_url: '/issues/comments{/number}',
  issue_events_url: '/issues/events{/number}',
  issues_url: '/issues{/number}',
  keys_url: '/keys{/key_id}',
  labels_url: '/labels{/name}',
  languages_url: '/languages',
  merges_url: '/merges',
  milestones_url: '/milestones{/number}',
  notifications_url: '/notifications{?since,all,participating}',
  pulls_url: '/pulls{/number}',
  releases_url: '/releases{/id}',
  stargazers_url: '/stargazers',
  statuses_url: '/statuses/{sha}',
  subscribers_url: '/subscribers',
  subscription_url: '/subscription',
  tags_url: '/tags',
  teams_url: '/teams',
  trees_url: '/git/trees{/sha}',
};

/** OpenAPI `minimal-repository`. */
export function presentMinimalRepository(forge: Forge, state: RepositoryState) {
  const url = repoApi(forge, state);
  const links = Object.fromEntries(Object.entries(LINKS).map(([name, path]) => [name, url + path]));
  return {
    id: state.id,
    node_id: nodeId('R', state.id),
    name: state.name,
    full_name: fullName(state),
    private: state.private,
    owner: presentUser(forge, state.owner),
    html_url: repoPage(forge, state),
    description: state.description,
    fork: state.parent !== null,
    url,
    ...links,
  } as Record<string, unknown>;
}

/** OpenAPI `repository`, as it stands inside pull requests. */
export function presentRepository(forge: Forge, state: RepositoryState) {
  const page = repoPage(forge, state);
  const forks = forksOf(forge, state).length;
  const open = state.pulls.filter((pull) => pull.state === 'open').length;
  return {
    ...presentMinimalRepository(forge, state),
    git_url: `${page.replace(/^http/, 'git')}.git`,
    ssh_url: `ssh://git@${new URL(forge.url).hostname}/${fullName(state)}.git`,
    clone_url: `${page}.git`,
    svn_url: page,
    mirror_url: null,
    homepage: null,
    language: null,
    license: null,
    forks,
    forks_count: forks,
    stargazers_count: 0,
    watchers: 0,
    watchers_count: 0,
    size: 0,
    default_branch: state.defaultBranch,
    open_issues: open,
    open_issues_count: open,
    is_template: false,
    topics: [],
    has_issues: true,
    has_projects: false,
    has_wiki: false,
    has_pages: false,
    has_downloads: false,
    has_discussions: false,
    archived: state.archived,
    disabled: false,
    visibility: state.private ? 'private' : 'public',
    pushed_at: state.pushedAt,
    created_at: state.createdAt,
    updated_at: state.updatedAt,
    allow_forking: true,
    web_commit_signoff_required: false,
  };
}

/** `parent` is what a fork was made from, `source` where the chain of forks began. */
function presentParents(forge: Forge, state: RepositoryState) {
  let source = state;
  for (let next = parentOf(forge, source); next !== undefined; next = parentOf(forge, source)) source = next.state;
  return { parent: presentRepository(forge, state), source: presentRepository(forge, source) };
}

/** OpenAPI `full-repository`. The merge settings are shown to those who may push, as on GitHub. */
export function presentFullRepository(forge: Forge, repository: Repository, actor: Actor) {
  const { state } = repository;
  const push = hasPermission(actor, repository, 'contents', 'write');
  const { settings } = state;
  const parent = parentOf(forge, state);
  return {
    ...presentRepository(forge, state),
    network_count: 0,
    subscribers_count: 0,
    ...(parent === undefined ? {} : presentParents(forge, parent.state)),
    ...(accountOf(forge, state.owner).type === 'Organization' ? { organization: presentUser(forge, state.owner) } : {}),
    ...(actor.kind === 'anonymous'
      ? {}
      : { permissions: { admin: actor.admin, maintain: actor.admin, push, triage: push, pull: true } }),
    ...(push
      ? {
          allow_merge_commit: settings.allowMergeCommit,
          allow_squash_merge: settings.allowSquashMerge,
          allow_rebase_merge: settings.allowRebaseMerge,
          allow_auto_merge: settings.allowAutoMerge,
          allow_update_branch: false,
          delete_branch_on_merge: settings.deleteBranchOnMerge,
          squash_merge_commit_title: settings.squashMergeCommitTitle,
          squash_merge_commit_message: settings.squashMergeCommitMessage,
          merge_commit_title: settings.mergeCommitTitle,
          merge_commit_message: settings.mergeCommitMessage,
        }
      : {}),
  };
}
