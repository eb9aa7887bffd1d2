import { createHash } from 'node:crypto';
import { ConfigurationError } from '@passloop/core';
import type {
  ClosedPullRequest,
  CommitFiles,
  DeploySnapshot,
  FileAt,
  HeadSnapshot,
  MergeMethod,
  OpenBranch,
  OpenBranchRequest,
  OpenPullRequest,
  PathVersion,
  ReadRequest,
} from '@passloop/gitops';
import {
  ClosedNodes,
  CommitNode,
  EntryNode,
  HistoryNodes,
  OpenNodes,
  type PullNode,
  RefNode,
  type RepositoryNode,
} from './deploy-query.ts';

/**
 * The answer to the deploy query as the port's snapshot.
 * @throws ConfigurationError where the base branch isn't there
 */
export function snapshotOf(repository: string, node: RepositoryNode, request: ReadRequest): DeploySnapshot {
  const { base } = node;
  if (base === null || base.target?.tree === undefined || base.name === undefined) {
    throw new ConfigurationError(
      request.branch === null
        ? `${repository} is empty: it has no default branch with a commit.`
        : `${repository} has no branch ${JSON.stringify(request.branch)}.`,
      { hint: 'The deploy repository needs the manifests of the model before the first promotion.' },
    );
  }
  const commit = base.target;
  const methods: [boolean, MergeMethod][] = [
    [node.squashMergeAllowed, 'squash'],
    [node.rebaseMergeAllowed, 'rebase'],
    [node.mergeCommitAllowed, 'merge'],
  ];
  return {
    branch: base.name,
    commit: commit.oid,
    tree: base.target.tree.oid,
    files: new Map(request.files.map((path, index) => [path, fileAt(path, entryOf(commit, `f${index}`))])),
    folders: new Map(request.folders.map(({ path }, index) => [path, folderAt(path, entryOf(commit, `d${index}`))])),
    histories: new Map(request.histories.map(({ path }, index) => [path, historyAt(path, commit[`h${index}`])])),
    heads: new Map(
      request.heads.map((branch, index) => [
        branch,
        headAt(branch, RefNode.nullable().parse(node[`b${index}`]), request, base.name ?? ''),
      ]),
    ),
    closed: new Map(
      request.closed.map((branch, index) => [
        branch,
        closedPullRequests(ClosedNodes.parse(node[`closed${index}`]), base.name ?? ''),
      ]),
    ),
    open: new Map(
      (request.open ?? []).map((asked, index) => [
        asked.folder,
        openBranches(asked, OpenNodes.parse(node[`open${index}`]), base.name ?? ''),
      ]),
    ),
    messageFromBody:
      (node.squashMergeAllowed && node.squashMergeCommitMessage === 'PR_BODY') ||
      (node.mergeCommitAllowed && node.mergeCommitMessage === 'PR_BODY'),
    mergeMethods: methods.filter(([allowed]) => allowed).map(([, method]) => method),
  };
}

/** What `commitsQuery` answers for one commit; null where the name is no commit's. */
export function commitFiles(node: unknown, paths: readonly string[]): CommitFiles | null {
  const found = CommitNode.partial().nullish().parse(node);
  if (found?.oid === undefined) return null;
  const commit = { ...found, oid: found.oid };
  const parent = commit.parents?.nodes[0] ?? null;
  const request = { files: paths, folders: [] };
  return {
    commit: commit.oid,
    files: new Map(paths.map((path, index) => [path, fileAt(path, entryOf(commit, `f${index}`))])),
    parent: parent === null ? null : { commit: parent.oid, blobs: blobsOf(parent, request) },
  };
}

/** The text whose UTF-8 bytes have the blob's id; null where it isn't the whole and exact content. */
function exactText(blob: EntryNode['object']): string | null {
  if (blob?.oid === undefined || blob.text == null || blob.isBinary === true || blob.isTruncated === true) return null;
  return isBlob(Buffer.from(blob.text), blob.oid) ? blob.text : null;
}

export function isBlob(content: Uint8Array, oid: string): boolean {
  const hash = createHash(oid.length === 64 ? 'sha256' : 'sha1');
  return hash.update(`blob ${content.length}\0`).update(content).digest('hex') === oid;
}

function entryOf(commit: CommitNode, alias: string): EntryNode | null {
  return EntryNode.nullable().parse(commit[alias]);
}

function fileAt(path: string, entry: EntryNode | null | undefined): FileAt | null {
  if (entry == null || entry.mode === undefined) return null;
  const mode = entry.mode.toString(8).padStart(6, '0');
  const isRegular = mode === '100644' || mode === '100755';
  return { path, mode, blob: entry.object?.oid ?? entry.oid ?? '', text: isRegular ? exactText(entry.object) : null };
}

function folderAt(path: string, entry: EntryNode | null | undefined): FileAt[] {
  return (entry?.object?.entries ?? []).flatMap((child) => {
    const name = `${path}/${child.name}`;
    if (child.type === 'tree') return folderAt(name, child);
    const file = fileAt(name, child);
    return file === null ? [] : [file];
  });
}

function historyAt(path: string, history: unknown): PathVersion[] {
  return HistoryNodes.parse(history).nodes.map(({ oid, committedDate, message, author, file }) => ({
    commit: oid,
    at: utc(committedDate),
    author: author?.user?.login ?? author?.name ?? null,
    message,
    file: fileAt(path, file),
  }));
}

function headAt(
  branch: string,
  ref: RefNode | null | undefined,
  request: ReadRequest,
  base: string,
): HeadSnapshot | null {
  if (ref?.target?.oid === undefined) return null;
  const { target } = ref;
  const parent = target.parents?.nodes[0] ?? null;
  const pull = ref.associatedPullRequests?.nodes.find((one) => one.baseRefName === base && !one.isCrossRepository);
  return {
    branch,
    commit: target.oid,
    message: target.message ?? '',
    files: new Map(filesOf(target, request).map((file) => [file.path, file])),
    parent: parent === null ? null : { commit: parent.oid, blobs: blobsOf(parent, request) },
    pullRequest: pull === undefined ? null : openPullRequest(pull),
  };
}

function openBranches({ folder, files }: OpenBranchRequest, { nodes }: OpenNodes, base: string): OpenBranch[] {
  return nodes.flatMap(({ name, target, associatedPullRequests }) => {
    const pull = associatedPullRequests.nodes.find((one) => one.baseRefName === base && !one.isCrossRepository);
    if (pull === undefined || target?.oid === undefined) return [];
    const found = files.flatMap((path, at) => fileAt(path, EntryNode.nullish().parse(target[`f${at}`])) ?? []);
    const contents = new Map(found.map((file) => [file.path, file]));
    return [{ branch: `${folder}/${name}`, number: pull.number, url: pull.url, files: contents }];
  });
}

function filesOf(commit: CommitNode, request: ReadRequest): FileAt[] {
  const files = request.files.map((path, index) => fileAt(path, entryOf(commit, `f${index}`)));
  const folders = request.folders.flatMap(({ path }, index) => folderAt(path, entryOf(commit, `d${index}`)));
  return [...files.filter((file) => file !== null), ...folders];
}

function blobsOf(commit: CommitNode, request: Pick<ReadRequest, 'files' | 'folders'>): Map<string, string> {
  const blobs = new Map<string, string>();
  for (const [index, path] of request.files.entries()) {
    const oid = entryOf(commit, `f${index}`)?.oid;
    if (oid !== undefined) blobs.set(path, oid);
  }
  const walk = (path: string, entry: EntryNode | null | undefined): void => {
    for (const child of entry?.object?.entries ?? []) {
      if (child.type === 'tree') walk(`${path}/${child.name}`, child);
      else if (child.oid !== undefined) blobs.set(`${path}/${child.name}`, child.oid);
    }
  };
  for (const [index, { path }] of request.folders.entries()) walk(path, entryOf(commit, `d${index}`));
  return blobs;
}

const people = new Set(['OWNER', 'MEMBER', 'COLLABORATOR']);

/**
 * What of the closed pull requests counts: into the base branch, from a branch of the repository itself, by one of its people or an app.
 * Whoever may read a repository can open one from any of its branches, with any body, and close it.
 */
export function closedPullRequests({ nodes }: ClosedNodes, base: string): ClosedPullRequest[] {
  return nodes.flatMap((node) => {
    const isKnown = people.has(node.authorAssociation) || node.author?.__typename === 'Bot' || node.viewerDidAuthor;
    if (node.baseRefName !== base || node.isCrossRepository || !isKnown || node.closedAt === null) return [];
    const { number, url, body, merged: isMerged, closedAt, timelineItems } = node;
    return [{ number, url, body, isMerged, by: timelineItems.nodes[0]?.actor?.login ?? null, at: utc(closedAt) }];
  });
}

function utc(time: string): string {
  return new Date(time).toISOString().replace('.000Z', 'Z');
}

export function openPullRequest(node: PullNode): OpenPullRequest {
  return {
    id: node.id,
    number: node.number,
    url: node.url,
    title: node.title,
    body: node.body,
    headCommit: node.headRefOid,
    mergeState: node.isDraft ? 'DRAFT' : node.mergeStateStatus,
    autoMerge: node.autoMergeRequest !== null || node.isInMergeQueue,
    hasMergeQueue: node.isMergeQueueEnabled,
  };
}
