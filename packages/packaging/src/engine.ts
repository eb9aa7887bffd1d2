import { access, constants } from 'node:fs/promises';
import path from 'node:path';
import {
  ConfigurationError,
  InfrastructureError,
  lastLine,
  type ProcessResult,
  plainText,
  runProcess,
} from '@passloop/core';
import { z } from 'zod';
import { quoteCommandLine } from './command-line.ts';

/**
 * The one place that talks to Docker. Short commands go through docker-cli-js, which runs a shell string without a time
 * limit; so each element is quoted, the environment is a list of names, and output and time are bounded here. What runs
 * long or must be followed (builds, pulls, pushes, logs) goes through the argv runner.
 */

export type EngineOptions = {
  /** The client: `docker` (looked for in PATH), or the path of a program of that name. */
  program?: string | undefined;
  /** Where PATH, HOME, DOCKER_* and the proxies are taken from; nothing else of it reaches the client. */
  environment: Readonly<Record<string, string | undefined>>;
};

type CommandOptions = { timeoutMs?: number | undefined; input?: string | undefined };
type FollowOptions = {
  timeoutMs?: number | undefined;
  onLine?: ((line: string, stream: 'stdout' | 'stderr') => void) | undefined;
  maxOutputBytes?: number | undefined;
  signal?: AbortSignal | undefined;
};
type CommandResult = { ok: boolean; stdout: string; stderr: string };

export type Engine = {
  /** Path of the client program, its version and the server's. */
  readonly program: string;
  readonly clientVersion: string;
  readonly serverVersion: string;
  /** `linux/amd64`: what the server runs without emulation. */
  readonly platform: string;
  readonly builder: 'buildkit' | 'classic';
  /** Runs a short command. A command that fails is an answer (`ok: false`); no answer in time is an InfrastructureError. */
  attempt(args: readonly string[], options?: CommandOptions): Promise<CommandResult>;
  /** Runs a short command that must succeed and gives its stdout. */
  run(args: readonly string[], options?: CommandOptions): Promise<string>;
  /** Runs a long command, line by line, and never throws for its exit code. */
  follow(args: readonly string[], options?: FollowOptions): Promise<ProcessResult>;
  /** The same engine with other variables for its client (`DOCKER_CONFIG` for credentials, for one). */
  with(variables: Readonly<Record<string, string>>): Engine;
};

const passedNames = [
  'PATH',
  'HOME',
  'USER',
  'DOCKER_HOST',
  'DOCKER_CONFIG',
  'DOCKER_CONTEXT',
  'DOCKER_TLS_VERIFY',
  'DOCKER_CERT_PATH',
  'DOCKER_API_VERSION',
  'DOCKER_BUILDKIT',
  'XDG_RUNTIME_DIR',
  'SSH_AUTH_SOCK',
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'NO_PROXY',
  'http_proxy',
  'https_proxy',
  'no_proxy',
] as const;

const defaultTimeoutMs = 60_000;
const maxOutputCharacters = 16 * 1024 * 1024;

const VersionAnswer = z.object({
  Client: z.object({ Version: z.string() }),
  Server: z.object({ Version: z.string(), Os: z.string(), Arch: z.string() }).nullish(),
});

type Client = { program: string; version: string; buildkit: boolean; server: { version: string; platform: string } };

/**
 * Finds a client that reaches an engine, one with BuildKit first.
 * @throws InfrastructureError that says what is missing, where there is no client or no engine answers.
 */
export async function openEngine(options: EngineOptions): Promise<Engine> {
  if (process.platform === 'win32') {
    throw new ConfigurationError('Images are built and probed on Linux and macOS.', {
      hint: 'On Windows, run the command inside WSL 2.',
    });
  }
  const environment = passedEnvironment(options.environment);
  const programs = await findPrograms(options.program ?? 'docker', environment.PATH ?? '');
  if (programs.length === 0) {
    throw new InfrastructureError(
      `No Docker client: the program ${JSON.stringify(options.program ?? 'docker')} was not found.`,
      {
        hint: installHint,
      },
    );
  }
  let classic: Client | null = null;
  let reason = '';
  for (const program of programs) {
    const found = await examineClient(program, environment);
    if (typeof found === 'string') {
      reason ||= found;
      continue;
    }
    if (found.buildkit) return createEngine(found, environment);
    classic ??= found;
  }
  if (classic !== null) return createEngine(classic, environment);
  throw new InfrastructureError(`No Docker engine answers: ${plainText(reason, 300)}`, { hint: installHint });
}

const installHint =
  'Install and start one (Debian and Ubuntu: `apt-get install docker.io`, then `dockerd` or `systemctl start docker`), let your user reach its socket, or point DOCKER_HOST at another.';

function passedEnvironment(source: EngineOptions['environment']): Record<string, string> {
  const environment: Record<string, string> = {};
  for (const name of passedNames) {
    const value = source[name];
    if (value !== undefined && value !== '') environment[name] = value;
  }
  // docker-cli-js fills these three from the process where they are absent.
  for (const name of ['PATH', 'HOME', 'USER']) environment[name] ??= '';
  return environment;
}

async function findPrograms(program: string, searchPath: string): Promise<string[]> {
  if (path.basename(program) !== 'docker') {
    // docker-cli-js runs the word `docker`, whatever is asked: a client of another name cannot stand behind it.
    throw new ConfigurationError(`The Docker client must be a program named docker, not ${JSON.stringify(program)}.`, {
      hint: 'Make a link named docker to it, and give the path of the link.',
    });
  }
  const candidates = program.includes('/')
    ? [path.resolve(program)]
    : searchPath
        .split(path.delimiter)
        .filter((folder) => path.isAbsolute(folder))
        .map((folder) => path.join(folder, program));
  const found: string[] = [];
  for (const candidate of new Set(candidates)) {
    try {
      await access(candidate, constants.X_OK);
      found.push(candidate);
    } catch {
      // Not here; the next folder of PATH may have it.
    }
  }
  return found;
}

/** The client's facts, or in a sentence why it cannot be used. */
async function examineClient(program: string, environment: Record<string, string>): Promise<Client | string> {
  const answer = await runClient(program, environment, ['version', '--format', '{{json .}}'], { timeoutMs: 20_000 });
  // Without a server the client prints its own half, complains on stderr and fails.
  const parsed = answer.ok ? VersionAnswer.safeParse(parseJson(answer.stdout)) : null;
  if (!parsed?.success || !parsed.data.Server) {
    return `${program}: ${lastLine(Buffer.from(answer.stderr)) || 'the client gave no version of a server'}`;
  }
  const { Client: client, Server: server } = parsed.data;
  if (server.Os !== 'linux') return `${program}: its engine runs ${server.Os} containers, Passloop's images are Linux`;
  // From 23 on, BuildKit is the buildx plugin, which a distribution may leave out; before, it is a part of the engine.
  const buildkit =
    environment.DOCKER_BUILDKIT !== '0' &&
    (Number.parseInt(client.Version, 10) < 23 || (await runClient(program, environment, ['buildx', 'version'], {})).ok);
  const platform = `${server.Os}/${server.Arch}`;
  return { program, version: client.Version, buildkit, server: { version: server.Version, platform } };
}

function createEngine(client: Client, environment: Record<string, string>): Engine {
  const variables: Record<string, string> = {
    ...environment,
    DOCKER_BUILDKIT: client.buildkit ? '1' : '0',
    // An attestation turns the manifest of an image into an index, which no other part of the road expects.
    BUILDX_NO_DEFAULT_ATTESTATIONS: '1',
    // Hints for people who type commands.
    DOCKER_CLI_HINTS: 'false',
  };
  return {
    program: client.program,
    clientVersion: client.version,
    serverVersion: client.server.version,
    platform: client.server.platform,
    builder: client.buildkit ? 'buildkit' : 'classic',
    attempt: (args, options = {}) => runClient(client.program, variables, args, options),
    async run(args, options = {}) {
      const result = await runClient(client.program, variables, args, options);
      if (!result.ok) throw engineFailure(args, result.stderr, result.stdout);
      return result.stdout;
    },
    follow: (args, options = {}) =>
      runProcess({
        argv: [client.program, ...args],
        env: variables,
        timeoutMs: options.timeoutMs,
        onLine: options.onLine,
        maxOutputBytes: options.maxOutputBytes ?? 4 * 1024 * 1024,
        signal: options.signal,
      }),
    with: (more) => createEngine(client, { ...environment, ...more }),
  };
}

/** The error for a command that failed: its last line, where Docker says why. */
export function engineFailure(args: readonly string[], stderr: string, stdout = ''): InfrastructureError {
  // `docker start` repeats the name on its last line; the daemon's reason stands above it.
  const said = /^Error response from daemon: (.+)$/m.exec(stderr)?.[1];
  const reason = said ?? (lastLine(Buffer.from(stderr)) || lastLine(Buffer.from(stdout)) || 'it gave no reason');
  const name = args.slice(0, args[0] === 'image' || args[0] === 'network' || args[0] === 'manifest' ? 2 : 1).join(' ');
  const unreachable = /cannot connect to the docker daemon|is the docker daemon running/i.test(reason);
  return new InfrastructureError(`docker ${name} failed: ${plainText(reason, 500)}`, {
    hint: unreachable ? installHint : undefined,
  });
}

async function runClient(
  program: string,
  environment: Record<string, string>,
  args: readonly string[],
  options: CommandOptions,
): Promise<CommandResult> {
  const { dockerCommand } = await import('docker-cli-js');
  const command = quoteCommandLine(args);
  const timeoutMs = options.timeoutMs ?? defaultTimeoutMs;
  const running = dockerCommand(command, {
    echo: false,
    // The library runs the first `docker` in PATH.
    env: { ...environment, PATH: `${path.dirname(program)}${path.delimiter}${environment.PATH ?? ''}` },
    stdin: options.input,
  });
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new InfrastructureError(`docker ${args[0] ?? ''} did not answer within ${timeoutMs / 1000} s.`));
    }, timeoutMs);
  });
  try {
    const { raw } = (await Promise.race([running, late])) as { raw: string };
    if (raw.length > maxOutputCharacters) {
      throw new InfrastructureError(`docker ${args[0] ?? ''} printed more than ${maxOutputCharacters} characters.`);
    }
    return { ok: true, stdout: raw, stderr: '' };
  } catch (error) {
    const failed = error as { stdout?: unknown; stderr?: unknown };
    if (typeof failed.stdout !== 'string' || typeof failed.stderr !== 'string') throw error;
    return { ok: false, stdout: failed.stdout.slice(0, 1 << 20), stderr: failed.stderr.slice(-(1 << 20)) };
  } finally {
    clearTimeout(timer);
  }
}

/** The JSON that a `{{json .}}` format printed, or undefined. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
