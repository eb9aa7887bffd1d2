import { workflowOfRun } from './actions/runs.ts';
import type { WorkflowRun } from './actions/state.ts';
import { accountOf, accountOfEmail, type Forge, type Repository } from './forge.ts';
import { runGit } from './git.ts';
import { diffTrees, isAncestor, revList } from './git-history.ts';
import { EMPTY_TREE, isoTime, type Signature, ZERO_OID } from './git-objects.ts';
import type { MergeGroup } from './merge-groups.ts';
import { readCommit } from './merging.ts';
import { type EventName, eventProblem } from './openapi.ts';
import { pullOf } from './pull-requests.ts';
import { nodeIdOfAccount, presentUser } from './rest/accounts.ts';
import { presentPull } from './rest/pull.ts';
import { presentRepository } from './rest/repository.ts';
import { presentWorkflow, presentWorkflowRun } from './rest/workflow-run.ts';
import type { RepositoryState } from './state.ts';
import { ANONYMOUS } from './tokens.ts';
import { apiUrl, repoPage } from './urls.ts';

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

/** Event `merge_group` of a group that waits for its checks. */
export function mergeGroupPayload(
  forge: Forge,
  repository: Repository,
  group: MergeGroup,
  sender: string,
): EventPayload {
  const fields = {
    action: 'checks_requested',
    merge_group: {
      head_sha: group.headSha,
      head_ref: group.ref,
      base_sha: group.baseSha,
      base_ref: group.baseRef,
      head_commit: group.headCommit,
    },
  };
  return eventOf(forge, repository, 'merge-group-checks-requested', fields, sender);
}

export type PullAction = 'closed' | 'opened' | 'reopened' | 'synchronize';

/**
 * Event `pull_request` of a pull request as it is now.
 * @throws Error when there is none, or a `synchronize` doesn't say what was before
 */
export async function pullRequestPayload(
  forge: Forge,
  repository: Repository,
  number: number,
  action: PullAction,
  before?: string,
): Promise<EventPayload> {
  const pull = pullOf(repository.state, number);
  if (pull === undefined) throw new Error(`there is no pull request #${number}`);
  if (action === 'synchronize' && before === undefined) throw new Error('synchronize needs the head that was before');
  const fields = {
    action,
    number,
    pull_request: await presentPull(forge, repository, ANONYMOUS, pull),
    ...(action === 'synchronize' ? { before, after: pull.head.sha } : {}),
  };
  const sender = action === 'closed' ? (pull.mergedBy ?? pull.author) : pull.author;
  return eventOf(forge, repository, `pull-request-${action}`, fields, sender);
}

export type PushRequest = {
  /** Such as `refs/heads/main`. */
  ref: string;
  /** Zeros for what is new. */
  before: string;
  /** Zeros for what was deleted. */
  after: string;
  pusher: string;
};

/** GitHub lists no more commits of one push. */
const PUSHED_COMMITS = 2048;

function pushedPerson(forge: Forge, { name, email, seconds }: Signature) {
  const login = accountOfEmail(forge, email)?.login;
  return { name, email, date: isoTime(seconds), ...(login === undefined ? {} : { username: login }) };
}

async function pushedCommit(forge: Forge, repository: Repository, oid: string) {
  const commit = await readCommit(repository.objects, oid);
  const changes = await diffTrees(repository.directory, commit.parents[0] ?? EMPTY_TREE, commit.tree);
  const paths = (...statuses: string[]) =>
    changes.filter(({ status }) => statuses.includes(status)).map(({ path }) => path);
  return {
    id: oid,
    tree_id: commit.tree,
    distinct: true,
    message: commit.message.trimEnd(),
    timestamp: isoTime(commit.committer.seconds),
    url: repoPage(forge, repository.state, `/commit/${oid}`),
    author: pushedPerson(forge, commit.author),
    committer: pushedPerson(forge, commit.committer),
    added: paths('added', 'renamed'),
    removed: [...paths('removed'), ...changes.flatMap(({ previousPath }) => previousPath ?? [])],
    modified: paths('changed', 'modified'),
  };
}

/** Event `push` of a branch or a tag. */
export async function pushPayload(forge: Forge, repository: Repository, request: PushRequest): Promise<EventPayload> {
  const { ref, before, after, pusher } = request;
  const { directory, state } = repository;
  const [created, deleted] = [before === ZERO_OID, after === ZERO_OID];
  const branch = ref.replace(/^refs\/heads\//, '');
  const range = created ? [after, '--not', `--exclude=${branch}`, '--branches'] : [`${before}..${after}`];
  const args = ['--reverse', '--topo-order', '-n', String(PUSHED_COMMITS), ...range];
  const oids = deleted ? [] : await revList(directory, args, runGit);
  const commits = [];
  for (const oid of oids) commits.push(await pushedCommit(forge, repository, oid));
  const account = accountOf(forge, pusher);
  const compared = created || deleted ? `/commit/${created ? after : before}` : `/compare/${before}...${after}`;
  const fields = {
    ref,
    before,
    after,
    created,
    deleted,
    forced: !created && !deleted && !(await isAncestor(directory, before, after)),
    base_ref: null,
    compare: repoPage(forge, state, compared),
    commits,
    head_commit: deleted ? null : await pushedCommit(forge, repository, after),
    pusher: { name: account.login, email: `${account.id}+${account.login}@users.noreply.github.com` },
  };
  return eventOf(forge, repository, 'push', fields, pusher);
}
