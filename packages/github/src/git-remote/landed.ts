import type { GitStore } from './git-store.ts';

/** How far back a squashed branch is looked for; one that landed longer ago counts as open, and the next promotion replaces it. */
const mostCommits = 200;

/**
 * Whether people merged a branch, in whatever way: its commit is in the base (a merge, a fast forward), or the base had, in a
 * commit of its own since the two parted, all that the branch changes (a squash, a rebase, a cherry-pick).
 */
export async function isLanded(store: GitStore, head: string, base: string): Promise<boolean> {
  const ancestor = await store.tryGit(['merge-base', '--is-ancestor', head, base]);
  if (ancestor.exitCode === 0) return true;
  const parted = await store.tryGit(['merge-base', base, head]);
  if (parted.exitCode !== 0) return false;
  const fork = parted.stdout.toString('utf8').trim();
  const paths = (await store.git(['diff-tree', '-r', '-z', '--no-renames', '--name-only', fork, head]))
    .split('\0')
    .filter((path) => path !== '');
  if (paths.length === 0) return true;
  const log = ['--literal-pathspecs', 'log', '--first-parent', '--format=%H', `--max-count=${mostCommits}`];
  const commits = (await store.git([...log, `${fork}..${base}`, '--', ...paths]))
    .split('\n')
    .filter((one) => one !== '');
  for (const commit of commits) {
    const differs = await store.tryGit([
      '--literal-pathspecs',
      'diff-tree',
      '-r',
      '--quiet',
      commit,
      head,
      '--',
      ...paths,
    ]);
    if (differs.exitCode === 0) return true;
  }
  return false;
}
