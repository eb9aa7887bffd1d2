import { createHash, randomBytes } from 'node:crypto';
import { ApiError, notFound } from './api-error.ts';
import { accountOf, type Forge, fullName, type Repository } from './forge.ts';
import {
  ACTIONS_APP_ID,
  type Level,
  type PermissionName,
  type Permissions,
  type Token,
  type TokenKind,
} from './state.ts';

/** Who makes a call. `app` signs with its private key (a JWT), `anonymous` sends nothing. */
export type Actor = Omit<Token, 'digest' | 'expiresAt' | 'kind'> & { kind: TokenKind | 'anonymous' | 'app' };

export type TokenRequest = {
  login: string;
  /** Default `personal`. */
  kind?: TokenKind;
  /** Default: read and write of everything but administration; workflow files only for a personal token. */
  permissions?: Permissions;
  /** `owner/name`s; default `all`. */
  repositories?: 'all' | string[];
  /** Default false. */
  admin?: boolean;
  appId?: number;
  installationId?: number;
  expiresAt?: string;
};

export const FULL_PERMISSIONS: Permissions = {
  actions: 'write',
  checks: 'write',
  contents: 'write',
  issues: 'write',
  metadata: 'read',
  pull_requests: 'write',
  statuses: 'write',
};

/** What an administrator's personal token can be given. */
export const EVERY_PERMISSION: Permissions = {
  ...FULL_PERMISSIONS,
  administration: 'write',
  deployments: 'write',
  environments: 'write',
  organization_administration: 'write',
  packages: 'write',
  variables: 'write',
  workflows: 'write',
};

export const ANONYMOUS: Actor = {
  kind: 'anonymous',
  login: '',
  permissions: {
    contents: 'read',
    issues: 'read',
    metadata: 'read',
    pull_requests: 'read',
    checks: 'read',
    statuses: 'read',
  },
  repositories: 'all',
  admin: false,
  appId: null,
  installationId: null,
};

function standardPermissions(kind: TokenKind): Permissions {
  return kind === 'personal' ? { ...FULL_PERMISSIONS, workflows: 'write' } : FULL_PERMISSIONS;
}

const PREFIXES: Record<TokenKind, string> = { installation: 'ghs_', job: 'ghs_', personal: 'github_pat_' };

function digestOf(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}

/** Makes a token. Only its digest is kept, so the answer is the one time that it can be read. */
export function createToken(forge: Forge, request: TokenRequest): string {
  const kind = request.kind ?? 'personal';
  const token = `${PREFIXES[kind]}${randomBytes(24).toString('base64url').replaceAll(/[-_]/g, 'x')}`;
  accountOf(forge, request.login);
  const repositories = request.repositories ?? 'all';
  forge.state.tokens.push({
    digest: digestOf(token),
    kind,
    login: request.login,
    permissions: { metadata: 'read', ...(request.permissions ?? standardPermissions(kind)) },
    repositories: repositories === 'all' ? 'all' : repositories.map((name) => name.toLowerCase()),
    admin: request.admin ?? false,
    appId: request.appId ?? (kind === 'job' ? ACTIONS_APP_ID : null),
    installationId: request.installationId ?? null,
    expiresAt: request.expiresAt ?? null,
  });
  return token;
}

/**
 * The token of an Authorization header (`token T`, `Bearer T`, or Basic with T as the password, as git sends it).
 * Undefined when there is no header.
 * @throws ApiError 401
 */
export function tokenOfHeader(header: string | undefined): string | undefined {
  if (header === undefined || header === '') return undefined;
  const [, scheme = '', value = ''] = /^(\S+) +(.*)$/.exec(header) ?? [];
  if (/^(token|bearer)$/i.test(scheme)) return value.trim();
  if (!/^basic$/i.test(scheme)) throw badCredentials();
  const [user = '', ...password] = Buffer.from(value, 'base64').toString().split(':');
  return password.join(':') || user;
}

/** @throws ApiError 401 for a token that is unknown or has expired */
export function actorOfToken(forge: Forge, token: string | undefined): Actor {
  if (token === undefined) return ANONYMOUS;
  const known = findToken(forge, token);
  if (known === undefined) throw badCredentials();
  if (known.expiresAt !== null && Date.parse(known.expiresAt) <= forge.clock().getTime()) throw badCredentials();
  return known;
}

function findToken(forge: Forge, token: string): Token | undefined {
  const digest = digestOf(token);
  return forge.state.tokens.find((candidate) => candidate.digest === digest);
}

/** Whether this server made it, ended or not. */
export function isToken(forge: Forge, token: string): boolean {
  return findToken(forge, token) !== undefined;
}

/** Ends a token now. */
export function endToken(forge: Forge, token: string): void {
  const known = findToken(forge, token);
  if (known !== undefined) known.expiresAt = forge.clock().toISOString();
}

export function badCredentials(): ApiError {
  return new ApiError(401, 'Bad credentials');
}

function reaches(actor: Actor, repository: Repository): boolean {
  if (actor.kind === 'anonymous') return false;
  return actor.repositories === 'all' || actor.repositories.includes(fullName(repository.state).toLowerCase());
}

/** A public repository is seen by everyone, a private one by the tokens that were given it. */
export function canSee(actor: Actor, repository: Repository): boolean {
  return !repository.state.private || (reaches(actor, repository) && actor.permissions.metadata !== undefined);
}

/** What a public repository doesn't show to everyone. */
const PRIVATE_ANYWHERE: readonly PermissionName[] = [
  'administration',
  'environments',
  'organization_administration',
  'packages',
  'variables',
];

export function hasPermission(actor: Actor, repository: Repository, name: PermissionName, level: Level): boolean {
  if (level === 'read' && !repository.state.private && !PRIVATE_ANYWHERE.includes(name)) return true;
  if (!reaches(actor, repository)) return false;
  const granted = actor.permissions[name];
  return granted === 'write' || (granted === 'read' && level === 'read');
}

/** One permission is enough, as for comments, which `issues` and `pull_requests` both allow. */
export type Requirement = { anyOf: PermissionName[]; level: Level };

/**
 * What GitHub answers to a token that may not: 404 for what it can't see, 401 for a write by nobody, 403 otherwise.
 * @throws ApiError
 */
export function authorize(actor: Actor, repository: Repository, requirement: Requirement): void {
  if (!canSee(actor, repository)) throw notFound();
  if (requirement.anyOf.some((name) => hasPermission(actor, repository, name, requirement.level))) return;
  if (actor.kind === 'anonymous') throw new ApiError(401, 'Requires authentication');
  const headers = { 'X-Accepted-GitHub-Permissions': acceptedPermissions(requirement) };
  throw new ApiError(403, notAccessible(actor), { headers });
}

/** As in the header: alternatives are set apart by a semicolon. */
export function acceptedPermissions(requirement: Requirement): string {
  return requirement.anyOf.map((name) => `${name}=${requirement.level}`).join('; ');
}

export function notAccessible(actor: Actor): string {
  return `Resource not accessible by ${actor.kind === 'personal' ? 'personal access token' : 'integration'}`;
}
