import { ConfigurationError } from '@passloop/core';
import {
  type DeploySnapshot,
  type Forge,
  type MergeRequest,
  type OpenPullRequest,
  type PullRequestText,
  StaleError,
} from '@passloop/gitops';
import { pushRefusal, remoteFailure } from './git-failure.ts';
import { readCommitFiles, readSnapshot } from './git-snapshot.ts';
import { type GitStore, type GitStoreOptions, gitStore } from './git-store.ts';
import { treeWith } from './git-tree.ts';
import { type GitRemote, proposalPage } from './git-url.ts';

export type GitForgeOptions = GitStoreOptions & {
  /** Who commits, where git's own configuration names nobody. */
  committer?: { name: string; email: string } | undefined;
};

const reads = 3;

/**
 * The Forge port on a plain git remote: a partial clone without blobs reads, git's own objects are written, and a push with a
 * lease moves the branch. There are no pull requests: a branch that isn't merged counts as an open one, without number.
 */
export function gitForge(options: GitForgeOptions): Forge {
  const { remote } = options;
  const store = gitStore(options);
  let base: Pick<DeploySnapshot, 'branch' | 'commit'> | null = null;
  /** Where branches are, as they were read or pushed last. */
  const tips = new Map<string, string>();
  let count = 0;

  function opened(branch: string, headCommit: string, text: PullRequestText, mergeState = 'CLEAN'): OpenPullRequest {
    return {
      id: branch,
      number: null,
      url: (base === null ? null : proposalPage(remote, base.branch, branch)) ?? `${remote.url} ${branch}`,
      ...text,
      headCommit,
      mergeState,
      autoMerge: false,
      hasMergeQueue: false,
    };
  }

  return {
    repository: remote.url,

    async read(request) {
      for (let attempt = 1; ; attempt += 1) {
        try {
          count += 1;
          const snapshot = await readSnapshot(store, remote, request, { space: `refs/read/${count}`, opened });
          base = snapshot;
          for (const [branch, head] of snapshot.heads) {
            if (head === null) tips.delete(branch);
            else tips.set(branch, head.commit);
          }
          return snapshot;
        } catch (error) {
          // A branch that went between the listing and the fetch.
          if (!(error instanceof StaleError) || attempt === reads) throw error;
        }
      }
    },

    readCommits: (commits, files) => readCommitFiles(store, commits, files),

    createTree(tree, files) {
      count += 1;
      return treeWith(store, tree, files, `index-${count}`);
    },

    async createCommit({ message, tree, parents }) {
      const args = ['commit-tree', tree, ...parents.flatMap((parent) => ['-p', parent]), '-F', '-'];
      const env = await identityOf(store, options.committer);
      return (await store.git(args, { input: message, env })).trim();
    },

    async updateBranch(branch, before, after) {
      await pushWithLease(store, remote, { branch, before, after });
      tips.set(branch, after);
    },

    async openPullRequest({ head, title, body }) {
      return opened(head, tipOf(tips, head), { title, body });
    },

    async updatePullRequest(id, text) {
      return opened(id, tipOf(tips, id), text);
    },

    // There is nothing to close: the branch stays until somebody deletes it, and the next promotion takes its place.
    async closePullRequest() {},

    // Nothing merges by itself here.
    async disableAutoMerge() {},

    async merge(pullRequest, request) {
      if (base === null) throw new StaleError('The repository was not read.');
      return mergeForward(store, remote, base, pullRequest, request);
    },
  };
}

/**
 * Moves a branch by `git push` with a lease: the other side compares what it has with `before`, so that nothing unseen is
 * overwritten. `before` null: there must be no such branch.
 * @throws StaleError where the branch is not at `before`; ConfigurationError where a hook or a rule refuses
 */
async function pushWithLease(
  store: GitStore,
  remote: GitRemote,
  update: { branch: string; before: string | null; after: string; hint?: string },
): Promise<void> {
  const { branch, before, after } = update;
  const ref = `refs/heads/${branch}`;
  const result = await store.tryRemote([
    'push',
    '--porcelain',
    '--no-verify',
    '--no-thin',
    `--force-with-lease=${ref}:${before ?? ''}`,
    'origin',
    `${after}:${ref}`,
  ]);
  if (result.exitCode === 0) return;
  const hint =
    update.hint ??
    `Let the user that git logs in as push the branches ${branch.split('/')[0]}/*; what the remote said is its own rule.`;
  throw (
    pushRefusal(remote, branch, result, hint) ?? remoteFailure(remote, `pushing ${branch}`, result, store.timeoutMs)
  );
}

/** The base branch goes forward to the reviewed commit, from the very commit that was read, or not at all. */
async function mergeForward(
  store: GitStore,
  remote: GitRemote,
  base: Pick<DeploySnapshot, 'branch' | 'commit'>,
  pullRequest: OpenPullRequest,
  { head }: MergeRequest,
): Promise<string> {
  if (pullRequest.headCommit !== head) throw new StaleError(`${pullRequest.id} is not at ${head}.`);
  const ancestor = await store.tryGit(['merge-base', '--is-ancestor', base.commit, head]);
  if (ancestor.exitCode !== 0) throw new StaleError(`${base.branch} moved on from what ${pullRequest.id} was made on.`);
  const hint = `\`merge: auto\` pushes to ${base.branch} where a remote has no pull requests: let the user that git logs in as do that, or set \`merge: review\` and merge ${pullRequest.id} by hand.`;
  await pushWithLease(store, remote, { branch: base.branch, before: base.commit, after: head, hint });
  return head;
}

function tipOf(tips: ReadonlyMap<string, string>, branch: string): string {
  const tip = tips.get(branch);
  if (tip === undefined) throw new StaleError(`There is no branch ${branch}.`);
  return tip;
}

/** Git's own configuration says who commits; else we do. */
async function identityOf(
  store: GitStore,
  committer: GitForgeOptions['committer'] = { name: 'passloop', email: 'passloop@localhost' },
): Promise<Record<string, string>> {
  if ((await store.tryGit(['var', 'GIT_COMMITTER_IDENT'])).exitCode === 0) return {};
  const { name, email } = committer;
  if (/[<>\n\0]/.test(name + email)) throw new ConfigurationError('The committer has a name that git refuses.');
  return { GIT_AUTHOR_NAME: name, GIT_AUTHOR_EMAIL: email, GIT_COMMITTER_NAME: name, GIT_COMMITTER_EMAIL: email };
}
