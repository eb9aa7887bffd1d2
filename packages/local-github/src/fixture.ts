import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Octokit } from 'octokit';
import type { CreatedRepository, LocalGithub, LocalGithubOptions, TokenRequest } from './index.ts';
import { startLocalGithub } from './index.ts';
import { EVERY_PERMISSION } from './tokens.ts';

const run = promisify(execFile);

/** git as a user on this machine runs it, without the machine's configuration. */
export async function git(cwd: string, ...args: string[]): Promise<string> {
  const environment = {
    PATH: process.env.PATH,
    HOME: cwd,
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_TERMINAL_PROMPT: '0',
    GIT_AUTHOR_NAME: 'Ada',
    GIT_AUTHOR_EMAIL: 'ada@example.com',
    GIT_COMMITTER_NAME: 'Ada',
    GIT_COMMITTER_EMAIL: 'ada@example.com',
  };
  const { stdout } = await run('git', args, { cwd, env: environment, maxBuffer: 64 * 1024 * 1024 });
  return stdout.trim();
}

export async function temporaryFolder(): Promise<AsyncDisposable & { path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'local-github-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

export async function writeFiles(folder: string, files: Record<string, string>): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    await run('mkdir', ['-p', join(folder, name, '..')]);
    await writeFile(join(folder, name), text);
  }
}

export type World = AsyncDisposable & {
  server: LocalGithub;
  /** acme/deploy, with one commit on `main` (README.md, app/values.yaml). */
  repository: CreatedRepository;
  /** A clone of it which may push. */
  clone: string;
  /** A folder for more. */
  folder: string;
  token: string;
  octokit: Octokit;
};

/** Octokit without retries and spacing: a call is one call. */
export function octokitFor(server: LocalGithub, token: string | undefined): Octokit {
  return new Octokit({
    baseUrl: server.restUrl,
    ...(token === undefined ? {} : { auth: token }),
    retry: { enabled: false },
    throttle: { enabled: false },
    log: { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined },
  });
}

/** A server with one repository, a clone of it and a token which may do everything but pass by protection. */
export async function createWorld(
  options: Partial<LocalGithubOptions> & { token?: Partial<TokenRequest>; private?: boolean; autoMerge?: boolean } = {},
): Promise<World> {
  const folder = await temporaryFolder();
  const server = await startLocalGithub({ root: join(folder.path, 'root'), ...options });
  const repository = await server.createRepository({
    owner: 'acme',
    name: 'deploy',
    private: options.private ?? true,
    settings: { allowAutoMerge: options.autoMerge ?? false },
  });
  const token = await server.createToken({
    login: 'ada',
    permissions: EVERY_PERMISSION,
    ...options.token,
  });
  const clone = join(folder.path, 'clone');
  await git(folder.path, 'clone', '--quiet', repository.cloneUrlWith(token), 'clone');
  await writeFiles(clone, { 'README.md': '# deploy\n', 'app/values.yaml': 'image:\n  tag: "1"\n' });
  await commit(clone, 'Start');
  await git(clone, 'push', '--quiet', 'origin', 'main');
  return {
    server,
    repository,
    clone,
    folder: folder.path,
    token,
    octokit: octokitFor(server, token),
    [Symbol.asyncDispose]: async () => {
      await server.close();
      await folder[Symbol.asyncDispose]();
    },
  };
}

/** Commits everything in the clone and returns the commit. */
export async function commit(clone: string, message: string): Promise<string> {
  await git(clone, 'add', '--all');
  await git(clone, 'commit', '--quiet', '-m', message);
  return git(clone, 'rev-parse', 'HEAD');
}

/** A branch off `from` with one commit a change, pushed; the clone stays on it. */
export async function pushBranch(
  clone: string,
  branch: string,
  changes: Record<string, string>[],
  from = 'origin/main',
): Promise<string> {
  await git(clone, 'fetch', '--quiet', 'origin');
  await git(clone, 'checkout', '--quiet', '--no-track', '-B', branch, from);
  for (const [index, files] of changes.entries()) {
    await writeFiles(clone, files);
    await commit(clone, `${branch} ${index + 1}`);
  }
  await git(clone, 'push', '--quiet', '--force', 'origin', branch);
  return git(clone, 'rev-parse', 'HEAD');
}
