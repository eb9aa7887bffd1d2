import { ConfigurationError, isPassing, PassloopError } from '@passloop/core';
import type { PlanDocument, ReportDocument } from '@passloop/documents';
import { type GithubClient, githubClient, readPullRequest, reportCheckRun, upsertComment } from '@passloop/github';
import { checkLimit, commentLimit, phraseText, renderComment, renderSummary, reportHeadline } from '@passloop/report';
import type { Context } from './context.ts';
import { githubOptions } from './deploy-repository.ts';
import { runUrl } from './recorded-run.ts';
import { commentKeys, runSequence, unlessForbidden, workflowFile } from './report-posting.ts';
import { ruleAnnotations } from './rule-annotations.ts';

export type CheckPosting = {
  report: ReportDocument;
  /** Where it is posted, `owner/name`; the job's own repository by default, whatever the report says. */
  repository?: string | null | undefined;
  /** For annotations: which file declares a model. */
  plan: PlanDocument | null;
  /** Address of the run; the job's own by default. */
  runUrl?: string | undefined;
  /** Address of the report's page. */
  pageUrl?: string | undefined;
};
export type PostReportRequest = CheckPosting & { pullRequest: number };
export type PostedReport = {
  url: string | null;
  commentUrl: string | null;
  outcome: 'created' | 'updated' | 'unchanged' | 'outdated';
  /** What the token may not do, each with the line that lets it. The verdict is not lost by it. */
  lacking: string[];
};

/**
 * Posts a report on its pull request: one comment, updated in place, and the check run named `passloop`. A head that is no
 * longer the pull request's is not written about: the run of the newer head does that. Nor does a run write over a later one of the same head.
 * @throws ConfigurationError without a token, and for what is wrong beside a permission
 */
export async function postReport(context: Context, request: PostReportRequest): Promise<PostedReport> {
  const { report, pullRequest } = request;
  const { env } = context;
  const client = openRepository(context, request);
  const lacking: string[] = [];
  const pull = await ifAllowed(lacking, () => readPullRequest(client, pullRequest));
  if (pull !== null && pull.head.commit !== report.head)
    return { url: pull.url, commentUrl: null, outcome: 'outdated', lacking };
  const links = linksOf(context, request);
  const comment =
    pull === null
      ? null
      : await ifAllowed(lacking, () =>
          upsertComment(client, {
            number: pullRequest,
            ...commentKeys(client.repository, workflowFile(env)),
            head: report.head,
            sequence: runSequence(Number(env.GITHUB_RUN_NUMBER ?? '0'), Number(env.GITHUB_RUN_ATTEMPT ?? '1')),
            bodies: [renderComment(report, links), renderComment(report, links, commentLimit / 4)],
          }),
        );
  // The check is the later run's too: the last to be written is the one that GitHub shows and requires.
  if (comment?.outcome === 'outdated')
    return { url: comment.url, commentUrl: comment.url, outcome: 'outdated', lacking };
  const check = await postRun(context, client, request, lacking);
  const url = comment?.url ?? check?.url ?? pull?.url ?? null;
  return { url, commentUrl: comment?.url ?? null, outcome: comment?.outcome ?? check?.outcome ?? 'unchanged', lacking };
}

/** The check run alone, for what is no pull request: a merge queue's commit. */
export async function postCheck(context: Context, request: CheckPosting): Promise<PostedReport> {
  const lacking: string[] = [];
  const check = await postRun(context, openRepository(context, request), request, lacking);
  return { url: check?.url ?? null, commentUrl: null, outcome: check?.outcome ?? 'unchanged', lacking };
}

async function postRun(
  context: Context,
  client: GithubClient,
  request: CheckPosting,
  lacking: string[],
): Promise<{ outcome: 'created' | 'updated'; url: string | null } | null> {
  const { report, plan } = request;
  const links = linksOf(context, request);
  return await ifAllowed(lacking, async () =>
    reportCheckRun(client, {
      head: report.head,
      // `neutral` counts as passing for a required check: what blocks is a failure.
      conclusion: isPassing(report.verdict) ? 'success' : 'failure',
      title: phraseText(reportHeadline(report)),
      summary: renderSummary(report, links, checkLimit),
      annotations: plan === null ? [] : await ruleAnnotations(client, report, plan, lacking),
      detailsUrl: links.run ?? null,
      externalId: context.env.GITHUB_RUN_ID ?? `local-${report.head}`,
    }),
  );
}

function linksOf(context: Context, request: CheckPosting): { run?: string; report?: string } {
  const run = request.runUrl ?? runUrl(context) ?? undefined;
  return {
    ...(run === undefined ? {} : { run }),
    ...(request.pageUrl === undefined ? {} : { report: request.pageUrl }),
  };
}

function openRepository(context: Context, request: CheckPosting): GithubClient {
  const { GITHUB_TOKEN: token } = context.env;
  const repository = request.repository ?? context.env.GITHUB_REPOSITORY;
  if (token === undefined || token === '' || repository === undefined) {
    throw new ConfigurationError('There is no GITHUB_TOKEN to post with, or no repository to post to.', {
      hint: 'In a workflow: permissions: {pull-requests: write, checks: write}.',
    });
  }
  return githubClient({ ...githubOptions(context), repository, token });
}

/** A forge that doesn't answer loses no verdict either: the summary has it, and the required check stays unsaid. */
async function ifAllowed<T>(lacking: string[], work: () => Promise<T>): Promise<T | null> {
  try {
    return await unlessForbidden(lacking, work);
  } catch (error) {
    if (!(error instanceof PassloopError) || error.code !== 'infrastructure') throw error;
    lacking.push(error.hint === null ? error.message : `${error.message} ${error.hint}`);
    return null;
  }
}
