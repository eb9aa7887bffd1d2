import { spawn } from 'node:child_process';

/** What one run of git said. `stdout` holds bytes, since objects and patches need not be text. */
export type GitOutput = { code: number; stdout: Buffer; stderr: string };

export type GitOptions = {
  input?: string | Buffer;
  environment?: Record<string, string>;
  /** Exit codes that are an answer and not an error (default: only 0). */
  expect?: number[];
};

/** git ended with an exit code which the caller did not expect; the message is stderr's last line. */
export class GitError extends Error {
  readonly code: number;
  readonly stderr: string;

  constructor(args: string[], code: number, stderr: string) {
    super(`git ${args[0]} exited ${code}: ${stderr.trim().split('\n').at(-1) ?? ''}`);
    this.name = 'GitError';
    this.code = code;
    this.stderr = stderr;
  }
}

/** The environment of every git process: nobody's configuration, no prompts, any owner of the folder. */
export function gitEnvironment(extra: Record<string, string> = {}): Record<string, string> {
  return {
    PATH: process.env.PATH ?? '/usr/bin:/bin',
    LC_ALL: 'C',
    TZ: 'UTC',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_TERMINAL_PROMPT: '0',
    GIT_CONFIG_COUNT: '2',
    GIT_CONFIG_KEY_0: 'safe.directory',
    GIT_CONFIG_VALUE_0: '*',
    GIT_CONFIG_KEY_1: 'core.quotePath',
    GIT_CONFIG_VALUE_1: 'false',
    ...extra,
  };
}

/**
 * Runs git in a repository.
 * @throws GitError for an exit code that is not expected
 */
export async function runGit(directory: string, args: string[], options: GitOptions = {}): Promise<GitOutput> {
  const child = spawn('git', args, {
    cwd: directory,
    env: gitEnvironment(options.environment),
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
  child.stdin.on('error', () => undefined); // git may end before it has read all of its input
  child.stdin.end(options.input ?? '');
  const code = await new Promise<number>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (exitCode) => resolve(exitCode ?? 128));
  });
  const output = { code, stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr).toString() };
  if (!(options.expect ?? [0]).includes(code)) throw new GitError(args, code, output.stderr);
  return output;
}

/** The text that git printed, without the newline at its end. */
export async function gitText(directory: string, args: string[], options: GitOptions = {}): Promise<string> {
  return (await runGit(directory, args, options)).stdout.toString().replace(/\n$/, '');
}
