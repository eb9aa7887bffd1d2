import { type ApiError, BODY_LIMIT, notFound, unprocessable, validationFailed } from '../api-error.ts';
import { accountOf, type Forge, nextId, now, type Repository } from '../forge.ts';
import { nodeId } from '../node-id.ts';
import type { Comment, Label, PullRequest } from '../state.ts';
import type { Actor } from '../tokens.ts';
import { repoApi, repoPage } from '../urls.ts';
import { presentApp, presentUser } from './accounts.ts';
import { created, listed, NO_CONTENT, type Operation, ok, type Reply, type RepositoryCall } from './call.ts';
import { associationOf, labelsOf, presentLabel } from './pull.ts';
import { calledPull } from './pulls.ts';

/** OpenAPI `issue-comment`. */
function presentComment(forge: Forge, repository: Repository, comment: Comment) {
  const { state } = repository;
  return {
    id: comment.id,
    node_id: nodeId('IC', state.id, comment.id),
    url: repoApi(forge, state, `/issues/comments/${comment.id}`),
    html_url: repoPage(forge, state, `/pull/${comment.number}#issuecomment-${comment.id}`),
    issue_url: repoApi(forge, state, `/issues/${comment.number}`),
    user: presentUser(forge, comment.author),
    created_at: comment.createdAt,
    updated_at: comment.updatedAt,
    author_association: associationOf(state, comment.author),
    body: comment.body,
    performed_via_github_app: comment.appId === null ? null : presentApp(forge, comment.appId),
  };
}

function bodyProblem(body: string): string | undefined {
  if (body.trim() === '') return 'body cannot be blank';
  return body.length > BODY_LIMIT ? `body is too long (maximum is ${BODY_LIMIT} characters)` : undefined;
}

/** @throws ApiError 422, in the form of an edit, which is not that of a new comment */
export function editComment(forge: Forge, comment: Comment, body: string): void {
  const message = bodyProblem(body);
  if (message !== undefined) {
    throw validationFailed({ resource: 'IssueComment', code: 'custom', field: 'body', message });
  }
  comment.body = body;
  comment.updatedAt = now(forge);
}

function newCommentFailure(message: string): ApiError {
  const text = message.replace(/^b/, 'B');
  return validationFailed({ resource: 'IssueComment', code: 'unprocessable', field: 'data', message: text });
}

export function addComment(
  forge: Forge,
  repository: Repository,
  actor: Actor,
  pull: PullRequest,
  body: string,
): Comment {
  const problem = bodyProblem(body);
  if (problem !== undefined) throw newCommentFailure(problem);
  accountOf(forge, actor.login);
  const time = now(forge);
  const comment: Comment = {
    id: nextId(forge),
    number: pull.number,
    author: actor.login,
    body,
    createdAt: time,
    updatedAt: time,
    appId: actor.appId,
  };
  repository.state.comments.push(comment);
  pull.updatedAt = time;
  return comment;
}

/** The labels of these names; names that are new become labels, as when labels are added to an issue. */
function labelsNamed(forge: Forge, repository: Repository, names: string[]): Label[] {
  return names.map((name) => {
    const known = repository.state.labels.find((label) => label.name.toLowerCase() === name.toLowerCase());
    if (known !== undefined) return known;
    if (name.length > 50) throw unprocessable('Validation Failed: name is too long (maximum is 50 characters)');
    const label: Label = { id: nextId(forge), name, color: 'ededed', description: null };
    repository.state.labels.push(label);
    return label;
  });
}

export function addLabels(forge: Forge, pull: PullRequest, labels: Label[]): void {
  pull.labels = [...new Set([...pull.labels, ...labels.map(({ id }) => id)])];
  pull.updatedAt = now(forge);
}

function commentOf(call: RepositoryCall): Comment {
  const comment = call.repository.state.comments.find(({ id }) => id === call.parameters.comment_id);
  if (comment === undefined) throw notFound();
  return comment;
}

async function listComments(call: RepositoryCall) {
  const { forge, repository, parameters } = call;
  const { number } = calledPull(call);
  const since = parameters.since === undefined ? 0 : Date.parse(String(parameters.since));
  const comments = repository.state.comments.filter(
    (comment) => comment.number === number && Date.parse(comment.updatedAt) >= since,
  );
  return listed(call, comments, (comment) => presentComment(forge, repository, comment));
}

async function createComment(call: RepositoryCall) {
  const { forge, repository, actor } = call;
  const comment = addComment(forge, repository, actor, calledPull(call), String(call.body.body));
  const body = presentComment(forge, repository, comment);
  return created(body, body.url);
}

async function updateComment(call: RepositoryCall) {
  const comment = commentOf(call);
  editComment(call.forge, comment, String(call.body.body));
  return ok(presentComment(call.forge, call.repository, comment));
}

async function deleteComment(call: RepositoryCall) {
  const comment = commentOf(call);
  const { state } = call.repository;
  state.comments = state.comments.filter((other) => other !== comment);
  return NO_CONTENT;
}

function presentLabels(call: RepositoryCall, pull: PullRequest) {
  const { state } = call.repository;
  return labelsOf(state, pull).map((label) => presentLabel(call.forge, state, label));
}

async function postLabels(call: RepositoryCall) {
  const pull = calledPull(call);
  const given = (call.body.labels ?? []) as (string | { name: string })[];
  const names = given.map((label) => (typeof label === 'string' ? label : label.name));
  addLabels(call.forge, pull, labelsNamed(call.forge, call.repository, names));
  return ok(presentLabels(call, pull));
}

async function removeLabel(call: RepositoryCall) {
  const pull = calledPull(call);
  const name = String(call.parameters.name).toLowerCase();
  const label = labelsOf(call.repository.state, pull).find((candidate) => candidate.name.toLowerCase() === name);
  if (label === undefined) throw notFound('Label does not exist');
  pull.labels = pull.labels.filter((id) => id !== label.id);
  return ok(presentLabels(call, pull));
}

/** Comments and labels of a pull request are allowed by either permission. */
function either(level: 'read' | 'write', run: (call: RepositoryCall) => Promise<Reply>): Operation {
  return {
    scope: 'repository',
    requires: { anyOf: ['issues', 'pull_requests'], level },
    writes: level === 'write',
    run,
  };
}

export const issueOperations: Record<string, Operation> = {
  'issues/add-labels': either('write', postLabels),
  'issues/create-comment': either('write', createComment),
  'issues/delete-comment': either('write', deleteComment),
  'issues/get-comment': either('read', async (call) =>
    ok(presentComment(call.forge, call.repository, commentOf(call))),
  ),
  'issues/list-comments': either('read', listComments),
  'issues/list-labels-on-issue': either('read', async (call) => ok(presentLabels(call, calledPull(call)))),
  'issues/remove-label': either('write', removeLabel),
  'issues/update-comment': either('write', updateComment),
};
