import { runGit } from './git.ts';
import { revList } from './git-history.ts';
import { type Commit, type ObjectReader, parseCommit, type Signature, writeCommit } from './git-objects.ts';

export type MergeMethod = 'merge' | 'rebase' | 'squash';

/**
 * The tree of a three-way merge, made by `git merge-tree` in the object database alone;
 * undefined when the sides conflict or have no common history.
 */
export async function mergeTrees(directory: string, ours: string, theirs: string): Promise<string | undefined> {
  const args = ['merge-tree', '--write-tree', '--no-messages', ours, theirs];
  const { code, stdout } = await runGit(directory, args, { expect: [0, 1, 128] });
  return code === 0 ? stdout.toString().trim() : undefined;
}

/**
 * Replays the commits of `base..head` on `base`, oldest first, as `git rebase` does: merge commits are left out, and
 * so are commits which become empty. Authors stay, the committer is ours. Undefined when one of them conflicts.
 */
export async function rebaseCommits(
  directory: string,
  reader: ObjectReader,
  base: string,
  head: string,
  committer: Signature,
): Promise<string | undefined> {
  const oids = await revList(directory, ['--reverse', '--topo-order', '--no-merges', `${base}..${head}`]);
  let tip = base;
  for (const oid of oids) {
    const commit = await readCommit(reader, oid);
    const tree = await pickedTree(directory, reader, tip, commit, committer);
    if (tree === undefined) return undefined;
    const before = (await readCommit(reader, tip)).tree;
    const wasEmpty =
      commit.parents[0] !== undefined && (await readCommit(reader, commit.parents[0])).tree === commit.tree;
    if (tree === before && !wasEmpty) continue;
    tip = await writeCommit(directory, {
      tree,
      parents: [tip],
      message: commit.message,
      author: commit.author,
      committer,
    });
  }
  return tip;
}

/**
 * The tree of a cherry-pick. `git merge-tree` takes no merge base before git 2.40, so the tip's tree is put on the
 * picked commit's parent first: then that parent is the merge base.
 */
async function pickedTree(
  directory: string,
  reader: ObjectReader,
  tip: string,
  commit: Commit,
  committer: Signature,
): Promise<string | undefined> {
  const parent = commit.parents[0];
  if (parent === undefined) return undefined;
  if (parent === tip) return commit.tree;
  const tree = (await readCommit(reader, tip)).tree;
  const ours = await writeCommit(directory, { tree, parents: [parent], message: '', author: committer, committer });
  return mergeTrees(directory, ours, commit.oid);
}

export async function readCommit(reader: ObjectReader, oid: string): Promise<Commit> {
  const object = await reader.read(`${oid}^{commit}`);
  if (object === undefined) throw new Error(`no commit ${oid}`);
  return parseCommit(object);
}
