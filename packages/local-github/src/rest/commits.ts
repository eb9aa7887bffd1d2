import { notFound } from '../api-error.ts';
import type { Repository } from '../forge.ts';
import { parentOf } from '../forks.ts';
import { runGit } from '../git.ts';
import { diffTrees, mergeBase, revList } from '../git-history.ts';
import { readCommit } from '../merging.ts';
import { commitsOf } from '../pull-requests.ts';
import type { PullRequest } from '../state.ts';
import { canSee } from '../tokens.ts';
import { repoApi, repoPage } from '../urls.ts';
import {
  commitOf,
  commitOrHead,
  findCommit,
  listed,
  type Operation,
  pageOf,
  type RepositoryCall,
  reads,
  text,
} from './call.ts';
import { presentCommit, presentCommitWithFiles, presentFiles } from './commit.ts';
import { presentPullSimple } from './pull.ts';

async function listCommits(call: RepositoryCall) {
  const { forge, repository, parameters } = call;
  const start = await commitOrHead(repository, parameters.sha === undefined ? undefined : String(parameters.sha));
  const args: string[] = [];
  if (parameters.author !== undefined) args.push('--fixed-strings', `--author=${parameters.author}`);
  if (parameters.since !== undefined) args.push(`--since=${parameters.since}`);
  if (parameters.until !== undefined) args.push(`--until=${parameters.until}`);
  const path = text(call, 'path').replace(/\/$/, '');
  const limits = [...args, start.oid, '--', ...(path === '' ? [] : [path])];
  const oids = await revList(repository.directory, limits, args.length === 0 ? undefined : runGit);
  const page = pageOf(call, oids);
  const commits = await Promise.all(page.items.map((oid) => readCommit(repository.objects, oid)));
  return {
    status: 200,
    body: commits.map((commit) => presentCommit(forge, repository.state, commit)),
    headers: page.headers,
  };
}

async function getCommit(call: RepositoryCall) {
  const { forge, repository } = call;
  const commit = await commitOf(repository, text(call, 'ref'));
  if (/application\/vnd\.github(\.v3)?\.sha/.test(call.accept)) {
    return {
      status: 200,
      raw: { type: 'application/vnd.github.sha; charset=utf-8', content: Buffer.from(commit.oid) },
    };
  }
  let headers: Record<string, string> = {};
  const body = await presentCommitWithFiles(forge, repository, commit, (changes) => {
    const page = pageOf({ ...call, parameters: { per_page: 300, ...call.parameters } }, changes);
    headers = page.headers;
    return page.items;
  });
  return { status: 200, body, headers };
}

/** `base...head`, each a revision or `owner:revision` of this repository. */
async function compareCommits(call: RepositoryCall) {
  const { forge, repository } = call;
  const { state, directory } = repository;
  const [left, right] = text(call, 'basehead').split('...');
  const plain = (side = '') => (side.startsWith(`${state.owner}:`) ? side.slice(state.owner.length + 1) : side);
  const base = await findCommit(repository, plain(left));
  const head = await findCommit(repository, plain(right));
  if (base === undefined || head === undefined) throw notFound();
  const common = await mergeBase(directory, base.oid, head.oid);
  if (common === undefined) throw notFound(`No common ancestor between ${left} and ${right}.`);
  const ahead = await revList(directory, ['--reverse', '--topo-order', `${base.oid}..${head.oid}`]);
  const behind = await revList(directory, [`${head.oid}..${base.oid}`]);
  const status =
    ahead.length > 0 && behind.length > 0
      ? 'diverged'
      : ahead.length > 0
        ? 'ahead'
        : behind.length > 0
          ? 'behind'
          : 'identical';
  const size = call.parameters.per_page ?? 250;
  const page = pageOf({ ...call, parameters: { ...call.parameters, per_page: size } }, ahead);
  const commits = await Promise.all(page.items.map((oid) => readCommit(repository.objects, oid)));
  const isFirst = Number(call.parameters.page ?? 1) === 1;
  const changes = isFirst ? (await diffTrees(directory, common, head.oid)).slice(0, 300) : [];
  const path = `/compare/${left}...${right}`;
  const html = repoPage(forge, state, path);
  const commonCommit = await readCommit(repository.objects, common);
  return {
    status: 200,
    headers: page.headers,
    body: {
      url: repoApi(forge, state, path),
      html_url: html,
      permalink_url: repoPage(forge, state, `/compare/${state.owner}:${base.oid}...${state.owner}:${head.oid}`),
      diff_url: `${html}.diff`,
      patch_url: `${html}.patch`,
      base_commit: presentCommit(forge, state, base),
      merge_base_commit: presentCommit(forge, state, commonCommit),
      status,
      ahead_by: ahead.length,
      behind_by: behind.length,
      total_commits: ahead.length,
      commits: commits.map((commit) => presentCommit(forge, state, commit)),
      ...(isFirst
        ? { files: await presentFiles(forge, repository, { from: common, to: head.oid, at: head.oid }, changes) }
        : {}),
    },
  };
}

/**
 * The pull requests that a commit is part of, or that it merged. A commit of a fork is a commit of the parent only when
 * it was merged: until then GitHub answers nothing for it there, and names the pull request in the fork.
 */
export async function pullsOfCommit(repository: Repository, sha: string): Promise<PullRequest[]> {
  const found: PullRequest[] = [];
  for (const pull of repository.state.pulls) {
    const counts = (pull.state === 'open' && pull.head.fork === null) || pull.mergedAt !== null;
    if (!counts) continue;
    if (pull.mergeCommit === sha || (await commitsOf(repository, pull)).includes(sha)) found.push(pull);
  }
  return found;
}

/** The open pull requests of a fork in its parent that a commit is part of. */
async function pullsOfFork(parent: Repository, fork: Repository, sha: string): Promise<PullRequest[]> {
  const found: PullRequest[] = [];
  for (const pull of parent.state.pulls) {
    const isOurs = pull.state === 'open' && pull.head.fork?.id === fork.state.id;
    if (isOurs && (await commitsOf(parent, pull)).includes(sha)) found.push(pull);
  }
  return found;
}

async function listPulls(call: RepositoryCall) {
  const { forge, repository, actor } = call;
  const commit = await commitOf(repository, text(call, 'commit_sha'));
  const pulls = (await pullsOfCommit(repository, commit.oid)).map((pull) => ({ base: repository, pull }));
  const parent = parentOf(forge, repository.state);
  if (parent !== undefined && canSee(actor, parent)) {
    const ofFork = await pullsOfFork(parent, repository, commit.oid);
    pulls.push(...ofFork.map((pull) => ({ base: parent, pull })));
  }
  return listed(call, pulls, ({ base, pull }) => presentPullSimple(forge, base, pull));
}

export const commitOperations: Record<string, Operation> = {
  'repos/compare-commits-with-basehead': reads('contents', compareCommits),
  'repos/get-commit': reads('contents', getCommit),
  'repos/list-commits': reads('contents', listCommits),
  'repos/list-pull-requests-associated-with-commit': reads('pull_requests', listPulls),
};
