/**
 * The port to what hosts a deploy repository. Domain code plans with what `read` returned at one commit, and writes with
 * objects first, then the branch by compare-and-swap, then the pull request: each step can be done again.
 *
 * Every method raises the typed errors of core: ConfigurationError (a permission or a name; trying again won't help),
 * InfrastructureError (unreachable, 5xx, a rate limit that lasts too long), ConflictError (see the method).
 */
export type Forge = {
  /** For messages: `owner/name`, or a URL. */
  repository: string;
  /** Everything at one commit, in one call, whatever the size of the repository. */
  read(request: ReadRequest): Promise<DeploySnapshot>;
  /**
   * Files as earlier commits have them, by the names that were asked for (whole or shortened ids); null for a commit that isn't there. Others may have
   * put such a commit there: what it says counts only where the base branch's history says the same.
   */
  readCommits(commits: readonly string[], files: readonly string[]): Promise<ReadonlyMap<string, CommitFiles | null>>;
  /** A tree: the base with some files replaced, added or (content null) deleted. Returns its id. */
  createTree(base: string, files: readonly TreeFile[]): Promise<string>;
  createCommit(commit: { message: string; tree: string; parents: readonly string[] }): Promise<string>;
  /**
   * Moves a branch from `before` (null: it must not exist) to `after`, compare-and-swap.
   * @throws StaleError where the branch is not at `before`
   */
  updateBranch(branch: string, before: string | null, after: string): Promise<void>;
  /** @throws StaleError where a pull request of that branch is open already */
  openPullRequest(request: PullRequestText & { head: string; base: string }): Promise<OpenPullRequest>;
  updatePullRequest(id: string, text: PullRequestText): Promise<OpenPullRequest>;
  /** Closes a pull request without merging it, and says why in its text. One that is closed already stays closed. */
  closePullRequest(id: string, text: PullRequestText): Promise<void>;
  /** Takes back that a pull request merges by itself once it may. One that doesn't stays as it is, and so does one in a merge queue. */
  disableAutoMerge(id: string): Promise<void>;
  /**
   * Merges now if the pull request may be merged, or as soon as its checks and reviews allow it; only at `head`.
   * @returns the commit on the base branch, or null where it will merge later
   * @throws StaleError where head or base moved, or the two conflict
   */
  merge(pullRequest: OpenPullRequest, request: MergeRequest): Promise<string | null>;
};

export type ReadRequest = {
  /** The base branch; null for the default one. */
  branch: string | null;
  /** Paths whose text is wanted. */
  files: readonly string[];
  /** Folders of which every file is wanted: `depth` 1 is the files directly in them. */
  folders: readonly { path: string; depth: number }[];
  /** Paths whose earlier versions are wanted, newest first. */
  histories: readonly { path: string; limit: number }[];
  /** Branches whose tip is wanted, with the same files and folders, and the open pull request into the base branch. */
  heads: readonly string[];
  /** Branches whose pull requests into the base branch are wanted that are no longer open, whether the branch is there or not. */
  closed: readonly string[];
  /** Folders of branches (`rollback/prod`): each branch below one that has an open pull request into the base branch, with these files. */
  open?: readonly OpenBranchRequest[];
};

export type OpenBranchRequest = { folder: string; files: readonly string[] };

/** A branch with an open pull request, whatever its name. */
export type OpenBranch = { branch: string; number: number | null; url: string; files: ReadonlyMap<string, FileAt> };

export type FileAt = {
  path: string;
  /** Exact: its UTF-8 bytes have the blob's id. Null for what is no regular UTF-8 file (a link, a submodule, binary). */
  text: string | null;
  blob: string;
  /** As git writes it: 100644, 100755, 120000 for a link. */
  mode: string;
};

/** Some files of one commit, and their blobs in its first parent. Long ones come without their text. */
export type CommitFiles = {
  commit: string;
  files: ReadonlyMap<string, FileAt | null>;
  parent: { commit: string; blobs: ReadonlyMap<string, string> } | null;
};

export type PathVersion = {
  commit: string;
  /** ISO 8601, UTC, of the committer. */
  at: string;
  author: string | null;
  message: string;
  /** The file in that commit; null where it was deleted. */
  file: FileAt | null;
};

export type DeploySnapshot = {
  branch: string;
  commit: string;
  tree: string;
  /** Null where there is no such file. */
  files: ReadonlyMap<string, FileAt | null>;
  folders: ReadonlyMap<string, readonly FileAt[]>;
  histories: ReadonlyMap<string, readonly PathVersion[]>;
  heads: ReadonlyMap<string, HeadSnapshot | null>;
  /** The last pull requests of each branch that were closed or merged; see `ClosedPullRequest`. */
  closed: ReadonlyMap<string, readonly ClosedPullRequest[]>;
  /** By folder of branches. */
  open: ReadonlyMap<string, readonly OpenBranch[]>;
  /** How the repository lets pull requests be merged. */
  mergeMethods: readonly MergeMethod[];
  /** True where a merge by a person or a queue may take the pull request's text for its commit message. */
  messageFromBody: boolean;
};

export type HeadSnapshot = {
  branch: string;
  commit: string;
  message: string;
  /** The wanted files at the tip, those of the wanted folders included. */
  files: ReadonlyMap<string, FileAt>;
  /** The tip's first parent, and the blobs of the wanted paths in it. */
  parent: { commit: string; blobs: ReadonlyMap<string, string> } | null;
  pullRequest: OpenPullRequest | null;
};

export type OpenPullRequest = {
  id: string;
  /** Null on a remote without pull requests: there a branch that isn't merged counts as an open one. */
  number: number | null;
  /** Its page, or the one on which a person opens it; where none is known, the repository and the branch. */
  url: string;
  title: string;
  body: string;
  headCommit: string;
  /** GitHub's mergeStateStatus: CLEAN, UNSTABLE, BLOCKED, BEHIND, DIRTY, DRAFT, HAS_HOOKS, UNKNOWN. */
  mergeState: string;
  /** It merges by itself when it may, or waits in a merge queue. */
  autoMerge: boolean;
  /** Its base branch is merged into by a merge queue alone. */
  hasMergeQueue: boolean;
};

/**
 * A pull request that is no longer open. Only those are given whose branch is in the deploy repository itself and whose author
 * is one of its people or an app: what a stranger opens and closes says nothing.
 */
export type ClosedPullRequest = {
  number: number;
  url: string;
  body: string;
  isMerged: boolean;
  /** Who closed it, or deleted its branch. */
  by: string | null;
  /** ISO 8601, UTC. */
  at: string;
};

export type TreeFile = { path: string; mode: string; content: string | null };
export type PullRequestText = { title: string; body: string };
export type MergeMethod = 'squash' | 'rebase' | 'merge';
export type MergeRequest = {
  head: string;
  method: MergeMethod;
  /** The commit message where the method writes one, so that trailers survive. */
  headline: string;
  body: string;
};

/** What was read is no longer what is there. The protocol reads again and applies its edits anew. */
export class StaleError extends Error {
  override readonly name = 'StaleError';
}
