import { cp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type ActionsSettings, emptyActions } from './actions/state.ts';
import {
  accountOf,
  type Forge,
  fullName,
  initRepository,
  mount,
  nextId,
  now,
  type Repository,
  repositoryOf,
  writing,
} from './forge.ts';
import { copyRefs } from './forks.ts';
import { writeHook } from './git-http.ts';
import { settlePulls } from './merge-pull.ts';
import { type EventPayload, type PullAction, type PushRequest, pullRequestPayload, pushPayload } from './payloads.ts';
import { createPull } from './pull-requests.ts';
import { commitOf } from './rest/call.ts';
import { addStatus } from './rest/checks.ts';
import type { Deployment, Protection, PullRequest, RepositorySettings, RepositoryState, Status } from './state.ts';
import { type Actor, ANONYMOUS } from './tokens.ts';

export type RepositoryRequest = {
  owner: string;
  name: string;
  /** Default `main`. */
  defaultBranch?: string;
  /** Default false. */
  private?: boolean;
  description?: string;
  settings?: Partial<RepositorySettings>;
  /** Default `Organization`, for an owner that is new. */
  ownerType?: 'Organization' | 'User';
};

export type ProtectionRequest = {
  /** Contexts of statuses or names of check runs; with an app's id, only that app's check runs. */
  requiredChecks?: (string | { context: string; appId: number })[];
  /** The head must hold the base branch's tip. Default false. */
  strict?: boolean;
  /** Approving reviews. */
  requiredReviews?: number;
  dismissStaleReviews?: boolean;
  enforceAdmins?: boolean;
  requireLinearHistory?: boolean;
  allowForcePushes?: boolean;
  allowDeletions?: boolean;
};

export type OpenPullRequest = {
  title: string;
  head: string;
  /** Default: the default branch. */
  base?: string;
  /** Default: the owner of the head. */
  author?: string;
  body?: string;
  draft?: boolean;
};

/** What a test or a demo does to a repository past the API. */
export type CreatedRepository = {
  owner: string;
  name: string;
  /** The bare git repository on disk. */
  directory: string;
  /** For `git clone`; credentials are `x-access-token` and a token. */
  cloneUrl: string;
  /** The same with the credentials in it. */
  cloneUrlWith: (token: string) => string;
  protectBranch: (branch: string, request: ProtectionRequest) => Promise<void>;
  setStatus: (status: { sha: string; context: string; state: Status['state']; description?: string }) => Promise<void>;
  /** A deployment and its status, as an agent in a cluster reports them. */
  addDeployment: (deployment: {
    sha: string;
    environment: string;
    state: NonNullable<Deployment['status']>['state'] | null;
  }) => Promise<void>;
  /** From now on that branch is merged into by a merge queue alone; a group is made and landed by `createMergeGroup`. */
  requireMergeQueue: (branch: string) => Promise<void>;
  /** Copies the repository's branches and tags into a new one of another owner. */
  fork: (request: { owner: string; name?: string }) => Promise<CreatedRepository>;
  /** Another repository of the same owner that holds the same, pull requests and protection too: where many tests begin alike. */
  copy: (name: string) => Promise<CreatedRepository>;
  /** Changes what the repository's settings say of workflows. */
  configureActions: (settings: Partial<ActionsSettings>) => Promise<void>;
  /** Opens a pull request in somebody's name; `head` is `branch`, or `owner:branch` for a fork's. */
  openPull: (request: OpenPullRequest) => Promise<{ number: number }>;
  /** Deletes the repository. Pull requests from it stay, without their head's repository. */
  remove: () => Promise<void>;
  /** Event `pull_request` of a pull request as it is now; `before` is the head that a push replaced. */
  pullRequestPayload: (number: number, action: PullAction, options?: { before?: string }) => Promise<EventPayload>;
  /** Event `push` of a branch or a tag. */
  pushPayload: (request: PushRequest) => Promise<EventPayload>;
  /** A copy of what is kept beside git. */
  pullRequests: () => PullRequest[];
  /** Comments of a pull request, oldest first. */
  comments: (number: number) => { id: number; author: string; body: string }[];
};

const SETTINGS: RepositorySettings = {
  allowMergeCommit: true,
  allowSquashMerge: true,
  allowRebaseMerge: true,
  allowAutoMerge: false,
  deleteBranchOnMerge: false,
  squashMergeCommitTitle: 'COMMIT_OR_PR_TITLE',
  squashMergeCommitMessage: 'COMMIT_MESSAGES',
  mergeCommitTitle: 'MERGE_MESSAGE',
  mergeCommitMessage: 'PR_TITLE',
};

/** @throws Error for a name that GitHub would refuse, or that is taken */
export async function createRepository(forge: Forge, request: RepositoryRequest): Promise<CreatedRepository> {
  const { owner, name } = request;
  if (!/^[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?$/.test(owner)) throw new Error(`${owner} is no owner's name`);
  if (!/^[\w.-]+$/.test(name) || /^\.\.?$|\.git$/.test(name)) throw new Error(`${name} is no repository's name`);
  if (forge.repositories.has(`${owner}/${name}`.toLowerCase())) throw new Error(`${owner}/${name} exists already`);
  const created = now(forge);
  accountOf(forge, owner, request.ownerType ?? 'Organization');
  const state: RepositoryState = {
    id: nextId(forge),
    owner,
    name,
    description: request.description ?? null,
    private: request.private ?? false,
    archived: false,
    parent: null,
    defaultBranch: request.defaultBranch ?? 'main',
    createdAt: created,
    updatedAt: created,
    pushedAt: created,
    settings: { ...SETTINGS, ...request.settings },
    nextNumber: 1,
    pulls: [],
    comments: [],
    reviews: [],
    labels: [],
    statuses: [],
    checkRuns: [],
    deployments: [],
    mergeQueues: [],
    protections: {},
    actions: emptyActions(),
  };
  const repository = mount(forge, state);
  try {
    await initRepository(repository.directory, state.defaultBranch);
    await writeHook(repository.directory);
  } catch (error) {
    forge.repositories.delete(fullName(state).toLowerCase());
    await rm(repository.directory, { recursive: true, force: true });
    throw error;
  }
  forge.state.repositories.push(state);
  return handleOf(forge, repository);
}

async function forkRepository(
  forge: Forge,
  parent: Repository,
  request: { owner: string; name?: string },
): Promise<CreatedRepository> {
  const { state } = parent;
  const created = await createRepository(forge, {
    owner: request.owner,
    name: request.name ?? state.name,
    defaultBranch: state.defaultBranch,
    private: state.private,
    ownerType: 'User',
  });
  const fork = repositoryOf(forge, created.owner, created.name);
  fork.state.parent = state.id;
  await copyRefs(parent, fork);
  await forge.save();
  return created;
}

async function copyRepository(forge: Forge, source: Repository, name: string): Promise<CreatedRepository> {
  const { owner } = source.state;
  if (forge.repositories.has(`${owner}/${name}`.toLowerCase())) throw new Error(`${owner}/${name} exists already`);
  return source.locked(async () => {
    await cp(source.directory, join(forge.root, owner, `${name}.git`), { recursive: true });
    const state = { ...structuredClone(source.state), id: nextId(forge), name };
    for (const pull of state.pulls) pull.id = nextId(forge);
    const copy = mount(forge, state);
    for (const [number, sha] of source.seenBases) copy.seenBases.set(number, sha);
    forge.state.repositories.push(state);
    await forge.save();
    return handleOf(forge, copy);
  });
}

async function removeRepository(forge: Forge, repository: Repository): Promise<void> {
  await repository.locked(async () => {
    forge.repositories.delete(fullName(repository.state).toLowerCase());
    forge.state.repositories = forge.state.repositories.filter((state) => state !== repository.state);
    repository.objects.close();
    await rm(repository.directory, { recursive: true, force: true });
  });
  await forge.save();
}

async function openPull(forge: Forge, repository: Repository, request: OpenPullRequest): Promise<PullRequest> {
  const [owner = ''] = request.head.includes(':') ? request.head.split(':') : [repository.state.owner];
  const author: Actor = { ...ANONYMOUS, kind: 'personal', login: request.author ?? owner };
  return createPull(forge, repository, author, {
    title: request.title,
    body: request.body ?? null,
    head: request.head,
    base: request.base ?? repository.state.defaultBranch,
    draft: request.draft ?? false,
    maintainerCanModify: true,
  });
}

/** @throws Error when there is none */
export function repositoryHandle(forge: Forge, owner: string, name: string): CreatedRepository {
  return handleOf(forge, repositoryOf(forge, owner, name));
}

function handleOf(forge: Forge, repository: Repository): CreatedRepository {
  const { state } = repository;
  const path = `/${fullName(state)}.git`;
  const change = async <T>(work: () => Promise<T> | T) => {
    const result = await writing(forge, repository, async () => {
      const made = await work();
      await settlePulls(forge, repository, { ...ANONYMOUS, login: state.owner });
      return made;
    });
    await forge.save();
    return result;
  };
  return {
    owner: state.owner,
    name: state.name,
    directory: repository.directory,
    cloneUrl: forge.url + path,
    cloneUrlWith: (token) => forge.url.replace('://', `://x-access-token:${token}@`) + path,
    protectBranch: (branch, request) =>
      change(() => {
        state.protections[branch] = protectionOf(request);
      }),
    setStatus: async ({ sha, context, state: status, description }) => {
      await change(() =>
        addStatus(forge, repository, state.owner, {
          sha,
          context,
          state: status,
          description: description ?? null,
          targetUrl: null,
        }),
      );
    },
    addDeployment: async ({ sha, environment, state: reported }) => {
      await change(async () => {
        const { oid } = await commitOf(repository, sha);
        const at = now(forge);
        const status =
          reported === null ? null : { id: nextId(forge), state: reported, description: null, createdAt: at };
        state.deployments.push({ id: nextId(forge), sha: oid, environment, createdAt: at, status });
      });
    },
    requireMergeQueue: (branch) =>
      change(() => {
        if (!state.mergeQueues.includes(branch)) state.mergeQueues.push(branch);
      }),
    fork: (request) => forkRepository(forge, repository, request),
    copy: (name) => copyRepository(forge, repository, name),
    configureActions: async (settings) => {
      const given = Object.entries(settings.variables ?? {}).map(([name, value]) => [name.toUpperCase(), value]);
      const variables = { ...state.actions.settings.variables, ...Object.fromEntries(given) };
      await change(() => {
        Object.assign(state.actions.settings, settings, { variables });
      });
    },
    openPull: async (request) => {
      const { number } = await change(() => openPull(forge, repository, request));
      return { number };
    },
    remove: () => removeRepository(forge, repository),
    pullRequestPayload: (number, action, options = {}) =>
      pullRequestPayload(forge, repository, number, action, options.before),
    pushPayload: (request) => pushPayload(forge, repository, request),
    pullRequests: () => structuredClone(state.pulls),
    comments: (number) =>
      state.comments
        .filter((comment) => comment.number === number)
        .map(({ id, author, body }) => ({ id, author, body })),
  };
}

function protectionOf(request: ProtectionRequest): Protection {
  const { requiredChecks: contexts, requiredReviews: count } = request;
  return {
    requiredChecks:
      contexts === undefined
        ? null
        : {
            strict: request.strict ?? false,
            contexts: contexts.map((one) => (typeof one === 'string' ? { context: one, appId: null } : one)),
          },
    requiredReviews:
      count === undefined
        ? null
        : { count, dismissStale: request.dismissStaleReviews ?? false, codeOwners: false, lastPush: false },
    enforceAdmins: request.enforceAdmins ?? false,
    requireLinearHistory: request.requireLinearHistory ?? false,
    allowForcePushes: request.allowForcePushes ?? false,
    allowDeletions: request.allowDeletions ?? false,
  };
}
