import { randomBytes } from 'node:crypto';
import { appendFile, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { notFound } from './api-error.ts';
import { gitText } from './git.ts';
import { isoTime, ObjectReader, type Signature } from './git-objects.ts';
import { type Account, type AccountType, type RepositoryState, readState, type State, writeState } from './state.ts';

/** One repository: its state, its bare git repository, and the queue in which its writes wait for each other. */
export type Repository = {
  state: RepositoryState;
  directory: string;
  objects: ObjectReader;
  /** Runs one piece of work at a time; writes go through `writing`. */
  locked: <T>(work: () => Promise<T>) => Promise<T>;
  /** Base branch tips at which a pull request was last looked for in its base; by number. */
  seenBases: Map<number, string>;
};

/** All that the server hosts. Domain code reads and changes it; `save` makes the changes durable. */
export type Forge = {
  root: string;
  /** A folder for what lasts no longer than the server; no owner has such a name. */
  scratch: string;
  /** Where the server answers, such as `http://127.0.0.1:41733`; set once it listens. */
  url: string;
  state: State;
  repositories: Map<string, Repository>;
  clock: () => Date;
  /** Signs the tokens of jobs and the addresses of blobs; they end with the server. */
  secret: Buffer;
  /** Called before each write to a repository, in its queue. */
  beforeWrite: (repository: Repository) => Promise<void>;
  save: () => Promise<void>;
};

/** Runs async work one piece after the other; a failing piece doesn't stop the next. */
function createQueue(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const run = last.then(work, work);
    last = run.catch(() => undefined);
    return run;
  };
}

export async function openForge(root: string, clock: () => Date): Promise<Forge> {
  const scratch = join(root, '.scratch');
  await rm(scratch, { recursive: true, force: true });
  await mkdir(scratch, { recursive: true });
  const file = join(root, 'state.json');
  const state = await readState(file);
  const writes = createQueue();
  let waiting: Promise<void> | undefined;
  const forge: Forge = {
    root,
    scratch,
    url: '',
    state,
    repositories: new Map(),
    clock,
    secret: randomBytes(32),
    beforeWrite: async () => undefined,
    // calls that arrive while a write is waiting for its turn share it
    save() {
      waiting ??= writes(async () => {
        waiting = undefined;
        await writeState(file, state);
      });
      return waiting;
    },
  };
  for (const repository of state.repositories) mount(forge, repository);
  return forge;
}

export function fullName(state: { owner: string; name: string }): string {
  return `${state.owner}/${state.name}`;
}

/** Serves a repository whose git directory exists already. */
export function mount(forge: Forge, state: RepositoryState): Repository {
  const directory = join(forge.root, state.owner, `${state.name}.git`);
  const objects = new ObjectReader(directory);
  const repository = { state, directory, objects, locked: createQueue(), seenBases: new Map<number, string>() };
  forge.repositories.set(fullName(state).toLowerCase(), repository);
  return repository;
}

/** Runs one write to a repository, after all earlier ones. */
export function writing<T>(forge: Forge, repository: Repository, work: () => Promise<T>): Promise<T> {
  return repository.locked(async () => {
    await forge.beforeWrite(repository);
    return work();
  });
}

const GIT_CONFIG = `[core]
	logAllRefUpdates = false
[http]
	receivepack = true
[uploadpack]
	allowFilter = true
	allowAnySHA1InWant = true
[receive]
	hideRefs = refs/pull
	hideRefs = refs/heads/gh-readonly-queue
	advertisePushOptions = true
[gc]
	auto = 0
`;

/** Makes the bare repository on disk. */
export async function initRepository(directory: string, defaultBranch: string): Promise<void> {
  await mkdir(directory, { recursive: true });
  await gitText(directory, ['init', '--quiet', '--bare', '--template=', '-b', defaultBranch, '.']);
  await appendFile(join(directory, 'config'), GIT_CONFIG);
}

/** @throws ApiError 404 */
export function repositoryOf(forge: Forge, owner: string, name: string): Repository {
  const repository = forge.repositories.get(`${owner}/${name}`.toLowerCase());
  if (repository === undefined) throw notFound();
  return repository;
}

export function nextId(forge: Forge): number {
  const id = forge.state.nextId;
  forge.state.nextId += 1;
  return id;
}

/** The instant as GitHub prints it: UTC, whole seconds. */
export function now(forge: Forge): string {
  return isoTime(Math.floor(forge.clock().getTime() / 1000));
}

/** The account of a login; a login that is new gets one. Logins that end in `[bot]` are bots. */
export function accountOf(forge: Forge, login: string, type?: AccountType): Account {
  const known = forge.state.accounts.find((account) => account.login.toLowerCase() === login.toLowerCase());
  if (known !== undefined) return known;
  const account = { id: nextId(forge), login, type: type ?? (login.endsWith('[bot]') ? 'Bot' : 'User') } as const;
  forge.state.accounts.push(account);
  return account;
}

/** How an account signs commits that the server makes for it. */
export function signatureOf(forge: Forge, login: string): Signature {
  const account = accountOf(forge, login);
  const email = `${account.id}+${account.login}@users.noreply.github.com`;
  return { name: account.login, email, seconds: Math.floor(forge.clock().getTime() / 1000), offset: '+0000' };
}

/** The committer of what is made on the web: merges, and commits by GraphQL. */
export function webSignature(forge: Forge): Signature {
  return {
    name: 'GitHub',
    email: 'noreply@github.com',
    seconds: Math.floor(forge.clock().getTime() / 1000),
    offset: '+0000',
  };
}

/** The account that a commit's e-mail address belongs to. */
export function accountOfEmail(forge: Forge, email: string): Account | undefined {
  const match = /^(?:\d+\+)?(.+)@users\.noreply\.github\.com$/.exec(email);
  const login = match?.[1]?.toLowerCase();
  return login === undefined
    ? undefined
    : forge.state.accounts.find((account) => account.login.toLowerCase() === login);
}
