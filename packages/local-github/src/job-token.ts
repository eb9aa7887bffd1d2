import { type Forge, fullName } from './forge.ts';
import { ACTIONS_APP_ID, type Level, type PermissionName, type Permissions } from './state.ts';
import { createToken } from './tokens.ts';

/** Scopes of a workflow's `permissions:`, each with the access that GitHub lets one ask for. */
const SCOPES = {
  actions: ['actions', 'read', 'write'],
  'artifact-metadata': ['artifact_metadata', 'read', 'write'],
  attestations: ['attestations', 'read', 'write'],
  checks: ['checks', 'read', 'write'],
  contents: ['contents', 'read', 'write'],
  deployments: ['deployments', 'read', 'write'],
  'id-token': ['id_token', 'write'],
  issues: ['issues', 'read', 'write'],
  packages: ['packages', 'read', 'write'],
  pages: ['pages', 'read', 'write'],
  'pull-requests': ['pull_requests', 'read', 'write'],
  'security-events': ['security_events', 'read', 'write'],
  statuses: ['statuses', 'read', 'write'],
} as const satisfies Record<string, readonly [PermissionName, ...Level[]]>;

type JobScope = keyof typeof SCOPES;
/** As YAML writes them: kebab-case scopes, or one word for all of them. */
export type JobPermissions = 'read-all' | 'write-all' | { [scope in JobScope]?: Level | 'none' };

export type JobTokenRequest = {
  /** `owner/name`: the one repository that the token is for. */
  repository: string;
  /** The event that started the workflow, such as `pull_request`. */
  event: string;
  /** Absent: nothing but metadata. */
  permissions?: JobPermissions;
  /** Whether the pull request's head is in a fork. Default false. */
  isFork?: boolean;
  /** Who started the workflow. Nobody is given less: Dependabot's `permissions:` can ask for what the default withholds. */
  actor?: string;
  /** Default: six hours from now, as long as a job on a hosted runner may take. */
  expiresAt?: string;
};

const PULL_REQUEST_EVENTS = ['pull_request', 'pull_request_review', 'pull_request_review_comment'];
const SIX_HOURS = 6 * 60 * 60 * 1000;

/**
 * The GITHUB_TOKEN of a job: what its `permissions:` ask for, at most read where the event isn't trusted.
 * @throws Error for a repository that there is none of, and for permissions that a workflow file can't have
 */
export function createJobToken(forge: Forge, request: JobTokenRequest): string {
  const repository = forge.repositories.get(request.repository.toLowerCase());
  if (repository === undefined) throw new Error(`There is no repository ${request.repository} to make a job token for`);
  const asked = askedPermissions(request.permissions ?? {});
  return createToken(forge, {
    login: 'github-actions[bot]',
    kind: 'job',
    appId: ACTIONS_APP_ID,
    repositories: [fullName(repository.state)],
    permissions: isReadOnly(request) ? readOnly(asked) : asked,
    expiresAt: request.expiresAt ?? new Date(forge.clock().getTime() + SIX_HOURS).toISOString(),
  });
}

function askedPermissions(asked: JobPermissions): Permissions {
  const permissions: Permissions = {};
  if (typeof asked === 'string') {
    if (asked !== 'read-all' && asked !== 'write-all')
      throw new Error(`permissions: ${asked} is not read-all or write-all`);
    const level = asked === 'read-all' ? 'read' : 'write';
    for (const [name, ...levels] of Object.values(SCOPES)) {
      if ((levels as Level[]).includes(level)) permissions[name] = level;
    }
    return permissions;
  }
  for (const [scope, level] of Object.entries(asked)) {
    if (!Object.hasOwn(SCOPES, scope)) {
      throw new Error(`permissions: ${scope} is no scope of a job. There are: ${Object.keys(SCOPES).join(', ')}`);
    }
    const [name, ...levels] = SCOPES[scope as JobScope];
    if (level === 'none') continue;
    if (!(levels as Level[]).includes(level)) {
      throw new Error(`permissions: ${scope}: ${level} can't be asked for; ${[...levels, 'none'].join(' or ')} can`);
    }
    permissions[name] = level;
  }
  return permissions;
}

/** Dependabot's runs only read by default, but their `permissions:` can ask for more: it is no cap. */
function isReadOnly({ event, isFork }: JobTokenRequest): boolean {
  return isFork === true && PULL_REQUEST_EVENTS.includes(event);
}

/** What can't be read, as an identity token, is not given at all. */
function readOnly(asked: Permissions): Permissions {
  const names = Object.keys(asked) as PermissionName[];
  return Object.fromEntries(names.filter((name) => name !== 'id_token').map((name) => [name, 'read' as const]));
}
