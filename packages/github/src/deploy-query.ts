import type { ReadRequest } from '@passloop/gitops';
import { z } from 'zod';

/**
 * The one query that reads a deploy repository at one commit: through `target { ... on Commit { file history } }` all of
 * it is of the same commit, so there is no race and no second read. An alias a path; paths travel as variables.
 */
export type DeployQueryText = { query: string; variables: Record<string, string> };

const blob = '... on Blob{oid text isBinary isTruncated}';
/** What is asked of a pull request. @param lacks members that the schema of this server hasn't, as `PullRequest.field` */
export function pullFields(lacks: ReadonlySet<string>): string {
  const fields = 'id number url title body headRefOid baseRefName isDraft isCrossRepository';
  const later = [
    ['PullRequest.mergeStateStatus', 'mergeStateStatus'],
    ['PullRequest.isMergeQueueEnabled', 'isMergeQueueEnabled'],
    ['PullRequest.isInMergeQueue', 'isInMergeQueue'],
    ['PullRequest.autoMergeRequest', 'autoMergeRequest{enabledAt}'],
  ] as const;
  return [fields, ...later.filter(([member]) => !lacks.has(member)).map(([, field]) => field)].join(' ');
}

/** How many pull requests of a branch are looked through for people's refusals, those changed last first. */
const closedLimit = 20;
/** How many branches of a folder are looked through for open pull requests. */
const openLimit = 100;
const closedFields =
  'number url body merged closedAt baseRefName isCrossRepository authorAssociation viewerDidAuthor author{__typename} timelineItems(last:1,itemTypes:[CLOSED_EVENT]){nodes{... on ClosedEvent{actor{login}}}}';

export function deployQuery(
  owner: string,
  name: string,
  request: ReadRequest,
  lacks: ReadonlySet<string> = new Set(),
): DeployQueryText {
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
  for (const [index, branch] of request.closed.entries()) variable(`closed${index}`, branch);
  for (const [index, { folder, files }] of (request.open ?? []).entries()) {
    variable(`open${index}`, `refs/heads/${folder}/`);
    for (const [at, file] of files.entries()) variable(`open${index}f${at}`, file);
  }
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
      `b${index}:ref(qualifiedName:$b${index}){target{... on Commit{${tip}}} associatedPullRequests(first:10,states:[OPEN]){nodes{${pullFields(lacks)}}}}`,
  );
  const closed = request.closed.map(
    (_, index) =>
      `closed${index}:pullRequests(first:${closedLimit},states:[CLOSED,MERGED],headRefName:$closed${index},orderBy:{field:UPDATED_AT,direction:DESC}){nodes{${closedFields}}}`,
  );
  const open = (request.open ?? []).map(({ files }, index) => {
    const contents = files.map((_, at) => `f${at}:file(path:$open${index}f${at}){oid mode type object{${blob}}}`);
    return `open${index}:refs(refPrefix:$open${index},first:${openLimit}){nodes{name target{... on Commit{oid ${contents.join(' ')}}} associatedPullRequests(first:5,states:[OPEN]){nodes{number url baseRefName isCrossRepository}}}}`;
  });
  const query = `query(${types.join(',')}){repository(owner:$o,name:$r){id ${lacks.has('Repository.autoMergeAllowed') ? '' : 'autoMergeAllowed '}squashMergeAllowed rebaseMergeAllowed mergeCommitAllowed squashMergeCommitMessage mergeCommitMessage base:${base}{name target{... on Commit{${commit}}}} ${[...heads, ...closed, ...open].join(' ')}}}`;
  return { query, variables };
}

/** Files of several commits, and their blobs in each one's first parent. */
export function commitsQuery(
  owner: string,
  name: string,
  commits: readonly string[],
  files: readonly string[],
): DeployQueryText {
  const variables: Record<string, string> = { o: owner, r: name };
  const types = ['$o:String!', '$r:String!'];
  for (const [index, path] of files.entries()) {
    variables[`f${index}`] = path;
    types.push(`$f${index}:String!`);
  }
  for (const [index, commit] of commits.entries()) {
    variables[`c${index}`] = commit;
    types.push(`$c${index}:String!`);
  }
  const contents = files.map((_, index) => `f${index}:file(path:$f${index}){oid mode type object{${blob}}}`).join(' ');
  const oids = files.map((_, index) => `f${index}:file(path:$f${index}){oid}`).join(' ');
  const fields = `... on Commit{oid ${contents} parents(first:1){nodes{oid ${oids}}}}`;
  const objects = commits.map((_, index) => `c${index}:object(expression:$c${index}){${fields}}`);
  return { query: `query(${types.join(',')}){repository(owner:$o,name:$r){${objects.join(' ')}}}`, variables };
}

function treeFields(depth: number): string {
  const deeper = depth > 1 ? ` ${treeFields(depth - 1)}` : '';
  return `... on Tree{entries{name mode type oid object{${blob}${deeper}}}}`;
}

function treeOids(depth: number): string {
  const deeper = depth > 1 ? ` object{${treeOids(depth - 1)}}` : '';
  return `... on Tree{entries{name type oid${deeper}}}`;
}

/** An entry of a tree with what the query asked of it; deeper entries where it asked for folders. */
export const EntryNode = z.object({
  name: z.string().optional(),
  mode: z.int().optional(),
  type: z.string().optional(),
  oid: z.string().optional(),
  get object() {
    return z
      .object({
        oid: z.string().optional(),
        text: z.string().nullish(),
        isBinary: z.boolean().nullish(),
        isTruncated: z.boolean().optional(),
        entries: z.array(EntryNode).nullish(),
      })
      .nullish();
  },
});
export type EntryNode = z.infer<typeof EntryNode>;

export const PullNode = z.object({
  id: z.string(),
  number: z.int(),
  url: z.string(),
  title: z.string(),
  body: z.string(),
  headRefOid: z.string(),
  baseRefName: z.string(),
  isDraft: z.boolean(),
  isCrossRepository: z.boolean(),
  mergeStateStatus: z.string().default('UNKNOWN'),
  isMergeQueueEnabled: z.boolean().default(false),
  isInMergeQueue: z.boolean().default(false),
  autoMergeRequest: z.object({ enabledAt: z.string().nullable() }).nullable().default(null),
});
export type PullNode = z.infer<typeof PullNode>;

const ClosedNode = z.object({
  number: z.int(),
  url: z.string(),
  body: z.string(),
  merged: z.boolean(),
  closedAt: z.iso.datetime({ offset: true }).nullable(),
  baseRefName: z.string(),
  isCrossRepository: z.boolean(),
  authorAssociation: z.string(),
  viewerDidAuthor: z.boolean(),
  author: z.object({ __typename: z.string() }).nullable(),
  timelineItems: z.object({
    nodes: z.array(z.object({ actor: z.object({ login: z.string() }).nullish() }).nullable()),
  }),
});
export const ClosedNodes = z.object({ nodes: z.array(ClosedNode) });
export type ClosedNodes = z.infer<typeof ClosedNodes>;

export const OpenNodes = z.object({
  nodes: z.array(
    z.object({
      name: z.string(),
      target: z.looseObject({ oid: z.string().optional() }).nullable(),
      associatedPullRequests: z.object({
        nodes: z.array(
          z.object({ number: z.int(), url: z.string(), baseRefName: z.string(), isCrossRepository: z.boolean() }),
        ),
      }),
    }),
  ),
});
export type OpenNodes = z.infer<typeof OpenNodes>;

export const HistoryNodes = z.object({
  nodes: z.array(
    z.object({
      oid: z.string(),
      committedDate: z.iso.datetime({ offset: true }),
      message: z.string(),
      author: z.object({ name: z.string().nullable(), user: z.object({ login: z.string() }).nullable() }).nullable(),
      file: EntryNode.nullable(),
    }),
  ),
});

/** The aliases `f0`, `d0`, `h0` stand beside these fields; they are checked where they are read. */
export const CommitNode = z.looseObject({
  oid: z.string(),
  message: z.string().optional(),
  tree: z.object({ oid: z.string() }).optional(),
  parents: z.object({ nodes: z.array(z.looseObject({ oid: z.string() })) }).optional(),
});
export type CommitNode = z.infer<typeof CommitNode>;

export const RefNode = z.object({
  name: z.string().optional(),
  target: CommitNode.nullable(),
  associatedPullRequests: z.object({ nodes: z.array(PullNode) }).optional(),
});
export type RefNode = z.infer<typeof RefNode>;

export const RepositoryNode = z.looseObject({
  id: z.string(),
  autoMergeAllowed: z.boolean().default(true),
  squashMergeAllowed: z.boolean(),
  rebaseMergeAllowed: z.boolean(),
  mergeCommitAllowed: z.boolean(),
  squashMergeCommitMessage: z.string(),
  mergeCommitMessage: z.string(),
  base: RefNode.nullable(),
});
export type RepositoryNode = z.infer<typeof RepositoryNode>;
