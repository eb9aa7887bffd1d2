import { readHeadCommit } from './actions/runs.ts';
import type { HeadCommit } from './actions/state.ts';
import { type Forge, type Repository, repositoryOf, writing } from './forge.ts';
import { ZERO_OID } from './git-objects.ts';
import { mergeCommitOf, settlePulls } from './merge-pull.ts';
import type { MergeMethod } from './merging.ts';
import { type EventPayload, mergeGroupPayload } from './payloads.ts';
import { pullOf } from './pull-requests.ts';
import { branchTip, QUEUE_REFS, writeRefs } from './refs.ts';
import { type Actor, ANONYMOUS } from './tokens.ts';

const QUEUE: Actor = { ...ANONYMOUS, login: 'github-merge-queue[bot]' };

export type MergeGroupRequest = {
  /** `owner/name`. */
  repository: string;
  /** Number of the pull request. */
  pull: number;
  /** Default `merge`. */
  method?: MergeMethod;
  /** Head of the group before it in the queue. Default: the base branch's tip. */
  after?: string;
};

/** A merge queue's trial of a pull request: what the base branch would be, on a branch of its own. */
export type CreatedMergeGroup = {
  /** Such as `refs/heads/gh-readonly-queue/main/pr-7-<base sha>`. */
  ref: string;
  headSha: string;
  baseSha: string;
  /** Event `merge_group`, action `checks_requested`. */
  payload: () => EventPayload;
  /** Moves the base branch to the group's head and takes it off the queue. */
  merge: () => Promise<void>;
  /** Takes it off the queue. */
  remove: () => Promise<void>;
};

export type MergeGroup = {
  ref: string;
  headSha: string;
  baseSha: string;
  baseRef: string;
  headCommit: HeadCommit;
};

/** @throws Error when there is no such open pull request, or it conflicts */
export async function createMergeGroup(forge: Forge, request: MergeGroupRequest): Promise<CreatedMergeGroup> {
  const [owner = '', name = ''] = request.repository.split('/');
  const repository = repositoryOf(forge, owner, name);
  const group = await writing(forge, repository, () => buildGroup(forge, repository, request));
  await forge.save();

  const leave = async (changes: { name: string; before: string; after: string }[]) => {
    await writing(forge, repository, async () => {
      await writeRefs(repository, [...changes, { name: group.ref, before: group.headSha, after: ZERO_OID }]);
      await settlePulls(forge, repository, QUEUE);
    });
    await forge.save();
  };
  return {
    ref: group.ref,
    headSha: group.headSha,
    baseSha: group.baseSha,
    payload: () => mergeGroupPayload(forge, repository, group, QUEUE.login),
    merge: () => leave([{ name: group.baseRef, before: group.baseSha, after: group.headSha }]),
    remove: () => leave([]),
  };
}

async function buildGroup(forge: Forge, repository: Repository, request: MergeGroupRequest): Promise<MergeGroup> {
  const pull = pullOf(repository.state, request.pull);
  if (pull?.state !== 'open') throw new Error(`${request.repository} has no open pull request #${request.pull}`);
  const baseSha = request.after ?? (await branchTip(repository, pull.base.ref))!;
  const method = request.method ?? 'merge';
  const headSha = await mergeCommitOf(forge, repository, pull, QUEUE, { method }, baseSha);
  if (headSha === undefined) throw new Error(`#${request.pull} conflicts with ${baseSha}`);
  const ref = `${QUEUE_REFS}${pull.base.ref}/pr-${pull.number}-${baseSha}`;
  await writeRefs(repository, [{ name: ref, before: ZERO_OID, after: headSha }]);
  const headCommit = (await readHeadCommit(repository, headSha))!;
  return { ref, headSha, baseSha, baseRef: `refs/heads/${pull.base.ref}`, headCommit };
}
