import { type Forge, fullName } from './forge.ts';
import type { PullRequest, RepositoryState } from './state.ts';

/** The API address of a path such as `/repos/acme/deploy`. */
export function apiUrl(forge: Forge, path: string): string {
  return `${forge.url}/api/v3${path}`;
}

export function repoApi(forge: Forge, repository: RepositoryState, path = ''): string {
  return apiUrl(forge, `/repos/${fullName(repository)}${path}`);
}

/** The address of a page for people. */
export function repoPage(forge: Forge, repository: RepositoryState, path = ''): string {
  return `${forge.url}/${fullName(repository)}${path}`;
}

export function pullPage(forge: Forge, repository: RepositoryState, pull: PullRequest): string {
  return repoPage(forge, repository, `/pull/${pull.number}`);
}
