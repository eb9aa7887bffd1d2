import { ApiError } from '../api-error.ts';
import { type Repository, signatureOf, webSignature } from '../forge.ts';
import { changeTree, MissingPathError, type TreeChange, writeBlob, writeCommit, ZERO_OID } from '../git-objects.ts';
import { readCommit } from '../merging.ts';
import { branchTip, changeRefs, type RefUpdate, readRef } from '../refs.ts';
import { isTreePath } from '../rest/git-data.ts';
import { canSee } from '../tokens.ts';
import { change, type Input } from './change.ts';
import type { Context } from './context.ts';
import { commitNode, refNode } from './git-nodes.ts';
import { refOfId, repositoryOfId } from './lookup.ts';

async function updateRefs(
  {
    input,
  }: Input<{
    repositoryId: string;
    refUpdates: { name: string; beforeOid?: string | null; afterOid: string; force?: boolean | null }[];
  }>,
  context: Context,
) {
  const repository = repositoryOfId(context, input.repositoryId);
  const updates: RefUpdate[] = input.refUpdates.map(({ name, beforeOid, afterOid, force }) => ({
    name,
    after: afterOid,
    force: force ?? false,
    ...(beforeOid == null ? {} : { before: beforeOid }),
  }));
  return change(context, repository, ['contents'], input, async () => {
    await changeRefs(repository, context.actor, updates);
    return {};
  });
}

async function refPayload(context: Context, repository: Repository, name: string) {
  const ref = await readRef(repository, name);
  return { ref: ref === undefined ? null : refNode(context, repository, ref) };
}

async function createRef({ input }: Input<{ repositoryId: string; name: string; oid: string }>, context: Context) {
  const repository = repositoryOfId(context, input.repositoryId);
  return change(context, repository, ['contents'], input, async () => {
    if ((await readRef(repository, input.name)) !== undefined) {
      throw new ApiError(422, `A ref named "${input.name}" already exists in the repository.`);
    }
    await changeRefs(repository, context.actor, [
      { name: input.name, before: ZERO_OID, after: input.oid, force: false },
    ]);
    return refPayload(context, repository, input.name);
  });
}

async function updateRef({ input }: Input<{ refId: string; oid: string; force?: boolean | null }>, context: Context) {
  const { repository, name } = refOfId(context, input.refId);
  return change(context, repository, ['contents'], input, async () => {
    await changeRefs(repository, context.actor, [{ name, after: input.oid, force: input.force ?? false }]);
    return refPayload(context, repository, name);
  });
}

async function deleteRef({ input }: Input<{ refId: string }>, context: Context) {
  const { repository, name } = refOfId(context, input.refId);
  return change(context, repository, ['contents'], input, async () => {
    await changeRefs(repository, context.actor, [{ name, after: ZERO_OID, force: true }]);
    return {};
  });
}

type CommitOnBranch = {
  branch: { id?: string | null; repositoryNameWithOwner?: string | null; branchName?: string | null };
  expectedHeadOid: string;
  message: { headline: string; body?: string | null };
  fileChanges?: { additions?: { path: string; contents: string }[]; deletions?: { path: string }[] } | null;
};

function branchOf(context: Context, { branch }: CommitOnBranch): { repository: Repository; name: string } {
  if (branch.id != null) return refOfId(context, branch.id);
  const repository = context.forge.repositories.get((branch.repositoryNameWithOwner ?? '').toLowerCase());
  if (repository === undefined || !canSee(context.actor, repository) || branch.branchName == null) {
    throw new ApiError(404, 'Branch not found');
  }
  return { repository, name: `refs/heads/${branch.branchName.replace(/^refs\/heads\//, '')}` };
}

async function createCommitOnBranch({ input }: Input<CommitOnBranch>, context: Context) {
  const { forge, actor } = context;
  const { repository, name } = branchOf(context, input);
  return change(context, repository, ['contents'], input, async () => {
    const branch = name.slice('refs/heads/'.length);
    const tip = await branchTip(repository, branch);
    if (tip === undefined) throw new ApiError(404, `Branch not found: ${branch}`);
    if (tip !== input.expectedHeadOid) {
      const message = `Expected branch to point to "${input.expectedHeadOid}" but it did not. Pull and try again.`;
      throw new ApiError(422, message, { type: 'STALE_DATA' });
    }
    const changes = new Map<string, TreeChange>();
    for (const { path } of input.fileChanges?.deletions ?? []) changes.set(path, null);
    for (const { path, contents } of input.fileChanges?.additions ?? []) {
      if (!isTreePath(path)) throw new ApiError(422, `A path was requested that is invalid: ${path}`);
      const oid = await writeBlob(repository.directory, Buffer.from(contents, 'base64'));
      changes.set(path, { mode: '100644', type: 'blob', oid });
    }
    const head = await readCommit(repository.objects, tip);
    let tree: string;
    try {
      tree = await changeTree(repository.directory, repository.objects, head.tree, changes);
    } catch (error) {
      if (!(error instanceof MissingPathError)) throw error;
      throw new ApiError(422, `A path was requested for deletion which does not exist as of commit oid \`${tip}\``);
    }
    const { headline, body } = input.message;
    const after = await writeCommit(repository.directory, {
      tree,
      parents: [tip],
      message: body == null || body === '' ? `${headline}\n` : `${headline}\n\n${body}\n`,
      author: signatureOf(forge, actor.login),
      committer: webSignature(forge),
    });
    await changeRefs(repository, actor, [{ name, before: tip, after, force: false }]);
    const commit = await readCommit(repository.objects, after);
    return { commit: commitNode(context, repository, commit), ...(await refPayload(context, repository, name)) };
  });
}

export const refMutations = { createCommitOnBranch, createRef, deleteRef, updateRef, updateRefs };
