/** A commit as a forge lists it. */
export type BranchCommit = {
  commit: string;
  parents: readonly string[] /** ISO 8601, of the committer. */;
  at: string;
};

/** Where a change reached the branch. */
export type Landing = {
  commit: string;
  /** ISO 8601; never earlier than it was. */
  at: string;
  /** What the branch has been since, newest first and the landing last: an agent in the cluster may be at any of them. */
  since: readonly string[];
};

/**
 * When a commit reached a branch. After a merge commit that isn't when it was made, but when its merge was: the oldest commit on the
 * branch's own line (first parents) that contains it. One that is older than all that was listed landed before the oldest of those.
 * @param commits of the branch, from its head; every one of them after the first is a parent of another
 */
export function landingOf(commits: readonly BranchCommit[], change: string): Landing | null {
  const known = new Map(commits.map((one) => [one.commit, one]));
  const line: BranchCommit[] = [];
  for (let next = commits[0]; next !== undefined; next = known.get(next.parents[0] ?? '')) line.push(next);
  const containing = known.has(change) ? containers(commits, change) : null;
  const since = containing === null ? line : line.filter(({ commit }) => containing.has(commit));
  const landing = since.at(-1);
  if (landing === undefined) return null;
  return {
    commit: containing === null ? change : landing.commit,
    at: landing.at,
    since: since.map(({ commit }) => commit),
  };
}

/** The listed commits that have `change` among their ancestors, and itself. */
function containers(commits: readonly BranchCommit[], change: string): Set<string> {
  const children = new Map<string, string[]>();
  for (const { commit, parents } of commits) {
    for (const parent of parents) children.set(parent, [...(children.get(parent) ?? []), commit]);
  }
  const found = new Set([change]);
  const open = [change];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    for (const child of children.get(next) ?? []) {
      if (found.has(child)) continue;
      found.add(child);
      open.push(child);
    }
  }
  return found;
}
