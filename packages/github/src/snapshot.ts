import { createHash } from 'node:crypto';
import { ConfigurationError } from '@passloop/core';
import type {
  DeploySnapshot,
  FileAt,
  HeadSnapshot,
  MergeMethod,
  OpenPullRequest,
  PathVersion,
  ReadRequest,
} from '@passloop/gitops';
import type {
  BlobNode,
  CommitNode,
  EntryNode,
  HistoryNode,
  PullNode,
  RefNode,
  RepositoryNode,
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
    files: new Map(request.files.map((path, index) => [path, fileAt(path, commit[`f${index}`] as EntryNode | null)])),
    folders: new Map(
      request.folders.map(({ path }, index) => [path, folderAt(path, commit[`d${index}`] as EntryNode | null)]),
    ),
    histories: new Map(
      request.histories.map(({ path }, index) => [path, historyAt(commit[`h${index}`] as { nodes: HistoryNode[] })]),
    ),
    heads: new Map(
      request.heads.map((branch, index) => [
        branch,
        headAt(branch, node[`b${index}`] as RefNode | null, request, base.name ?? ''),
      ]),
    ),
    mergeMethods: methods.filter(([allowed]) => allowed).map(([, method]) => method),
  };
}

/** The text whose UTF-8 bytes have the blob's id; null where it isn't the whole and exact content. */
export function exactText(blob: BlobNode | null | undefined): string | null {
  if (blob?.oid === undefined || blob.text == null || blob.isBinary === true || blob.isTruncated === true) return null;
  return isBlob(Buffer.from(blob.text), blob.oid) ? blob.text : null;
}

export function isBlob(content: Uint8Array, oid: string): boolean {
  const hash = createHash(oid.length === 64 ? 'sha256' : 'sha1');
  return hash.update(`blob ${content.length}\0`).update(content).digest('hex') === oid;
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

function historyAt(history: { nodes: HistoryNode[] } | null | undefined): PathVersion[] {
  return (history?.nodes ?? []).map(({ oid, committedDate, message, author, file }) => ({
    commit: oid,
    at: new Date(committedDate).toISOString().replace('.000Z', 'Z'),
    author: author?.user?.login ?? author?.name ?? null,
    message,
    text: fileAt('', file)?.text ?? null,
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

function filesOf(commit: CommitNode, request: ReadRequest): FileAt[] {
  const files = request.files.map((path, index) => fileAt(path, commit[`f${index}`] as EntryNode | null));
  const folders = request.folders.flatMap(({ path }, index) => folderAt(path, commit[`d${index}`] as EntryNode | null));
  return [...files.filter((file) => file !== null), ...folders];
}

function blobsOf(commit: CommitNode, request: ReadRequest): Map<string, string> {
  const blobs = new Map<string, string>();
  for (const [index, path] of request.files.entries()) {
    const oid = (commit[`f${index}`] as EntryNode | null)?.oid;
    if (oid !== undefined) blobs.set(path, oid);
  }
  const walk = (path: string, entry: EntryNode | null | undefined): void => {
    for (const child of entry?.object?.entries ?? []) {
      if (child.type === 'tree') walk(`${path}/${child.name}`, child);
      else if (child.oid !== undefined) blobs.set(`${path}/${child.name}`, child.oid);
    }
  };
  for (const [index, { path }] of request.folders.entries()) walk(path, commit[`d${index}`] as EntryNode | null);
  return blobs;
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
    autoMerge: node.autoMergeRequest !== null,
  };
}
