import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';

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

export type GitOrder = {
  id: number;
  directory: string;
  args: string[];
  env: Record<string, string>;
  input: string | Buffer;
};
export type GitAnswer = { id: number; output?: GitOutput; error?: string };

type Pending = { resolve: (output: GitOutput) => void; reject: (error: Error) => void };

/**
 * The process that starts git: a fork copies the page tables of whoever asks for it, which is milliseconds for each 100 MiB of a test's
 * process, and a server starts git for most of what it answers.
 */
class GitRunner {
  readonly #child: ChildProcess;
  readonly #pending = new Map<number, Pending>();
  #last = 0;

  constructor(onEnd: (ended: GitRunner) => void) {
    this.#child = fork(join(import.meta.dirname, 'git-runner.ts'), {
      execArgv: [],
      serialization: 'advanced',
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    const end = (reason: string) => {
      onEnd(this);
      for (const { reject } of this.#pending.values()) reject(new Error(reason));
      this.#pending.clear();
    };
    this.#child.on('message', ({ id, output, error }: GitAnswer) => {
      const pending = this.#pending.get(id);
      this.#pending.delete(id);
      this.#hold();
      if (output === undefined) pending?.reject(new Error(error));
      else pending?.resolve(output);
    });
    this.#child.on('error', (error) => end(error.message));
    this.#child.on('exit', (code) => end(`The process that starts git ended with ${code}.`));
  }

  run(directory: string, args: string[], options: GitOptions): Promise<GitOutput> {
    this.#last += 1;
    const id = this.#last;
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve, reject });
      this.#hold();
      const order = { id, directory, args, env: gitEnvironment(options.environment), input: options.input ?? '' };
      this.#child.send(order satisfies GitOrder, (error) => {
        if (error === null) return;
        this.#pending.delete(id);
        reject(error);
      });
    });
  }

  /** Keeps this process alive only while something is asked. */
  #hold(): void {
    for (const one of [this.#child, this.#child.channel]) {
      if (this.#pending.size > 0) one?.ref();
      else one?.unref();
    }
  }
}

let runner: GitRunner | undefined;

/**
 * Runs git in a repository.
 * @throws GitError for an exit code that is not expected
 */
export async function runGit(directory: string, args: string[], options: GitOptions = {}): Promise<GitOutput> {
  runner ??= new GitRunner((ended) => {
    // It may say twice that it ended, and another may be at work by then.
    if (runner === ended) runner = undefined;
  });
  const output = await runner.run(directory, args, options);
  if (!(options.expect ?? [0]).includes(output.code)) throw new GitError(args, output.code, output.stderr);
  return output;
}

/** The text that git printed, without the newline at its end. */
export async function gitText(directory: string, args: string[], options: GitOptions = {}): Promise<string> {
  return (await runGit(directory, args, options)).stdout.toString().replace(/\n$/, '');
}
