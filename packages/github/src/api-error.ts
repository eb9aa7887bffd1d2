import { ConfigurationError, InfrastructureError, PassloopError, plainText } from '@passloop/core';
import { StaleError } from '@passloop/gitops';
import type { Action } from './client.ts';

type Headers = Record<string, string | number | undefined>;

/** What is read of Octokit's two errors: RequestError (REST, network) and GraphqlResponseError. */
type Failure = {
  status: number | null;
  headers: Headers;
  message: string;
  /** GraphQL's `errors[].type`: STALE_DATA, FORBIDDEN, NOT_FOUND, UNPROCESSABLE, RATE_LIMIT, ... */
  types: readonly string[];
  /** GraphQL's `errors[].path`: the fields of the query that were refused. */
  fields: readonly string[];
};

export type ApiFailure = {
  error: Error;
  /** How long to wait before the same call may be sent again; null where waiting doesn't help. */
  waitMs: number | null;
};

/**
 * An answer of GitHub that is not a success, as what to do about it. Matched on the status first and the text second, since
 * texts change: 401 and 403 name the missing permission, 404 says what a token can't see, stale writes are StaleError,
 * rate limits carry their wait, everything else is worth another try.
 */
export function apiError(thrown: unknown, call: Action & { repository: string; timeoutMs: number }): ApiFailure {
  if (thrown instanceof PassloopError) return { waitMs: null, error: thrown };
  const failure = failureOf(thrown);
  const wait = rateLimitWait(failure);
  if (wait !== null) {
    return {
      waitMs: wait,
      error: new InfrastructureError(`GitHub's rate limit is reached; it asks to wait ${Math.ceil(wait / 1000)} s.`, {
        hint: 'Run it again later: what was done is found again. An App installation has a limit of its own.',
        cause: thrown,
      }),
    };
  }
  return { waitMs: null, error: errorOf(failure, thrown, call) };
}

function errorOf(failure: Failure, thrown: unknown, call: Action & { repository: string; timeoutMs: number }): Error {
  const { status, message, types } = failure;
  const said = plainText(message, 300);
  if (isTimeout(thrown)) {
    return new InfrastructureError(`GitHub didn't answer within ${call.timeoutMs} ms: ${call.what}.`, {
      cause: thrown,
    });
  }
  if (types.includes('STALE_DATA') || isStale(status, message)) return new StaleError(said);
  if (status === 401) {
    return new ConfigurationError(`GitHub refuses the token (401: ${said}): ${call.what}.`, {
      hint: 'It is missing, mistyped, expired or revoked. An installation token lives for one hour.',
      cause: thrown,
    });
  }
  if (status === 403 || types.includes('FORBIDDEN') || types.includes('INSUFFICIENT_SCOPES')) {
    return forbidden(failure, thrown, call);
  }
  if (status === 404 || types.includes('NOT_FOUND')) {
    return new ConfigurationError(`GitHub shows no ${call.repository} to this token (404: ${said}): ${call.what}.`, {
      hint: `The name is wrong, or the token may not see it: GITHUB_TOKEN reaches its own repository only. For a deploy repository use the token of a GitHub App that is installed there; this call needs \`${call.permission}: ${call.level}\`.`,
      cause: thrown,
    });
  }
  if (status === null && types.length === 0) {
    return new InfrastructureError(`GitHub can't be reached: ${said || 'the connection broke'} (${call.what}).`, {
      hint: 'Check the network and the base URL, then run it again: what was done is found again.',
      cause: thrown,
    });
  }
  if ((status !== null && status >= 500) || /something went wrong while executing/i.test(message)) {
    return new InfrastructureError(`GitHub failed (${status ?? 'GraphQL'}: ${said}): ${call.what}.`, {
      hint: "Run it again: what was done is found again. GitHub's state: https://www.githubstatus.com",
      cause: thrown,
    });
  }
  const unknown = unknownMembers(message);
  if (unknown.length > 0)
    return new UnknownMemberError(`This GitHub has no ${unknown.join(', ')}: ${call.what}.`, unknown, said, thrown);
  return new RefusedError(`GitHub refused (${status ?? types.join(', ')}: ${said}): ${call.what}.`, said, thrown);
}

/** A 405, 409 or 422 that the caller may know how to take; else it is the user's to mend. */
export class RefusedError extends ConfigurationError {
  /** GitHub's own words. */
  readonly said: string;

  constructor(message: string, said: string, cause: unknown) {
    super(message, { cause });
    this.said = said;
  }
}

/** A schema without what was asked for: an older GitHub Enterprise Server. */
export class UnknownMemberError extends RefusedError {
  /** `Type.field`, or the name of an input's type. */
  readonly members: readonly string[];

  constructor(message: string, members: readonly string[], said: string, cause: unknown) {
    super(message, said, cause);
    this.members = members;
  }
}

function unknownMembers(message: string): string[] {
  const fields = message.matchAll(/Field '(\w+)' doesn't exist on type '(\w+)'/g);
  const inputs = message.matchAll(/(\w+) isn't a defined input type/g);
  return [
    ...new Set([
      ...[...fields].map(([, field, type]) => `${type}.${field}`),
      ...[...inputs].map(([, type = '']) => type),
    ]),
  ];
}

/** Texts of writes that came too late; each is answered by reading again. */
function isStale(status: number | null, message: string): boolean {
  return (
    /expected branch to point to|is at \S+ but expected|reference already exists|not a fast.forward/i.test(message) ||
    /a pull request already exists for|no commits between|could not resolve to a node/i.test(message) ||
    /base branch was modified|head branch was modified/i.test(message) ||
    // What was written a moment ago isn't everywhere yet.
    /(?:object|tree sha|parent sha) does not exist|head sha can't be blank|head ref must be a branch/i.test(message) ||
    (status === 409 && !/merge conflict/i.test(message))
  );
}

/** A token that may not do this: `lacks` names the permission and its level, as a workflow writes them. */
export class ForbiddenError extends ConfigurationError {
  readonly lacks: { permission: string; level: 'read' | 'write' };

  constructor(
    message: string,
    { lacks, ...details }: { lacks: ForbiddenError['lacks']; hint: string; cause: unknown },
  ) {
    super(message, details);
    this.lacks = lacks;
  }
}

function forbidden(failure: Failure, thrown: unknown, call: Action & { repository: string }): ConfigurationError {
  const said = plainText(failure.message, 200);
  if (/saml|single sign-on/i.test(said)) {
    return new ConfigurationError(`GitHub asks for single sign-on (403: ${said}).`, {
      hint: 'Authorize the token for the organization, under the settings of the token.',
      cause: thrown,
    });
  }
  const accepted = String(failure.headers['x-accepted-github-permissions'] ?? '');
  // Octokit appends the address of the call's documentation, which has the word wherever a run of a workflow is read.
  const words = said.replaceAll(/https?:\S+/g, '');
  const isWorkflow = /workflow/i.test(words) || accepted.includes('workflows=write');
  // One query reads code and pull requests, and each has a permission of its own.
  const isOfPulls = call.level === 'read' && failure.fields.some((field) => /pullRequests|^closed\d+$/i.test(field));
  const lacks = isWorkflow
    ? ({ permission: 'workflows', level: 'write' } as const)
    : isOfPulls
      ? ({ permission: 'pull-requests', level: 'read' } as const)
      : { permission: call.permission, level: call.level };
  const { permission, level } = lacks;
  const line = `permissions:\n  ${permission}: ${level}`;
  return new ForbiddenError(
    `The token lacks \`${permission}: ${level}\` on ${call.repository} (403: ${said}): ${call.what}.`,
    {
      lacks,
      hint: isWorkflow
        ? 'Only a GitHub App or a token with the permission "Workflows: write" may change workflow files.'
        : `In the workflow's job write\n${line}\nor, for another repository than the job's own, give the GitHub App "${titleOf(permission)}: ${level === 'write' ? 'Read and write' : 'Read'}" there${isOfPulls ? '; to promote, "Pull requests: Read and write"' : ''}.`,
      cause: thrown,
    },
  );
}

function titleOf(permission: string | undefined): string {
  const text = (permission ?? '').replaceAll('-', ' ');
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** In milliseconds: `retry-after`, else `x-ratelimit-reset`, else a minute, where the answer is about a limit. */
function rateLimitWait(failure: Failure): number | null {
  const { status, headers, message, types } = failure;
  // GraphQL's error of a limit has had both names
  const isLimited = types.some((type) => type === 'RATE_LIMIT' || type === 'RATE_LIMITED') || status === 429;
  const mayBe =
    status === 403 &&
    (/rate limit/i.test(message) || headers['retry-after'] !== undefined || headers['x-ratelimit-remaining'] === '0');
  if (!isLimited && !mayBe) return null;
  const after = Number(headers['retry-after']);
  if (Number.isFinite(after) && headers['retry-after'] !== undefined) return Math.max(1, after) * 1000;
  const reset = Number(headers['x-ratelimit-reset']) * 1000;
  const served = Date.parse(String(headers.date ?? ''));
  if (headers['x-ratelimit-remaining'] === '0' && Number.isFinite(reset) && Number.isFinite(served)) {
    return Math.max(1000, reset - served);
  }
  return 60_000;
}

function isTimeout(error: unknown): boolean {
  for (let one: unknown = error, depth = 0; one instanceof Error && depth < 5; one = one.cause, depth += 1) {
    if (one.name === 'TimeoutError' || one.name === 'AbortError') return true;
  }
  return false;
}

function failureOf(thrown: unknown): Failure {
  if (!(thrown instanceof Error)) return { status: null, headers: {}, message: String(thrown), types: [], fields: [] };
  if ('errors' in thrown && Array.isArray(thrown.errors) && 'headers' in thrown) {
    const errors = thrown.errors as { type?: unknown; message?: unknown; path?: unknown }[];
    return {
      status: null,
      headers: (thrown.headers ?? {}) as Headers,
      message: errors.map(({ message }) => String(message)).join('; '),
      types: errors.map(({ type }) => String(type ?? 'UNKNOWN')),
      fields: errors.flatMap(({ path }) => (Array.isArray(path) ? path.map(String) : [])),
    };
  }
  const response =
    'response' in thrown ? (thrown.response as { headers?: Headers; data?: unknown } | undefined) : undefined;
  if (response === undefined) return { status: null, headers: {}, message: thrown.message, types: [], fields: [] };
  const status = 'status' in thrown ? Number(thrown.status) : null;
  return { status, headers: response.headers ?? {}, message: thrown.message, types: [], fields: [] };
}
