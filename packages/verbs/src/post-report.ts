import { ConfigurationError, isPassing } from '@passloop/core';
import type { ReportDocument } from '@passloop/documents';
import { githubClient, readPullRequest, reportCheckRun, upsertComment } from '@passloop/github';
import { commentLimit, phraseText, renderComment, renderSummary, reportHeadline } from '@passloop/report';
import type { Context } from './context.ts';
import { githubOptions } from './deploy-repository.ts';

export type PostReportRequest = { pullRequest: number; report: ReportDocument; runUrl?: string | undefined };
export type PostedReport = { url: string; outcome: 'created' | 'updated' | 'unchanged' | 'outdated' };

/**
 * Posts a report on its pull request: one comment, updated in place, and the check run named `passloop`. A head that is no
 * longer the pull request's is not written about: the run of the newer head does that.
 */
export async function postReport(context: Context, request: PostReportRequest): Promise<PostedReport> {
  const { report, pullRequest, runUrl } = request;
  const token = context.env.GITHUB_TOKEN;
  if (token === undefined || report.repository === null) {
    throw new ConfigurationError('There is no GITHUB_TOKEN to post with.', {
      hint: 'In a workflow: permissions: {pull-requests: write, checks: write}.',
    });
  }
  const client = githubClient({ ...githubOptions(context), repository: report.repository, token });
  const pull = await readPullRequest(client, pullRequest);
  if (pull.head.commit !== report.head) return { url: pull.url, outcome: 'outdated' };
  const attempt = Number(context.env.GITHUB_RUN_ATTEMPT ?? '1');
  const links = { run: runUrl };
  const comment = await upsertComment(client, {
    number: pullRequest,
    key: report.repository,
    head: report.head,
    sequence: Number(context.env.GITHUB_RUN_NUMBER ?? '0') * 1000 + attempt,
    bodies: [renderComment(report, links), renderComment(report, links, commentLimit / 4)],
  });
  await reportCheckRun(client, {
    head: report.head,
    // `neutral` counts as passing for a required check: what blocks is a failure.
    conclusion: isPassing(report.verdict) ? 'success' : 'failure',
    title: phraseText(reportHeadline(report)),
    summary: renderSummary(report, links),
    detailsUrl: runUrl ?? null,
    externalId: context.env.GITHUB_RUN_ID ?? `local-${report.head}`,
  });
  return { url: comment.url ?? pull.url, outcome: comment.outcome };
}
