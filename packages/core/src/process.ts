import { spawn } from 'node:child_process';
import { ConfigurationError, InfrastructureError } from './errors.ts';

export type ProcessRequest = {
  /** Program and arguments; no shell ever reads them. */
  argv: readonly [string, ...string[]];
  cwd?: string | undefined;
  /** The whole environment of the child: nothing is inherited. */
  env: Readonly<Record<string, string>>;
  input?: string | Uint8Array | undefined;
  timeoutMs?: number | undefined;
  /** Bytes kept of each stream; what is beyond it is dropped from the middle of the run, the end is kept. */
  maxOutputBytes?: number | undefined;
  /** Takes stdout as it comes; the result holds none of it then. */
  onStdout?: ((chunk: Buffer) => void) | undefined;
  /** Called with each whole line of either stream as it comes. */
  onLine?: ((line: string, stream: 'stdout' | 'stderr') => void) | undefined;
  signal?: AbortSignal | undefined;
};

export type ProcessResult = {
  exitCode: number | null;
  signal: NodeJS.Signals | null;
  timedOut: boolean;
  stdout: Buffer;
  stderr: Buffer;
  /** True where a stream was longer than `maxOutputBytes` and its beginning was dropped. */
  truncated: boolean;
  seconds: number;
};

const defaultMaxOutput = 64 * 1024 * 1024;
/** How long the output of a program that has ended is waited for, while something that it started holds it open. */
const leftoverMs = 2000;

/** Ends each process that runs now, with its group, and each query. */
const running = new Set<() => void>();
let stopped = false;

/**
 * Ends all that `runProcess` started and lets nothing else start: whoever waits for a process gets an error, and its blocks
 * clean up. For the end of the command itself (Ctrl-C): children lead groups of their own, so a terminal's signal reaches none.
 */
export function stopProcesses(): void {
  stopped = true;
  for (const kill of running) kill();
}

/**
 * Has work within this process end at a stop too: the query of an embedded engine.
 * @returns what to call when the work is over
 * @throws InfrastructureError after `stopProcesses`
 */
export function endAtStop(what: string, end: () => void): () => void {
  if (stopped) throw interrupted(what);
  running.add(end);
  return () => running.delete(end);
}

/**
 * Runs a program to its end and never throws for an exit code. The child leads a process group of its own: at the timeout, and
 * when the program has ended, what is left of the group is killed, so that no grandchild lives on.
 * @throws ConfigurationError where the program doesn't exist; InfrastructureError after `stopProcesses`
 */
export function runProcess(request: ProcessRequest): Promise<ProcessResult> {
  const [program, ...args] = request.argv;
  if (stopped) return Promise.reject(interrupted(program));
  const limit = request.maxOutputBytes ?? defaultMaxOutput;
  const started = performance.now();
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd: request.cwd,
      env: request.env,
      // Node's pipe is a socket, and bash with a socket as its input takes itself for a remote login: it reads ~/.bashrc.
      stdio: [request.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
      detached: process.platform !== 'win32',
    });
    const stdout = tailBuffer(limit);
    const stderr = tailBuffer(limit);
    const lines = { stdout: lineSplitter(request.onLine, 'stdout'), stderr: lineSplitter(request.onLine, 'stderr') };
    let timedOut = false;

    function killGroup(): void {
      if (child.pid === undefined) return;
      try {
        process.kill(process.platform === 'win32' ? child.pid : -child.pid, 'SIGKILL');
      } catch {
        // Nothing is left of the group.
        child.kill('SIGKILL');
      }
    }
    const timer =
      request.timeoutMs === undefined
        ? null
        : setTimeout(() => {
            timedOut = true;
            killGroup();
          }, request.timeoutMs);
    if (request.signal?.aborted) killGroup();
    request.signal?.addEventListener('abort', killGroup, { once: true });
    running.add(killGroup);
    let leftover: NodeJS.Timeout | undefined;
    function settled(): void {
      if (timer !== null) clearTimeout(timer);
      clearTimeout(leftover);
      request.signal?.removeEventListener('abort', killGroup);
      running.delete(killGroup);
    }

    child.stdout?.on('data', (chunk: Buffer) => {
      if (request.onStdout === undefined) stdout.push(chunk);
      else request.onStdout(chunk);
      lines.stdout.push(chunk);
    });
    child.stderr?.on('data', (chunk: Buffer) => {
      stderr.push(chunk);
      lines.stderr.push(chunk);
    });
    // A child that ends without reading its input closes the pipe: its exit code says what happened.
    child.stdin?.on('error', () => {});
    child.on('error', (error: NodeJS.ErrnoException) => {
      settled();
      if (error.code === 'ENOENT') {
        reject(new ConfigurationError(`The program ${JSON.stringify(program)} was not found.`, { cause: error }));
      } else {
        reject(new InfrastructureError(`${program} could not start: ${error.message}`, { cause: error }));
      }
    });
    child.on('exit', () => {
      if (timer !== null) clearTimeout(timer);
      // What the program left behind may hold its output open for as long as it likes.
      leftover = setTimeout(() => {
        killGroup();
        child.stdout?.destroy();
        child.stderr?.destroy();
      }, leftoverMs);
    });
    child.on('close', (exitCode, signal) => {
      settled();
      killGroup();
      if (stopped) {
        reject(interrupted(program));
        return;
      }
      lines.stdout.flush();
      lines.stderr.flush();
      resolve({
        exitCode,
        signal,
        timedOut,
        stdout: stdout.read(),
        stderr: stderr.read(),
        truncated: stdout.truncated() || stderr.truncated(),
        seconds: (performance.now() - started) / 1000,
      });
    });
    child.stdin?.end(request.input);
  });
}

function interrupted(program: string): InfrastructureError {
  return new InfrastructureError(`${program} was not run to its end: the command was interrupted.`);
}

/** Runs a program that must succeed, and gives its stdout. The last line of stderr is the error's message. */
export async function runOrThrow(request: ProcessRequest): Promise<Buffer> {
  const result = await runProcess(request);
  const name = request.argv.slice(0, 2).join(' ');
  if (result.timedOut)
    throw new InfrastructureError(`${name} did not finish within ${(request.timeoutMs ?? 0) / 1000} s.`);
  if (result.exitCode !== 0) {
    const reason =
      lastLine(result.stderr) || lastLine(result.stdout) || `exit code ${result.exitCode ?? result.signal}`;
    throw new InfrastructureError(`${name} failed: ${reason}`);
  }
  return result.stdout;
}

export function lastLine(output: Uint8Array): string {
  return Buffer.from(output).toString('utf8').trimEnd().split(/\r?\n/).at(-1)?.trim() ?? '';
}

function tailBuffer(limit: number) {
  let chunks: Buffer[] = [];
  let size = 0;
  let dropped = false;
  return {
    push(chunk: Buffer): void {
      chunks.push(chunk);
      size += chunk.length;
      while (size - (chunks[0]?.length ?? 0) >= limit) {
        size -= chunks.shift()?.length ?? 0;
        dropped = true;
      }
    },
    read(): Buffer {
      const all = Buffer.concat(chunks);
      chunks = [];
      if (all.length <= limit) return all;
      dropped = true;
      return all.subarray(all.length - limit);
    },
    truncated: () => dropped,
  };
}

function lineSplitter(onLine: ProcessRequest['onLine'], stream: 'stdout' | 'stderr') {
  const decoder = new TextDecoder();
  let rest = '';
  function emit(final: boolean): void {
    if (onLine === undefined) return;
    const parts = rest.split(/\r?\n/);
    rest = final ? '' : (parts.pop() ?? '');
    for (const part of parts) {
      if (!final || part !== '') onLine(part, stream);
    }
  }
  return {
    push(chunk: Buffer): void {
      if (onLine === undefined) return;
      rest += decoder.decode(chunk, { stream: true });
      // A line without an end must not grow without bound.
      if (rest.length > 1 << 20) rest = rest.slice(-(1 << 20));
      emit(false);
    },
    flush: () => emit(true),
  };
}
