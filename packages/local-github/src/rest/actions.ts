import { artifactsOfRun, deleteArtifact, isExpired } from '../actions/artifacts.ts';
import { signedBlobUrl } from '../actions/blobs.ts';
import { dispatchWorkflow } from '../actions/dispatches.ts';
import { workflowOfRun } from '../actions/runs.ts';
import type { Artifact, WorkflowRun } from '../actions/state.ts';
import { ApiError, notFound, unprocessable } from '../api-error.ts';
import type { Forge, Repository } from '../forge.ts';
import { nodeId } from '../node-id.ts';
import { type Actor, notAccessible } from '../tokens.ts';
import { repoApi, repoPage } from '../urls.ts';
import { NO_CONTENT, type Operation, ok, pageOf, type RepositoryCall, reads, text, writes } from './call.ts';
import { artifactUrl, presentWorkflowRun } from './workflow-run.ts';

/** Minutes that the address of a download lasts. */
const DOWNLOAD_MINUTES = 1;

/** @throws ApiError 404 */
function calledRun(call: RepositoryCall): WorkflowRun {
  const run = call.repository.state.actions.runs.find(({ id }) => id === call.parameters.run_id);
  if (run === undefined) throw notFound();
  return run;
}

/** @throws ApiError 404 */
function calledArtifact(call: RepositoryCall): Artifact {
  const { artifacts } = call.repository.state.actions;
  const artifact = artifacts.find(({ id, isFinal }) => isFinal && id === call.parameters.artifact_id);
  if (artifact === undefined) throw notFound();
  return artifact;
}

function present(forge: Forge, repository: Repository, run: WorkflowRun, withPulls: boolean) {
  return presentWorkflowRun(forge, repository, run, workflowOfRun(repository, run), withPulls);
}

async function listRuns(call: RepositoryCall) {
  const { forge, repository, parameters } = call;
  const {
    actor,
    branch,
    check_suite_id: suite,
    event,
    exclude_pull_requests: excludes,
    head_sha: sha,
    status,
  } = parameters;
  if (parameters.created !== undefined) throw unprocessable('The local GitHub does not filter runs by created.');
  const runs = repository.state.actions.runs
    .filter(
      (run) =>
        (actor === undefined || run.actor.toLowerCase() === String(actor).toLowerCase()) &&
        (branch === undefined || run.headBranch === branch) &&
        (suite === undefined || run.checkSuiteId === suite) &&
        (event === undefined || run.event === event) &&
        (sha === undefined || run.headSha === sha) &&
        (status === undefined || run.status === status || run.conclusion === status),
    )
    .reverse();
  const page = pageOf(call, runs);
  const body = {
    total_count: runs.length,
    workflow_runs: page.items.map((run) => present(forge, repository, run, excludes !== true)),
  };
  return { status: 200, body, headers: page.headers };
}

async function getRun(call: RepositoryCall) {
  const withPulls = call.parameters.exclude_pull_requests !== true;
  return ok(present(call.forge, call.repository, calledRun(call), withPulls));
}

/** OpenAPI `artifact`. */
function presentArtifact(forge: Forge, { state }: Repository, artifact: Artifact) {
  const url = artifactUrl(forge, state, artifact.id);
  const run = state.actions.runs.find(({ id }) => id === artifact.runId)!;
  return {
    id: artifact.id,
    node_id: nodeId('AR', state.id, artifact.id),
    name: artifact.name,
    size_in_bytes: artifact.size,
    url,
    archive_download_url: `${url}/zip`,
    expired: isExpired(forge, artifact),
    digest: artifact.digest,
    created_at: artifact.createdAt,
    updated_at: artifact.updatedAt,
    expires_at: artifact.expiresAt,
    workflow_run: {
      id: run.id,
      repository_id: state.id,
      head_repository_id: run.headRepository,
      head_branch: run.headBranch ?? '',
      head_sha: run.headSha,
    },
  };
}

async function listArtifacts(call: RepositoryCall) {
  const { forge, repository, parameters } = call;
  const { direction, name } = parameters;
  const artifacts = artifactsOfRun(repository, calledRun(call)).filter(
    (artifact) => name === undefined || artifact.name === name,
  );
  if (direction !== 'asc') artifacts.reverse();
  const page = pageOf(call, artifacts);
  const body = {
    total_count: artifacts.length,
    artifacts: page.items.map((artifact) => presentArtifact(forge, repository, artifact)),
  };
  return { status: 200, body, headers: page.headers };
}

/** Bytes are not for everybody, in a public repository either. @throws ApiError */
function checkDownload(actor: Actor): void {
  if (actor.kind === 'anonymous') throw new ApiError(401, 'Requires authentication');
  if (actor.permissions.actions !== undefined) return;
  throw new ApiError(403, notAccessible(actor), { headers: { 'X-Accepted-GitHub-Permissions': 'actions=read' } });
}

async function downloadArtifact(call: RepositoryCall) {
  checkDownload(call.actor);
  const artifact = calledArtifact(call);
  if (text(call, 'archive_format') !== 'zip') throw notFound();
  if (isExpired(call.forge, artifact)) throw new ApiError(410, 'Artifact has expired');
  const url = signedBlobUrl(call.forge, artifact.blob, 'read', DOWNLOAD_MINUTES);
  return { status: 302, headers: { Location: url } };
}

async function removeArtifact(call: RepositoryCall) {
  await deleteArtifact(call.forge, call.repository, calledArtifact(call));
  return NO_CONTENT;
}

async function createDispatch(call: RepositoryCall) {
  const { forge, repository, actor } = call;
  const input = call.body as { ref: string; inputs?: Record<string, unknown>; return_run_details?: boolean };
  const { runId } = await dispatchWorkflow(forge, repository, actor.login, {
    workflow: text(call, 'workflow_id'),
    ref: input.ref,
    inputs: input.inputs ?? {},
  });
  if (input.return_run_details !== true) return NO_CONTENT;
  const path = `/actions/runs/${runId}`;
  return ok({
    workflow_run_id: runId,
    run_url: repoApi(forge, repository.state, path),
    html_url: repoPage(forge, repository.state, path),
  });
}

export const actionsOperations: Record<string, Operation> = {
  'actions/create-workflow-dispatch': writes('actions', createDispatch),
  'actions/delete-artifact': writes('actions', removeArtifact),
  'actions/download-artifact': reads('actions', downloadArtifact),
  'actions/get-artifact': reads('actions', async (call) =>
    ok(presentArtifact(call.forge, call.repository, calledArtifact(call))),
  ),
  'actions/get-workflow-run': reads('actions', getRun),
  'actions/list-workflow-run-artifacts': reads('actions', listArtifacts),
  'actions/list-workflow-runs-for-repo': reads('actions', listRuns),
};
