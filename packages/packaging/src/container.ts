import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { InfrastructureError, logText, plainText } from '@passloop/core';
import { z } from 'zod';
import { type Engine, engineFailure, parseJson } from './engine.ts';
import { imageArgument } from './image-name.ts';

export type ContainerRequest = {
  image: string;
  /** A word for the container's name: who finds it left over knows what it was for. */
  purpose: string;
  /** `none`, or the name of a network. */
  network: string;
  /** Numeric `uid[:gid]`. */
  user: string;
  platform?: string | undefined;
  entrypoint?: string | undefined;
  command?: readonly string[] | undefined;
  memory?: string | undefined;
  pids?: number | undefined;
  /** How often the engine asks the image's own health check; the image's interval where absent. */
  healthIntervalMs?: number | undefined;
  /** Ports of the container to publish on a free port of 127.0.0.1, where its address can't be reached. */
  publish?: readonly number[] | undefined;
};

export type ContainerState = {
  running: boolean;
  exitCode: number;
  oomKilled: boolean;
  /** Seconds since the epoch by the engine's clock. */
  startedAt: number;
  health: { status: string; healthyAt: number | null } | null;
  /** Address on its first network, or null. */
  address: string | null;
  ports: Record<string, number>;
};

export type Container = AsyncDisposable & {
  name: string;
  start(): Promise<void>;
  state(): Promise<ContainerState>;
  /** Waits for its end. @returns its exit code @throws InfrastructureError at the time limit */
  wait(timeoutMs: number): Promise<number>;
  /** SIGTERM, and SIGKILL after `seconds`. @returns the seconds that it took */
  stop(seconds: number): Promise<number>;
  /** Its last output, bounded and safe for a log that a runner reads. */
  logs(lines?: number): Promise<string>;
};

const label = 'passloop.container';
/** Which process a container or network belongs to. */
const ownerLabel = 'passloop.owner';
const owner = () => `${hostname()}/${process.pid}`;

/**
 * Creates a locked-down container: read-only root, no capability, no new privilege, bounded memory, processes and logs.
 * It is removed by name when its block ends, whatever happened in between.
 */
export async function createContainer(engine: Engine, request: ContainerRequest): Promise<Container> {
  await removeLeftovers(engine);
  const name = `passloop-${request.purpose}-${randomBytes(6).toString('hex')}`;
  const memory = request.memory ?? '2g';
  const args = [
    'create',
    '--name',
    name,
    '--label',
    `${label}=${request.purpose}`,
    '--label',
    `${ownerLabel}=${owner()}`,
    '--network',
    request.network,
    '--read-only',
    ...['--cap-drop', 'ALL', '--security-opt', 'no-new-privileges', '--user', request.user],
    ...['--memory', memory, '--memory-swap', memory, '--pids-limit', String(request.pids ?? 256)],
    ...['--log-driver', 'json-file', '--log-opt', 'max-size=1m', '--log-opt', 'max-file=1'],
    // What is here already is never looked for in a registry, and what isn't here was not asked for.
    ...['--pull', 'never'],
  ];
  if (request.platform !== undefined) args.push('--platform', request.platform);
  if (request.healthIntervalMs !== undefined) args.push('--health-interval', `${request.healthIntervalMs}ms`);
  if (request.entrypoint !== undefined) args.push('--entrypoint', request.entrypoint);
  for (const port of request.publish ?? []) args.push('--publish', `127.0.0.1::${port}`);
  args.push(imageArgument(request.image), ...(request.command ?? []));

  async function remove(): Promise<void> {
    const result = await engine.attempt(['rm', '--force', '--volumes', name], { timeoutMs: 120_000 });
    if (!result.ok && !/no such container/i.test(result.stderr)) throw engineFailure(['rm'], result.stderr);
  }

  try {
    await engine.run(args, { timeoutMs: 120_000 });
  } catch (error) {
    await remove().catch(() => {});
    throw error;
  }
  return {
    name,
    [Symbol.asyncDispose]: remove,
    async start() {
      await engine.run(['start', name], { timeoutMs: 120_000 });
    },
    state: () => containerState(engine, name),
    async wait(timeoutMs) {
      const result = await engine.follow(['wait', name], { timeoutMs });
      const exitCode = Number.parseInt(result.stdout.toString('utf8'), 10);
      if (result.timedOut) throw new InfrastructureError(`The container did not end within ${timeoutMs / 1000} s.`);
      if (!Number.isInteger(exitCode)) throw engineFailure(['wait'], result.stderr.toString('utf8'));
      return exitCode;
    },
    async stop(seconds) {
      const started = performance.now();
      await engine.run(['stop', '--time', String(seconds), name], { timeoutMs: (seconds + 60) * 1000 });
      return (performance.now() - started) / 1000;
    },
    async logs(lines = 40) {
      const result = await engine.follow(['logs', '--tail', String(lines), name], {
        timeoutMs: 30_000,
        maxOutputBytes: 64 * 1024,
      });
      return logText(`${result.stdout.toString('utf8')}${result.stderr.toString('utf8')}`.trim());
    },
  };
}

const StateAnswer = z.object({
  State: z.object({
    Running: z.boolean(),
    ExitCode: z.int(),
    OOMKilled: z.boolean(),
    StartedAt: z.string(),
    Health: z
      .object({
        Status: z.string(),
        Log: z.array(z.object({ End: z.string(), ExitCode: z.int() })).nullish(),
      })
      .nullish(),
  }),
  NetworkSettings: z.object({
    Networks: z.record(z.string(), z.object({ IPAddress: z.string() })),
    Ports: z.record(z.string(), z.array(z.object({ HostPort: z.string() })).nullable()).nullish(),
  }),
});

async function containerState(engine: Engine, name: string): Promise<ContainerState> {
  const text = await engine.run(['container', 'inspect', '--format', '{{json .}}', name]);
  const parsed = StateAnswer.safeParse(parseJson(text));
  if (!parsed.success) throw new InfrastructureError('docker container inspect gave an answer of another form.');
  const { State: state, NetworkSettings: network } = parsed.data;
  const firstSuccess = state.Health?.Log?.find((entry) => entry.ExitCode === 0);
  const ports: Record<string, number> = {};
  for (const [port, bound] of Object.entries(network.Ports ?? {})) {
    const host = Number(bound?.[0]?.HostPort);
    if (Number.isInteger(host) && host > 0) ports[port] = host;
  }
  return {
    running: state.Running,
    exitCode: state.ExitCode,
    oomKilled: state.OOMKilled,
    startedAt: epochSeconds(state.StartedAt),
    health: state.Health
      ? { status: state.Health.Status, healthyAt: firstSuccess === undefined ? null : epochSeconds(firstSuccess.End) }
      : null,
    address: Object.values(network.Networks).find((entry) => entry.IPAddress !== '')?.IPAddress ?? null,
    ports,
  };
}

/** Go prints nanoseconds and an offset; a Date keeps the milliseconds. */
function epochSeconds(text: string): number {
  return Date.parse(text.replace(/(\.\d{3})\d+/, '$1')) / 1000;
}

/** Why a container that should run doesn't, in one sentence, with its last lines. */
export async function containerFailure(container: Container, state: ContainerState, what: string): Promise<string> {
  const logs = plainText((await container.logs(8)).replaceAll('\n', ' | '), 1500);
  const how = state.running
    ? 'it still runs'
    : state.oomKilled
      ? 'it was killed, since it needs more memory than it may have'
      : `it ended with exit code ${state.exitCode}`;
  return `${what}: ${how}${logs === '' ? '; it printed nothing' : `; its last output: ${logs}`}`;
}

/** A network without a way out; gone when its block ends. */
export async function createInternalNetwork(engine: Engine): Promise<AsyncDisposable & { name: string }> {
  await removeLeftovers(engine);
  const name = `passloop-probe-${randomBytes(6).toString('hex')}`;
  const labels = ['--label', `${label}=network`, '--label', `${ownerLabel}=${owner()}`];
  await engine.run(['network', 'create', '--internal', ...labels, name]);
  return {
    name,
    async [Symbol.asyncDispose]() {
      const result = await engine.attempt(['network', 'rm', name]);
      if (!result.ok && !/no such network|not found/i.test(result.stderr))
        throw engineFailure(['network', 'rm'], result.stderr);
    },
  };
}

const swept = new WeakMap<Engine, Promise<void>>();

/**
 * Removes the containers and networks of processes of this machine that ended without doing so (killed, interrupted), once an engine.
 * A container left over serves on, and an engine has addresses for some thirty networks. What can't be removed now is left.
 */
function removeLeftovers(engine: Engine): Promise<void> {
  const running = swept.get(engine) ?? sweep(engine);
  swept.set(engine, running);
  return running;
}

async function sweep(engine: Engine): Promise<void> {
  // A network goes after the containers on it.
  for (const [list, remove] of [
    [
      ['ps', '--all', '--format', `{{.ID}} {{.Label "${ownerLabel}"}}`],
      ['rm', '--force', '--volumes'],
    ],
    [
      ['network', 'ls', '--format', `{{.ID}} {{.Label "${ownerLabel}"}}`],
      ['network', 'rm'],
    ],
  ] as const) {
    const found = await engine.follow([...list, '--filter', `label=${ownerLabel}`], { timeoutMs: 30_000 });
    for (const line of found.stdout.toString('utf8').split('\n')) {
      const [id, of] = line.trim().split(' ');
      if (id && of && isGone(of)) await engine.attempt([...remove, id], { timeoutMs: 120_000 }).catch(() => {});
    }
  }
}

/** Whether the process is of this machine and has ended; another machine's cannot be told. */
function isGone(of: string): boolean {
  const [, host, pid] = /^(.+)\/(\d+)$/.exec(of) ?? [];
  if (host !== hostname()) return false;
  try {
    process.kill(Number(pid), 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}
