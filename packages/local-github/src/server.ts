import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  type CreatedWorkflowRun,
  createWorkflowRun,
  type RecordedDispatch,
  recordedDispatches,
  startWorkflowRun,
  type WorkflowRunRequest,
} from './actions/created-run.ts';
import { type AppRequest, type CreatedApp, createApp } from './apps.ts';
import { type Counts, countCalls, type LoggedCall } from './call-log.ts';
import { createFaults, type FaultHandle, type InjectedFault } from './faults.ts';
import { accountOf, openForge } from './forge.ts';
import { createFront } from './front.ts';
import type { Enterprise } from './graphql/enterprise.ts';
import { createJobToken, type JobTokenRequest } from './job-token.ts';
import { createLag } from './lag.ts';
import { type CreatedMergeGroup, createMergeGroup, type MergeGroupRequest } from './merge-groups.ts';
import { settlePulls } from './merge-pull.ts';
import { createRateLimits } from './rate-limit.ts';
import { createRegistry, grantPackage, linkPackage } from './registry.ts';
import { type CreatedRepository, createRepository, type RepositoryRequest, repositoryHandle } from './repositories.ts';
import { createSecondaryLimits, type SecondaryLimits } from './secondary-limits.ts';
import { ANONYMOUS, createToken, type TokenRequest } from './tokens.ts';

export type LocalGithubOptions = {
  /** Folder of the repositories and of `state.json`; made when it is missing, continued when it isn't. */
  root: string;
  /** Default 0: a free one. The server listens on 127.0.0.1 only. */
  port?: number;
  faults?: InjectedFault[];
  /** Where instants come from; default the system's clock. */
  clock?: () => Date;
  /** Calls per hour and caller; default 5000. */
  rateLimit?: number;
  /** Limits of a minute; none by default. */
  secondaryLimits?: SecondaryLimits;
  /** Serves `/v2/` in front of a registry that asks for no login. */
  registry?: { upstream: string };
  /** Answers as a GitHub Enterprise Server: its API below `/api`, and a schema without what came later. */
  ghes?: string | Enterprise;
};

export type LocalGithub = AsyncDisposable & {
  /** Without a path: pages, git and GraphQL (`/graphql`) of github.com's layout. */
  url: string;
  /** `<url>/api/v3`, for Octokit's `baseUrl`. */
  restUrl: string;
  /** `<url>/api/graphql`. */
  graphqlUrl: string;
  root: string;
  log: LoggedCall[];
  /** Totals of the log, or of what came after its first `from` calls. */
  counts: (from?: number) => Counts;
  inject: (fault: InjectedFault) => FaultHandle;
  clearFaults: () => void;
  createAccount: (login: string, type: 'Bot' | 'Organization' | 'User') => Promise<void>;
  createRepository: (request: RepositoryRequest) => Promise<CreatedRepository>;
  /** @throws Error when there is none */
  repository: (owner: string, name: string) => CreatedRepository;
  /** The token, which can't be asked for again. */
  createToken: (request: TokenRequest) => Promise<string>;
  /** The GITHUB_TOKEN of a workflow's job. */
  jobToken: (request: JobTokenRequest) => Promise<string>;
  /** Links `owner/package` to a repository; private unless it says otherwise. */
  linkPackage: (name: string, repository: string, options?: { private?: boolean }) => Promise<void>;
  /** Lets the jobs of a repository that a package isn't linked to read or write it. */
  grantPackage: (name: string, repository: string, level: 'read' | 'write') => Promise<void>;
  createApp: (request: AppRequest) => Promise<CreatedApp>;
  /** Records a run of a workflow, for a test that plays its jobs. */
  createWorkflowRun: (request: WorkflowRunRequest) => Promise<CreatedWorkflowRun>;
  /** Begins a run that a dispatch left in the queue (`runId` of `dispatches`). */
  startWorkflowRun: (id: number) => Promise<CreatedWorkflowRun>;
  /** Puts a pull request into a merge queue. */
  createMergeGroup: (request: MergeGroupRequest) => Promise<CreatedMergeGroup>;
  /** The workflows that were dispatched through the API, oldest first. */
  dispatches: () => RecordedDispatch[];
  close: () => Promise<void>;
};

/** Starts a GitHub on this machine. `await using` stops it; its root can be opened again. */
export async function startLocalGithub(options: LocalGithubOptions): Promise<LocalGithub> {
  const clock = options.clock ?? (() => new Date());
  const forge = await openForge(options.root, clock);
  const faults = createFaults(options.faults);
  const limits = createRateLimits(options.rateLimit ?? 5000, clock);
  const log: LoggedCall[] = [];
  const running = new Set<Promise<void>>();
  const secondary =
    options.secondaryLimits === undefined ? undefined : createSecondaryLimits(options.secondaryLimits, clock);
  const lag = createLag(forge);
  const registry = options.registry === undefined ? undefined : createRegistry(forge, options.registry.upstream);
  forge.beforeWrite = async (repository) => {
    if (faults.awaits('lag')) await lag.remember(repository);
  };

  // a process that died between a change of git and of the state left them apart
  for (const repository of forge.repositories.values()) {
    await settlePulls(forge, repository, { ...ANONYMOUS, login: repository.state.owner });
  }
  const enterprise = typeof options.ghes === 'string' ? { version: options.ghes } : options.ghes;
  const parts = { registry, faults, lag, limits, secondary, log, running, enterprise };
  const http = createServer({ requestTimeout: 0 }, createFront(forge, parts));
  await new Promise<void>((resolve, reject) => {
    http.once('error', reject);
    http.listen(options.port ?? 0, '127.0.0.1', resolve);
  });
  forge.url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;

  async function close(): Promise<void> {
    const closed = new Promise<void>((resolve) => http.close(() => resolve()));
    http.closeAllConnections();
    await closed;
    // what callers began goes on without them, and must not write when the folder belongs to somebody else
    await Promise.all(running);
    for (const repository of forge.repositories.values()) repository.objects.close();
    await lag.close();
    await forge.save();
  }

  return {
    url: forge.url,
    restUrl: `${forge.url}/api/v3`,
    graphqlUrl: `${forge.url}/api/graphql`,
    root: options.root,
    log,
    counts: (from = 0) => countCalls(log.slice(from)),
    inject: faults.inject,
    clearFaults: faults.clear,
    createAccount: async (login, type) => {
      accountOf(forge, login, type);
      await forge.save();
    },
    createRepository: async (request) => {
      const repository = await createRepository(forge, request);
      await forge.save();
      return repository;
    },
    repository: (owner, name) => repositoryHandle(forge, owner, name),
    createToken: async (request) => {
      const token = createToken(forge, request);
      await forge.save();
      return token;
    },
    jobToken: async (request) => {
      const token = createJobToken(forge, request);
      await forge.save();
      return token;
    },
    linkPackage: async (name, repository, { private: isPrivate = true } = {}) => {
      linkPackage(forge, name, repository, isPrivate);
      await forge.save();
    },
    grantPackage: async (name, repository, level) => {
      grantPackage(forge, name, repository, level);
      await forge.save();
    },
    createApp: async (request) => {
      const app = createApp(forge, request);
      await forge.save();
      return app;
    },
    createWorkflowRun: (request) => createWorkflowRun(forge, request),
    startWorkflowRun: (id) => startWorkflowRun(forge, id),
    createMergeGroup: (request) => createMergeGroup(forge, request),
    dispatches: () => recordedDispatches(forge),
    close,
    [Symbol.asyncDispose]: close,
  };
}
