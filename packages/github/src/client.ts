import { ConfigurationError, InfrastructureError } from '@passloop/core';
import type { Octokit } from 'octokit';
import { z } from 'zod';
import { apiError } from './api-error.ts';

export type GithubOptions = {
  /** `owner/name`. */
  repository: string;
  token: string;
  /** REST base, such as https://github.example.com/api/v3; GitHub's own by default. */
  baseUrl?: string | undefined;
  /** No answer within this time is a failure; 30,000 ms by default. */
  timeoutMs?: number | undefined;
  /** The longest wait for a rate limit, for all calls of this client together; 300,000 ms by default: a secondary one asks for a minute each time. */
  maxWaitMs?: number | undefined;
  /** How a rate limit is waited out. */
  sleep(milliseconds: number): Promise<void>;
  /** Octokit's spacing of one second a write and three a pull request; off, since a promotion makes five writes. */
  throttle?: boolean | undefined;
  userAgent?: string | undefined;
  /** Told once of each thing that an older GitHub Enterprise Server lacks, and of what is done instead. */
  note?: ((line: string) => void) | undefined;
};

/** A call as messages name it, and the permission which it needs. */
export type Action = { what: string; permission: Permission; level: 'read' | 'write' };
type Permission =
  | 'actions'
  | 'contents'
  | 'pull-requests'
  | 'issues'
  | 'checks'
  | 'statuses'
  | 'deployments'
  | 'metadata';

/** Octokit for one repository: every failure is one of core's typed errors, or a StaleError. */
export type GithubClient = {
  repository: string;
  owner: string;
  name: string;
  /** Calls REST; routes as in Octokit, `{owner}` and `{repo}` are filled in. With a schema the answer is checked. */
  rest<T>(action: Action, route: string, parameters?: Record<string, unknown>, schema?: z.ZodType<T>): Promise<T>;
  /** Where a route redirects to, without following it: what stands there may be another host, which gets no token. */
  redirect(action: Action, route: string, parameters?: Record<string, unknown>): Promise<string>;
  graphql<T>(action: Action, query: string, variables?: Record<string, unknown>, schema?: z.ZodType<T>): Promise<T>;
};

export function githubClient(options: GithubOptions): GithubClient {
  const [, owner, name] = /^([A-Za-z0-9][A-Za-z0-9-]{0,38})\/([\w.-]{1,100})$/.exec(options.repository) ?? [];
  if (owner === undefined || name === undefined) {
    throw new ConfigurationError(`${JSON.stringify(options.repository.slice(0, 200))} is no repository's name.`, {
      hint: 'Write it as owner/name.',
    });
  }
  // What a route doesn't name would be sent in the body.
  const placeIn = (route: string) => (route.includes('{owner}') ? { owner, repo: name } : {});
  let opened: Promise<Octokit> | null = null;
  const timeoutMs = options.timeoutMs ?? 30_000;
  // Until 3.12, GitHub Enterprise Server has these as previews, for who asks by media type; later ones pass over it.
  const previews = isEnterprise(options) ? { mediaType: { previews: ['update-refs', 'merge-info'] } } : {};
  let waitLeft = options.maxWaitMs ?? 300_000;

  async function call<T>(action: Action, send: (octokit: Octokit, signal: AbortSignal) => Promise<T>): Promise<T> {
    opened ??= openOctokit(options);
    const octokit = await opened;
    for (;;) {
      const signal = AbortSignal.timeout(timeoutMs);
      try {
        return await send(octokit, signal);
      } catch (error) {
        const failure = apiError(error, { ...action, repository: options.repository, timeoutMs });
        // A call that a rate limit refused was not done, so it may be sent again.
        if (failure.waitMs === null || failure.waitMs > waitLeft) throw failure.error;
        waitLeft -= failure.waitMs;
        await options.sleep(failure.waitMs);
      }
    }
  }

  return {
    repository: options.repository,
    owner,
    name,
    rest: (action, route, parameters = {}, schema) =>
      call(action, async (octokit, signal) => {
        const response = await octokit.request(route, { ...placeIn(route), ...parameters, request: { signal } });
        return checked(action, schema, response.data);
      }),
    redirect: (action, route, parameters = {}) =>
      call(action, async (octokit, signal) => {
        const request = { signal, redirect: 'manual' as const };
        const { headers } = await octokit.request(route, { owner, repo: name, ...parameters, request });
        return checked(action, z.url({ protocol: /^https?$/ }), headers.location);
      }),
    graphql: (action, query, variables = {}, schema) =>
      call(action, async (octokit, signal) =>
        checked(action, schema, await octokit.graphql(query, { ...variables, ...previews, request: { signal } })),
      ),
  };
}

/** A server of one's own, whose schema may be an older one. */
function isEnterprise({ baseUrl }: GithubOptions): boolean {
  return baseUrl !== undefined && /\/api\/v3\/*$/.test(baseUrl);
}

/** Octokit is loaded with the first call. */
export async function openOctokit(options: GithubOptions): Promise<Octokit> {
  const { Octokit } = await import('octokit');
  return new Octokit({
    auth: options.token,
    ...(options.baseUrl === undefined ? {} : { baseUrl: options.baseUrl.replace(/\/+$/, '') }),
    userAgent: options.userAgent ?? 'passloop',
    // A mutation that failed may have been done: our protocol reads again before it writes again.
    retry: { enabled: false },
    throttle:
      options.throttle === true ? { onRateLimit: () => false, onSecondaryRateLimit: () => false } : { enabled: false },
    log: { debug: ignore, info: ignore, warn: ignore, error: ignore },
  });
}

/** A proxy's login page with status 200 is no answer of GitHub. */
function checked<T>(action: Action, schema: z.ZodType<T> | undefined, answer: unknown): T {
  if (schema === undefined) return answer as T;
  const result = schema.safeParse(answer);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw new InfrastructureError(
    `What answered isn't GitHub's API: ${issue?.path.join('.') || 'the answer'} ${issue?.message ?? 'is wrong'} (${action.what}).`,
    { hint: 'Check the base URL, and what stands between: a proxy or a login page.' },
  );
}

function ignore(): void {}
