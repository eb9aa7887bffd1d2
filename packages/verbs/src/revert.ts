import type { GitRepository } from '@passloop/core';
import { isUndone } from './undone-change.ts';

/** How far back reverts are looked for; one that is older is none, and its tree an ordinary candidate. */
const maxCommits = 1000;

/**
 * The commits that stay reverted on the way from one commit (exclusive) to another. `git revert` says "This reverts commit
 * <id>." in the message of each, through a merge, a squash and GitHub's own revert button. A revert that was reverted itself
 * took nothing back, and a message alone takes nothing back either: the commit that it names must lie behind it, and what that one changed
 * must be gone.
 */
export async function revertedCommits(repository: GitRepository, from: string | null, to: string): Promise<string[]> {
  const range = from === null ? to : `${from}..${to}`;
  const log = await repository.run(
    ['log', '--topo-order', '--format=%H%x00%P%x00%B%x00', `--max-count=${maxCommits}`, range],
    { allowFailure: true },
  );
  const fields = log.split('\0');
  const reverted = new Set<string>();
  // Children come before their parents, so what undid a commit was seen before it.
  for (let index = 0; index + 2 < fields.length; index += 3) {
    const commit = fields[index]?.trim() ?? '';
    const isMerge = fields[index + 1]?.includes(' ') === true;
    if (!reverted.has(commit)) {
      for (const id of namedIn(fields[index + 2] ?? '')) {
        if (!reverted.has(id) && (await isReverted(repository, id, commit))) reverted.add(id);
      }
    } else if (isMerge) {
      const merged = await repository.run(['rev-list', `${commit}^1..${commit}`], { allowFailure: true });
      for (const id of merged.split('\n')) if (id !== '') reverted.add(id);
    }
  }
  return [...reverted];
}

async function isReverted(repository: GitRepository, id: string, by: string): Promise<boolean> {
  if ((await repository.resolve(id)) !== id || id === by) return false;
  return (await repository.isAncestor(id, by)) && (await isUndone(repository, id, by));
}

function namedIn(message: string): string[] {
  const pattern = /^This reverts commit ([0-9a-f]{64}|[0-9a-f]{40})\b/gm;
  return [...message.matchAll(pattern)].flatMap((match) => match[1] ?? []);
}
