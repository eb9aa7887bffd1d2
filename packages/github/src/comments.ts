import { ConfigurationError } from '@passloop/core';
import { z } from 'zod';
import { RefusedError } from './api-error.ts';
import type { Action, GithubClient } from './client.ts';

export type CommentRequest = {
  /** The pull request. */
  number: number;
  /** Tells our comments apart: one comment a key and pull request. */
  key: string;
  /** What its key was once: where none has the key yet, the comment of this one becomes it. */
  formerKey?: string | undefined;
  /** The head commit that the text is about. */
  head: string;
  /** Orders texts about the same head, such as a workflow's run number and attempt; the higher one stays. */
  sequence: number;
  /** The texts to try, the fullest first: where GitHub refuses one as too long, the next is sent. */
  bodies: readonly string[];
};

export type CommentResult = {
  /** `outdated`: a newer head, or a later run of the same one, has its comment there already. */
  outcome: 'created' | 'updated' | 'unchanged' | 'outdated';
  id: number | null;
  url: string | null;
};

const CommentNode = z.object({ databaseId: z.int(), url: z.string(), body: z.string(), viewerDidAuthor: z.boolean() });
type CommentNode = z.infer<typeof CommentNode>;
const Page = z.object({
  repository: z.object({
    pullRequest: z
      .object({
        headRefOid: z.string(),
        comments: z.object({
          nodes: z.array(CommentNode),
          pageInfo: z.object({ hasNextPage: z.boolean(), endCursor: z.string().nullable() }),
        }),
      })
      .nullable(),
  }),
});
const Written = z.object({ id: z.int(), html_url: z.string() });

/** GitHub's limit, in characters. */
const bodyLimit = 65_536;
const maxPages = 50;
const reading: Action = { what: 'reading the comments', permission: 'pull-requests', level: 'read' };
const writing: Action = { what: 'writing the comment', permission: 'pull-requests', level: 'write' };

const query = `query($o:String!,$r:String!,$n:Int!,$after:String){repository(owner:$o,name:$r){pullRequest(number:$n){headRefOid
 comments(first:100,after:$after){nodes{databaseId url body viewerDidAuthor} pageInfo{hasNextPage endCursor}}}}}`;

/**
 * Writes one comment a key: the one that carries our hidden marker and that this token's account wrote is replaced, over
 * all pages; a marker which somebody else pasted is no comment of ours. A text about an older head never replaces one
 * about the present head.
 * @throws ConfigurationError where the pull request isn't there, a permission is missing, or no body is short enough
 */
export async function upsertComment(client: GithubClient, request: CommentRequest): Promise<CommentResult> {
  const { headCommit, comments } = await readComments(client, request);
  const [existing, ...copies] = comments;
  const state = existing === undefined ? null : markerOf(existing.body);
  if (existing !== undefined && state !== null && isOutdated(request, state, headCommit)) {
    return { outcome: 'outdated', id: existing.databaseId, url: existing.url };
  }
  const bodies = request.bodies
    .map((body) => `${body.trimEnd()}\n${marker(request)}`)
    .filter(({ length }) => length <= bodyLimit);
  if (bodies.length === 0) throw tooLong(request);
  let result: CommentResult;
  if (existing === undefined) {
    result = await send(bodies, request, (body) =>
      client.rest(
        writing,
        'POST /repos/{owner}/{repo}/issues/{issue_number}/comments',
        {
          issue_number: request.number,
          body,
        },
        Written,
      ),
    );
  } else if (bodies[0] !== undefined && isSameBody(existing.body, bodies[0])) {
    result = { outcome: 'unchanged', id: existing.databaseId, url: existing.url };
  } else {
    const updated = await send(bodies, request, (body) =>
      client.rest(
        writing,
        'PATCH /repos/{owner}/{repo}/issues/comments/{comment_id}',
        {
          comment_id: existing.databaseId,
          body,
        },
        Written,
      ),
    );
    result = { ...updated, outcome: 'updated' };
  }
  // Two runs that began at once may both have created one.
  for (const copy of copies) {
    await client.rest(writing, 'DELETE /repos/{owner}/{repo}/issues/comments/{comment_id}', {
      comment_id: copy.databaseId,
    });
  }
  return result;
}

async function readComments(
  client: GithubClient,
  request: CommentRequest,
): Promise<{ headCommit: string; comments: CommentNode[] }> {
  const comments: (CommentNode & { key: string | undefined })[] = [];
  let after: string | null = null;
  let headCommit = '';
  for (let page = 0; page < maxPages; page += 1) {
    const variables: Record<string, unknown> = { o: client.owner, r: client.name, n: request.number, after };
    const answer = await client.graphql(reading, query, variables, Page);
    const pull = answer.repository.pullRequest;
    if (pull === null) throw new ConfigurationError(`${client.repository} has no pull request #${request.number}.`);
    headCommit = pull.headRefOid;
    for (const node of pull.comments.nodes)
      if (node.viewerDidAuthor) comments.push({ ...node, key: markerOf(node.body)?.key });
    if (!pull.comments.pageInfo.hasNextPage) break;
    after = pull.comments.pageInfo.endCursor;
  }
  const [own, former] = [request.key, request.formerKey].map((key) =>
    comments.filter((comment) => comment.key !== undefined && comment.key === key),
  );
  return { headCommit, comments: own?.length ? own : (former ?? []) };
}

async function send(
  bodies: readonly string[],
  request: CommentRequest,
  write: (body: string) => Promise<{ id: number; html_url: string }>,
): Promise<CommentResult> {
  let refused: RefusedError | null = null;
  for (const body of bodies) {
    try {
      const { id, html_url } = await write(body);
      return { outcome: 'created', id, url: html_url };
    } catch (error) {
      if (!(error instanceof RefusedError)) throw error;
      refused = error;
    }
  }
  throw refused ?? tooLong(request);
}

function tooLong(request: CommentRequest): ConfigurationError {
  return new ConfigurationError(
    `No text of comment ${request.key} is short enough for GitHub (${bodyLimit} characters).`,
  );
}

function marker({ key, head, sequence }: CommentRequest): string {
  if (!/^[A-Za-z0-9._/#-]{1,256}$/.test(key) || !/^[0-9a-f]{40,64}$/.test(head) || !Number.isSafeInteger(sequence)) {
    throw new RangeError('A comment marker holds a key, a commit and a number.');
  }
  return `<!-- passloop:comment key=${key} head=${head} attempt=${sequence} v=1 -->`;
}

/** The marker on the last line of a comment of ours; null where there is none. */
function markerOf(body: string): { key: string; head: string; sequence: number } | null {
  const found =
    /(?:^|\n)<!-- passloop:comment key=(\S{1,256}) head=([0-9a-f]{40,64}) attempt=(\d{1,16}) v=1 -->\s*$/.exec(body);
  return found === null ? null : { key: found[1] ?? '', head: found[2] ?? '', sequence: Number(found[3]) };
}

function isOutdated(request: CommentRequest, state: { head: string; sequence: number }, headCommit: string): boolean {
  if (state.head === request.head) return state.sequence > request.sequence;
  return request.head !== headCommit;
}

function isSameBody(left: string, right: string): boolean {
  return left.replaceAll('\r\n', '\n').trimEnd() === right.replaceAll('\r\n', '\n').trimEnd();
}
