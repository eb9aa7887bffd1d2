import type { Progress } from '@passloop/core';

/** What a verb may know of the outside world. Both faces, the command and an action, make one and hand it over. */
export type Context = {
  /** The folder in which the person or the job stands. */
  cwd: string;
  env: Readonly<Record<string, string | undefined>>;
  now(): Date;
  progress: Progress;
  /**
   * A token for another repository, where the environment has none: what a GitHub App gives, one repository at a time. With
   * permissions, one of these alone; else of those that the face asked for.
   */
  tokenFor?:
    | ((repository: string, permissions?: Readonly<Record<string, 'read' | 'write'>>) => Promise<string>)
    | undefined;
  /** Passloop's own version, for documents. */
  version: string;
};

/** What git and other tools of the machine may see of the environment: nothing that looks like a secret. */
export function toolEnvironment(context: Context, more: readonly string[] = []): Record<string, string> {
  const names = [
    'PATH',
    'HOME',
    'USER',
    'TMPDIR',
    'LANG',
    'XDG_CACHE_HOME',
    'SystemRoot',
    'GIT_CONFIG_GLOBAL',
    'GIT_CONFIG_SYSTEM',
    ...more,
  ];
  const env: Record<string, string> = {};
  for (const name of names) {
    const value = context.env[name];
    if (value !== undefined) env[name] = value;
  }
  return env;
}

/** The moment, as documents write it: ISO 8601, UTC, whole seconds. */
export function timestamp(context: Context): string {
  return context
    .now()
    .toISOString()
    .replace(/\.\d{3}Z$/, 'Z');
}
