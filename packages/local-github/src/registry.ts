import { randomBytes } from 'node:crypto';
import { request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { ApiError } from './api-error.ts';
import { type Forge, fullName } from './forge.ts';
import type { Level, Package } from './state.ts';
import { type Actor, actorOfToken, tokenOfHeader } from './tokens.ts';

type Action = 'pull' | 'push';
/** `name`: the package, `owner/name`; null for the registry itself. */
export type RegistryRequest =
  | { kind: 'base' }
  | { kind: 'token' }
  | { kind: 'package'; name: string; action: Action; isManifest: boolean }
  | { kind: 'unknown' };

export type Registry = {
  serve: (
    request: RegistryRequest,
    exchange: { incoming: IncomingMessage; outgoing: ServerResponse; url: URL; answers: boolean },
  ) => Promise<{ status: number; login: string }>;
  /** The forge's token that a bearer was given for; undefined for what is no bearer. */
  tokenBehind: (bearer: string) => string | undefined;
};

const COMPONENT = '[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*';
const PACKAGE_PATH = new RegExp(`^/v2/(${COMPONENT}(?:/${COMPONENT})+)/(blobs|manifests|referrers|tags)/[\\w+.:=/-]+$`);
const SCOPE = new RegExp(`^repository:(${COMPONENT}(?:/${COMPONENT})+):([a-z,*]+)$`);
const BEARER_LIFE = 5 * 60 * 1000;

/** What a request wants of the registry; undefined for one that is not the registry's. */
export function parseRegistryRequest(method: string, url: URL): RegistryRequest | undefined {
  if (url.pathname === '/token') return { kind: 'token' };
  if (url.pathname === '/v2' || url.pathname === '/v2/') return { kind: 'base' };
  if (!url.pathname.startsWith('/v2/')) return undefined;
  const [, name, resource] = PACKAGE_PATH.exec(url.pathname) ?? [];
  if (name === undefined) return { kind: 'unknown' };
  const action = method === 'GET' || method === 'HEAD' ? 'pull' : 'push';
  return { kind: 'package', name, action, isManifest: resource === 'manifests' };
}

function packageOf(forge: Forge, name: string): Package | undefined {
  return forge.state.packages.find((one) => one.name === name.toLowerCase());
}

/** Links a package to the repository whose tokens reach it, and says who may pull it. */
export function linkPackage(forge: Forge, name: string, repository: string, isPrivate: boolean): void {
  const found = forge.repositories.get(repository.toLowerCase());
  if (found === undefined) throw new Error(`There is no repository ${repository} to link the package ${name} to`);
  const linked = fullName(found.state).toLowerCase();
  const known = packageOf(forge, name);
  if (known !== undefined) Object.assign(known, { repository: linked, private: isPrivate });
  else forge.state.packages.push({ name: name.toLowerCase(), repository: linked, private: isPrivate, grants: [] });
}

/** Lets the jobs of one more repository read or write a package. */
export function grantPackage(forge: Forge, name: string, repository: string, level: Level): void {
  const known = packageOf(forge, name);
  if (known === undefined) throw new Error(`There is no package ${name} yet: push or link it first`);
  const found = forge.repositories.get(repository.toLowerCase());
  if (found === undefined) throw new Error(`There is no repository ${repository} to share the package ${name} with`);
  const shared = fullName(found.state).toLowerCase();
  known.grants = [...known.grants.filter((one) => one.repository !== shared), { repository: shared, level }];
}

/** A token reaches what is linked to its repositories; one for all of them, also what its own account pushed. */
function may(forge: Forge, actor: Actor, name: string, action: Action): boolean {
  const known = packageOf(forge, name);
  if (action === 'pull' && known?.private === false) return true;
  const level = actor.permissions.packages;
  if (actor.kind === 'anonymous' || level === undefined || (action === 'push' && level !== 'write')) return false;
  const { repositories } = actor;
  if (known?.repository != null && (repositories === 'all' || repositories.includes(known.repository))) return true;
  if (known !== undefined && repositories !== 'all') {
    return known.grants.some(
      (grant) => repositories.includes(grant.repository) && (action === 'pull' || grant.level === 'write'),
    );
  }
  if (known?.repository != null) return false;
  // whoever may make a package may look for its layers first, as clients do before they push
  if (known === undefined && level !== 'write') return false;
  const owner = name.split('/')[0];
  if (repositories === 'all') return actor.login.toLowerCase() === owner;
  return repositories.some((one) => one.split('/')[0] === owner);
}

/** A container registry that asks for this server's tokens, in front of one that asks for nothing. */
export function createRegistry(forge: Forge, upstream: string): Registry {
  const origin = new URL(upstream).origin;
  const bearers = new Map<string, { token: string | undefined; scopes: Map<string, Set<string>>; until: number }>();

  function refuse(outgoing: ServerResponse, status: number, code: string, message: string, scope?: string): number {
    const challenge = `Bearer realm="${forge.url}/token",service="${new URL(forge.url).host}"`;
    outgoing.writeHead(status, {
      'Content-Type': 'application/json',
      'Docker-Distribution-Api-Version': 'registry/2.0',
      ...(status === 401
        ? { 'WWW-Authenticate': scope === undefined ? challenge : `${challenge},scope="${scope}"` }
        : {}),
    });
    outgoing.end(JSON.stringify({ errors: [{ code, message }] }));
    return status;
  }

  /** Gives a bearer for what was asked for and is allowed. */
  function giveToken(incoming: IncomingMessage, outgoing: ServerResponse, url: URL): { status: number; login: string } {
    let token: string | undefined;
    let actor: Actor;
    try {
      token = tokenOfHeader(incoming.headers.authorization);
      actor = actorOfToken(forge, token);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      return { status: refuse(outgoing, 403, 'DENIED', 'denied'), login: '' };
    }
    const scopes = new Map<string, Set<string>>();
    for (const scope of url.searchParams.getAll('scope').flatMap((value) => value.split(' '))) {
      const [, name, actions = ''] = SCOPE.exec(scope) ?? [];
      if (name === undefined) continue;
      const asked = actions.split(',').filter((one): one is Action => one === 'pull' || one === 'push');
      scopes.set(name, new Set(asked.filter((action) => may(forge, actor, name, action))));
    }
    const bearer = randomBytes(32).toString('base64url');
    bearers.set(bearer, { token, scopes, until: forge.clock().getTime() + BEARER_LIFE });
    outgoing.writeHead(200, { 'Content-Type': 'application/json' });
    outgoing.end(JSON.stringify({ token: bearer, access_token: bearer, expires_in: BEARER_LIFE / 1000 }));
    return { status: 200, login: actor.login };
  }

  /** Undefined without a bearer that holds; it ends with the token that it was given for. */
  function bearerOf(incoming: IncomingMessage): { actor: Actor; scopes: Map<string, Set<string>> } | undefined {
    const [, value = ''] = /^bearer +(\S+)$/i.exec(incoming.headers.authorization ?? '') ?? [];
    const known = bearers.get(value);
    if (known === undefined || known.until <= forge.clock().getTime()) return undefined;
    try {
      return { actor: actorOfToken(forge, known.token), scopes: known.scopes };
    } catch (error) {
      if (error instanceof ApiError) return undefined;
      throw error;
    }
  }

  async function pass(
    { incoming, outgoing, url, answers }: Parameters<Registry['serve']>[1],
    target: URL,
  ): Promise<number> {
    const { authorization: _, host: __, ...headers } = incoming.headers;
    const passed = httpRequest(target, { method: incoming.method, headers });
    const answered = new Promise<IncomingMessage>((resolve, reject) => {
      passed.once('response', resolve);
      passed.once('error', reject);
    });
    const [answer] = await Promise.all([answered, pipeline(incoming, passed)]);
    const status = answer.statusCode ?? 502;
    if (!answers) {
      answer.resume();
      return status;
    }
    const { location } = answer.headers;
    if (location !== undefined && URL.canParse(location, target.href)) {
      const moved = new URL(location, target);
      answer.headers.location =
        moved.origin === origin ? `${url.origin}${moved.pathname}${moved.search}` : moved.toString();
    }
    outgoing.writeHead(status, answer.headers);
    await pipeline(answer, outgoing);
    return status;
  }

  return {
    tokenBehind: (bearer) => bearers.get(bearer)?.token,
    serve: async (request, exchange) => {
      const { incoming, outgoing, url } = exchange;
      if (request.kind === 'token') return giveToken(incoming, outgoing, url);
      const bearer = bearerOf(incoming);
      const login = bearer?.actor.login ?? '';
      const stop = (...answer: [number, string, string, string?]) => {
        incoming.resume();
        return { status: refuse(outgoing, ...answer), login };
      };
      const scope =
        request.kind === 'package'
          ? `repository:${request.name}:pull${request.action === 'push' ? ',push' : ''}`
          : undefined;
      if (bearer === undefined) return stop(401, 'UNAUTHORIZED', 'authentication required', scope);
      if (request.kind === 'unknown') return stop(404, 'NAME_INVALID', 'invalid repository name');
      if (request.kind === 'base') {
        outgoing.writeHead(200, {
          'Content-Type': 'application/json',
          'Docker-Distribution-Api-Version': 'registry/2.0',
        });
        outgoing.end('{}');
        return { status: 200, login };
      }
      const { name, action } = request;
      const allowed = (other: string, wanted: Action) => may(forge, bearer.actor, other, wanted);
      if (!allowed(name, action)) return stop(403, 'DENIED', 'requested access to the resource is denied');
      // a bearer for something else: the client asks for one with this scope
      if (bearer.scopes.get(name)?.has(action) !== true)
        return stop(401, 'UNAUTHORIZED', 'authentication required', scope);
      const target = new URL(url.pathname + url.search, origin);
      const from = target.searchParams.get('from');
      // otherwise a digest would be enough to take a layer out of a package that the token can't read
      if (target.searchParams.has('mount') && (from === null || !allowed(from, 'pull'))) {
        target.searchParams.delete('mount');
        target.searchParams.delete('from');
      }
      const status = await pass(exchange, target);
      if (action === 'push' && request.isManifest && status === 201 && packageOf(forge, name) === undefined) {
        const { actor } = bearer;
        const repository =
          actor.kind === 'job' && actor.repositories !== 'all' ? (actor.repositories[0] ?? null) : null;
        forge.state.packages.push({ name, repository, private: true, grants: [] });
        await forge.save();
      }
      return { status, login };
    },
  };
}
