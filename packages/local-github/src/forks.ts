import { type Forge, fullName, type Repository } from './forge.ts';
import { runGit } from './git.ts';
import { branchTip } from './refs.ts';
import type { PullRequest, RepositoryState } from './state.ts';

function byId(forge: Forge, id: number): Repository | undefined {
  return [...forge.repositories.values()].find(({ state }) => state.id === id);
}

/** What a fork was made from; undefined for a repository that is no fork, or whose parent is gone. */
export function parentOf(forge: Forge, state: RepositoryState): Repository | undefined {
  return state.parent === null ? undefined : byId(forge, state.parent);
}

export function forksOf(forge: Forge, state: RepositoryState): Repository[] {
  return [...forge.repositories.values()].filter((one) => one.state.parent === state.id);
}

/** The repository that a pull request's branch is in; undefined when that was a fork which is deleted. */
export function headRepositoryOf(forge: Forge, repository: Repository, pull: PullRequest): Repository | undefined {
  return pull.head.fork === null ? repository : byId(forge, pull.head.fork.id);
}

export function headOwnerOf(state: RepositoryState, pull: PullRequest): string {
  return pull.head.fork?.owner ?? state.owner;
}

/** Where a pull request's branch is now: a deleted fork's stays where it was, a deleted branch is undefined. */
export async function headTip(forge: Forge, repository: Repository, pull: PullRequest): Promise<string | undefined> {
  const source = headRepositoryOf(forge, repository, pull);
  return source === undefined ? pull.head.sha : branchTip(source, pull.head.ref);
}

/** `branch`, `owner:branch`, or one of these with the head repository's full name beside it. */
export type HeadRequest = { head: string; headRepository?: string | undefined };

/** The branch that a pull request is asked for; undefined when its repository is neither this one nor a fork of it. */
export function findHead(
  forge: Forge,
  repository: Repository,
  request: HeadRequest,
): { source: Repository; branch: string } | undefined {
  const colon = request.head.indexOf(':');
  const branch = request.head.slice(colon + 1);
  const owner = (colon < 0 ? repository.state.owner : request.head.slice(0, colon)).toLowerCase();
  const name = request.headRepository?.toLowerCase();
  const source = [repository, ...forksOf(forge, repository.state)].find(({ state }) =>
    name === undefined ? state.owner.toLowerCase() === owner : fullName(state).toLowerCase() === name,
  );
  return source === undefined ? undefined : { source, branch };
}

/** Brings a commit of a fork into the base repository, where merges are made and `refs/pull/N` is served. */
export async function fetchCommit(repository: Repository, source: Repository, oid: string): Promise<void> {
  if (source === repository) return;
  await runGit(repository.directory, ['fetch', '--quiet', '--no-tags', '--no-write-fetch-head', source.directory, oid]);
}

/** Copies the branches and tags of a repository, as a new fork begins. */
export async function copyRefs(from: Repository, to: Repository): Promise<void> {
  const refs = ['+refs/heads/*:refs/heads/*', '+refs/tags/*:refs/tags/*'];
  await runGit(to.directory, ['fetch', '--quiet', '--no-write-fetch-head', from.directory, ...refs]);
}
