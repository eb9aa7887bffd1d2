import { createPublicKey, generateKeyPairSync, randomBytes, verify } from 'node:crypto';
import { accountOf, type Forge, nextId, now } from './forge.ts';
import type { App, Level, PermissionName, Permissions } from './state.ts';
import { type Actor, badCredentials, FULL_PERMISSIONS } from './tokens.ts';

export type AppRequest = {
  slug: string;
  /** The account that the app is installed on. */
  account: string;
  /** What the installation grants; a token can be given less. Default as for tokens. */
  permissions?: Permissions;
  /** `owner/name`s of the account; default `all`. */
  repositories?: 'all' | string[];
};
export type CreatedApp = { appId: number; clientId: string; privateKey: string; installationId: number };

/** Registers an app and installs it. The private key is returned once and not kept. */
export function createApp(forge: Forge, request: AppRequest): CreatedApp {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  const created = now(forge);
  accountOf(forge, request.account);
  accountOf(forge, `${request.slug}[bot]`, 'Bot');
  const repositories = request.repositories ?? 'all';
  const app: App = {
    id: nextId(forge),
    slug: request.slug,
    name: request.slug,
    clientId: `Iv23${randomBytes(8).toString('hex')}`,
    owner: request.account,
    publicKey,
    createdAt: created,
    installation: {
      id: nextId(forge),
      account: request.account,
      permissions: { metadata: 'read', ...(request.permissions ?? FULL_PERMISSIONS) },
      repositories: repositories === 'all' ? 'all' : repositories.map((name) => name.toLowerCase()),
      createdAt: created,
    },
  };
  forge.state.apps.push(app);
  return { appId: app.id, clientId: app.clientId, privateKey, installationId: app.installation.id };
}

/** Whether a bearer value is a JWT and not a token. */
export function isJwt(value: string): boolean {
  return /^[\w-]+\.[\w-]+\.[\w-]+$/.test(value);
}

/**
 * The app that signed a JWT: RS256 by its key, `iss` its id or client id, valid now and for ten minutes at most.
 * @throws ApiError 401
 */
export function actorOfJwt(forge: Forge, jwt: string): Actor {
  const [header = '', payload = '', signature = ''] = jwt.split('.');
  const app = issuerOf(forge, payload);
  const claims = parseJson(payload);
  const isSigned =
    parseJson(header).alg === 'RS256' &&
    app !== undefined &&
    verify(
      'sha256',
      Buffer.from(`${header}.${payload}`),
      createPublicKey(app.publicKey),
      Buffer.from(signature, 'base64url'),
    );
  const seconds = forge.clock().getTime() / 1000;
  const { iat, exp } = claims;
  const isTimely =
    typeof iat === 'number' && typeof exp === 'number' && iat <= seconds + 60 && exp > seconds && exp - seconds <= 660;
  if (!isSigned || !isTimely) throw badCredentials();
  return {
    kind: 'app',
    login: `${app.slug}[bot]`,
    permissions: {},
    repositories: [],
    admin: false,
    appId: app.id,
    installationId: app.installation.id,
  };
}

function issuerOf(forge: Forge, payload: string): App | undefined {
  const { iss } = parseJson(payload);
  return forge.state.apps.find((app) => String(app.id) === String(iss) || app.clientId === iss);
}

function parseJson(part: string): Record<string, unknown> {
  try {
    return JSON.parse(Buffer.from(part, 'base64url').toString()) as Record<string, unknown>;
  } catch {
    return {};
  }
}

const ORDER: (Level | undefined)[] = [undefined, 'read', 'write'];

/** Permissions that were asked for beyond those that the installation has. */
export function excessOf(granted: Permissions, asked: Record<string, string>): string[] {
  return Object.entries(asked)
    .filter(([name, level]) => ORDER.indexOf(level as Level) > ORDER.indexOf(granted[name as PermissionName]))
    .map(([name]) => name);
}
