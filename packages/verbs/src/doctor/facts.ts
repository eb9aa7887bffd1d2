import type { Answer } from '@passloop/github';
import type { LoadedModel } from '@passloop/model';
import type { RegistryAccess } from '@passloop/record';
import type { WorkflowFile } from './workflow-file.ts';

/** What is known before anything is judged. All of it was read; nothing of it is an opinion. */
export type Facts = {
  /** A repository without a model file that calls deploy-check.yml or deploy-chain.yml, or has records, is a deploy repository. */
  role: 'model' | 'deploy';
  /** `owner/name`, or null without a forge. */
  name: string | null;
  commit: string | null;
  forge: ForgeFacts;
  modelFile: ModelFileFact;
  datasets: DatasetFact[];
  packages: PackageFact[];
  workflows: WorkflowFile[];
  /** The CODEOWNERS file that GitHub reads. */
  owners: { file: string; text: string } | null;
  settings: RepositorySettings | null;
  environment: EnvironmentFacts | null;
  deploys: DeployFacts[];
  machine: MachineFacts;
};

export type ForgeFacts = {
  /** Where people look: https://github.com */
  server: string;
  /** `cloud`: github.com and ghe.com; `server`: GitHub Enterprise Server. */
  kind: 'cloud' | 'server';
  /** What stands against asking it: the remote `origin` is somewhere else. Null where nothing does. */
  elsewhere: string | null;
};

export type ModelFileFact =
  | { state: 'valid'; models: LoadedModel[] }
  | { state: 'absent' }
  | { state: 'wrong'; message: string; hint: string | null };

export type DatasetFact = {
  model: LoadedModel;
  name: string;
  uri: string;
  remote: boolean;
  lock: { state: 'fresh' } | { state: 'absent' } | { state: 'stale'; said: string } | { state: 'wrong'; said: string };
  /** Whether the files of the work tree can be read; `said` tells why not. */
  data: { readable: true; bytes: number } | { readable: false; said: string; hint: string | null };
  profile: { state: 'none' } | { state: 'valid' } | { state: 'missing'; file: string; said: string };
};

/** A repository of a registry that the model file names. */
export type PackageFact = {
  purpose: 'store' | 'image';
  repository: string;
  host: string;
  access: RegistryAccess;
  hasCredentials: boolean;
  /** What the forge says of the package, where it is the forge's own registry. */
  listing: Answer<{ visibility: string; repository: string | null }> | null;
  /** Classic scopes of the token that was used, where the forge named them. */
  scopes: readonly string[] | null;
};

export type RepositorySettings = {
  name: string;
  repository: Answer<{ defaultBranch: string; isPrivate: boolean; ownerKind: string }>;
  defaultPermissions: Answer<{ level: string; mayApprove: boolean }>;
  forkApproval: Answer<{ policy: string }>;
  /** Rules of the default branch from rulesets, and those of classic protection. */
  rules: Answer<BranchRules>;
  protection: Answer<{ checks: { context: string; appId: number | null }[] }>;
};

export type BranchRules = { checks: { context: string; appId: number | null }[]; mergeQueue: boolean };

export type EnvironmentFacts = {
  name: string;
  secretName: string;
  environment: Answer<{ branches: 'all' | 'protected' | 'named' }>;
  /** Patterns of the branches that may use it. */
  patterns: Answer<string[]>;
  secrets: Answer<string[]>;
};

export type DeployFacts = {
  repository: string;
  /** More than one environment in order: something must start the second one. */
  isChain: boolean;
  /** What its environments' `healthy` reads of it, as an App's permissions. */
  health: Readonly<Record<string, 'read'>>;
  settings: Answer<{ defaultBranch: string; isPrivate: boolean }>;
  /** Its workflows; what of them can't be read stands in the answer. */
  workflows: Answer<WorkflowFile[]>;
  app: AppFacts;
  /** Where it is a git URL: what git said; null for a repository of the forge. */
  git: GitFacts | null;
};

export type GitFacts =
  | { state: 'found'; url: string; branch: string }
  | { state: 'failed'; said: string; hint: string | null };

export type AppFacts =
  /** No workflow and no variable names an App. */
  { state: 'unnamed'; said: string } | { state: 'named'; clientId: string; installation: Answer<Installation> };

export type Installation = { slug: string; selection: string; permissions: Record<string, string> };

export type MachineFacts = {
  engine:
    | { state: 'answers'; version: string; builder: 'buildkit' | 'classic' }
    | { state: 'silent'; said: string; hint: string | null };
  runner: { state: 'hosted' } | { state: 'none' } | { state: 'own'; version: string | null };
};
