export type { CreatedWorkflowRun, RecordedDispatch, WorkflowRunRequest } from './actions/created-run.ts';
export type { AppRequest, CreatedApp } from './apps.ts';
export type { Counts, LoggedCall } from './call-log.ts';
export type { Fault, FaultHandle, FaultMatch, InjectedFault } from './faults.ts';
export type { EventPayload } from './payloads.ts';
export type { CreatedRepository, OpenPullRequest, ProtectionRequest, RepositoryRequest } from './repositories.ts';
export { type LocalGithub, type LocalGithubOptions, startLocalGithub } from './server.ts';
export type { Level, PermissionName, Permissions, RepositorySettings, TokenKind } from './state.ts';
export type { TokenRequest } from './tokens.ts';
