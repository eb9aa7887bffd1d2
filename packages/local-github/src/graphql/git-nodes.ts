import { latestCheckRuns, latestStatuses, rollupOf } from '../checks.ts';
import { accountOfEmail, type Repository } from '../forge.ts';
import { runGit } from '../git.ts';
import { diffTrees, mergeBase, revList } from '../git-history.ts';
import {
  type Commit,
  EMPTY_TREE,
  type GitObject,
  isoTime,
  parseCommit,
  parseTree,
  type Signature,
  type TreeEntry,
} from '../git-objects.ts';
import { readCommit } from '../merging.ts';
import { nodeId } from '../node-id.ts';
import { branchTip, type Ref } from '../refs.ts';
import { pullsOfCommit } from '../rest/commits.ts';
import type { CheckRun, Status } from '../state.ts';
import { repoPage } from '../urls.ts';
import { actorNode } from './actors.ts';
import { connection, type PageArguments } from './connection.ts';
import { type Context, need } from './context.ts';
import { filterPulls, type PullFilter, pullNode } from './pull-nodes.ts';
import { protectionNode, repositoryNode } from './repository-node.ts';

/** Text beyond this many bytes is cut off, and `isTruncated` says so. */
const TEXT_LIMIT = 512_000;

function common(context: Context, repository: Repository, oid: string) {
  const url = repoPage(context.forge, repository.state, `/commit/${oid}`);
  return {
    oid,
    abbreviatedOid: oid.slice(0, 7),
    commitUrl: url,
    commitResourcePath: new URL(url).pathname,
    repository: () => repositoryNode(context, repository),
  };
}

/** A Blob, Tree, Commit or Tag. */
export function objectNode(context: Context, repository: Repository, object: GitObject): object {
  if (object.type === 'commit') return commitNode(context, repository, parseCommit(object));
  if (object.type === 'tree') return treeNode(context, repository, object);
  if (object.type === 'tag') return tagNode(context, repository, object);
  const { content, oid } = object;
  const isBinary = content.subarray(0, 8000).includes(0);
  return {
    ...common(context, repository, oid),
    __typename: 'Blob',
    id: nodeId('B', repository.state.id, oid),
    byteSize: content.length,
    isBinary,
    isTruncated: !isBinary && content.length > TEXT_LIMIT,
    text: isBinary ? null : content.subarray(0, TEXT_LIMIT).toString(),
  };
}

async function readNode(context: Context, repository: Repository, expression: string) {
  const object = await repository.objects.read(expression);
  return object === undefined ? null : objectNode(context, repository, object);
}

function tagNode(context: Context, repository: Repository, tag: GitObject) {
  const text = tag.content.toString();
  const header = (name: string) => new RegExp(`^${name} (.*)$`, 'm').exec(text)?.[1] ?? '';
  return {
    ...common(context, repository, tag.oid),
    __typename: 'Tag',
    id: nodeId('TAG', repository.state.id, tag.oid),
    name: header('tag'),
    message: text.slice(text.indexOf('\n\n') + 2).trim(),
    target: () => readNode(context, repository, header('object')),
  };
}

function entryNode(context: Context, repository: Repository, path: string, entry: TreeEntry) {
  return {
    name: entry.name,
    path,
    mode: Number.parseInt(entry.mode, 8),
    type: entry.type,
    oid: entry.oid,
    size: async () => (entry.type === 'blob' ? ((await repository.objects.read(entry.oid))?.content.length ?? 0) : 0),
    object: () => readNode(context, repository, entry.oid),
  };
}

function treeNode(context: Context, repository: Repository, tree: GitObject) {
  return {
    ...common(context, repository, tree.oid),
    __typename: 'Tree',
    id: nodeId('T', repository.state.id, tree.oid),
    entries: () => parseTree(tree.content).map((entry) => entryNode(context, repository, entry.name, entry)),
  };
}

function gitActorNode(context: Context, signature: Signature) {
  const account = accountOfEmail(context.forge, signature.email);
  return {
    avatarUrl: `${context.forge.url}/avatars/u/${account?.id ?? 0}`,
    name: signature.name,
    email: signature.email,
    date: isoTime(signature.seconds),
    user: account?.type === 'User' ? actorNode(context.forge, account.login) : null,
  };
}

async function fileOf(context: Context, repository: Repository, commit: Commit, path: string) {
  const parts = path.split('/').filter((part) => part !== '');
  const name = parts.at(-1);
  if (name === undefined) return null;
  const folder = parts.slice(0, -1).join('/');
  const tree = await repository.objects.read(`${commit.tree}:${folder}`);
  if (tree?.type !== 'tree') return null;
  const entry = parseTree(tree.content).find((one) => one.name === name);
  return entry === undefined ? null : entryNode(context, repository, parts.join('/'), entry);
}

type HistoryArguments = PageArguments & { path?: string; since?: string; until?: string };

export function commitNode(context: Context, repository: Repository, commit: Commit) {
  const { forge } = context;
  const { state, directory, objects } = repository;
  const url = repoPage(forge, state, `/commit/${commit.oid}`);
  const [headline = '', ...rest] = commit.message.trim().split('\n');
  const nodeOf = async (oid: string) => commitNode(context, repository, await readCommit(objects, oid));
  // a commit is also reached from a pull request, by tokens that see no code
  const mayReadCode = () => need(context, repository, ['contents'], 'read');
  const changes = () => diffTrees(directory, commit.parents[0] ?? EMPTY_TREE, commit.oid);
  const sum = async (key: 'additions' | 'deletions') =>
    (await changes()).reduce((total, change) => total + (change[key] ?? 0), 0);
  return {
    ...common(context, repository, commit.oid),
    __typename: 'Commit',
    id: nodeId('C', state.id, commit.oid),
    url,
    resourcePath: new URL(url).pathname,
    message: commit.message.replace(/\n+$/, ''),
    messageHeadline: headline,
    messageBody: rest.join('\n').trim(),
    author: gitActorNode(context, commit.author),
    authoredDate: isoTime(commit.author.seconds),
    committer: gitActorNode(context, commit.committer),
    committedDate: isoTime(commit.committer.seconds),
    additions: () => sum('additions'),
    deletions: () => sum('deletions'),
    changedFilesIfAvailable: async () => (await changes()).length,
    signature: null, // the server signs nothing
    tree: async () => {
      mayReadCode();
      return (await readNode(context, repository, commit.tree)) ?? emptyTree(context, repository);
    },
    file: ({ path }: { path: string }) => {
      mayReadCode();
      return fileOf(context, repository, commit, path);
    },
    parents: (args: PageArguments) => connection('parents', commit.parents, args, nodeOf),
    history: async (args: HistoryArguments) => {
      mayReadCode();
      const limits: string[] = [];
      if (typeof args.since === 'string') limits.push(`--since=${args.since}`);
      if (typeof args.until === 'string') limits.push(`--until=${args.until}`);
      const path = args.path?.replaceAll(/^\/+|\/+$/g, '') ?? '';
      const query = [...limits, commit.oid, '--', ...(path === '' ? [] : [path])];
      const oids = await revList(directory, query, limits.length === 0 ? undefined : runGit);
      return connection('history', oids, args, nodeOf);
    },
    associatedPullRequests: async (args: PageArguments) => {
      need(context, repository, ['pull_requests'], 'read');
      const pulls = await pullsOfCommit(repository, commit.oid);
      return connection('associatedPullRequests', pulls, args, (pull) => pullNode(context, repository, pull));
    },
    status: () => {
      need(context, repository, ['statuses'], 'read');
      return statusNode(context, repository, commit);
    },
    statusCheckRollup: () => rollupNode(context, repository, commit),
  };
}

function emptyTree(context: Context, repository: Repository) {
  return treeNode(context, repository, { oid: EMPTY_TREE, type: 'tree', content: Buffer.alloc(0) });
}

function contextNode(context: Context, repository: Repository, commit: Commit, status: Status) {
  const creator = actorNode(context.forge, status.creator);
  return {
    __typename: 'StatusContext',
    id: nodeId('SC', repository.state.id, status.id),
    avatarUrl: creator.avatarUrl,
    context: status.context,
    state: status.state.toUpperCase(),
    description: status.description,
    targetUrl: status.targetUrl,
    createdAt: status.createdAt,
    creator,
    commit: () => commitNode(context, repository, commit),
  };
}

function checkRunNode(context: Context, repository: Repository, run: CheckRun) {
  const url = repoPage(context.forge, repository.state, `/runs/${run.id}`);
  return {
    __typename: 'CheckRun',
    id: nodeId('CR', repository.state.id, run.id),
    databaseId: run.id,
    name: run.name,
    status: run.status.toUpperCase(),
    conclusion: run.conclusion?.toUpperCase() ?? null,
    startedAt: run.startedAt,
    completedAt: run.completedAt,
    detailsUrl: run.detailsUrl ?? url,
    externalId: run.externalId,
    permalink: url,
    url,
    title: run.output.title,
    summary: run.output.summary,
  };
}

function statusNode(context: Context, repository: Repository, commit: Commit) {
  const statuses = latestStatuses(repository.state, commit.oid);
  if (statuses.length === 0) return null;
  const worst = (['error', 'failure', 'pending', 'success'] as const).find((one) =>
    statuses.some(({ state }) => state === one),
  )!;
  return {
    id: nodeId('ST', repository.state.id, commit.oid),
    state: worst.toUpperCase(),
    contexts: statuses.map((status) => contextNode(context, repository, commit, status)),
    commit: () => commitNode(context, repository, commit),
  };
}

/** What was reported on a commit; each kind of report asks for its own permission. */
export function rollupNode(context: Context, repository: Repository, commit: Commit) {
  need(context, repository, ['checks', 'statuses'], 'read');
  const { state } = repository;
  const rollup = rollupOf(state, commit.oid);
  if (rollup === undefined) return null;
  const all = [...latestCheckRuns(state, commit.oid), ...latestStatuses(state, commit.oid)];
  return {
    id: nodeId('SCR', state.id, commit.oid),
    state: rollup.toUpperCase(),
    commit: () => commitNode(context, repository, commit),
    contexts: (args: PageArguments) =>
      connection('contexts', all, args, async (one) => {
        const isRun = 'name' in one;
        need(context, repository, [isRun ? 'checks' : 'statuses'], 'read');
        return isRun ? checkRunNode(context, repository, one) : contextNode(context, repository, commit, one);
      }),
  };
}

/** A reference; `name` goes without its prefix, as GitHub gives it. */
export function refNode(context: Context, repository: Repository, ref: Ref) {
  const prefix = /^refs\/[^/]+\//.exec(ref.name)?.[0] ?? 'refs/';
  const name = ref.name.slice(prefix.length);
  const isBranch = prefix === 'refs/heads/';
  const protection = isBranch ? repository.state.protections[name] : undefined;
  return {
    id: nodeId('REF', repository.state.id, ref.name),
    __typename: 'Ref',
    name,
    prefix,
    repository: () => repositoryNode(context, repository),
    target: () => readNode(context, repository, ref.oid),
    branchProtectionRule: () => (protection === undefined ? null : protectionNode(repository, name, protection)),
    associatedPullRequests: (args: PageArguments & PullFilter) => {
      need(context, repository, ['pull_requests'], 'read');
      const pulls = isBranch ? filterPulls(repository, { ...args, headRefName: name }) : [];
      return connection('associatedPullRequests', pulls, args, (pull) => pullNode(context, repository, pull));
    },
    compare: ({ headRef }: { headRef: string }) => compareNode(context, repository, ref.oid, headRef),
  };
}

async function compareNode(context: Context, repository: Repository, base: string, headRef: string) {
  const head = await branchTip(repository, headRef.replace(/^refs\/heads\//, ''));
  if (head === undefined || (await mergeBase(repository.directory, base, head)) === undefined) return null;
  const ahead = await revList(repository.directory, ['--reverse', '--topo-order', `${base}..${head}`]);
  const behind = await revList(repository.directory, [`${head}..${base}`]);
  const one = ahead.length > 0 ? 'AHEAD' : behind.length > 0 ? 'BEHIND' : 'IDENTICAL';
  return {
    id: nodeId('C', repository.state.id, `${base}...${head}`),
    aheadBy: ahead.length,
    behindBy: behind.length,
    status: ahead.length > 0 && behind.length > 0 ? 'DIVERGED' : one,
    baseTarget: () => readNode(context, repository, base),
    headTarget: () => readNode(context, repository, head),
    commits: (args: PageArguments) =>
      connection('commits', ahead, args, async (oid) =>
        commitNode(context, repository, await readCommit(repository.objects, oid)),
      ),
  };
}
