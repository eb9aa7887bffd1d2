import { notFound, unprocessable, validationFailed } from '../api-error.ts';
import { type Forge, type Repository, signatureOf, webSignature } from '../forge.ts';
import { headOwnerOf } from '../forks.ts';
import { runGit } from '../git.ts';
import { isAncestor } from '../git-history.ts';
import { writeCommit } from '../git-objects.ts';
import { mergePull, settlePulls } from '../merge-pull.ts';
import { type MergeMethod, mergeTrees, readCommit } from '../merging.ts';
import { nodeId } from '../node-id.ts';
import { commitsOf, createPull, diffBase, editPull, filesOf, pullOf } from '../pull-requests.ts';
import { branchTip, changeRefs } from '../refs.ts';
import { addReview } from '../reviews.ts';
import type { PullRequest, Review } from '../state.ts';
import { pullPage, repoApi } from '../urls.ts';
import { presentUser } from './accounts.ts';
import { created, listed, type Operation, ok, pageOf, type RepositoryCall, reads, writes } from './call.ts';
import { presentCommit, presentFiles } from './commit.ts';
import { associationOf, presentPull, presentPullSimple } from './pull.ts';

/** @throws ApiError 404 */
export function calledPull(call: RepositoryCall): PullRequest {
  const pull = pullOf(call.repository.state, Number(call.parameters.pull_number ?? call.parameters.issue_number));
  if (pull === undefined) throw notFound();
  return pull;
}

async function listPulls(call: RepositoryCall) {
  const { forge, repository, parameters } = call;
  const { state } = repository;
  const { base, direction, sort } = parameters;
  const head = parameters.head === undefined ? undefined : String(parameters.head).toLowerCase();
  const wanted = parameters.state ?? 'open';
  const pulls = state.pulls.filter((pull) => {
    if (wanted !== 'all' && pull.state !== wanted) return false;
    if (base !== undefined && pull.base.ref !== base) return false;
    // as GitHub: a head without its owner filters nothing
    return head?.includes(':') !== true || head === `${headOwnerOf(state, pull)}:${pull.head.ref}`.toLowerCase();
  });
  if (sort === 'popularity' || sort === 'long-running') throw unprocessable(`Sorting by ${sort} is not served here.`);
  const key = sort === 'updated' ? 'updatedAt' : 'createdAt';
  const sign = direction === 'asc' || (direction === undefined && sort === 'updated') ? 1 : -1;
  pulls.sort((a, b) => sign * (a[key].localeCompare(b[key]) || a.number - b.number));
  return listed(call, pulls, (pull) => presentPullSimple(forge, repository, pull));
}

async function getPull(call: RepositoryCall) {
  const { forge, repository, actor } = call;
  const pull = calledPull(call);
  const format = /application\/vnd\.github(?:\.v3)?\.(diff|patch)/.exec(call.accept)?.[1];
  if (format === undefined) return ok(await presentPull(forge, repository, actor, pull, call.isLagging));
  const content = Buffer.from(await rangeText(repository, pull, format === 'diff' ? 'diff' : 'patch'));
  return { status: 200, raw: { type: `application/vnd.github.${format}; charset=utf-8`, content } };
}

/** What `.diff` and `.patch` of a pull request hold. */
export async function rangeText(repository: Repository, pull: PullRequest, format: 'diff' | 'patch'): Promise<string> {
  const base = await diffBase(repository, pull);
  const args =
    format === 'diff' ? ['diff', base, pull.head.sha] : ['format-patch', '--stdout', `${base}..${pull.head.sha}`];
  return (await runGit(repository.directory, args)).stdout.toString();
}

async function postPull(call: RepositoryCall) {
  const { forge, repository, actor } = call;
  const input = call.body as {
    title?: string;
    head: string;
    head_repo?: string;
    base: string;
    body?: string;
    draft?: boolean;
    maintainer_can_modify?: boolean;
    issue?: number;
  };
  if (input.issue !== undefined) throw unprocessable('Pull requests from issues are not served here.');
  if (input.title === undefined || input.title.trim() === '') {
    throw validationFailed({ resource: 'PullRequest', field: 'title', code: 'missing_field' });
  }
  const pull = await createPull(forge, repository, actor, {
    title: input.title,
    body: input.body ?? null,
    head: input.head,
    headRepository: input.head_repo,
    base: input.base,
    draft: input.draft ?? false,
    maintainerCanModify: input.maintainer_can_modify ?? false,
  });
  await settlePulls(forge, repository, actor);
  // GitHub begins its test merge when it has answered
  const body = await presentPull(forge, repository, actor, pull, true);
  return created(body, body.url);
}

async function patchPull(call: RepositoryCall) {
  const { forge, repository, actor } = call;
  const pull = calledPull(call);
  const input = call.body as {
    title?: string;
    body?: string;
    state?: 'closed' | 'open';
    base?: string;
    maintainer_can_modify?: boolean;
  };
  await editPull(
    forge,
    repository,
    pull,
    {
      title: input.title,
      body: input.body,
      state: input.state,
      base: input.base,
      maintainerCanModify: input.maintainer_can_modify,
    },
    actor,
  );
  await settlePulls(forge, repository, actor);
  return ok(await presentPull(forge, repository, actor, pull));
}

async function putMerge(call: RepositoryCall) {
  const { forge, repository, actor } = call;
  const input = (call.body ?? {}) as {
    commit_title?: string;
    commit_message?: string;
    sha?: string;
    merge_method?: MergeMethod;
  };
  const sha = await mergePull(forge, repository, calledPull(call), actor, {
    method: input.merge_method ?? 'merge',
    expectedHead: input.sha,
    headline: input.commit_title,
    body: input.commit_message,
  });
  return ok({ sha, merged: true, message: 'Pull Request successfully merged' });
}

/** Merges the base branch into the head branch. */
async function updateBranch(call: RepositoryCall) {
  const { forge, repository, actor } = call;
  const pull = calledPull(call);
  const { expected_head_sha: expected } = (call.body ?? {}) as { expected_head_sha?: string };
  if (pull.state === 'closed') throw unprocessable('Cannot update the branch of a closed pull request.');
  if (pull.head.fork !== null) throw unprocessable('The local GitHub does not update a branch of a fork.');
  if (expected !== undefined && expected !== pull.head.sha) {
    throw unprocessable(`expected head sha didn’t match current head ref.`);
  }
  const base = (await branchTip(repository, pull.base.ref))!;
  if (await isAncestor(repository.directory, base, pull.head.sha)) {
    throw unprocessable('There are no new commits on the base branch.');
  }
  const tree = await mergeTrees(repository.directory, pull.head.sha, base);
  if (tree === undefined) throw unprocessable('merge conflict between base and head');
  const after = await writeCommit(repository.directory, {
    tree,
    parents: [pull.head.sha, base],
    message: `Merge branch '${pull.base.ref}' into ${pull.head.ref}\n`,
    author: signatureOf(forge, actor.login),
    committer: webSignature(forge),
  });
  const update = { name: `refs/heads/${pull.head.ref}`, before: pull.head.sha, after, force: false };
  await changeRefs(repository, actor, [update]);
  await settlePulls(forge, repository, actor);
  const url = repoApi(forge, repository.state, `/pulls/${pull.number}`);
  return { status: 202, body: { message: 'Updating pull request branch.', url } };
}

async function listFiles(call: RepositoryCall) {
  const { forge, repository } = call;
  const pull = calledPull(call);
  const page = pageOf(call, await filesOf(repository, pull));
  const range = { from: await diffBase(repository, pull), to: pull.head.sha, at: pull.head.sha };
  return { status: 200, body: await presentFiles(forge, repository, range, page.items), headers: page.headers };
}

async function listCommits(call: RepositoryCall) {
  const { forge, repository } = call;
  const page = pageOf(call, await commitsOf(repository, calledPull(call)));
  const commits = await Promise.all(page.items.map((oid) => readCommit(repository.objects, oid)));
  return {
    status: 200,
    body: commits.map((commit) => presentCommit(forge, repository.state, commit)),
    headers: page.headers,
  };
}

function presentReview(forge: Forge, repository: Repository, pull: PullRequest, review: Review) {
  const html = `${pullPage(forge, repository.state, pull)}#pullrequestreview-${review.id}`;
  const pullUrl = repoApi(forge, repository.state, `/pulls/${pull.number}`);
  return {
    id: review.id,
    node_id: nodeId('PRR', repository.state.id, review.id),
    user: presentUser(forge, review.author),
    body: review.body,
    state: review.state,
    html_url: html,
    pull_request_url: pullUrl,
    author_association: associationOf(repository.state, review.author),
    _links: { html: { href: html }, pull_request: { href: pullUrl } },
    ...(review.state === 'PENDING' ? {} : { submitted_at: review.submittedAt }),
    commit_id: review.commit,
  };
}

async function listReviews(call: RepositoryCall) {
  const { forge, repository } = call;
  const pull = calledPull(call);
  const reviews = repository.state.reviews.filter(({ number }) => number === pull.number);
  return listed(call, reviews, (review) => presentReview(forge, repository, pull, review));
}

async function createReview(call: RepositoryCall) {
  const { forge, repository, actor } = call;
  const pull = calledPull(call);
  const input = call.body as {
    event?: 'APPROVE' | 'COMMENT' | 'REQUEST_CHANGES';
    body?: string;
    commit_id?: string;
    comments?: unknown[];
  };
  if ((input.comments ?? []).length > 0) throw unprocessable('Review comments on lines are not served here.');
  const review = addReview(forge, repository, actor, pull, {
    event: input.event,
    body: input.body ?? '',
    commit: input.commit_id,
  });
  await settlePulls(forge, repository, actor);
  return ok(presentReview(forge, repository, pull, review));
}

export const pullOperations: Record<string, Operation> = {
  'pulls/create': writes('pull_requests', postPull),
  'pulls/create-review': writes('pull_requests', createReview),
  'pulls/get': reads('pull_requests', getPull),
  'pulls/list': reads('pull_requests', listPulls),
  'pulls/list-commits': reads('pull_requests', listCommits),
  'pulls/list-files': reads('pull_requests', listFiles),
  'pulls/list-reviews': reads('pull_requests', listReviews),
  'pulls/merge': writes('contents', putMerge),
  'pulls/update': writes('pull_requests', patchPull),
  'pulls/update-branch': writes('pull_requests', updateBranch),
};
