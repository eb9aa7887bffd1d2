import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { ConfigurationError, isPassing, temporaryFolder, type Verdict } from '@passloop/core';
import { parseDocument, type ReportDocument } from '@passloop/documents';
import {
  documentLimits,
  downloadRunArtifact,
  type EndedRun,
  endedRunOf,
  type GithubClient,
  githubClient,
  isStillAbout,
  notPostedBecause,
  pullOfRun,
  type RunPull,
  readRun,
  reportCheckRun,
  upsertComment,
} from '@passloop/github';
import { checkLimit, commentLimit, phraseText, renderComment, renderSummary, reportHeadline } from '@passloop/report';
import type { Context } from './context.ts';
import { githubOptions } from './deploy-repository.ts';
import { commentKeys, runSequence, unlessForbidden } from './report-posting.ts';

export type ForkReportRequest = {
  /** File of the workflow whose runs are reported on, such as `.github/workflows/model-check.yml`. */
  workflow: string;
};

export type PostedForkReport = {
  outcome: 'created' | 'updated' | 'unchanged' | 'outdated' | 'skipped';
  /** Why nothing was posted, in a sentence. */
  reason: string | null;
  /** What it says on the pull request: advisory, and null where nothing was read. */
  verdict: Verdict | null;
  report: ReportDocument | null;
  commentUrl: string | null;
  /** What the token may not do, each with the line that lets it. */
  lacking: string[];
};

/** The artifact that the job `report` of a check leaves, and its one file. */
const artifactName = 'passloop-report';
const reportFile = 'report.json';

/**
 * Posts the report of a pull request whose own job may not: from a fork, or Dependabot's. It runs in a job of its own, on `workflow_run`, with no
 * checkout. The run comes from the event, the pull request from the forge, and the report, which a stranger wrote, is data: what it says of its
 * repository and head is compared and never used, and it can make the check fail, or neutral, never pass.
 * @throws ConfigurationError for another event, and for an artifact or a report that isn't what it should be: nothing is posted then
 */
export async function postForkReport(context: Context, request: ForkReportRequest): Promise<PostedForkReport> {
  const { client, repository } = openRepository(context);
  const told = endedRunOf(await readEvent(context), repository);
  const skipped = notPostedBecause(told, repository, request.workflow);
  if (skipped !== null) return nothing('skipped', skipped);
  const { isRunning, ...run } = await readRun(client, told.id);
  if (isRunning || run.attempt !== told.attempt) {
    return nothing('outdated', 'The run was started again: its next attempt is posted instead.');
  }
  const changed = run.head === told.head ? notPostedBecause(run, repository, request.workflow) : 'The run moved.';
  if (changed !== null) return nothing('skipped', changed);
  const pull = await pullOfRun(client, run);
  if (typeof pull === 'string') return nothing('skipped', pull);
  const report = await readReport(context, client, run);
  if (report === null) return nothing('skipped', `The run left no artifact ${artifactName}: see its log.`);
  return await post(context, client, { run, pull, report });
}

type Posting = { run: EndedRun; pull: RunPull; report: ReportDocument };

async function post(context: Context, client: GithubClient, { run, pull, report }: Posting): Promise<PostedForkReport> {
  const links = { run: runUrl(context, client.repository, run) };
  const failed = !isPassing(report.verdict) || run.conclusion === 'failure';
  const verdict: Verdict = failed ? 'fail' : report.verdict;
  const title =
    failed && isPassing(report.verdict)
      ? 'The run failed, whatever its report says'
      : phraseText(reportHeadline(report));
  const result: PostedForkReport = { outcome: 'skipped', reason: null, verdict, report, commentUrl: null, lacking: [] };
  const effect = !failed
    ? 'it does not block'
    : isPassing(report.verdict)
      ? 'it blocks, since its run failed'
      : 'it blocks';
  const note = `**Advisory: ${effect}.** The report was made by a run of code that nobody of ${client.repository} has reviewed.`;
  // First, as in the check: the sentence below it is a stranger's, and reads like ours.
  const body = (limit: number) => `${note}\n\n${renderComment(report, links, limit - note.length - 2)}`;
  // Whatever took time stands before this: between here and the write there is nothing but the write.
  if (!(await isStillAbout(client, pull, run))) {
    return { ...result, outcome: 'outdated', reason: 'The pull request has another head now.' };
  }
  const comment = await unlessForbidden(result.lacking, () =>
    upsertComment(client, {
      number: pull.number,
      ...commentKeys(client.repository, run.workflow),
      head: run.head,
      sequence: runSequence(run.number, run.attempt),
      bodies: [body(commentLimit), body(commentLimit / 4)],
    }),
  );
  if (comment?.outcome === 'outdated') {
    return { ...result, outcome: 'outdated', reason: 'A later run has its report there.', commentUrl: comment.url };
  }
  const check = await unlessForbidden(result.lacking, () =>
    reportCheckRun(client, {
      head: run.head,
      conclusion: failed ? 'failure' : 'neutral',
      title: `Advisory: ${title}`,
      summary: `${note}\n\n${renderSummary(report, links, checkLimit)}`,
      detailsUrl: links.run,
      externalId: `${run.id}.${run.attempt}`,
    }),
  );
  if (comment !== null) return { ...result, outcome: comment.outcome, commentUrl: comment.url };
  if (check !== null) return { ...result, outcome: check.outcome };
  return { ...result, reason: 'The token may not write to the pull request.' };
}

async function readReport(context: Context, client: GithubClient, run: EndedRun): Promise<ReportDocument | null> {
  await using place = await temporaryFolder('fork-report', context.env.RUNNER_TEMP);
  const folder = path.join(place.path, 'files');
  const files = await downloadRunArtifact(client, { run, name: artifactName, folder, limits: documentLimits });
  if (files === null) return null;
  if (files.length !== 1 || files[0] !== reportFile) {
    throw new ConfigurationError(
      `The artifact ${artifactName} holds ${files.length} files; ${reportFile} is expected.`,
    );
  }
  const report = parseDocument('report', await readFile(path.join(folder, reportFile), 'utf8'), reportFile);
  if (report.head !== run.head) {
    throw new ConfigurationError(`The report is about ${report.head}, its run about ${run.head}: it is not believed.`);
  }
  // The forge's word, not the document's: it stands in what is rendered.
  return { ...report, repository: client.repository };
}

async function readEvent({ env }: Context): Promise<string> {
  if (env.GITHUB_EVENT_NAME !== 'workflow_run' || env.GITHUB_EVENT_PATH === undefined) {
    throw new ConfigurationError('This job was not started by the end of another workflow.', {
      hint: '`workflow-run: true` is for a workflow that starts with: on: {workflow_run: {types: [completed]}}.',
    });
  }
  return await readFile(env.GITHUB_EVENT_PATH, 'utf8');
}

function openRepository(context: Context): { client: GithubClient; repository: string } {
  const { GITHUB_TOKEN: token, GITHUB_REPOSITORY: repository } = context.env;
  if (token === undefined || token === '' || repository === undefined) {
    throw new ConfigurationError('There is no GITHUB_TOKEN to post with.', {
      hint: 'In the workflow’s job: permissions: {actions: read, pull-requests: write, checks: write}.',
    });
  }
  return { client: githubClient({ ...githubOptions(context), repository, token }), repository };
}

function runUrl({ env }: Context, repository: string, run: EndedRun): string {
  const server = env.GITHUB_SERVER_URL ?? 'https://github.com';
  return `${server}/${repository}/actions/runs/${run.id}/attempts/${run.attempt}`;
}

function nothing(outcome: 'outdated' | 'skipped', reason: string): PostedForkReport {
  return { outcome, reason, verdict: null, report: null, commentUrl: null, lacking: [] };
}
