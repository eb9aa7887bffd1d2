import { randomBytes } from 'node:crypto';
import { type IncomingMessage, type RequestListener, ServerResponse } from 'node:http';
import { type ArtifactMethod, parseArtifactMethod, serveArtifacts } from './actions/artifact-service.ts';
import { artifactOfBlob } from './actions/artifacts.ts';
import { type BlobRequest, parseBlobRequest, serveBlob } from './actions/blobs.ts';
import { ApiError } from './api-error.ts';
import type { LoggedCall } from './call-log.ts';
import { actorOfHeader, callerOf } from './callers.ts';
import { createFailing, type Exchange, isAnswered } from './failing.ts';
import type { Faults } from './faults.ts';
import { type Forge, now, type Repository } from './forge.ts';
import { gitRefusal, parseGitRequest, serveGit } from './git-http.ts';
import type { Enterprise } from './graphql/enterprise.ts';
import { graphqlRateLimited, graphqlRootFields, serveGraphql } from './graphql/serve.ts';
import type { Lag } from './lag.ts';
import { limitAnswer } from './limit-answer.ts';
import { findOperation } from './openapi.ts';
import { servePage } from './pages.ts';
import { type RateLimits, rateLimitHeaders } from './rate-limit.ts';
import { parseRegistryRequest, type Registry, type RegistryRequest } from './registry.ts';
import { operations } from './rest/operations.ts';
import { errorAnswer, type RestAnswer, serveRest } from './serve-rest.ts';
import type { Actor } from './tokens.ts';

async function readBody(incoming: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function send(outgoing: ServerResponse, answer: RestAnswer): void {
  outgoing.writeHead(answer.status, answer.headers);
  outgoing.end(answer.body);
}

/**
 * Takes every request: logs it, finds what serves it, lets faults happen, answers. `running` holds what is being
 * worked on, also for callers who are gone.
 */
export function createFront(
  forge: Forge,
  parts: {
    registry: Registry | undefined;
    faults: Faults;
    lag: Lag;
    limits: RateLimits;
    /** Seconds to wait for a call beyond the limits of a minute; null for one within them. */
    secondary: ((call: LoggedCall, caller: string) => number | null) | undefined;
    log: LoggedCall[];
    running: Set<Promise<void>>;
    enterprise: Enterprise | undefined;
  },
): RequestListener {
  const { registry, faults, lag, limits, secondary, log, running, enterprise } = parts;

  function finish(call: LoggedCall, outgoing: ServerResponse, reply: RestAnswer): void {
    call.status = reply.status;
    send(outgoing, reply);
  }

  const failing = createFailing(forge, {
    registry,
    faults,
    limits,
    finish: ({ call, outgoing }, reply) => finish(call, outgoing, reply),
  });

  async function answer(exchange: Exchange): Promise<void> {
    const { incoming, outgoing, url, call } = exchange;
    const git = parseGitRequest(url);
    if (git !== undefined) return answerGit(exchange, git);
    const blob = parseBlobRequest(call.method, url);
    if (blob !== undefined) return answerBlob(exchange, blob);
    const packages = registry === undefined ? undefined : parseRegistryRequest(call.method, url);
    if (registry !== undefined && packages !== undefined) return answerRegistry(exchange, registry, packages);
    const artifacts = parseArtifactMethod(call.method, url);
    if (artifacts !== undefined) return answerArtifacts(exchange, artifacts);
    const path = url.pathname.replace(/^\/api\/v3(?=\/|$)/, '').replace(/^\/api\/graphql$/, '/graphql');
    if (call.method === 'POST' && path === '/graphql') {
      const isAtTop = url.pathname === '/graphql';
      if (enterprise !== undefined && isAtTop) throw new Error('GitHub Enterprise Server has GraphQL at /api/graphql');
      return answerGraphql(exchange);
    }
    const found = findOperation(call.method === 'HEAD' ? 'GET' : call.method, path);
    if (enterprise !== undefined && found !== undefined && path === url.pathname) {
      throw new Error(`GitHub Enterprise Server has its API below /api/v3, not at ${path}`);
    }
    const isApi = path !== url.pathname || found !== undefined;
    if (!isApi && call.method === 'GET') {
      const page = await servePage(forge, url, () => actorOfHeader(forge, incoming.headers.authorization));
      if (page !== undefined) return finish(call, outgoing, page);
    }
    call.kind = 'rest';
    if (found === undefined) {
      throw new Error(`${call.method} ${path} is no route of this server (see extract/openapi.json)`);
    }
    const { operation, values } = found;
    const writes = operations[operation.id]?.writes === true;
    Object.assign(call, { route: operation.path, operations: [operation.id], writes } satisfies Partial<LoggedCall>);
    const body = await readBody(incoming);
    const fault = failing.take(exchange);
    if (failing.before(exchange, fault)) return;
    const reply = await withCaller(exchange, operation.documentation, (actor, caller) => {
      const isFree = operation.id === 'rate-limit/get';
      const rateLimit = isFree ? limits.peek('core', caller) : limits.take('core', caller);
      if (rateLimit === undefined) {
        const headers = rateLimitHeaders(limits.peek('core', caller), 'core');
        return errorAnswer(new ApiError(403, `API rate limit exceeded for ${caller}.`, { headers }), null);
      }
      return serveRest(fault === 'lag' ? lag.view() : forge, {
        operation,
        values,
        url,
        actor,
        body,
        accept: incoming.headers.accept ?? '',
        ifNoneMatch: incoming.headers['if-none-match'],
        isLagging: fault === 'lag',
        rateLimits: { core: rateLimit, graphql: limits.peek('graphql', caller) },
      }).then((reply) => ({ ...reply, headers: { ...rateLimitHeaders(rateLimit, 'core'), ...reply.headers } }));
    });
    if (writes) await forge.save();
    if (failing.after(exchange, fault)) return;
    finish(call, outgoing, {
      ...reply,
      headers: {
        'X-GitHub-Media-Type': 'github.v3; format=json',
        'X-GitHub-Api-Version-Selected': '2022-11-28',
        ...reply.headers,
      },
    });
  }

  async function withCaller(
    exchange: Exchange,
    documentation: string | null,
    work: (actor: Actor, caller: string) => Promise<RestAnswer> | RestAnswer,
  ): Promise<RestAnswer> {
    try {
      const actor = actorOfHeader(forge, exchange.incoming.headers.authorization);
      exchange.call.login = actor.login;
      const caller = callerOf(forge, actor);
      const seconds = secondary?.(exchange.call, caller) ?? null;
      if (seconds !== null) {
        exchange.call.refused = 'secondary rate limit';
        return limitAnswer(exchange.call, { rateLimit: 'secondary', seconds }, caller);
      }
      return await work(actor, caller);
    } catch (error) {
      if (error instanceof ApiError) return errorAnswer(error, documentation);
      throw error;
    }
  }

  async function answerArtifacts(exchange: Exchange, method: ArtifactMethod): Promise<void> {
    const { incoming, outgoing, call } = exchange;
    const writes = method !== 'ListArtifacts' && method !== 'GetSignedArtifactURL';
    const route = '/twirp/{service}/{method}';
    Object.assign(call, { kind: 'twirp', route, operations: [method], writes } satisfies Partial<LoggedCall>);
    const body = await readBody(incoming);
    const fault = failing.take(exchange);
    if (failing.before(exchange, fault)) return;
    const reply = await serveArtifacts(forge, method, { authorization: incoming.headers.authorization, body });
    if (writes) await forge.save();
    if (!failing.after(exchange, fault)) finish(call, outgoing, reply);
  }

  async function answerBlob(exchange: Exchange, request: BlobRequest): Promise<void> {
    const { incoming, outgoing, url, call } = exchange;
    const operations = [`blob/${request.operation}`];
    const writes = request.operation !== 'get-blob';
    Object.assign(call, { kind: 'blob', route: '/_blob/{blob}', operations, writes } satisfies Partial<LoggedCall>);
    // the address opens the blob, so the log doesn't keep it
    call.path = url.pathname;
    const body = await readBody(incoming);
    const fault = failing.take(exchange);
    if (failing.before(exchange, fault)) return;
    const { authorization } = incoming.headers;
    const artifact = artifactOfBlob(forge, request.path);
    const reply = await serveBlob(forge, request, { url, authorization, body, artifact });
    if (!failing.after(exchange, fault)) finish(call, outgoing, reply);
  }

  async function answerRegistry(exchange: Exchange, registry: Registry, request: RegistryRequest): Promise<void> {
    const { incoming, outgoing, url, call } = exchange;
    const writes = request.kind === 'package' && request.action === 'push';
    const operations = [`registry/${request.kind === 'package' ? request.action : request.kind}`];
    Object.assign(call, { kind: 'registry', route: '/v2/{package}', operations, writes } satisfies Partial<LoggedCall>);
    const fault = failing.take(exchange);
    if (failing.before(exchange, fault)) return;
    const answers = isAnswered(fault);
    // nobody reads what goes into a response without a connection
    const sink = answers ? outgoing : new ServerResponse(incoming);
    const { status, login } = await registry.serve(request, { incoming, outgoing: sink, url, answers });
    call.login = login;
    if (failing.after(exchange, fault)) return;
    call.status = status;
  }

  async function answerGraphql(exchange: Exchange): Promise<void> {
    const { incoming, outgoing, call } = exchange;
    call.kind = 'graphql';
    call.route = '/graphql';
    const body = (await readBody(incoming)).toString();
    const root = graphqlRootFields(body);
    call.operations = root.fields;
    call.writes = root.isMutation;
    const fault = failing.take(exchange);
    if (failing.before(exchange, fault)) return;
    const documentation = 'https://docs.github.com/graphql';
    const reply = await withCaller(exchange, documentation, async (actor, caller) => {
      if (actor.kind === 'anonymous') throw new ApiError(401, 'This endpoint requires you to be authenticated.');
      const rateLimit = limits.take('graphql', caller);
      const result =
        rateLimit === undefined
          ? graphqlRateLimited(caller)
          : await serveGraphql(fault === 'lag' ? lag.view() : forge, actor, body, {
              rateLimit,
              isUntested: fault === 'lag',
              enterprise: enterprise && { release: enterprise, accept: incoming.headers.accept ?? '' },
            });
      const headers = {
        ...rateLimitHeaders(rateLimit ?? limits.peek('graphql', caller), 'graphql'),
        'Content-Type': 'application/json; charset=utf-8',
      };
      return { status: 200, headers, body: Buffer.from(JSON.stringify(result)) };
    });
    if (call.writes) await forge.save();
    if (failing.after(exchange, fault)) return;
    finish(call, outgoing, reply);
  }

  async function answerGit(exchange: Exchange, git: NonNullable<ReturnType<typeof parseGitRequest>>): Promise<void> {
    const { incoming, outgoing, url, call } = exchange;
    call.kind = 'git';
    call.route = `/{owner}/{repo}.git/${git.file}`;
    call.operations = [git.file === 'info/refs' ? 'git/info-refs' : `git/${git.service}`];
    call.writes = call.method === 'POST' && git.service === 'receive-pack';
    const fault = failing.take(exchange);
    if (failing.before(exchange, fault)) return;
    const refuse = (status: number, message: string) => {
      const challenge: Record<string, string> = status === 401 ? { 'WWW-Authenticate': 'Basic realm="GitHub"' } : {};
      incoming.resume();
      const headers = { 'Content-Type': 'text/plain; charset=utf-8', ...challenge };
      finish(call, outgoing, { status, headers, body: Buffer.from(`${message}\n`) });
    };
    let actor: Actor;
    try {
      actor = actorOfHeader(forge, incoming.headers.authorization);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      return refuse(401, 'Invalid username or token.');
    }
    call.login = actor.login;
    const repository: Repository | undefined = forge.repositories.get(`${git.owner}/${git.name}`.toLowerCase());
    const refusal = gitRefusal(repository, actor, git);
    if (refusal !== undefined || repository === undefined) {
      return refuse(refusal?.status ?? 404, refusal?.message ?? 'Repository not found.');
    }
    const answers = isAnswered(fault);
    const status = await serveGit(forge, repository, actor, git, { incoming, outgoing, url, answers });
    if (failing.after(exchange, fault)) return;
    call.status = status;
  }

  return (incoming, outgoing) => {
    const call: LoggedCall = {
      requestId: randomBytes(10).toString('hex').toUpperCase(),
      time: now(forge),
      kind: 'page',
      method: incoming.method ?? 'GET',
      path: incoming.url ?? '/',
      route: '',
      operations: [],
      writes: false,
      login: '',
      status: null,
      refused: null,
      fault: null,
    };
    log.push(call);
    outgoing.setHeader('X-GitHub-Request-Id', call.requestId);
    outgoing.setHeader('Server', 'local-github');
    if (enterprise !== undefined) outgoing.setHeader('X-GitHub-Enterprise-Version', `${enterprise.version}.0`);
    const url = URL.parse(call.path.replace(/^\/+/, '/'), forge.url);
    if (url === null) return finish(call, outgoing, errorAnswer(new ApiError(400, 'Bad request'), null));
    const work = answer({ incoming, outgoing, url, call })
      .catch((error: unknown) => {
        const message = `local-github: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
        if (outgoing.headersSent) outgoing.destroy();
        else finish(call, outgoing, errorAnswer(new ApiError(500, message), null));
      })
      .finally(() => running.delete(work));
    running.add(work);
  };
}
