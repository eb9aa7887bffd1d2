import type { ReadRequest } from '@passloop/gitops';

/**
 * The one query that reads a deploy repository at one commit: through `target { ... on Commit { file history } }` all of
 * it is of the same commit, so there is no race and no second read. An alias a path; paths travel as variables.
 */
export type DeployQueryText = { query: string; variables: Record<string, string> };

const blob = '... on Blob{oid text isBinary isTruncated}';
const pullFields =
  'id number url title body headRefOid baseRefName isDraft isCrossRepository mergeStateStatus autoMergeRequest{enabledAt}';

export { pullFields };

export function deployQuery(owner: string, name: string, request: ReadRequest): DeployQueryText {
  const variables: Record<string, string> = { o: owner, r: name };
  const types = ['$o:String!', '$r:String!'];
  const variable = (alias: string, value: string) => {
    variables[alias] = value;
    types.push(`$${alias}:String!`);
  };
  for (const [index, path] of request.files.entries()) variable(`f${index}`, path);
  for (const [index, folder] of request.folders.entries()) variable(`d${index}`, folder.path);
  for (const [index, history] of request.histories.entries()) variable(`h${index}`, history.path);
  for (const [index, branch] of request.heads.entries()) variable(`b${index}`, `refs/heads/${branch}`);
  if (request.branch !== null) variable('base', `refs/heads/${request.branch}`);

  const files = request.files.map((_, index) => `f${index}:file(path:$f${index}){oid mode type object{${blob}}}`);
  const folders = request.folders.map(
    ({ depth }, index) => `d${index}:file(path:$d${index}){type object{${treeFields(depth)}}}`,
  );
  const histories = request.histories.map(
    ({ limit }, index) =>
      `h${index}:history(path:$h${index},first:${Math.min(100, Math.max(1, limit))}){nodes{oid committedDate message author{name user{login}} file(path:$h${index}){mode type object{${blob}}}}}`,
  );
  const oids = [
    ...request.files.map((_, index) => `f${index}:file(path:$f${index}){oid}`),
    ...request.folders.map(({ depth }, index) => `d${index}:file(path:$d${index}){type object{${treeOids(depth)}}}`),
  ];
  const commit = `oid tree{oid} ${[...files, ...folders, ...histories].join(' ')}`;
  const tip = `oid message ${[...files, ...folders].join(' ')} parents(first:1){nodes{oid ${oids.join(' ')}}}`;
  const base = request.branch === null ? 'defaultBranchRef' : 'ref(qualifiedName:$base)';
  const heads = request.heads.map(
    (_, index) =>
      `b${index}:ref(qualifiedName:$b${index}){target{... on Commit{${tip}}} associatedPullRequests(first:10,states:[OPEN]){nodes{${pullFields}}}}`,
  );
  const query = `query(${types.join(',')}){repository(owner:$o,name:$r){id squashMergeAllowed rebaseMergeAllowed mergeCommitAllowed base:${base}{name target{... on Commit{${commit}}}} ${heads.join(' ')}}}`;
  return { query, variables };
}

function treeFields(depth: number): string {
  const deeper = depth > 1 ? ` ${treeFields(depth - 1)}` : '';
  return `... on Tree{entries{name mode type oid object{${blob}${deeper}}}}`;
}

function treeOids(depth: number): string {
  const deeper = depth > 1 ? ` object{${treeOids(depth - 1)}}` : '';
  return `... on Tree{entries{name type oid${deeper}}}`;
}

export type BlobNode = { oid?: string; text?: string | null; isBinary?: boolean | null; isTruncated?: boolean };
export type TreeNode = { entries?: EntryNode[] | null };
export type EntryNode = {
  name?: string;
  mode?: number;
  type?: string;
  oid?: string;
  object?: (BlobNode & TreeNode) | null;
};
export type PullNode = {
  id: string;
  number: number;
  url: string;
  title: string;
  body: string;
  headRefOid: string;
  baseRefName: string;
  isDraft: boolean;
  isCrossRepository: boolean;
  mergeStateStatus: string;
  autoMergeRequest: { enabledAt: string } | null;
};
export type HistoryNode = {
  oid: string;
  committedDate: string;
  message: string;
  author: { name: string | null; user: { login: string } | null } | null;
  file: EntryNode | null;
};
export type CommitNode = {
  oid: string;
  message?: string;
  tree?: { oid: string };
  parents?: { nodes: CommitNode[] };
} & { [alias: string]: EntryNode | { nodes: HistoryNode[] } | null | unknown };
export type RefNode = { name?: string; target: CommitNode | null; associatedPullRequests?: { nodes: PullNode[] } };
export type RepositoryNode = {
  id: string;
  squashMergeAllowed: boolean;
  rebaseMergeAllowed: boolean;
  mergeCommitAllowed: boolean;
  base: RefNode | null;
} & { [alias: string]: RefNode | null | unknown };
