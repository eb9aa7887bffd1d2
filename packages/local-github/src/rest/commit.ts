import { accountOfEmail, type Forge, type Repository } from '../forge.ts';
import { type Change, diffTrees, patchOf } from '../git-history.ts';
import { type Commit, EMPTY_TREE, isoTime, type Signature } from '../git-objects.ts';
import { nodeId } from '../node-id.ts';
import type { RepositoryState } from '../state.ts';
import { repoApi, repoPage } from '../urls.ts';
import { presentAccount } from './accounts.ts';

/** The server signs nothing. */
const UNSIGNED = { verified: false, reason: 'unsigned', signature: null, payload: null, verified_at: null };

function presentSignature(signature: Signature) {
  return { name: signature.name, email: signature.email, date: isoTime(signature.seconds) };
}

function presentParents(forge: Forge, state: RepositoryState, commit: Commit, api: string) {
  return commit.parents.map((sha) => ({
    sha,
    url: repoApi(forge, state, `${api}/${sha}`),
    html_url: repoPage(forge, state, `/commit/${sha}`),
  }));
}

/** OpenAPI `git-commit`. */
export function presentGitCommit(forge: Forge, state: RepositoryState, commit: Commit) {
  return {
    sha: commit.oid,
    node_id: nodeId('C', state.id, commit.oid),
    url: repoApi(forge, state, `/git/commits/${commit.oid}`),
    html_url: repoPage(forge, state, `/commit/${commit.oid}`),
    author: presentSignature(commit.author),
    committer: presentSignature(commit.committer),
    tree: { sha: commit.tree, url: repoApi(forge, state, `/git/trees/${commit.tree}`) },
    message: commit.message.replace(/\n$/, ''),
    parents: presentParents(forge, state, commit, '/git/commits'),
    verification: UNSIGNED,
  };
}

/** OpenAPI `commit`, without its files. */
export function presentCommit(forge: Forge, state: RepositoryState, commit: Commit) {
  const author = accountOfEmail(forge, commit.author.email);
  const committer = accountOfEmail(forge, commit.committer.email);
  const url = repoApi(forge, state, `/commits/${commit.oid}`);
  return {
    sha: commit.oid,
    node_id: nodeId('C', state.id, commit.oid),
    commit: {
      url: repoApi(forge, state, `/git/commits/${commit.oid}`),
      author: presentSignature(commit.author),
      committer: presentSignature(commit.committer),
      message: commit.message.replace(/\n$/, ''),
      tree: { sha: commit.tree, url: repoApi(forge, state, `/git/trees/${commit.tree}`) },
      comment_count: 0,
      verification: UNSIGNED,
    },
    url,
    html_url: repoPage(forge, state, `/commit/${commit.oid}`),
    comments_url: `${url}/comments`,
    author: author === undefined ? null : presentAccount(forge, author),
    committer: committer === undefined ? null : presentAccount(forge, committer),
    parents: presentParents(forge, state, commit, '/commits'),
  };
}

/** OpenAPI `diff-entry`s between two trees or commits; `at` is the commit that links point to. */
export async function presentFiles(
  forge: Forge,
  repository: Repository,
  range: { from: string; to: string; at: string },
  changes: Change[],
) {
  const files: Record<string, unknown>[] = [];
  for (const change of changes) {
    const path = change.path.split('/').map(encodeURIComponent).join('/');
    const patch = await patchOf(repository.directory, range.from, range.to, change);
    files.push({
      sha: change.oid,
      filename: change.path,
      status: change.status,
      additions: change.additions ?? 0,
      deletions: change.deletions ?? 0,
      changes: (change.additions ?? 0) + (change.deletions ?? 0),
      blob_url: repoPage(forge, repository.state, `/blob/${range.at}/${path}`),
      raw_url: repoPage(forge, repository.state, `/raw/${range.at}/${path}`),
      contents_url: repoApi(forge, repository.state, `/contents/${path}?ref=${range.at}`),
      ...(patch === undefined ? {} : { patch }),
      ...(change.previousPath === null ? {} : { previous_filename: change.previousPath }),
    });
  }
  return files;
}

/** OpenAPI `commit` with its statistics and files, against its first parent. */
export async function presentCommitWithFiles(
  forge: Forge,
  repository: Repository,
  commit: Commit,
  page: (changes: Change[]) => Change[],
) {
  const from = commit.parents[0] ?? EMPTY_TREE;
  const changes = await diffTrees(repository.directory, from, commit.oid);
  const additions = changes.reduce((sum, change) => sum + (change.additions ?? 0), 0);
  const deletions = changes.reduce((sum, change) => sum + (change.deletions ?? 0), 0);
  return {
    ...presentCommit(forge, repository.state, commit),
    stats: { total: additions + deletions, additions, deletions },
    files: await presentFiles(forge, repository, { from, to: commit.oid, at: commit.oid }, page(changes)),
  };
}
