import { createHash } from 'node:crypto';
import { ApiError } from './api-error.ts';
import { type Forge, repositoryOf, writing } from './forge.ts';
import { type ApiOperation, checkBody, checkParameters, responseProblem } from './openapi.ts';
import type { Call, Reply } from './rest/call.ts';
import { operations } from './rest/operations.ts';
import { type Actor, acceptedPermissions, authorize } from './tokens.ts';
import { watched } from './watched.ts';

export type RestRequest = {
  operation: ApiOperation;
  values: Record<string, string>;
  url: URL;
  actor: Actor;
  body: Buffer;
  accept: string;
  ifNoneMatch: string | undefined;
  isLagging: boolean;
  rateLimits: Call['rateLimits'];
};
export type RestAnswer = { status: number; headers: Record<string, string>; body: Buffer };

/** A JSON error as GitHub's. */
export function errorAnswer(error: ApiError, documentation: string | null): RestAnswer {
  const body = {
    message: error.message,
    ...(error.errors === undefined ? {} : { errors: error.errors }),
    documentation_url: documentation ?? 'https://docs.github.com/rest',
    status: String(error.status),
  };
  return { status: error.status, headers: { ...error.headers, ...JSON_TYPE }, body: Buffer.from(JSON.stringify(body)) };
}

const JSON_TYPE = { 'Content-Type': 'application/json; charset=utf-8' };

function parseBody(request: RestRequest): Record<string, unknown> {
  if (request.operation.body === null || request.operation.method === 'GET') return {};
  if (request.body.length === 0) return {};
  let parsed: unknown;
  try {
    parsed = JSON.parse(request.body.toString());
  } catch {
    throw new ApiError(400, 'Problems parsing JSON');
  }
  if (typeof parsed !== 'object') throw new ApiError(400, 'Body should be a JSON object');
  return (parsed ?? {}) as Record<string, unknown>;
}

function refuseCaller(actor: Actor, scope: 'app' | 'installation' | 'public' | 'token'): void {
  if (scope === 'public') return;
  if (scope === 'app') {
    if (actor.kind !== 'app') throw new ApiError(401, 'A JSON web token could not be decoded');
    return;
  }
  if (actor.kind === 'anonymous') throw new ApiError(401, 'Requires authentication');
  const isInstallation = actor.kind === 'installation' || actor.kind === 'job';
  if (scope === 'installation' && !isInstallation) {
    throw new ApiError(
      403,
      'You must authenticate with an installation access token in order to list repositories for an installation.',
    );
  }
}

async function run(forge: Forge, request: RestRequest): Promise<Reply> {
  const { operation, actor } = request;
  const served = operations[operation.id];
  if (served === undefined) throw new Error(`${operation.id} is extracted and not served`);
  const query = Object.fromEntries(request.url.searchParams);
  const call: Call = {
    forge,
    actor,
    url: request.url,
    parameters: {},
    body: {},
    accept: request.accept,
    isLagging: request.isLagging,
    rateLimits: request.rateLimits,
  };
  // who may not see a repository learns nothing about how a request to it should look
  if (served.scope !== 'repository') {
    refuseCaller(actor, served.scope);
    return checked((input) => served.run({ ...call, ...input }));
  }
  const repository = repositoryOf(forge, request.values.owner!, request.values.repo!);
  authorize(actor, repository, served.requires);
  if (served.writes && repository.state.archived && operation.id !== 'repos/update') {
    throw new ApiError(403, 'Repository was archived so is read-only.');
  }
  const reply = await checked((input) => {
    const work = () => served.run({ ...call, ...input, repository });
    return served.writes ? writing(forge, repository, work) : work();
  });
  const headers = { 'X-Accepted-GitHub-Permissions': acceptedPermissions(served.requires), ...reply.headers };
  return { ...reply, headers };

  /** What GitHub describes and this server would pass over in silence is a bug of ours, as an unknown route is. */
  async function checked(work: (input: Pick<Call, 'body' | 'parameters'>) => Promise<Reply>): Promise<Reply> {
    const json = parseBody(request);
    const parameters = watched(checkParameters(operation, { ...query, ...request.values }));
    checkBody(operation, json);
    const body = watched(json);
    const answer = await work({ parameters: parameters.values, body: body.values });
    const ignored = [...parameters.unread().filter((name) => name in query), ...body.unread()];
    if (ignored.length > 0) throw new Error(`${operation.id} is served without ${ignored.join(', ')}`);
    return answer;
  }
}

/**
 * Runs one operation: checks the request, the caller and our own answer.
 * @returns GitHub's answer, errors included; a status of 500 means that the server itself is wrong
 */
export async function serveRest(forge: Forge, request: RestRequest): Promise<RestAnswer> {
  const { operation } = request;
  let reply: Reply;
  try {
    reply = await run(forge, request);
  } catch (error) {
    if (error instanceof ApiError) return errorAnswer(error, operation.documentation);
    throw error;
  }
  const { raw } = reply;
  const isRaw = raw !== undefined;
  const problem = isRaw ? undefined : responseProblem(operation, reply.status, reply.body);
  if (problem !== undefined) throw new Error(`the answer is not as GitHub describes it: ${problem}`);
  const body = isRaw ? raw.content : Buffer.from(reply.body === undefined ? '' : JSON.stringify(reply.body));
  const headers: Record<string, string> = { ...reply.headers };
  if (isRaw) headers['Content-Type'] = raw.type;
  else if (reply.body !== undefined) Object.assign(headers, JSON_TYPE);
  if (operation.method !== 'GET' || reply.status !== 200) return { status: reply.status, headers, body };
  const etag = `W/"${createHash('sha256').update(body).digest('hex')}"`;
  Object.assign(headers, {
    ETag: etag,
    'Cache-Control': 'private, max-age=60, s-maxage=60',
    Vary: 'Accept, Authorization, Cookie, X-GitHub-OTP',
  });
  const matches = request.ifNoneMatch?.split(',').some((value) => value.trim().replace(/^W\//, '') === etag.slice(2));
  if (matches === true) return { status: 304, headers, body: Buffer.alloc(0) };
  return { status: reply.status, headers, body };
}
