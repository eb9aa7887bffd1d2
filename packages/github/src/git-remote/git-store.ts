import { devNull } from 'node:os';
import path from 'node:path';
import { InfrastructureError, lastLine, type ProcessResult, processFolder, runProcess } from '@passloop/core';
import { remoteFailure } from './git-failure.ts';
import type { GitRemote } from './git-url.ts';

export type GitStoreOptions = {
  remote: GitRemote;
  /** What git may see of the environment: PATH and HOME, its credentials, an SSH agent, proxies. */
  env: Readonly<Record<string, string>>;
  /** No end of a network command within this time is a failure; 300,000 ms by default. */
  timeoutMs?: number | undefined;
};

/** A bare repository of our own that holds what was fetched: no work tree, no hook, nothing of the remote's configuration. */
export type GitStore = {
  /** What the remote says of its branches, as `git ls-remote --symref` prints it. @throws the port's errors */
  list(patterns: readonly string[]): Promise<string>;
  /** A local command that must succeed. */
  git(args: readonly string[], options?: LocalOptions): Promise<string>;
  /** A local command with its exit code. */
  tryGit(args: readonly string[], options?: LocalOptions): Promise<ProcessResult>;
  /** A command that talks to the remote, as `origin`. @throws the port's errors */
  remote(what: string, args: readonly string[], input?: string): Promise<string>;
  /** The same, with its exit code. */
  tryRemote(args: readonly string[], input?: string): Promise<ProcessResult>;
  timeoutMs: number;
  /** Blobs that are here for sure: a partial clone gets others when they are needed, but one by one. */
  blobs: Set<string>;
};

type LocalOptions = { input?: string | Uint8Array; env?: Record<string, string> };

/**
 * What a user's or a system's configuration must not change here: hooks, signatures, what is fetched or pushed beside what was
 * asked for, and how git prints what we read.
 */
const fixed: readonly string[] = [
  `core.hooksPath=${devNull}`,
  'core.fsmonitor=false',
  'core.quotePath=false',
  'gc.auto=0',
  'maintenance.auto=false',
  'fetch.recurseSubmodules=false',
  'fetch.prune=false',
  'push.recurseSubmodules=no',
  'push.followTags=false',
  'push.gpgSign=false',
  'transfer.bundleURI=false',
  'log.showSignature=false',
  'log.mailmap=false',
  'i18n.commitEncoding=UTF-8',
  'i18n.logOutputEncoding=UTF-8',
  'user.useConfigOnly=true',
];

/** The environment variables that git's ways to log in and to reach a host need. */
export const gitRemoteVariables = [
  'SSH_AUTH_SOCK',
  'SSH_AGENT_PID',
  'SSH_ASKPASS',
  'GIT_ASKPASS',
  'GIT_SSH',
  'GIT_SSH_COMMAND',
  'GIT_SSL_CAINFO',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  'http_proxy',
  'https_proxy',
  'HTTPS_PROXY',
  'all_proxy',
  'ALL_PROXY',
  'no_proxy',
  'NO_PROXY',
];

export function gitStore({ remote, env, timeoutMs = 300_000 }: GitStoreOptions): GitStore {
  let parent: Promise<string> | null = null;
  let opened: Promise<string> | null = null;
  let format: 'sha1' | 'sha256' = 'sha1';

  async function run(folder: string, args: readonly string[], options: LocalOptions & { timeoutMs?: number } = {}) {
    return runProcess({
      argv: ['git', `--git-dir=${folder}`, ...flags(fixed), ...args],
      cwd: folder,
      env: { ...env, ...loginOf(remote), ...always(remote), ...options.env },
      input: options.input,
      timeoutMs: options.timeoutMs,
      maxOutputBytes: 1 << 28,
    });
  }

  async function open(): Promise<string> {
    parent ??= processFolder('deploy');
    const folder = path.join(await parent, 'deploy.git');
    const made = await runProcess({
      argv: ['git', ...flags(fixed), 'init', '--quiet', '--bare', '--template=', `--object-format=${format}`, folder],
      env: { ...env, ...always(remote) },
    });
    if (made.exitCode !== 0) throw new InfrastructureError(`git init failed: ${lastLine(made.stderr)}`);
    const set = await run(folder, ['config', 'remote.origin.url', remote.url]);
    if (set.exitCode !== 0) throw new InfrastructureError(`git config failed: ${lastLine(set.stderr)}`);
    return folder;
  }

  async function folder(): Promise<string> {
    opened ??= open().catch((error: unknown) => {
      opened = null;
      throw error;
    });
    return opened;
  }

  const store: GitStore = {
    timeoutMs,
    blobs: new Set(),
    async list(patterns) {
      parent ??= processFolder('deploy');
      const folder = await parent;
      const listed = await runProcess({
        argv: ['git', ...flags(fixed), 'ls-remote', '--symref', '--', remote.url, ...patterns],
        cwd: folder,
        // Outside of any repository: what stands in somebody's configuration there is not about this one.
        env: { ...env, ...loginOf(remote), ...always(remote), GIT_CEILING_DIRECTORIES: path.dirname(folder) },
        timeoutMs,
      });
      if (listed.exitCode !== 0) throw remoteFailure(remote, 'asking for its branches', listed, timeoutMs);
      const text = listed.stdout.toString('utf8');
      // A repository whose ids have 64 digits is one of sha256, and one of sha1 can't fetch from it.
      if (/^[0-9a-f]{64}\t/m.test(text)) format = 'sha256';
      return text;
    },
    async tryGit(args, options) {
      const result = await run(await folder(), args, options);
      if (result.truncated) throw new InfrastructureError(`git ${args[0]} printed more than can be read.`);
      return result;
    },
    async git(args, options) {
      const result = await store.tryGit(args, options);
      if (result.exitCode === 0) return result.stdout.toString('utf8');
      const command = args.find((arg) => !arg.startsWith('-')) ?? '';
      throw new InfrastructureError(
        `git ${command} failed: ${lastLine(result.stderr) || `exit code ${result.exitCode}`}`,
      );
    },
    tryRemote: async (args, input) =>
      run(await folder(), args, { timeoutMs, ...(input === undefined ? {} : { input }) }),
    async remote(what, args, input) {
      const result = await store.tryRemote(args, input);
      if (result.exitCode !== 0) throw remoteFailure(remote, what, result, timeoutMs);
      return result.stdout.toString('utf8');
    },
  };
  return store;
}

function flags(settings: readonly string[]): string[] {
  return settings.flatMap((setting) => ['-c', setting]);
}

/** One transport, the URL's own: no redirect, and no configuration, leads to another one. Nobody is asked anything. */
function always({ protocol }: GitRemote): Record<string, string> {
  return {
    LC_ALL: 'C.UTF-8',
    LANGUAGE: '',
    GIT_TERMINAL_PROMPT: '0',
    GCM_INTERACTIVE: 'never',
    GIT_OPTIONAL_LOCKS: '0',
    GIT_NO_REPLACE_OBJECTS: '1',
    GIT_ALLOW_PROTOCOL: protocol === 'http' ? 'http:https' : protocol,
  };
}

/** A name and password of the URL, for its host alone: in the environment of the command, in no argument and in no file. */
function loginOf({ url, credentials }: GitRemote): Record<string, string> {
  if (credentials === null) return {};
  const basic = Buffer.from(`${credentials.username}:${credentials.password}`).toString('base64');
  return {
    GIT_CONFIG_COUNT: '1',
    GIT_CONFIG_KEY_0: `http.${new URL(url).origin}/.extraHeader`,
    GIT_CONFIG_VALUE_0: `Authorization: Basic ${basic}`,
  };
}
