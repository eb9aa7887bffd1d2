import { workflowOfRun } from './actions/runs.ts';
import type { WorkflowRun } from './actions/state.ts';
import { accountOf, type Forge, type Repository } from './forge.ts';
import { type EventName, eventProblem } from './openapi.ts';
import { nodeIdOfAccount, presentUser } from './rest/accounts.ts';
import { presentRepository } from './rest/repository.ts';
import { presentWorkflow, presentWorkflowRun } from './rest/workflow-run.ts';
import type { RepositoryState } from './state.ts';
import { apiUrl } from './urls.ts';

/** The body of an event, as a webhook delivers it and as GITHUB_EVENT_PATH holds it. */
export type EventPayload = { [field: string]: unknown };

/** Webhooks `organization`, for a repository that belongs to one. */
function organizationOf(forge: Forge, state: RepositoryState): EventPayload {
  const account = accountOf(forge, state.owner);
  if (account.type !== 'Organization') return {};
  const url = apiUrl(forge, `/orgs/${account.login}`);
  const organization = {
    login: account.login,
    id: account.id,
    node_id: nodeIdOfAccount(account),
    url,
    repos_url: `${url}/repos`,
    events_url: `${url}/events`,
    hooks_url: `${url}/hooks`,
    issues_url: `${url}/issues`,
    members_url: `${url}/members{/member}`,
    public_members_url: `${url}/public_members{/member}`,
    avatar_url: `${forge.url}/avatars/u/${account.id}`,
    description: '',
  };
  return { organization };
}

/** Adds what every event says, and checks the whole against GitHub's description. */
function eventOf(
  forge: Forge,
  repository: Repository,
  event: EventName,
  fields: EventPayload,
  sender: string,
): EventPayload {
  const payload = {
    ...fields,
    repository: presentRepository(forge, repository.state),
    ...organizationOf(forge, repository.state),
    sender: presentUser(forge, sender),
  };
  const problem = eventProblem(event, payload);
  if (problem !== undefined) throw new Error(`the event is not as GitHub describes it: ${problem}`);
  return payload;
}

const RUN_EVENTS = {
  completed: { action: 'completed', event: 'workflow-run-completed' },
  in_progress: { action: 'in_progress', event: 'workflow-run-in-progress' },
  queued: { action: 'requested', event: 'workflow-run-requested' },
} as const;

/** Event `workflow_run` of a run as it is now. */
export function workflowRunPayload(forge: Forge, repository: Repository, run: WorkflowRun): EventPayload {
  const { action, event } = RUN_EVENTS[run.status];
  const workflow = workflowOfRun(repository, run);
  const fields = {
    action,
    workflow_run: presentWorkflowRun(forge, repository, run, workflow),
    workflow: presentWorkflow(forge, repository.state, workflow, run.name),
  };
  return eventOf(forge, repository, event, fields, run.triggeringActor);
}
