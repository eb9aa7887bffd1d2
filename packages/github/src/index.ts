export { readCheckEvent } from './action/check-event.ts';
export { ForbiddenError } from './api-error.ts';
export { type ArtifactLimits, documentLimits, readArtifactArchive } from './artifact-archive.ts';
export { type Annotation, type CheckRunRequest, checkName, maxAnnotations, reportCheckRun } from './check-run.ts';
export { type Action, type GithubClient, type GithubOptions, githubClient } from './client.ts';
export { type CommentRequest, type CommentResult, upsertComment } from './comments.ts';
export { commitReports } from './commit-reports.ts';
export { defaultBranch } from './default-branch.ts';
export { type GitForgeOptions, gitForge } from './git-remote/git-forge.ts';
export { gitRemoteVariables } from './git-remote/git-store.ts';
export { type GitRemote, gitRemote, isGitUrl } from './git-remote/git-url.ts';
export { octokitForge } from './octokit-forge.ts';
export { type ChangedFile, type PullRequest, readPullRequest } from './pull-request.ts';
export { readRepositoryFile } from './repository-file.ts';
export { downloadRunArtifact } from './run-artifact.ts';
export {
  type Answer,
  askInstallation,
  type SettingsQuestion,
  type SettingsReader,
  settingsReader,
} from './settings-reader.ts';
export { dispatchWorkflow } from './workflow-dispatch.ts';
export { workflowFileOf } from './workflow-file.ts';
export {
  type EndedRun,
  endedRunOf,
  isStillAbout,
  notPostedBecause,
  pullOfRun,
  type RunPull,
  readRun,
} from './workflow-run.ts';
