import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { ActionsState } from './actions/state.ts';

/** What a token may do with one kind of resource; a permission that is absent is none. */
export type Level = 'read' | 'write';
export type PermissionName =
  | 'actions'
  | 'administration'
  | 'artifact_metadata'
  | 'attestations'
  | 'checks'
  | 'contents'
  | 'deployments'
  | 'environments'
  | 'id_token'
  | 'issues'
  | 'metadata'
  | 'organization_administration'
  | 'packages'
  | 'pages'
  | 'pull_requests'
  | 'security_events'
  | 'statuses'
  | 'variables'
  | 'workflows';
export type Permissions = { [name in PermissionName]?: Level };

export type AccountType = 'Bot' | 'Organization' | 'User';
export type Account = { id: number; login: string; type: AccountType };

/**
 * `personal`: a fine-grained personal access token. `installation`: a GitHub App's. `job`: a workflow job's
 * GITHUB_TOKEN, which is an installation token of the app `github-actions`.
 */
export type TokenKind = 'installation' | 'job' | 'personal';
export type Token = {
  /** sha256 of the token; the token itself is never stored. */
  digest: string;
  kind: TokenKind;
  login: string;
  permissions: Permissions;
  /** `owner/name`, lower case; `all` sees every repository. */
  repositories: 'all' | string[];
  /** May pass by protection that is not enforced for administrators. */
  admin: boolean;
  appId: number | null;
  installationId: number | null;
  expiresAt: string | null;
};

type Installation = {
  id: number;
  account: string;
  permissions: Permissions;
  repositories: 'all' | string[];
  createdAt: string;
};
export type App = {
  id: number;
  slug: string;
  name: string;
  clientId: string;
  owner: string;
  publicKey: string;
  createdAt: string;
  installation: Installation;
};

export type Label = { id: number; name: string; color: string; description: string | null };
export type Comment = {
  id: number;
  number: number;
  author: string;
  body: string;
  createdAt: string;
  updatedAt: string;
  appId: number | null;
};
type ReviewState = 'APPROVED' | 'CHANGES_REQUESTED' | 'COMMENTED' | 'DISMISSED' | 'PENDING';
export type Review = {
  id: number;
  number: number;
  author: string;
  body: string;
  state: ReviewState;
  commit: string;
  submittedAt: string;
};
type StatusState = 'error' | 'failure' | 'pending' | 'success';
export type Status = {
  id: number;
  sha: string;
  context: string;
  state: StatusState;
  description: string | null;
  targetUrl: string | null;
  creator: string;
  createdAt: string;
};
type DeploymentState = 'error' | 'failure' | 'in_progress' | 'inactive' | 'pending' | 'queued' | 'success' | 'waiting';
/** A deployment with the newest of its statuses; null before there is one. */
export type Deployment = {
  id: number;
  sha: string;
  environment: string;
  createdAt: string;
  status: { id: number; state: DeploymentState; description: string | null; createdAt: string } | null;
};
export type Annotation = {
  path: string;
  start_line: number;
  end_line: number;
  start_column?: number;
  end_column?: number;
  annotation_level: 'failure' | 'notice' | 'warning';
  message: string;
  title?: string;
  raw_details?: string;
};
export type CheckRun = {
  id: number;
  name: string;
  sha: string;
  status: string;
  conclusion: string | null;
  startedAt: string | null;
  completedAt: string | null;
  detailsUrl: string | null;
  externalId: string;
  output: { title: string | null; summary: string | null; text: string | null };
  annotations: Annotation[];
  appId: number;
};
type AutoMerge = {
  enabledBy: string;
  enabledAt: string;
  method: 'merge' | 'rebase' | 'squash';
  headline: string | null;
  body: string | null;
  authorEmail: string | null;
};
export type PullRequest = {
  id: number;
  number: number;
  title: string;
  body: string | null;
  author: string;
  appId: number | null;
  state: 'closed' | 'open';
  draft: boolean;
  maintainerCanModify: boolean;
  createdAt: string;
  updatedAt: string;
  closedAt: string | null;
  /** Who closed it, or deleted its branch. */
  closedBy: string | null;
  mergedAt: string | null;
  mergedBy: string | null;
  /** The commit on the base branch that brought the pull request in. */
  mergeCommit: string | null;
  /** `fork`: whose it is, when the branch isn't in this repository. */
  head: { ref: string; sha: string; fork: { id: number; owner: string } | null };
  /** `sha` is the base branch's tip when the head was last pushed, as GitHub keeps it. */
  base: { ref: string; sha: string };
  /** Files and commits of a merged pull request are counted from here. */
  mergeBase: string | null;
  labels: number[];
  autoMerge: AutoMerge | null;
  /** Who put it into the merge queue; null where it isn't in it. */
  queued: { by: string; at: string } | null;
};
export type Protection = {
  requiredChecks: { strict: boolean; contexts: { context: string; appId: number | null }[] } | null;
  requiredReviews: { count: number; dismissStale: boolean; codeOwners: boolean; lastPush: boolean } | null;
  enforceAdmins: boolean;
  requireLinearHistory: boolean;
  allowForcePushes: boolean;
  allowDeletions: boolean;
};
export type RepositorySettings = {
  allowMergeCommit: boolean;
  allowSquashMerge: boolean;
  allowRebaseMerge: boolean;
  allowAutoMerge: boolean;
  deleteBranchOnMerge: boolean;
  squashMergeCommitTitle: 'COMMIT_OR_PR_TITLE' | 'PR_TITLE';
  squashMergeCommitMessage: 'BLANK' | 'COMMIT_MESSAGES' | 'PR_BODY';
  mergeCommitTitle: 'MERGE_MESSAGE' | 'PR_TITLE';
  mergeCommitMessage: 'BLANK' | 'PR_BODY' | 'PR_TITLE';
};
export type RepositoryState = {
  id: number;
  owner: string;
  name: string;
  description: string | null;
  private: boolean;
  archived: boolean;
  /** Id of the repository that this one is a fork of. */
  parent: number | null;
  defaultBranch: string;
  createdAt: string;
  updatedAt: string;
  pushedAt: string;
  settings: RepositorySettings;
  nextNumber: number;
  pulls: PullRequest[];
  comments: Comment[];
  reviews: Review[];
  labels: Label[];
  statuses: Status[];
  checkRuns: CheckRun[];
  deployments: Deployment[];
  /** Branches that are merged into by a merge queue alone. */
  mergeQueues: string[];
  /** Branch -> its protection. */
  protections: { [branch: string]: Protection };
  actions: ActionsState;
};
/** A package of the container registry. */
export type Package = {
  /** `owner/name`, lower case. */
  name: string;
  /** `owner/name` of the repository that it is linked to. */
  repository: string | null;
  private: boolean;
  /** What the jobs of other repositories may ("Manage Actions access"). */
  grants: { repository: string; level: Level }[];
};
export type State = {
  version: 1;
  nextId: number;
  accounts: Account[];
  tokens: Token[];
  apps: App[];
  repositories: RepositoryState[];
  packages: Package[];
};

/** The app that GITHUB_TOKEN belongs to; its id is GitHub's own. */
export const ACTIONS_APP_ID = 15368;

function emptyState(): State {
  return { version: 1, nextId: 1, accounts: [], tokens: [], apps: [], repositories: [], packages: [] };
}

/**
 * Reads the state which a server left in a file; an empty one when there is no file.
 * @throws Error when the file is not a state of this version
 */
export async function readState(file: string): Promise<State> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return emptyState();
    throw error;
  }
  const state = JSON.parse(text) as State;
  if (state.version !== 1) throw new Error(`${file} is no state of a local GitHub server (version 1)`);
  return { ...emptyState(), ...state };
}

/** Writes the state so that a reader sees the old file or the new one, never half of it. */
export async function writeState(file: string, state: State): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  const temporary = `${file}.${process.pid}.new`;
  const handle = await open(temporary, 'w', 0o600);
  try {
    await handle.writeFile(JSON.stringify(state));
    await handle.datasync();
  } finally {
    await handle.close();
  }
  await rename(temporary, file);
}
