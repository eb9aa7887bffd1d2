import { ConfigurationError } from '@passloop/core';
import type {
  CommitFiles,
  DeploySnapshot,
  FileAt,
  HeadSnapshot,
  OpenPullRequest,
  PathVersion,
  PullRequestText,
  ReadRequest,
} from '@passloop/gitops';
import type { GitStore } from './git-store.ts';
import { type Entry, entriesAt, filesOf, folderAt } from './git-tree.ts';
import type { GitRemote } from './git-url.ts';
import { isLanded } from './landed.ts';

type Opened = (branch: string, headCommit: string, text: PullRequestText, mergeState?: string) => OpenPullRequest;
type Commit = { commit: string; at: string; author: string | null; message: string; parents: string[] };

/** Commits whose tree is listed at the same time. */
const parallel = 8;

/**
 * All that was asked for as one fetch brought it: the branches are those of one answer of the remote.
 * @param space the refs under which our clone keeps this answer
 * @throws StaleError where a branch went meanwhile; ConfigurationError where there is no base branch
 */
export async function readSnapshot(
  store: GitStore,
  remote: GitRemote,
  request: ReadRequest,
  { space, opened }: { space: string; opened: Opened },
): Promise<DeploySnapshot> {
  const tips = await fetchTips(store, remote, request, space);
  const { commit } = tips.base;
  const wanted = await entriesOf(store, commit, request);
  const histories = new Map<string, { version: Commit; entry: Entry | null }[]>();
  for (const { path, limit } of request.histories) histories.set(path, await historyOf(store, commit, path, limit));
  const heads = new Map<string, Head | null>();
  for (const branch of request.heads) {
    const tip = tips.heads.get(branch);
    heads.set(branch, tip === undefined ? null : await headOf(store, tip, commit, request));
  }
  const open = await openBranches(store, tips, request);
  const texts = await filesOf(store, [
    ...[...open.values()].flat().flatMap(({ entries }) => entries),
    ...wanted.files.values(),
    ...[...wanted.folders.values()].flat(),
    ...[...histories.values()].flat().flatMap(({ entry }) => entry ?? []),
    ...[...heads.values()].flatMap((head) => [...(head?.entries ?? [])]),
  ]);
  const file = (entry: Entry | null | undefined): FileAt | null => (entry == null ? null : (texts.get(entry) ?? null));
  return {
    branch: tips.base.branch,
    commit,
    tree: (await store.git(['rev-parse', '--verify', `${commit}^{tree}`])).trim(),
    files: new Map(request.files.map((path) => [path, file(wanted.files.get(path))])),
    folders: new Map([...wanted.folders].map(([path, entries]) => [path, entries.flatMap((one) => file(one) ?? [])])),
    histories: new Map(
      [...histories].map(([path, versions]) => [
        path,
        versions.map(({ version: { commit, at, author, message }, entry }): PathVersion => {
          return { commit, at, author, message, file: file(entry) };
        }),
      ]),
    ),
    heads: new Map(
      [...heads].map(([branch, head]) => [branch, head === null ? null : headAt(branch, head, file, opened)]),
    ),
    closed: new Map(),
    open: new Map(
      [...open].map(([folder, branches]) => [
        folder,
        branches.map(({ branch, tip, entries }) => ({
          branch,
          number: null,
          url: opened(branch, tip, { title: '', body: '' }).url,
          files: new Map(entries.flatMap((entry) => file(entry) ?? []).map((one) => [one.path, one])),
        })),
      ]),
    ),
    mergeMethods: ['merge'],
    messageFromBody: false,
  };
}

/** Files as commits of the base branch have them; null for what is no commit of what was read. */
export async function readCommitFiles(
  store: GitStore,
  commits: readonly string[],
  paths: readonly string[],
): Promise<Map<string, CommitFiles | null>> {
  const found = new Map<string, CommitFiles | null>();
  for (const name of commits.filter((one) => /^[0-9a-f]{7,64}$/.test(one))) {
    const commit = await commitNamed(store, name);
    if (commit === null) {
      found.set(name, null);
      continue;
    }
    const entries = await entriesAt(store, commit, paths);
    const texts = await filesOf(store, [...entries.values()]);
    const parent = await commitNamed(store, `${commit}^1`);
    const before = parent === null ? [] : [...(await entriesAt(store, parent, paths)).values()];
    found.set(name, {
      commit,
      files: new Map(paths.map((path) => [path, texts.get(entries.get(path) as Entry) ?? null])),
      parent: parent === null ? null : { commit: parent, blobs: new Map(before.map(({ path, oid }) => [path, oid])) },
    });
  }
  return found;
}

async function commitNamed(store: GitStore, name: string): Promise<string | null> {
  const result = await store.tryGit(['rev-parse', '--verify', '--quiet', '--end-of-options', `${name}^{commit}`]);
  return result.exitCode === 0 ? result.stdout.toString().trim() : null;
}

type Tips = { base: { branch: string; commit: string }; heads: Map<string, string> };
type Open = { branch: string; tip: string; entries: Entry[] };

/** The branches of each folder that aren't merged: on such a remote they are the open ones. */
async function openBranches(store: GitStore, tips: Tips, request: ReadRequest): Promise<Map<string, Open[]>> {
  const found = new Map<string, Open[]>();
  for (const { folder, files } of request.open ?? []) {
    const branches: Open[] = [];
    for (const [branch, tip] of tips.heads) {
      if (!branch.startsWith(`${folder}/`) || (await isLanded(store, tip, tips.base.commit))) continue;
      branches.push({ branch, tip, entries: [...(await entriesAt(store, tip, files)).values()] });
    }
    found.set(folder, branches);
  }
  return found;
}

async function fetchTips(store: GitStore, remote: GitRemote, request: ReadRequest, space: string): Promise<Tips> {
  const folders = (request.open ?? []).map(({ folder }) => folder);
  for (const name of [request.branch ?? 'main', ...request.heads, ...folders]) {
    if (!isBranchName(name)) throw new ConfigurationError(`${JSON.stringify(name.slice(0, 200))} is no branch's name.`);
  }
  const asked = [
    request.branch === null ? 'HEAD' : `refs/heads/${request.branch}`,
    ...request.heads.map((head) => `refs/heads/${head}`),
    ...folders.map((folder) => `refs/heads/${folder}/*`),
  ];
  const listed = await store.list(asked);
  const branch = request.branch ?? /^ref: refs\/heads\/(\S+)\tHEAD$/m.exec(listed)?.[1] ?? null;
  const there = new Set(listed.split('\n').map((line) => line.slice(line.indexOf('\t') + 1)));
  if (branch === null || !there.has(request.branch === null ? 'HEAD' : `refs/heads/${branch}`)) {
    throw new ConfigurationError(
      request.branch === null
        ? `${remote.url} is empty: it has no default branch with a commit.`
        : `${remote.url} has no branch ${JSON.stringify(request.branch)}.`,
      { hint: 'The deploy repository needs the manifests of the model before the first promotion.' },
    );
  }
  const below = [...there]
    .filter((name) => folders.some((folder) => name.startsWith(`refs/heads/${folder}/`)))
    .map((name) => name.slice('refs/heads/'.length))
    .filter(isBranchName);
  const heads = [...new Set([...request.heads, ...below])].filter((head) => there.has(`refs/heads/${head}`));
  const refs = [branch, ...heads].map((name, index) => `+refs/heads/${name}:${space}/${index}`);
  const args = ['fetch', '--quiet', '--no-tags', '--no-write-fetch-head', '--refmap=', '--filter=blob:none', 'origin'];
  await store.remote('reading it', [...args, ...refs]);
  const oids = (await store.git(['rev-parse', ...refs.map((_, index) => `${space}/${index}`)])).trim().split('\n');
  return {
    base: { branch, commit: oids[0] ?? '' },
    heads: new Map(heads.map((head, index) => [head, oids[index + 1] ?? ''])),
  };
}

/** git's own rules for a branch (git-check-ref-format), and nothing that a refspec would read as something else. */
function isBranchName(name: string): boolean {
  if (/[\u0000-\u0020\u007f~^:?*[\\]|\.\.|@\{|\/\/|^[-/.]|[/.]$|^@$/.test(name)) return false;
  return name.split('/').every((part) => !part.startsWith('.') && !part.endsWith('.lock'));
}

async function entriesOf(store: GitStore, commit: string, request: ReadRequest) {
  const files = await entriesAt(store, commit, request.files);
  const folders = new Map<string, Entry[]>();
  for (const { path, depth } of request.folders) folders.set(path, await folderAt(store, commit, path, depth));
  return { files, folders };
}

const format = '--format=%H%n%P%n%ct%n%an%n%B';

/** The commits that changed a path, as git and GitHub choose them, with what the path was in each. */
async function historyOf(store: GitStore, tip: string, path: string, limit: number) {
  const count = `--max-count=${Math.max(1, limit)}`;
  const log = await store.git(['--literal-pathspecs', 'log', '-z', '--no-color', count, format, tip, '--', path]);
  const versions = log
    .split('\0')
    .filter((text) => text !== '')
    .map(parseCommit);
  const found: { version: Commit; entry: Entry | null }[] = [];
  for (let start = 0; start < versions.length; start += parallel) {
    const part = versions.slice(start, start + parallel);
    const entries = await Promise.all(part.map(({ commit }) => entriesAt(store, commit, [path])));
    for (const [index, version] of part.entries()) found.push({ version, entry: entries[index]?.get(path) ?? null });
  }
  return found;
}

function parseCommit(text: string): Commit {
  const [commit = '', parents = '', seconds = '', author = '', ...message] = text.split('\n');
  return {
    commit,
    parents: parents === '' ? [] : parents.split(' '),
    at: new Date(Number(seconds) * 1000).toISOString().replace('.000Z', 'Z'),
    author: author === '' ? null : author,
    message: message.join('\n'),
  };
}

type Head = {
  tip: Commit;
  entries: Entry[];
  parent: HeadSnapshot['parent'];
  isOpen: boolean;
  isBehind: boolean;
};

async function headOf(store: GitStore, tip: string, base: string, request: ReadRequest): Promise<Head> {
  const commit = parseCommit((await store.git(['log', '-1', '-z', '--no-color', format, tip])).replace(/\0$/, ''));
  const all = async (at: string) => {
    const { files, folders } = await entriesOf(store, at, request);
    return [...files.values(), ...[...folders.values()].flat()];
  };
  const [parent] = commit.parents;
  const behind = await store.tryGit(['merge-base', '--is-ancestor', base, tip]);
  return {
    tip: commit,
    entries: await all(tip),
    parent:
      parent === undefined
        ? null
        : { commit: parent, blobs: new Map((await all(parent)).map(({ path, oid }) => [path, oid])) },
    isOpen: !(await isLanded(store, tip, base)),
    isBehind: behind.exitCode !== 0,
  };
}

function headAt(
  branch: string,
  { tip, entries, parent, isOpen, isBehind }: Head,
  file: (entry: Entry) => FileAt | null,
  opened: Opened,
): HeadSnapshot {
  const [title = '', ...body] = tip.message.trimEnd().split('\n');
  const text = { title, body: body.join('\n').trim() };
  return {
    branch,
    commit: tip.commit,
    message: tip.message,
    files: new Map(entries.flatMap((entry) => file(entry) ?? []).map((one) => [one.path, one])),
    parent,
    pullRequest: isOpen ? opened(branch, tip.commit, text, isBehind ? 'BEHIND' : 'CLEAN') : null,
  };
}
