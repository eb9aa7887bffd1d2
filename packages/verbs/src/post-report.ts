import { ConfigurationError } from '@passloop/core';
import type { ReportDocument } from '@passloop/documents';
import { githubClient } from '@passloop/github';
import { renderSummary } from '@passloop/report';
import type { Context } from './context.ts';
import { githubOptions } from './deploy-repository.ts';

export type PostReportRequest = { pullRequest: number; report: ReportDocument; comment: string };

type Comment = { id: number; body?: string; html_url: string; user: { login: string } | null };

const marker = /<!-- passloop:comment key=(\S+) head=([0-9a-f]{40,64}) attempt=\d+ v=1 -->\s*$/;
const summaryLimit = 65_000;

/**
 * Posts a report on its pull request: one comment, updated in place, and one check run named `passloop`. A head that is no
 * longer the pull request's is not written about: the run of the newer head does that.
 */
export async function postReport(
  context: Context,
  request: PostReportRequest,
): Promise<{ url: string; outcome: 'created' | 'updated' | 'superseded' }> {
  const { report, comment } = request;
  const token = context.env.GITHUB_TOKEN;
  if (token === undefined || report.repository === null) {
    throw new ConfigurationError('There is no GITHUB_TOKEN to post with.', {
      hint: 'In a workflow: permissions: pull-requests: write, checks: write.',
    });
  }
  const client = githubClient({ ...githubOptions(context), repository: report.repository, token });
  const read = { what: 'read the pull request', permission: 'pull-requests' as const, level: 'read' as const };
  const write = { what: 'comment on the pull request', permission: 'pull-requests' as const, level: 'write' as const };
  const pull = await client.rest<{ head: { sha: string }; html_url: string }>(
    read,
    'GET /repos/{owner}/{repo}/pulls/{pull_number}',
    { pull_number: request.pullRequest },
  );
  if (pull.head.sha !== report.head) return { url: pull.html_url, outcome: 'superseded' };
  const earlier = await ownComment(client, request.pullRequest, comment);
  const written =
    earlier === null
      ? await client.rest<Comment>(write, 'POST /repos/{owner}/{repo}/issues/{issue_number}/comments', {
          issue_number: request.pullRequest,
          body: comment,
        })
      : await client.rest<Comment>(write, 'PATCH /repos/{owner}/{repo}/issues/comments/{comment_id}', {
          comment_id: earlier.id,
          body: comment,
        });
  await client.rest(
    { what: 'report the check', permission: 'checks', level: 'write' },
    'POST /repos/{owner}/{repo}/check-runs',
    {
      name: 'passloop',
      head_sha: report.head,
      status: 'completed',
      // `neutral` counts as passing for a required check: what blocks is a failure.
      conclusion: report.verdict === 'pass' || report.verdict === 'warn' ? 'success' : 'failure',
      output: { title: titleOf(report), summary: renderSummary(report).slice(0, summaryLimit) },
    },
  );
  return { url: written.html_url, outcome: earlier === null ? 'created' : 'updated' };
}

/** The comment that an earlier run left: by its marker at the end and by its author, over all pages. */
async function ownComment(
  client: ReturnType<typeof githubClient>,
  pullRequest: number,
  comment: string,
): Promise<Comment | null> {
  const read = { what: 'read the comments', permission: 'pull-requests' as const, level: 'read' as const };
  const key = marker.exec(comment)?.[1];
  const candidates: Comment[] = [];
  for (let page = 1; page <= 100; page += 1) {
    const comments = await client.rest<Comment[]>(read, 'GET /repos/{owner}/{repo}/issues/{issue_number}/comments', {
      issue_number: pullRequest,
      per_page: 100,
      page,
    });
    candidates.push(...comments.filter((one) => marker.exec(one.body ?? '')?.[1] === key));
    if (comments.length < 100) break;
  }
  if (candidates.length === 0) return null;
  const me = await viewer(client);
  return candidates.find((one) => one.user?.login === me) ?? null;
}

/** Who the token is: a user, or an App's bot, which REST does not tell. */
async function viewer(client: ReturnType<typeof githubClient>): Promise<string> {
  const { viewer: found } = await client.graphql<{ viewer: { login: string } }>(
    { what: 'ask who this token is', permission: 'metadata', level: 'read' },
    'query { viewer { login } }',
  );
  return found.login;
}

function titleOf(report: ReportDocument): string {
  const failing = report.models.filter((model) => model.verdict === 'fail').length;
  const affected = report.models.filter((model) => model.affected).length;
  return failing > 0
    ? `${failing} of ${affected} models blocked`
    : affected === 0
      ? 'No model is affected'
      : `${affected} ${affected === 1 ? 'model' : 'models'} passed`;
}
