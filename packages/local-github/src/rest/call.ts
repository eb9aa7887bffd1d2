import { ApiError, notFound } from '../api-error.ts';
import type { Forge, Repository } from '../forge.ts';
import { type Commit, parseCommit } from '../git-objects.ts';
import type { RateLimitResource, RateLimitState } from '../rate-limit.ts';
import { listRefs } from '../refs.ts';
import type { Actor, Requirement } from '../tokens.ts';

/** One validated REST request. Path and query parameters have the types of GitHub's description. */
export type Call = {
  forge: Forge;
  actor: Actor;
  /** The address as it was asked for, for links to other pages. */
  url: URL;
  parameters: Record<string, string | number | boolean>;
  body: Record<string, unknown>;
  accept: string;
  /** Answers as a replica that is behind would. */
  isLagging: boolean;
  rateLimits: Record<RateLimitResource, RateLimitState>;
};
export type RepositoryCall = Call & { repository: Repository };

export type Reply = {
  status: number;
  body?: unknown;
  headers?: Record<string, string>;
  /** Bytes instead of JSON. */
  raw?: { type: string; content: Buffer };
};

/**
 * How an operation is served. `requires` names the permission; `token` any valid token, `app` a signed JWT, `public`
 * nothing. Operations of a repository that write run one after the other.
 */
export type Operation =
  | { scope: 'repository'; requires: Requirement; writes: boolean; run: (call: RepositoryCall) => Promise<Reply> }
  | { scope: 'app' | 'installation' | 'public' | 'token'; writes: boolean; run: (call: Call) => Promise<Reply> };

export function reads(
  permission: Requirement['anyOf'][number],
  run: (call: RepositoryCall) => Promise<Reply>,
): Operation {
  return { scope: 'repository', requires: { anyOf: [permission], level: 'read' }, writes: false, run };
}

export function writes(
  permission: Requirement['anyOf'][number],
  run: (call: RepositoryCall) => Promise<Reply>,
): Operation {
  return { scope: 'repository', requires: { anyOf: [permission], level: 'write' }, writes: true, run };
}

export function ok(body: unknown): Reply {
  return { status: 200, body };
}

export function created(body: unknown, url?: string): Reply {
  return url === undefined ? { status: 201, body } : { status: 201, body, headers: { Location: url } };
}

export const NO_CONTENT: Reply = { status: 204 };

/** The asked-for page of a list, and the Link header which names its neighbours. Default 30, at most 100 entries. */
export function pageOf<T>(call: Call, items: T[]): { items: T[]; headers: Record<string, string> } {
  const size = Math.min(Math.max(Number(call.parameters.per_page ?? 30), 1), 100);
  const page = Math.max(Number(call.parameters.page ?? 1), 1);
  const last = Math.max(Math.ceil(items.length / size), 1);
  const link = (target: number, relation: string) => {
    const url = new URL(call.url);
    url.searchParams.set('page', String(target));
    return `<${url}>; rel="${relation}"`;
  };
  const links: string[] = [];
  if (page > 1) links.push(link(Math.min(page - 1, last), 'prev'));
  if (page < last) links.push(link(page + 1, 'next'), link(last, 'last'));
  if (page > 1) links.push(link(1, 'first'));
  return {
    items: items.slice((page - 1) * size, page * size),
    headers: links.length === 0 ? {} : { Link: links.join(', ') },
  };
}

/** A list that is one page of JSON objects. */
export function listed<T>(call: Call, items: T[], present: (item: T) => unknown): Reply {
  const page = pageOf(call, items);
  return { status: 200, body: page.items.map(present), headers: page.headers };
}

export function text(call: Call, name: string): string {
  return String(call.parameters[name] ?? '');
}

/** A sha, branch or tag, without git's operators. */
export function isRevision(revision: string): boolean {
  return revision !== '' && !/^[-/]|[\x00-\x20\x7f~^:?*[\\{]|\.\./.test(revision);
}

export async function findCommit(repository: Repository, revision: string): Promise<Commit | undefined> {
  if (!isRevision(revision)) return undefined;
  for (const prefix of ['refs/heads/', 'refs/tags/', 'refs/', '']) {
    if (prefix === '' && !/^[0-9a-f]{4,40}$/.test(revision) && revision !== 'HEAD') continue;
    const object = await repository.objects.read(`${prefix}${revision}^{commit}`);
    if (object !== undefined) return parseCommit(object);
  }
  return undefined;
}

/** @throws ApiError 422, GitHub's answer where a commit is asked for by a revision that names none */
export async function commitOf(repository: Repository, revision: string): Promise<Commit> {
  const commit = await findCommit(repository, revision);
  if (commit === undefined) throw new ApiError(422, `No commit found for SHA: ${revision}`);
  return commit;
}

/** The default branch's commit when no revision is given. @throws ApiError 404, or 409 in an empty repository */
export async function commitOrHead(repository: Repository, revision: string | undefined): Promise<Commit> {
  const commit = await findCommit(repository, revision ?? repository.state.defaultBranch);
  if (commit !== undefined) return commit;
  await refuseEmpty(repository);
  throw notFound(revision === undefined ? 'Not Found' : `No commit found for the ref ${revision}`);
}

/** @throws ApiError 409 while nothing was pushed */
export async function refuseEmpty(repository: Repository): Promise<void> {
  if ((await repository.objects.read('HEAD')) !== undefined) return;
  if ((await listRefs(repository, 'refs/heads/')).length === 0) throw new ApiError(409, 'Git Repository is empty.');
}
