import { ApiError, unprocessable } from './api-error.ts';
import { requiredChecksProblem } from './checks.ts';
import type { Repository } from './forge.ts';
import { GitError, gitText, runGit } from './git.ts';
import { isAncestor, revList, runGitOnce } from './git-history.ts';
import { EMPTY_TREE, isOid, type ObjectType, ZERO_OID } from './git-objects.ts';
import type { Protection } from './state.ts';
import { type Actor, hasPermission } from './tokens.ts';

export type Ref = { name: string; oid: string; type: ObjectType };

/** A change of one reference. `before` is what it must be now (zeros: absent), `after` zeros deletes it. */
export type RefUpdate = { name: string; before?: string; after: string; force: boolean };

/** Branches of merge queues: everyone may fetch them, only the queue moves them. */
export const QUEUE_REFS = 'refs/heads/gh-readonly-queue/';

/** git's own rules for a reference's full name (git-check-ref-format). */
export function isRefName(name: string): boolean {
  if (!/^refs\/[^/]+\/./.test(name) || name.endsWith('/') || name.endsWith('.')) return false;
  if (/[\x00-\x20\x7f~^:?*[\\]|\.\.|@\{|\/\//.test(name)) return false;
  return name.split('/').every((part) => !part.startsWith('.') && !part.endsWith('.lock'));
}

/** All references whose full name starts with `prefix`, by name. */
export async function listRefs(repository: Repository, prefix: string): Promise<Ref[]> {
  const folder = prefix.slice(0, prefix.lastIndexOf('/') + 1);
  const format = '--format=%(objectname) %(objecttype) %(refname)';
  const text = await gitText(repository.directory, ['for-each-ref', format, folder]);
  const refs = (text === '' ? [] : text.split('\n')).map((line) => {
    const [oid = '', type = '', ...name] = line.split(' ');
    return { oid, type: type as ObjectType, name: name.join(' ') };
  });
  return refs.filter(({ name }) => name.startsWith(prefix));
}

export async function readRef(repository: Repository, name: string): Promise<Ref | undefined> {
  if (!isRefName(name)) return undefined;
  const object = await repository.objects.read(name);
  return object === undefined ? undefined : { name, oid: object.oid, type: object.type };
}

/** The commit at a branch's tip; undefined when there is no such branch. */
export async function branchTip(repository: Repository, branch: string): Promise<string | undefined> {
  return (await readRef(repository, `refs/heads/${branch}`))?.oid;
}

function staleRef(name: string, actual: string | undefined, expected: string): ApiError {
  const message = `${name} is at ${actual ?? ZERO_OID} but expected ${expected}`;
  return new ApiError(422, message, { type: 'STALE_DATA' });
}

function branchOf(name: string): string | undefined {
  return name.startsWith('refs/heads/') ? name.slice('refs/heads/'.length) : undefined;
}

/** The protection that binds this actor on this branch; some of it binds administrators always. */
export function bindingProtection(repository: Repository, actor: Actor, branch: string): Protection | undefined {
  const protection = repository.state.protections[branch];
  if (protection === undefined || !actor.admin || protection.enforceAdmins) return protection;
  return { ...protection, requiredChecks: null, requiredReviews: null, requireLinearHistory: false };
}

/** Why a branch's protection forbids a direct change, in GitHub's words. */
async function protectionProblem(
  repository: Repository,
  actor: Actor,
  update: { name: string; before: string | undefined; after: string },
): Promise<string | undefined> {
  const branch = branchOf(update.name);
  const protection = branch === undefined ? undefined : bindingProtection(repository, actor, branch);
  if (protection === undefined || update.before === undefined) return undefined;
  if (update.after === ZERO_OID) return protection.allowDeletions ? undefined : 'Cannot delete this branch';
  const forward = await isAncestor(repository.directory, update.before, update.after);
  if (!forward && !protection.allowForcePushes) return 'Cannot force-push to this branch';
  if (protection.requiredReviews !== null) return 'Changes must be made through a pull request.';
  const merges = protection.requireLinearHistory
    ? await revList(repository.directory, ['--merges', '-n', '1', `${update.before}..${update.after}`])
    : [];
  if (merges.length > 0) return 'This branch must not contain merge commits.';
  return requiredChecksProblem(repository.state, protection, update.after);
}

/**
 * Workflow files are guarded by a permission of their own, wherever a commit with them would land. What a new
 * branch changes counts from the default branch.
 * @throws ApiError 403
 */
export async function checkWorkflows(
  repository: Repository,
  actor: Actor,
  before: string | undefined,
  after: string,
): Promise<void> {
  if (hasPermission(actor, repository, 'workflows', 'write')) return;
  const base = before ?? (await branchTip(repository, repository.state.defaultBranch)) ?? EMPTY_TREE;
  const args = ['diff', '--name-only', '-z', base, after, '--', '.github/workflows'];
  const [changed = ''] = (await runGitOnce(repository.directory, args)).stdout.toString().split('\0');
  if (changed === '') return;
  const who = actor.kind === 'personal' ? 'a Personal Access Token' : 'a GitHub App';
  const message = `refusing to allow ${who} to create or update workflow \`${changed}\` without \`workflows\` permission`;
  throw new ApiError(403, message);
}

function malformedOid(text: string): ApiError {
  if (text.length < 40) return unprocessable(`At least 40 characters are required; only ${text.length} were supplied.`);
  return unprocessable('The sha parameter must be exactly 40 characters and contain only [0-9a-f].');
}

async function resolveUpdate(repository: Repository, actor: Actor, update: RefUpdate) {
  const { name } = update;
  if (!isRefName(name) || /^refs\/(heads|tags)$/.test(name)) throw unprocessable(`${name} is not a valid ref name.`);
  if (name.startsWith('refs/pull/') || name.startsWith(QUEUE_REFS)) throw unprocessable('deny updating a hidden ref');
  if (!isOid(update.after)) throw malformedOid(update.after);
  const current = await readRef(repository, name);
  if (update.before !== undefined && update.before !== (current?.oid ?? ZERO_OID)) {
    throw staleRef(name, current?.oid, update.before);
  }
  if (update.after === ZERO_OID) {
    if (current === undefined) throw unprocessable('Reference does not exist');
  } else {
    const object = await repository.objects.read(update.after);
    if (object === undefined) throw unprocessable('Object does not exist');
    if (branchOf(name) !== undefined && object.type !== 'commit') {
      throw unprocessable('Reference cannot be updated: the object is not a commit');
    }
    if (current !== undefined && current.type === 'commit' && !update.force) {
      const forward = await isAncestor(repository.directory, current.oid, update.after);
      if (!forward) throw unprocessable('Update is not a fast forward');
    }
  }
  if (update.after !== ZERO_OID) await checkWorkflows(repository, actor, current?.oid, update.after);
  if (update.after === ZERO_OID && branchOf(name) === repository.state.defaultBranch) {
    throw unprocessable(`refusing to delete the current branch: ${name}`);
  }
  const problem = await protectionProblem(repository, actor, { name, before: current?.oid, after: update.after });
  if (problem !== undefined) throw unprocessable(problem);
  return { name, before: current?.oid ?? ZERO_OID, after: update.after };
}

/**
 * Changes references in one transaction of git, all or none, each compared with the value it was read at.
 * Callers hold the repository's queue and synchronise its pull requests afterwards.
 * @throws ApiError 422, of type STALE_DATA when a reference is not where it was expected
 */
export async function changeRefs(repository: Repository, actor: Actor, updates: RefUpdate[]): Promise<void> {
  const resolved: { name: string; before: string; after: string }[] = [];
  for (const update of updates) {
    if (resolved.some(({ name }) => name === update.name)) throw unprocessable(`${update.name} is named twice`);
    resolved.push(await resolveUpdate(repository, actor, update));
  }
  await writeRefs(repository, resolved);
}

/** The transaction itself, without rules. @throws ApiError of type STALE_DATA */
export async function writeRefs(
  repository: Repository,
  updates: { name: string; before: string; after: string }[],
): Promise<void> {
  const lines = updates.map(({ name, before, after }) => `update ${name}\0${after}\0${before}\0`);
  const input = ['start\0', ...lines, 'commit\0'].join('');
  try {
    await runGit(repository.directory, ['update-ref', '--stdin', '-z'], { input });
  } catch (error) {
    if (!(error instanceof GitError)) throw error;
    for (const { name, before } of updates) {
      const current = (await readRef(repository, name))?.oid;
      if ((current ?? ZERO_OID) !== before) throw staleRef(name, current, before);
    }
    throw unprocessable(`Reference update failed: ${error.stderr.trim().split('\n').at(-1)}`);
  }
}
