import type { Workflow, WorkflowRun } from '../actions/state.ts';
import { type Forge, fullName, type Repository } from '../forge.ts';
import { nodeId } from '../node-id.ts';
import type { PullRequest, RepositoryState } from '../state.ts';
import { apiUrl, repoApi, repoPage } from '../urls.ts';
import { presentUser } from './accounts.ts';
import { presentPullMinimal } from './pull.ts';
import { presentMinimalRepository } from './repository.ts';

/** The open pull requests of a run's branch: none for a fork's, as on GitHub. */
function pullsOfRun(state: RepositoryState, run: WorkflowRun): PullRequest[] {
  if (run.headRepository !== state.id) return [];
  return state.pulls.filter(
    (pull) => pull.state === 'open' && pull.head.fork === null && pull.head.ref === run.headBranch,
  );
}

function presentHeadRepository(forge: Forge, id: number): Record<string, unknown> | null {
  const found = [...forge.repositories.values()].find(({ state }) => state.id === id);
  return found === undefined ? null : presentMinimalRepository(forge, found.state);
}

/** OpenAPI `workflow-run`. */
export function presentWorkflowRun(
  forge: Forge,
  { state }: Repository,
  run: WorkflowRun,
  workflow: Workflow,
  withPulls = true,
) {
  const url = repoApi(forge, state, `/actions/runs/${run.id}`);
  return {
    id: run.id,
    name: run.name,
    node_id: nodeId('WFR', state.id, run.id),
    head_branch: run.headBranch,
    head_sha: run.headSha,
    path: workflow.path,
    display_title: run.displayTitle,
    run_number: run.runNumber,
    event: run.event,
    status: run.status,
    conclusion: run.conclusion,
    workflow_id: run.workflowId,
    check_suite_id: run.checkSuiteId,
    check_suite_node_id: nodeId('CS', state.id, run.checkSuiteId),
    url,
    html_url: repoPage(forge, state, `/actions/runs/${run.id}`),
    pull_requests: withPulls ? pullsOfRun(state, run).map((pull) => presentPullMinimal(forge, state, pull)) : [],
    created_at: run.createdAt,
    updated_at: run.updatedAt,
    actor: presentUser(forge, run.actor),
    run_attempt: run.attempt,
    referenced_workflows: [],
    run_started_at: run.startedAt,
    triggering_actor: presentUser(forge, run.triggeringActor),
    jobs_url: `${url}/jobs`,
    logs_url: `${url}/logs`,
    check_suite_url: repoApi(forge, state, `/check-suites/${run.checkSuiteId}`),
    artifacts_url: `${url}/artifacts`,
    cancel_url: `${url}/cancel`,
    rerun_url: `${url}/rerun`,
    previous_attempt_url: run.attempt === 1 ? null : `${url}/attempts/${run.attempt - 1}`,
    workflow_url: repoApi(forge, state, `/actions/workflows/${run.workflowId}`),
    head_commit: run.headCommit,
    repository: presentMinimalRepository(forge, state),
    head_repository: presentHeadRepository(forge, run.headRepository),
  };
}

/** OpenAPI `workflow`. */
export function presentWorkflow(forge: Forge, state: RepositoryState, workflow: Workflow, name: string) {
  const url = repoApi(forge, state, `/actions/workflows/${workflow.id}`);
  return {
    id: workflow.id,
    node_id: nodeId('W', state.id, workflow.id),
    name,
    path: workflow.path,
    state: 'active',
    created_at: workflow.createdAt,
    updated_at: workflow.createdAt,
    url,
    html_url: repoPage(forge, state, `/blob/${state.defaultBranch}/${workflow.path}`),
    badge_url: repoPage(forge, state, `/workflows/${encodeURIComponent(name)}/badge.svg`),
  };
}

/** The address of an artifact, for `url` and `archive_download_url`. */
export function artifactUrl(forge: Forge, state: RepositoryState, id: number): string {
  return apiUrl(forge, `/repos/${fullName(state)}/actions/artifacts/${id}`);
}
