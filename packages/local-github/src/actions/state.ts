/** A workflow file of a repository: GitHub gives its path an id, whatever the file holds. */
export type Workflow = { id: number; path: string; createdAt: string };

/** OpenAPI `simple-commit`; kept with a run, since a fork that is deleted takes its commits along. */
export type HeadCommit = {
  id: string;
  tree_id: string;
  message: string;
  timestamp: string;
  author: { name: string; email: string };
  committer: { name: string; email: string };
};

type RunStatus = 'completed' | 'in_progress' | 'queued';
export type Conclusion =
  | 'action_required'
  | 'cancelled'
  | 'failure'
  | 'neutral'
  | 'skipped'
  | 'stale'
  | 'success'
  | 'timed_out';

export type WorkflowRun = {
  id: number;
  checkSuiteId: number;
  workflowId: number;
  /** The workflow's name. */
  name: string;
  event: string;
  runNumber: number;
  attempt: number;
  status: RunStatus;
  conclusion: Conclusion | null;
  headSha: string;
  headBranch: string | null;
  headCommit: HeadCommit | null;
  /** A repository's id: the fork's for a pull request from one. */
  headRepository: number;
  displayTitle: string;
  actor: string;
  triggeringActor: string;
  createdAt: string;
  startedAt: string;
  updatedAt: string;
  /** What the artifact service calls `workflow_run_backend_id`: one an attempt, oldest first. */
  plans: string[];
};

export type Artifact = {
  id: number;
  runId: number;
  /** The backend ids that made it. */
  plan: string;
  job: string;
  name: string;
  mimeType: string;
  /** As the uploader says: the service doesn't count again. */
  size: number;
  digest: string | null;
  /** Path in the blob store. */
  blob: string;
  isFinal: boolean;
  createdAt: string;
  updatedAt: string;
  expiresAt: string;
};

export type Dispatch = {
  /** File name of the workflow. */
  workflow: string;
  ref: string;
  inputs: Record<string, string>;
  login: string;
  runId: number;
  createdAt: string;
};

/** An environment: what may use it, and what it holds. */
export type Environment = {
  /** `protected`: those with protection; else patterns of branches and tags. */
  refs: 'all' | 'protected' | { branches: string[]; tags?: string[] };
  /** Names only: values are given to no caller of the API. */
  secrets: string[];
  /** By their names in upper case. */
  variables: Record<string, string>;
};

/** Rules of rulesets for a branch, as far as they are told to callers; the server doesn't enforce them. */
type ToldRules = {
  checks?: { context: string; appId: number | null }[];
  mergeQueue?: boolean;
};

/** What a repository's settings say of workflows. */
export type ActionsSettings = {
  /** What GITHUB_TOKEN may do where a workflow says nothing. */
  defaultPermissions: 'read' | 'write';
  /** GITHUB_TOKEN may approve pull requests. */
  mayApprove: boolean;
  /** Whose first runs wait for a maintainer. */
  forkApproval: 'all_external_contributors' | 'first_time_contributors' | 'first_time_contributors_new_to_github';
  /** Configuration variables, by their names in upper case. */
  variables: Record<string, string>;
  environments: Record<string, Environment>;
  /** By branch. */
  rules: Record<string, ToldRules>;
};

/** What GitHub Actions keeps of one repository. */
export type ActionsState = {
  workflows: Workflow[];
  runs: WorkflowRun[];
  artifacts: Artifact[];
  dispatches: Dispatch[];
  settings: ActionsSettings;
};

/** With the settings that a new repository has. */
export function emptyActions(): ActionsState {
  const settings: ActionsSettings = {
    defaultPermissions: 'read',
    mayApprove: false,
    forkApproval: 'first_time_contributors',
    variables: {},
    environments: {},
    rules: {},
  };
  return { workflows: [], runs: [], artifacts: [], dispatches: [], settings };
}
