import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { sha256, temporaryFolder } from '@passloop/core';
import type { DeployEnvironment, DeployQuery, Forge, PromotionRequest, RetryPorts } from '@passloop/gitops';
import {
  type CreatedRepository,
  type LocalGithub,
  type LocalGithubOptions,
  type RepositorySettings,
  startLocalGithub,
} from '@passloop/local-github';
import type { CandidateRecord } from '@passloop/record';
import { createCandidate } from '../../../record/src/fixtures/documents.ts';
import type { GithubOptions } from '../client.ts';
import { octokitForge } from '../octokit-forge.ts';

const run = promisify(execFile);

/** git as a person on this machine runs it, without the machine's configuration. */
export async function git(folder: string, ...args: string[]): Promise<string> {
  return gitWithInput(folder, null, ...args);
}

export async function gitWithInput(folder: string, input: string | null, ...args: string[]): Promise<string> {
  const env = {
    PATH: process.env.PATH,
    HOME: folder,
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_TERMINAL_PROMPT: '0',
    GIT_AUTHOR_NAME: 'Ada',
    GIT_AUTHOR_EMAIL: 'ada@example.com',
    GIT_COMMITTER_NAME: 'Ada',
    GIT_COMMITTER_EMAIL: 'ada@example.com',
  };
  const running = run('git', args, { cwd: folder, env, maxBuffer: 1 << 26 });
  if (input !== null) running.child.stdin?.end(input);
  return (await running).stdout;
}

export const image = 'ghcr.io/acme/flight';
export const manifest = 'apps/flight/prod/kustomization.yaml';

function kustomization(names: readonly string[] = [image]): string {
  return `# what prod runs\nresources:\n  - ../base   # shared\n\nimages:\n${names.map((name) => `  - name: ${name}   # kept\n    newTag: v0 # the first\n`).join('')}`;
}

export type DeployWorld = AsyncDisposable & {
  server: LocalGithub;
  repository: CreatedRepository;
  /** A clone that may push. */
  clone: string;
  token: string;
  forge: Forge;
  forgeWith(options: Partial<GithubOptions>): Forge;
  /** A file on the default branch now. */
  show(file: string, ref?: string): Promise<string>;
};

type RepositoryOptions = {
  autoMerge?: boolean | undefined;
  files?: Record<string, string> | undefined;
  settings?: Partial<RepositorySettings> | undefined;
};

/** A local GitHub with acme/deploy: one kustomization for prod and one for staging. */
export async function deployWorld(options: Partial<LocalGithubOptions> & RepositoryOptions = {}): Promise<DeployWorld> {
  const { autoMerge, files, settings, ...server } = options;
  const folder = await temporaryFolder('deploy-world');
  const github = await startLocalGithub({ root: path.join(folder.path, 'root'), ...server });
  const world = await deployRepository(github, folder.path, 'deploy', { autoMerge, files, settings });
  return {
    ...world,
    async [Symbol.asyncDispose]() {
      await github.close();
      await folder[Symbol.asyncDispose]();
    },
  };
}

export type RepositoryWorld = Omit<DeployWorld, 'clone' | typeof Symbol.asyncDispose>;

/** Another deploy repository, `acme/<name>`, with its own token and clone. */
export async function deployRepository(
  github: LocalGithub,
  folder: string,
  name: string,
  { autoMerge, files, settings }: RepositoryOptions = {},
): Promise<RepositoryWorld & { clone: string }> {
  const world = await emptyRepository(github, name, { allowAutoMerge: autoMerge ?? false, ...settings });
  await git(folder, 'clone', '--quiet', world.repository.cloneUrlWith(world.token), name);
  const clone = path.join(folder, name);
  const initial = files ?? { [manifest]: kustomization(), 'apps/flight/staging/kustomization.yaml': kustomization() };
  await pushFiles(clone, initial, 'Start');
  return { ...world, clone };
}

/** A repository that holds what another one does, with a token of its own. */
export async function copiedRepository(from: RepositoryWorld, name: string): Promise<RepositoryWorld> {
  return worldOf(from.server, await from.repository.copy(name));
}

async function emptyRepository(
  github: LocalGithub,
  name: string,
  settings: Partial<RepositorySettings>,
): Promise<RepositoryWorld> {
  const repository = await github.createRepository({
    owner: 'acme',
    name,
    private: true,
    settings,
  });
  return worldOf(github, repository);
}

async function worldOf(github: LocalGithub, repository: CreatedRepository): Promise<RepositoryWorld> {
  const permissions = { contents: 'write', pull_requests: 'write', metadata: 'read' } as const;
  const token = await github.createToken({ login: 'passloop[bot]', kind: 'installation', permissions });
  const forgeWith = (more: Partial<GithubOptions>) =>
    octokitForge({
      repository: `acme/${repository.name}`,
      token,
      baseUrl: github.restUrl,
      sleep: async () => {},
      ...more,
    });
  return {
    server: github,
    repository,
    token,
    forge: forgeWith({}),
    forgeWith,
    show: (file, ref = 'main') => git(repository.directory, 'show', `${ref}:${file}`),
  };
}

export async function writeFiles(folder: string, files: Record<string, string>): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    await mkdir(path.dirname(path.join(folder, name)), { recursive: true });
    await writeFile(path.join(folder, name), text);
  }
}

export async function pushFiles(clone: string, files: Record<string, string>, message: string): Promise<void> {
  await writeFiles(clone, files);
  await git(clone, 'add', '--all');
  await git(clone, 'commit', '--quiet', '-m', message);
  await git(clone, 'push', '--quiet', 'origin', 'HEAD:main');
}

/** The clone's main as it is on the server. */
export async function pull(clone: string): Promise<void> {
  await git(clone, 'fetch', '--quiet', '--prune', 'origin');
  await git(clone, 'checkout', '--quiet', '-B', 'main', 'origin/main');
}

export const noWait: RetryPorts = { sleep: async () => {}, random: () => 0.5 };
/** As if the process died at the first failure. */
export const mortal: RetryPorts = { ...noWait, attempts: 1, failures: 1 };

const prod: DeployEnvironment = { name: 'prod', targets: [{ kind: 'kustomize', file: manifest, image }] };

export function query(overrides: Partial<DeployQuery> = {}): DeployQuery {
  return {
    model: 'flight-delay',
    identity: 'acme/flights#flight-delay',
    environments: [prod],
    branch: null,
    ...overrides,
  };
}

/** A candidate with something to read in each part of a pull request. */
export function candidate(name: string, overrides: Partial<CandidateRecord> = {}): CandidateRecord {
  return createCandidate(name, {
    version: `2026.11.22-${name}`,
    data: [{ name: 'train', uri: 'data/train.parquet', digest: sha256('train'), rows: 10 }],
    metrics: [{ name: 'roc_auc', value: '0.75' }],
    gates: [{ metric: 'roc_auc', slice: null, verdict: 'pass', value: '0.75', delta: null, interval: null }],
    ...overrides,
  });
}

export function promotionOf(record: CandidateRecord, overrides: Partial<PromotionRequest> = {}): PromotionRequest {
  return {
    environment: 'prod',
    candidate: record,
    evidence: { comparison: null, changes: [], facts: ['image probed'], previousImage: null },
    at: '2026-11-22T10:10:00Z',
    ...overrides,
  };
}
