import { ConfigurationError, plainText } from '@passloop/core';
import type { Octokit } from 'octokit';
import type { z } from 'zod';
import { apiError } from './api-error.ts';
import { type GithubOptions, openOctokit } from './client.ts';

/**
 * What GitHub said about one setting. `refused`: the token may not see it, `permission` is what it lacks. `plan`: the
 * account's plan has no such thing. `unanswered`: nobody knows, for the reason that `said` tells.
 */
export type Answer<T> =
  | { state: 'found'; value: T }
  | { state: 'absent'; said: string }
  | { state: 'refused'; permission: string; said: string }
  | { state: 'plan'; said: string }
  | { state: 'unanswered'; said: string };

export type SettingsQuestion = {
  /** For messages: "the environment passloop". */
  what: string;
  /** What a token needs to see it, as GitHub writes it: `administration: read`. */
  permission: string;
  /** A GET route as in Octokit; `{owner}/{repo}` is filled in. */
  route: string;
  parameters?: Record<string, unknown>;
};

/** Reads a repository's settings. A setting that can't be read is an answer too: a diagnosis goes on without it. */
export type SettingsReader = {
  repository: string;
  ask<T>(question: SettingsQuestion, schema: z.ZodType<T>): Promise<Answer<T>>;
  /** The classic scopes of the token (`X-OAuth-Scopes`), after the first answer; null where it has none, as other tokens. */
  classicScopes(): readonly string[] | null;
};

type ReaderOptions = Omit<GithubOptions, 'token'> & { token: string | null };

/** @throws ConfigurationError for a repository's name that is none */
export function settingsReader(options: ReaderOptions): SettingsReader {
  const [, owner, repo] = /^([A-Za-z0-9][A-Za-z0-9-]{0,38})\/([\w.-]{1,100})$/.exec(options.repository) ?? [];
  if (owner === undefined || repo === undefined) {
    throw new ConfigurationError(`${JSON.stringify(options.repository.slice(0, 200))} is no repository's name.`, {
      hint: 'Write it as owner/name.',
    });
  }
  const { token } = options;
  let scopes: readonly string[] | null = null;
  let opened: Promise<Octokit> | null = null;

  return {
    repository: options.repository,
    classicScopes: () => scopes,
    async ask(question, schema) {
      if (token === null) return { state: 'unanswered', said: 'there is no token' };
      opened ??= openOctokit({ ...options, token });
      const octokit = await opened;
      return answerOf(question, schema, options, async (signal) => {
        const place = question.route.includes('{owner}/{repo}') ? { owner, repo } : {};
        const parameters = { ...place, ...question.parameters, request: { signal } };
        const { data, headers } = await octokit.request(question.route, parameters);
        scopes ??= scopesOf(headers['x-oauth-scopes']);
        return data;
      });
    },
  };
}

function scopesOf(header: unknown): readonly string[] | null {
  if (typeof header !== 'string' || header.trim() === '') return null;
  return header.split(',').map((scope) => scope.trim());
}

/** What an installation of a GitHub App was given. */
export type InstallationQuestion = {
  clientId: string;
  /** PEM. Signs one request; it's sent nowhere. */
  privateKey: string;
  repository: string;
  baseUrl?: string | undefined;
  userAgent?: string | undefined;
  timeoutMs?: number | undefined;
};

/** Asks as the App itself (a JWT) for its installation on a repository. */
export async function askInstallation<T>(question: InstallationQuestion, schema: z.ZodType<T>): Promise<Answer<T>> {
  const [owner = '', repo = ''] = question.repository.split('/');
  const { App, Octokit } = await import('octokit');
  const what = { what: `the App's installation on ${question.repository}`, permission: 'the private key of the App' };
  return answerOf(what, schema, question, async (signal) => {
    const app = new App({
      appId: question.clientId,
      privateKey: question.privateKey,
      Octokit: Octokit.defaults({
        ...(question.baseUrl === undefined ? {} : { baseUrl: question.baseUrl.replace(/\/+$/, '') }),
        userAgent: question.userAgent ?? 'passloop',
        retry: { enabled: false },
        throttle: { enabled: false },
      }),
    });
    const parameters = { owner, repo, request: { signal } };
    return (await app.octokit.request('GET /repos/{owner}/{repo}/installation', parameters)).data;
  });
}

async function answerOf<T>(
  question: Pick<SettingsQuestion, 'what' | 'permission'>,
  schema: z.ZodType<T>,
  options: { repository: string; timeoutMs?: number | undefined },
  send: (signal: AbortSignal) => Promise<unknown>,
): Promise<Answer<T>> {
  const timeoutMs = options.timeoutMs ?? 30_000;
  try {
    const result = schema.safeParse(await send(AbortSignal.timeout(timeoutMs)));
    if (result.success) return { state: 'found', value: result.data };
    const issue = result.error.issues[0];
    return { state: 'unanswered', said: `${question.what}: ${issue?.path.join('.')} ${issue?.message}` };
  } catch (thrown) {
    return failed(thrown, question, { ...options, timeoutMs });
  }
}

function failed<T>(
  thrown: unknown,
  question: Pick<SettingsQuestion, 'what' | 'permission'>,
  options: { repository: string; timeoutMs: number },
): Answer<T> {
  const call = { what: question.what, permission: 'metadata' as const, level: 'read' as const, ...options };
  const { error, waitMs } = apiError(thrown, call);
  const said = plainText(error.message, 300);
  const status = thrown instanceof Error && 'status' in thrown ? Number(thrown.status) : null;
  if (waitMs !== null || status === null) return { state: 'unanswered', said };
  const theirs = plainText(thrown instanceof Error ? thrown.message : '', 200);
  // "Upgrade to GitHub Pro or make this repository public to enable this feature."
  if (status === 403 && /\bupgrade\b/i.test(theirs)) return { state: 'plan', said: theirs };
  if (status === 403) return { state: 'refused', permission: question.permission, said: theirs };
  if (status === 404) return { state: 'absent', said: theirs };
  return { state: 'unanswered', said };
}
