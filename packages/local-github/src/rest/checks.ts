import { ApiError, notFound, unprocessable } from '../api-error.ts';
import { latestCheckRuns, latestStatuses } from '../checks.ts';
import { accountOf, type Forge, nextId, now, type Repository } from '../forge.ts';
import { settlePulls } from '../merge-pull.ts';
import { nodeId } from '../node-id.ts';
import type { Annotation, CheckRun, RepositoryState, Status } from '../state.ts';
import { repoApi, repoPage } from '../urls.ts';
import { presentApp, presentUser } from './accounts.ts';
import {
  commitOf,
  created,
  listed,
  type Operation,
  ok,
  pageOf,
  type RepositoryCall,
  reads,
  text,
  writes,
} from './call.ts';
import { presentPullMinimal } from './pull.ts';
import { presentMinimalRepository } from './repository.ts';

/** OpenAPI `status`. */
function presentStatus(forge: Forge, state: RepositoryState, status: Status) {
  const creator = presentUser(forge, status.creator);
  return {
    url: repoApi(forge, state, `/statuses/${status.sha}`),
    avatar_url: creator.avatar_url,
    id: status.id,
    node_id: nodeId('SC', state.id, status.id),
    state: status.state,
    description: status.description,
    target_url: status.targetUrl,
    context: status.context,
    created_at: status.createdAt,
    updated_at: status.createdAt,
    creator,
  };
}

/** Records a status; the newest of a context counts. @throws ApiError 422 when the commit is unknown */
export async function addStatus(
  forge: Forge,
  repository: Repository,
  login: string,
  input: Pick<Status, 'context' | 'description' | 'sha' | 'state' | 'targetUrl'>,
): Promise<Status> {
  const { oid } = await commitOf(repository, input.sha);
  accountOf(forge, login);
  const status = { ...input, id: nextId(forge), sha: oid, creator: login, createdAt: now(forge) };
  repository.state.statuses.push(status);
  return status;
}

async function createStatus({ forge, repository, actor, body, ...call }: RepositoryCall) {
  const input = body as { state: Status['state']; target_url?: string; description?: string; context?: string };
  const status = await addStatus(forge, repository, actor.login, {
    sha: String(call.parameters.sha),
    state: input.state,
    context: input.context ?? 'default',
    description: input.description ?? null,
    targetUrl: input.target_url ?? null,
  });
  await settlePulls(forge, repository, actor);
  return created(presentStatus(forge, repository.state, status));
}

async function listStatuses(call: RepositoryCall) {
  const { forge, repository } = call;
  const commit = await commitOf(repository, text(call, 'ref'));
  const statuses = repository.state.statuses.filter(({ sha }) => sha === commit.oid).reverse();
  return listed(call, statuses, (status) => presentStatus(forge, repository.state, status));
}

async function getCombinedStatus(call: RepositoryCall) {
  const { forge, repository } = call;
  const { oid } = await commitOf(repository, text(call, 'ref'));
  const statuses = latestStatuses(repository.state, oid);
  const states = statuses.map(({ state }) => state);
  const failed = states.includes('failure') || states.includes('error');
  const succeeded = states.length > 0 && states.every((state) => state === 'success');
  const page = pageOf(call, statuses);
  const url = repoApi(forge, repository.state, `/commits/${oid}`);
  return {
    status: 200,
    headers: page.headers,
    body: {
      state: failed ? 'failure' : succeeded ? 'success' : 'pending',
      statuses: page.items.map((status) => {
        const { creator: _creator, ...simple } = presentStatus(forge, repository.state, status);
        return simple;
      }),
      sha: oid,
      total_count: statuses.length,
      repository: presentMinimalRepository(forge, repository.state),
      commit_url: url,
      url: `${url}/status`,
    },
  };
}

/** OpenAPI `check-run`. */
function presentCheckRun(forge: Forge, state: RepositoryState, run: CheckRun) {
  const url = repoApi(forge, state, `/check-runs/${run.id}`);
  const page = repoPage(forge, state, `/runs/${run.id}`);
  const pulls = state.pulls.filter(
    (pull) => pull.state === 'open' && pull.head.fork === null && pull.head.sha === run.sha,
  );
  return {
    id: run.id,
    name: run.name,
    node_id: nodeId('CR', state.id, run.id),
    head_sha: run.sha,
    external_id: run.externalId,
    url,
    html_url: page,
    details_url: run.detailsUrl ?? page,
    status: run.status,
    conclusion: run.conclusion,
    started_at: run.startedAt,
    completed_at: run.completedAt,
    output: { ...run.output, annotations_count: run.annotations.length, annotations_url: `${url}/annotations` },
    check_suite: { id: run.appId },
    app: presentApp(forge, run.appId),
    pull_requests: pulls.map((pull) => presentPullMinimal(forge, state, pull)),
  };
}

type RunInput = {
  name?: string;
  head_sha?: string;
  status?: string;
  conclusion?: string;
  started_at?: string;
  completed_at?: string;
  details_url?: string;
  external_id?: string;
  output?: { title?: string; summary: string; text?: string; annotations?: Annotation[] };
};

function applyInput(forge: Forge, run: CheckRun, input: RunInput): void {
  if (input.name !== undefined) run.name = input.name;
  if (input.details_url !== undefined) run.detailsUrl = input.details_url;
  if (input.external_id !== undefined) run.externalId = input.external_id;
  if (input.started_at !== undefined) run.startedAt = input.started_at;
  if (input.status !== undefined) run.status = input.status;
  if (input.conclusion !== undefined) {
    run.conclusion = input.conclusion;
    run.status = 'completed';
  }
  const completed = input.completed_at ?? run.completedAt ?? now(forge);
  if (run.status !== 'completed') run.conclusion = null;
  run.completedAt = run.status === 'completed' ? completed : null;
  if (input.output === undefined) return;
  const { title, summary, text: details, annotations } = input.output;
  run.output = { title: title ?? run.output.title, summary, text: details ?? null };
  run.annotations.push(...(annotations ?? []));
}

/** Only an app may write checks, whatever else a token may. */
function appOf(call: RepositoryCall): number {
  if (call.actor.appId === null) throw new ApiError(403, 'You must authenticate via a GitHub App.');
  return call.actor.appId;
}

async function createCheckRun(call: RepositoryCall) {
  const { forge, repository, actor } = call;
  const input = call.body as RunInput & { name: string; head_sha: string };
  const appId = appOf(call);
  if (input.status === 'completed' && input.conclusion === undefined) {
    throw unprocessable('Invalid request.\n\n"conclusion" wasn\'t supplied.');
  }
  const { oid } = await commitOf(repository, input.head_sha);
  const run: CheckRun = {
    id: nextId(forge),
    name: input.name,
    sha: oid,
    status: 'queued',
    conclusion: null,
    startedAt: now(forge),
    completedAt: null,
    detailsUrl: null,
    externalId: '',
    output: { title: null, summary: null, text: null },
    annotations: [],
    appId,
  };
  applyInput(forge, run, input);
  repository.state.checkRuns.push(run);
  await settlePulls(forge, repository, actor);
  const body = presentCheckRun(forge, repository.state, run);
  return created(body, body.url);
}

function runOf(call: RepositoryCall): CheckRun {
  const run = call.repository.state.checkRuns.find(({ id }) => id === call.parameters.check_run_id);
  if (run === undefined) throw notFound();
  return run;
}

async function updateCheckRun(call: RepositoryCall) {
  const { forge, repository, actor } = call;
  const appId = appOf(call);
  const run = runOf(call);
  if (run.appId !== appId)
    throw new ApiError(
      403,
      `Invalid app_id \`${appId}\` - check run can only be modified by the GitHub App that created it.`,
    );
  applyInput(forge, run, call.body as RunInput);
  await settlePulls(forge, repository, actor);
  return ok(presentCheckRun(forge, repository.state, run));
}

async function listCheckRuns(call: RepositoryCall) {
  const { forge, repository, parameters } = call;
  const { oid } = await commitOf(repository, text(call, 'ref'));
  const { app_id: appId, check_name: name, filter, status } = parameters;
  const all = repository.state.checkRuns.filter(({ sha }) => sha === oid);
  const runs = (filter === 'all' ? all : latestCheckRuns(repository.state, oid)).filter(
    (run) =>
      (name === undefined || run.name === name) &&
      (status === undefined || run.status === status) &&
      (appId === undefined || run.appId === appId),
  );
  const page = pageOf(call, runs.reverse());
  const body = {
    total_count: runs.length,
    check_runs: page.items.map((run) => presentCheckRun(forge, repository.state, run)),
  };
  return { status: 200, body, headers: page.headers };
}

async function listAnnotations(call: RepositoryCall) {
  const { forge, repository } = call;
  const run = runOf(call);
  return listed(call, run.annotations, (annotation) => ({
    start_column: null,
    end_column: null,
    title: null,
    raw_details: null,
    ...annotation,
    blob_href: repoPage(forge, repository.state, `/blob/${run.sha}/${annotation.path}`),
  }));
}

export const checkOperations: Record<string, Operation> = {
  'checks/create': writes('checks', createCheckRun),
  'checks/get': reads('checks', async (call) => ok(presentCheckRun(call.forge, call.repository.state, runOf(call)))),
  'checks/list-annotations': reads('checks', listAnnotations),
  'checks/list-for-ref': reads('checks', listCheckRuns),
  'checks/update': writes('checks', updateCheckRun),
  'repos/create-commit-status': writes('statuses', createStatus),
  'repos/get-combined-status-for-ref': reads('statuses', getCombinedStatus),
  'repos/list-commit-statuses-for-ref': reads('statuses', listStatuses),
};
