import type { GitRepository } from '@passloop/core';

/**
 * The commits that `git revert` named on the way from one commit (exclusive) to another: "This reverts commit <id>." stands
 * in the message of each, through a merge, a squash and GitHub's own revert button.
 */
export async function revertedCommits(repository: GitRepository, from: string | null, to: string): Promise<string[]> {
  const range = from === null ? to : `${from}..${to}`;
  const log = await repository.run(['log', '--format=%B%x00', '--max-count=1000', range], { allowFailure: true });
  const named = new Set<string>();
  for (const match of log.matchAll(/This reverts commit ([0-9a-f]{40})\b/g))
    if (match[1] !== undefined) named.add(match[1]);
  return [...named];
}
