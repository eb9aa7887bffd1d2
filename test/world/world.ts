import { execFile } from 'node:child_process';
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { runProcess } from '@passloop/core';
import { type CreatedRepository, type LocalGithub, startLocalGithub } from '@passloop/local-github';
import { registryProgram, startRegistry, type TestRegistry } from '../fixtures/registry.ts';

/**
 * A small world as a team has it, on this machine alone: a GitHub with a model repository (the flight-delay example) and a
 * deploy repository (kustomize), a registry, and a clone of each. The demo and the end-to-end tests live in it.
 */
export type World = AsyncDisposable & {
  folder: string;
  github: LocalGithub;
  /** Null where no program for one is here and no engine answers: results are then kept in a folder. */
  registry: TestRegistry | null;
  flights: CreatedRepository;
  deploy: CreatedRepository;
  /** Work trees. */
  flightsClone: string;
  deployClone: string;
  /** The image's repository, `localhost:PORT/flight-delay`, or `127.0.0.1:PORT/acme/flight-delay` in the forge's registry. */
  image: string;
  /** A person's, the one that a workflow's job gets, and an App's for the deploy repository. */
  tokens: { team: string; job: string; deploy: string };
  /** The Docker client that reaches an engine, or null where none answers. */
  docker: string | null;
  passloop(args: readonly string[], options?: CommandOptions): Promise<Answer>;
  git(clone: string, ...args: string[]): Promise<string>;
};

type CommandOptions = {
  cwd?: string;
  env?: Record<string, string>;
  timeoutMs?: number;
  onLine?: (line: string, stream: 'stdout' | 'stderr') => void;
};
export type Answer = { exitCode: number; stdout: string; stderr: string; seconds: number };

export type WorldOptions = {
  folder: string;
  /** Name of a Python base image in the engine; pushed to the world's registry and pinned by digest. */
  base?: string;
  /** What runs as `passloop`: the built bundle by default. */
  command?: string;
  /** Repositories that only their tokens see. */
  private?: boolean;
  /** Images and results in the forge's own registry, which asks for its tokens. Needs a registry's program. */
  forgeRegistry?: boolean;
};

const root = path.resolve(import.meta.dirname, '../..');
const run = promisify(execFile);

/** Dates of commits are fixed, so that a world's digests are the same each time. */
const gitIdentity = {
  GIT_AUTHOR_NAME: 'Ada Example',
  GIT_AUTHOR_EMAIL: 'ada@example.com',
  GIT_COMMITTER_NAME: 'Ada Example',
  GIT_COMMITTER_EMAIL: 'ada@example.com',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_TERMINAL_PROMPT: '0',
};

export async function createWorld(options: WorldOptions): Promise<World> {
  const { folder } = options;
  await mkdir(folder, { recursive: true });
  await using stack = new AsyncDisposableStack();
  const docker = await workingDocker();
  const program = await registryProgram(docker ?? 'docker');
  const registry = program === null ? null : stack.use(await startRegistry({ docker: docker ?? 'docker' }));
  const isPrivate = options.private ?? false;
  const hasForgeRegistry = options.forgeRegistry ?? false;
  if (hasForgeRegistry && registry === null) throw new Error('forgeRegistry: there is no program for a registry here.');
  const behind = hasForgeRegistry && registry !== null ? { registry: { upstream: registry.url } } : {};
  const github = stack.use(await startLocalGithub({ root: path.join(folder, 'github'), ...behind }));
  const forgeHost = new URL(github.url).host;
  const image = hasForgeRegistry
    ? `${forgeHost}/acme/flight-delay`
    : `${registry?.address ?? 'localhost:5000'}/flight-delay`;
  const base =
    docker === null || registry === null || options.base === undefined
      ? null
      : await pushBase(docker, options.base, registry.address);

  const flights = await github.createRepository({ owner: 'acme', name: 'flights', private: isPrivate });
  const settings = { allowAutoMerge: true };
  const deploy = await github.createRepository({ owner: 'acme', name: 'deploy', private: isPrivate, settings });
  const packages = hasForgeRegistry ? ({ packages: 'write' } as const) : {};
  const tokens = {
    team: await github.createToken({ login: 'ada', repositories: ['acme/flights', 'acme/deploy'] }),
    job: await github.jobToken({
      repository: 'acme/flights',
      event: 'push',
      permissions: { contents: 'read', 'pull-requests': 'write', checks: 'write', ...packages },
    }),
    deploy: await github.createToken({
      login: 'passloop-bot',
      kind: 'installation',
      repositories: ['acme/deploy'],
      permissions: { contents: 'write', pull_requests: 'write', metadata: 'read' },
    }),
  };
  const flightsClone = path.join(folder, 'flights');
  const deployClone = path.join(folder, 'deploy');
  const example = path.join(root, 'examples/flight-delay');
  await cp(example, flightsClone, {
    recursive: true,
    filter: (file) =>
      !/\/(deploy|out|tests|__pycache__|\.[a-z_]+cache|\.venv|\.passloop)(\/|$)/.test(file.slice(example.length)),
  });
  await replaceIn(path.join(flightsClone, 'passloop.yaml'), (text) =>
    text
      .replaceAll('ghcr.io/acme/flight-delay', image)
      .replace(/base: \S+/, (found) => (base === null ? found : `base: ${base}`))
      .replace('store: {directory: .passloop/store}', (store) =>
        registry === null ? store : `store: {oci: ${image}-runs}`,
      ),
  );
  await writeFile(
    path.join(flightsClone, '.gitignore'),
    '.passloop/out/\n.passloop/cache/\n.passloop/store/\nout/\n__pycache__/\n',
  );
  await cp(path.join(example, 'deploy'), deployClone, { recursive: true });
  await replaceIn(path.join(deployClone, 'apps/flight-delay/prod/kustomization.yaml'), (text) =>
    text.replaceAll('ghcr.io/acme/flight-delay', image),
  );
  await replaceIn(path.join(deployClone, 'apps/flight-delay/prod/deployment.yaml'), (text) =>
    text.replaceAll('ghcr.io/acme/flight-delay', image),
  );

  async function git(clone: string, ...args: string[]): Promise<string> {
    const { stdout } = await run('git', ['-C', clone, ...args], {
      env: { ...process.env, ...gitIdentity },
      encoding: 'utf8',
      maxBuffer: 1 << 26,
    });
    return stdout.trim();
  }
  for (const [clone, repository, message] of [
    [flightsClone, flights, 'Predict late flights'],
    [deployClone, deploy, 'Run flight-delay in prod'],
  ] as const) {
    await git(clone, 'init', '-q', '-b', 'main');
    await git(clone, 'remote', 'add', 'origin', repository.cloneUrlWith(tokens.team));
    await git(clone, 'add', '.');
    await git(clone, 'commit', '-q', '-m', message);
    await git(clone, 'push', '-q', '-u', 'origin', 'main');
  }

  const command = options.command ?? path.join(root, 'dist/passloop.mjs');
  async function passloop(args: readonly string[], call: CommandOptions = {}): Promise<Answer> {
    const result = await runProcess({
      argv: [process.execPath, command, ...args],
      cwd: call.cwd ?? flightsClone,
      timeoutMs: call.timeoutMs ?? 600_000,
      onLine: call.onLine,
      env: {
        ...environment(),
        GITHUB_API_URL: github.restUrl,
        GITHUB_SERVER_URL: github.url,
        GITHUB_TOKEN: tokens.job,
        PASSLOOP_DEPLOY_TOKEN: tokens.deploy,
        ...(hasForgeRegistry ? { PASSLOOP_CONTAINER_REGISTRY: forgeHost } : {}),
        ...call.env,
      },
    });
    return {
      exitCode: result.exitCode ?? -1,
      stdout: result.stdout.toString('utf8'),
      stderr: result.stderr.toString('utf8'),
      seconds: result.seconds,
    };
  }

  const owned = stack.move();
  return {
    folder,
    github,
    registry,
    flights,
    deploy,
    flightsClone,
    deployClone,
    image,
    tokens,
    docker,
    passloop,
    git,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** What a person's shell would give: the wheel and environment caches are shared by all worlds of this machine. */
function environment(): Record<string, string> {
  const env: Record<string, string> = {};
  for (const [name, value] of Object.entries(process.env)) {
    if (value !== undefined && !/^(GITHUB_|PASSLOOP_|INPUT_|NODE_OPTIONS|VITEST|npm_)/.test(name)) env[name] = value;
  }
  for (const name of ['PASSLOOP_DOCKER', 'PASSLOOP_CACHE']) {
    const value = process.env[name];
    if (value !== undefined) env[name] = value;
  }
  return env;
}

async function replaceIn(file: string, change: (text: string) => string): Promise<void> {
  await writeFile(file, change(await readFile(file, 'utf8')));
}

/** The first Docker client that reaches an engine: a newer one without its buildx part may stand first on PATH. */
export async function workingDocker(): Promise<string | null> {
  for (const program of [process.env.PASSLOOP_DOCKER, '/usr/bin/docker', 'docker']) {
    if (program === undefined) continue;
    try {
      await run(program, ['version', '--format', '{{.Server.Version}}'], { timeout: 20_000 });
      return program;
    } catch {
      // The next one, or none.
    }
  }
  return null;
}

/** A base image has a digest once it was pushed: users pin `python:3.11-slim@sha256:…`, a world pins its own copy. */
async function pushBase(docker: string, name: string, registry: string): Promise<string | null> {
  const target = `${registry}/python:3.11-slim`;
  try {
    await run(docker, ['tag', name, target]);
    const { stdout } = await run(docker, ['push', target], { timeout: 300_000 });
    const digest = /digest: (sha256:[0-9a-f]{64})/.exec(stdout)?.[1];
    return digest === undefined ? null : `${target}@${digest}`;
  } catch {
    return null;
  }
}
