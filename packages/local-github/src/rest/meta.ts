import { ApiError, notFound, unprocessable } from '../api-error.ts';
import { excessOf } from '../apps.ts';
import { accountOf, type Forge, fullName, now, type Repository } from '../forge.ts';
import { gitText } from '../git.ts';
import { isoTime } from '../git-objects.ts';
import { settlePulls } from '../merge-pull.ts';
import { branchTip } from '../refs.ts';
import type { App, Permissions, RepositorySettings } from '../state.ts';
import { canSee, createToken, notAccessible } from '../tokens.ts';
import { apiUrl } from '../urls.ts';
import { presentAccount, presentApp, presentUser } from './accounts.ts';
import {
  type Call,
  created,
  NO_CONTENT,
  type Operation,
  ok,
  pageOf,
  type RepositoryCall,
  reads,
  text,
  writes,
} from './call.ts';
import { presentFullRepository, presentRepository } from './repository.ts';

async function getRepository({ forge, repository, actor }: RepositoryCall) {
  return ok(presentFullRepository(forge, repository, actor));
}

const SETTINGS: Record<string, keyof RepositorySettings> = {
  allow_merge_commit: 'allowMergeCommit',
  allow_squash_merge: 'allowSquashMerge',
  allow_rebase_merge: 'allowRebaseMerge',
  allow_auto_merge: 'allowAutoMerge',
  delete_branch_on_merge: 'deleteBranchOnMerge',
  squash_merge_commit_title: 'squashMergeCommitTitle',
  squash_merge_commit_message: 'squashMergeCommitMessage',
  merge_commit_title: 'mergeCommitTitle',
  merge_commit_message: 'mergeCommitMessage',
};

async function updateRepository({ forge, repository, actor, body }: RepositoryCall) {
  const { state } = repository;
  const served = [...Object.keys(SETTINGS), 'archived', 'default_branch', 'description', 'name', 'private'];
  const unserved = Object.keys(body).filter((name) => !served.includes(name));
  if (unserved.length > 0) throw unprocessable(`The local GitHub does not change ${unserved.join(', ')}.`);
  if (body.name !== undefined && body.name !== state.name) throw unprocessable('The local GitHub does not rename.');
  const branch = body.default_branch as string | undefined;
  if (branch !== undefined) {
    if ((await branchTip(repository, branch)) === undefined) throw unprocessable(`The branch ${branch} was not found.`);
    await gitText(repository.directory, ['symbolic-ref', 'HEAD', `refs/heads/${branch}`]);
    state.defaultBranch = branch;
  }
  for (const [name, setting] of Object.entries(SETTINGS)) {
    if (body[name] !== undefined) Object.assign(state.settings, { [setting]: body[name] });
  }
  const { settings } = state;
  if (!settings.allowMergeCommit && !settings.allowSquashMerge && !settings.allowRebaseMerge) {
    settings.allowMergeCommit = true;
    throw unprocessable('Sorry, you need to allow at least one merge strategy.');
  }
  if (body.description !== undefined) state.description = body.description as string;
  if (body.private !== undefined) state.private = body.private === true;
  if (body.archived !== undefined) state.archived = body.archived === true;
  state.updatedAt = now(forge);
  await settlePulls(forge, repository, actor);
  return ok(presentFullRepository(forge, repository, actor));
}

async function getUser({ forge, actor }: Call) {
  if (actor.kind === 'anonymous') throw new ApiError(401, 'Requires authentication');
  if (actor.kind !== 'personal') throw new ApiError(403, notAccessible(actor));
  const account = accountOf(forge, actor.login);
  return ok({
    ...presentAccount(forge, account),
    name: null,
    company: null,
    blog: '',
    location: null,
    email: null,
    hireable: null,
    bio: null,
    public_repos: 0,
    public_gists: 0,
    followers: 0,
    following: 0,
    created_at: '2020-01-01T00:00:00Z',
    updated_at: '2020-01-01T00:00:00Z',
  });
}

async function getRateLimit({ rateLimits: { core, graphql } }: Call) {
  const search = { limit: 30, remaining: 30, reset: core.reset, used: 0 };
  return ok({ resources: { core, graphql, search }, rate: core });
}

function callingApp(call: Call): App {
  return call.forge.state.apps.find(({ id }) => id === call.actor.appId)!;
}

function selected(forge: Forge, app: App): Repository[] {
  const { account, repositories } = app.installation;
  return [...forge.repositories.values()].filter(({ state }) => {
    const name = fullName(state).toLowerCase();
    return (
      state.owner.toLowerCase() === account.toLowerCase() && (repositories === 'all' || repositories.includes(name))
    );
  });
}

function presentInstallation(forge: Forge, app: App) {
  const { installation } = app;
  const account = presentUser(forge, installation.account);
  return {
    id: installation.id,
    client_id: app.clientId,
    account,
    repository_selection: installation.repositories === 'all' ? 'all' : 'selected',
    access_tokens_url: apiUrl(forge, `/app/installations/${installation.id}/access_tokens`),
    repositories_url: apiUrl(forge, '/installation/repositories'),
    html_url: `${forge.url}/settings/installations/${installation.id}`,
    app_id: app.id,
    app_slug: app.slug,
    target_id: account.id,
    target_type: account.type,
    permissions: installation.permissions,
    events: [],
    created_at: installation.createdAt,
    updated_at: installation.createdAt,
    single_file_name: null,
    has_multiple_single_files: false,
    single_file_paths: [],
    suspended_by: null,
    suspended_at: null,
  };
}

async function getRepositoryInstallation(call: Call) {
  const app = callingApp(call);
  const name = `${call.parameters.owner}/${call.parameters.repo}`.toLowerCase();
  if (!selected(call.forge, app).some(({ state }) => fullName(state).toLowerCase() === name)) throw notFound();
  return ok(presentInstallation(call.forge, app));
}

async function listOrganizationInstallations(call: Call) {
  const { forge, actor } = call;
  const organization = text(call, 'org');
  const account = forge.state.accounts.find(({ login }) => login.toLowerCase() === organization.toLowerCase());
  if (account?.type !== 'Organization') throw notFound();
  if (actor.permissions.organization_administration === undefined) {
    throw new ApiError(403, notAccessible(actor), {
      headers: { 'X-Accepted-GitHub-Permissions': 'organization_administration=read' },
    });
  }
  const apps = forge.state.apps.filter(
    ({ installation }) => installation.account.toLowerCase() === organization.toLowerCase(),
  );
  const page = pageOf(call, apps);
  return {
    status: 200,
    headers: page.headers,
    body: { total_count: apps.length, installations: page.items.map((app) => presentInstallation(forge, app)) },
  };
}

async function createInstallationToken(call: Call) {
  const { forge } = call;
  const app = callingApp(call);
  const { installation } = app;
  if (installation.id !== call.parameters.installation_id) throw notFound();
  const input = (call.body ?? {}) as {
    repositories?: string[];
    repository_ids?: number[];
    permissions?: Record<string, string>;
  };
  const excess = excessOf(installation.permissions, input.permissions ?? {});
  if (excess.length > 0) {
    throw unprocessable('The permissions requested are not granted to this installation.');
  }
  const narrowed = input.repositories !== undefined || input.repository_ids !== undefined;
  const available = selected(forge, app);
  const chosen = available.filter(
    ({ state }) =>
      !narrowed ||
      input.repositories?.some((name) => name.toLowerCase() === state.name.toLowerCase()) === true ||
      input.repository_ids?.includes(state.id) === true,
  );
  if (narrowed && chosen.length < (input.repositories ?? input.repository_ids ?? []).length) {
    throw unprocessable(
      'There is at least one repository that does not exist or is not accessible to the parent installation.',
    );
  }
  const expires = isoTime(Math.floor(forge.clock().getTime() / 1000) + 3600);
  const permissions: Permissions = input.permissions ?? installation.permissions;
  const token = createToken(forge, {
    kind: 'installation',
    login: `${app.slug}[bot]`,
    permissions,
    repositories: chosen.map(({ state }) => fullName(state)),
    appId: app.id,
    installationId: installation.id,
    expiresAt: expires,
  });
  return created({
    token,
    expires_at: expires,
    permissions: { metadata: 'read', ...permissions },
    repository_selection: narrowed || installation.repositories !== 'all' ? 'selected' : 'all',
    ...(narrowed ? { repositories: chosen.map(({ state }) => presentRepository(forge, state)) } : {}),
  });
}

async function listInstallationRepositories(call: Call) {
  const { forge, actor } = call;
  const repositories = [...forge.repositories.values()].filter((repository) => {
    const name = fullName(repository.state).toLowerCase();
    return canSee(actor, repository) && (actor.repositories === 'all' || actor.repositories.includes(name));
  });
  const page = pageOf(call, repositories);
  return {
    status: 200,
    headers: page.headers,
    body: {
      total_count: repositories.length,
      repository_selection: actor.repositories === 'all' ? 'all' : 'selected',
      repositories: page.items.map(({ state }) => presentRepository(forge, state)),
    },
  };
}

async function revokeInstallationToken({ forge, actor }: Call) {
  forge.state.tokens = forge.state.tokens.filter((token) => token !== actor);
  return NO_CONTENT;
}

export const metaOperations: Record<string, Operation> = {
  'apps/create-installation-access-token': { scope: 'app', writes: true, run: createInstallationToken },
  'apps/get-authenticated': {
    scope: 'app',
    writes: false,
    run: async (call) => ok(presentApp(call.forge, callingApp(call).id)),
  },
  'apps/get-repo-installation': { scope: 'app', writes: false, run: getRepositoryInstallation },
  'apps/list-repos-accessible-to-installation': {
    scope: 'installation',
    writes: false,
    run: listInstallationRepositories,
  },
  'apps/revoke-installation-access-token': { scope: 'installation', writes: true, run: revokeInstallationToken },
  'orgs/list-app-installations': { scope: 'token', writes: false, run: listOrganizationInstallations },
  'rate-limit/get': { scope: 'public', writes: false, run: getRateLimit },
  'repos/get': reads('metadata', getRepository),
  'repos/update': writes('administration', updateRepository),
  'users/get-authenticated': { scope: 'public', writes: false, run: getUser },
};
