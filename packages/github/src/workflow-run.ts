import { ConfigurationError, plainText } from '@passloop/core';
import { z } from 'zod';
import type { Action, GithubClient } from './client.ts';
import { workflowFileOf } from './workflow-file.ts';

/** A workflow run that has ended. The forge says all of it, but names in it are a stranger's. */
export type EndedRun = {
  id: number;
  /** With `attempt` it orders the runs of a workflow. */
  number: number;
  attempt: number;
  event: string;
  /** File of the workflow, such as `.github/workflows/model-check.yml`. */
  workflow: string;
  conclusion: string | null;
  head: string;
  branch: string | null;
  /** `owner/name`; null where the fork is deleted. */
  headRepository: string | null;
  actor: string | null;
  /** When this attempt began, in milliseconds since 1970. */
  startedAt: number;
};

/** A pull request whose head a run was about. */
export type RunPull = { number: number; url: string };

const RunObject = z.object({
  id: z.int().positive(),
  run_number: z.int().positive(),
  run_attempt: z.int().positive(),
  event: z.string().max(64),
  path: z.string().max(1024),
  status: z.string().max(64),
  conclusion: z.string().max(64).nullable(),
  head_sha: z.string().regex(/^[0-9a-f]{40,64}$/),
  head_branch: z.string().max(1024).nullable(),
  head_repository: z.object({ full_name: z.string().max(256) }).nullable(),
  actor: z.object({ login: z.string().max(128) }).nullable(),
  run_started_at: z.iso.datetime({ offset: true }),
});
const RunEvent = z.object({
  action: z.string(),
  repository: z.object({ full_name: z.string() }),
  workflow_run: RunObject,
});

const reading: Action = { what: 'reading the workflow run', permission: 'actions', level: 'read' };
// Reading asks for `read`; who looks for a pull request here comments on it next, so that is the line to write.
const readingPulls: Action = { what: 'looking for the pull request', permission: 'pull-requests', level: 'write' };
const dependabot = 'dependabot[bot]';

/**
 * The run that a `workflow_run` event is about.
 * @throws ConfigurationError for another event's payload, or one of another repository
 */
export function endedRunOf(payload: string, repository: string): EndedRun {
  let value: unknown;
  try {
    value = JSON.parse(payload);
  } catch {
    value = null;
  }
  const event = RunEvent.safeParse(value);
  if (!event.success || event.data.action !== 'completed') {
    throw new ConfigurationError('This is no event of a workflow run that has ended.', {
      hint: 'The workflow that posts for forks starts with: on: {workflow_run: {workflows: [<name of the check>], types: [completed]}}.',
    });
  }
  if (event.data.repository.full_name.toLowerCase() !== repository.toLowerCase()) {
    throw new ConfigurationError(
      `The event is of ${plainText(event.data.repository.full_name)}, the job of ${repository}.`,
    );
  }
  return endedRun(event.data.workflow_run);
}

/** The run as it is now: an event waits in a queue, and a run may be started again meanwhile. */
export async function readRun(client: GithubClient, id: number): Promise<EndedRun & { isRunning: boolean }> {
  const run = await client.rest(reading, 'GET /repos/{owner}/{repo}/actions/runs/{run_id}', { run_id: id }, RunObject);
  return { ...endedRun(run), isRunning: run.status !== 'completed' };
}

/**
 * Why nothing is posted about a run, in a sentence; null where something is: it checked a pull request whose own job could not post, from a
 * fork or by Dependabot, by the workflow that is expected.
 */
export function notPostedBecause(run: EndedRun, repository: string, workflow: string): string | null {
  if (run.event !== 'pull_request') return `The run was started by ${plainText(run.event)}, not by a pull request.`;
  if (run.workflow !== workflow) return `The run is one of ${plainText(run.workflow)}, not of ${workflow}.`;
  if (run.conclusion !== 'success' && run.conclusion !== 'failure') {
    return `The run ended as ${plainText(run.conclusion ?? 'nothing')}: it has no verdict.`;
  }
  if (run.headRepository === null) return 'The fork that the run was about is deleted.';
  const isFork = run.headRepository.toLowerCase() !== repository.toLowerCase();
  if (!isFork && run.actor !== dependabot) return 'The run is of a branch of this repository: its own job posts.';
  return null;
}

const Pull = z.object({
  number: z.int().positive(),
  html_url: z.string().max(2048),
  state: z.string(),
  head: z.object({ sha: z.string(), repo: z.object({ full_name: z.string() }).nullable() }),
});

/**
 * The one open pull request whose head is the run's: found by the branch, since GitHub answers nothing for a commit that only a fork has.
 * Nobody's word is taken for its number.
 * @returns the pull request, or why there is none
 */
export async function pullOfRun(client: GithubClient, run: EndedRun): Promise<RunPull | string> {
  const [owner] = run.headRepository?.split('/') ?? [];
  if (owner === undefined || run.branch === null) return 'The run names no branch.';
  const found: RunPull[] = [];
  const pageSize = 100;
  for (let page = 1; page <= 10; page += 1) {
    const pulls = await client.rest(
      readingPulls,
      'GET /repos/{owner}/{repo}/pulls',
      { state: 'open', head: `${owner}:${run.branch}`, per_page: pageSize, page },
      z.array(Pull),
    );
    for (const pull of pulls) if (isAbout(pull, run)) found.push({ number: pull.number, url: pull.html_url });
    if (pulls.length < pageSize) break;
  }
  const [only, ...more] = found;
  if (only === undefined) return `No open pull request has the head ${run.head.slice(0, 12)} any more.`;
  if (more.length > 0) {
    const numbers = found.map(({ number }) => `#${number}`).join(', ');
    return `Several open pull requests have this head (${numbers}): which one the report is about can't be told.`;
  }
  return only;
}

/** Whether a pull request is open still, and its head the run's. */
export async function isStillAbout(client: GithubClient, pull: RunPull, run: EndedRun): Promise<boolean> {
  const now = await client.rest(
    readingPulls,
    'GET /repos/{owner}/{repo}/pulls/{pull_number}',
    { pull_number: pull.number },
    Pull,
  );
  return isAbout(now, run);
}

function isAbout(pull: z.infer<typeof Pull>, run: EndedRun): boolean {
  return (
    pull.state === 'open' &&
    pull.head.sha === run.head &&
    pull.head.repo !== null &&
    pull.head.repo.full_name.toLowerCase() === run.headRepository?.toLowerCase()
  );
}

function endedRun(run: z.infer<typeof RunObject>): EndedRun {
  return {
    id: run.id,
    number: run.run_number,
    attempt: run.run_attempt,
    event: run.event,
    // A run of another branch's file carries its ref: `.github/workflows/check.yml@refs/…`.
    workflow: workflowFileOf(run.path),
    conclusion: run.conclusion,
    head: run.head_sha,
    branch: run.head_branch,
    headRepository: run.head_repository?.full_name ?? null,
    actor: run.actor?.login ?? null,
    startedAt: Date.parse(run.run_started_at),
  };
}
