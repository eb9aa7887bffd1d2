import { z } from 'zod';
import type { Action, GithubClient } from './client.ts';

export type Annotation = {
  path: string;
  /** 1-based. */
  startLine: number;
  endLine: number;
  level: 'failure' | 'warning' | 'notice';
  title: string;
  message: string;
};

export type CheckRunRequest = {
  /** The commit that is judged. */
  head: string;
  /** `null` while it runs. GitHub lets `neutral` pass a required check: it is for what claims nothing, never for a gate. */
  conclusion: 'success' | 'neutral' | 'failure' | 'cancelled' | 'timed_out' | 'action_required' | null;
  title: string;
  /** Markdown. */
  summary: string;
  text?: string | null;
  annotations?: readonly Annotation[];
  detailsUrl?: string | null;
  /** By which a run is found again when it is reported twice, such as the workflow run's id. */
  externalId: string;
};

export const checkName = 'passloop';
/** GitHub takes 50 in a call; what a person reads ends long before. */
export const maxAnnotations = 50;
const textLimit = 65_000;
const reading: Action = { what: 'reading the checks', permission: 'checks', level: 'read' };
const writing: Action = { what: 'writing the check', permission: 'checks', level: 'write' };

const CheckRun = z.object({
  id: z.int(),
  html_url: z.string().nullable(),
  status: z.string(),
  external_id: z.string().nullable(),
});
const CheckRuns = z.object({ check_runs: z.array(CheckRun) });

/**
 * Creates the check `passloop` of a commit, or completes the one that is running under the same external id. A completed
 * one is not written over: GitHub adds annotations and never takes them back, so a new run takes its place.
 */
export async function reportCheckRun(
  client: GithubClient,
  request: CheckRunRequest,
): Promise<{ outcome: 'created' | 'updated'; id: number; url: string | null }> {
  const { check_runs: runs } = await client.rest(
    reading,
    'GET /repos/{owner}/{repo}/commits/{ref}/check-runs',
    { ref: request.head, check_name: checkName, filter: 'latest', per_page: 100 },
    CheckRuns,
  );
  const existing = runs.find((run) => run.external_id === request.externalId && run.status !== 'completed');
  const body = bodyOf(request);
  if (existing !== undefined) {
    const updated = await client.rest(
      writing,
      'PATCH /repos/{owner}/{repo}/check-runs/{check_run_id}',
      {
        check_run_id: existing.id,
        ...body,
      },
      CheckRun,
    );
    return { outcome: 'updated', id: updated.id, url: updated.html_url };
  }
  const created = await client.rest(
    writing,
    'POST /repos/{owner}/{repo}/check-runs',
    {
      name: checkName,
      head_sha: request.head,
      external_id: request.externalId,
      ...body,
    },
    CheckRun,
  );
  return { outcome: 'created', id: created.id, url: created.html_url };
}

function bodyOf(request: CheckRunRequest): Record<string, unknown> {
  const annotations = request.annotations ?? [];
  const shown = annotations.slice(0, maxAnnotations);
  const more = annotations.length - shown.length;
  const note = more > 0 ? `\n\n${more} more annotations are in the report.` : '';
  return {
    ...(request.conclusion === null
      ? { status: 'in_progress' }
      : { status: 'completed', conclusion: request.conclusion }),
    ...(request.detailsUrl == null ? {} : { details_url: request.detailsUrl }),
    output: {
      title: cut(request.title, 255),
      summary: `${clip(request.summary, textLimit - note.length)}${note}`,
      ...(request.text == null ? {} : { text: clip(request.text, textLimit) }),
      ...(request.conclusion === null || shown.length === 0 ? {} : { annotations: shown.map(annotationOf) }),
    },
  };
}

function annotationOf({ path, startLine, endLine, level, title, message }: Annotation): Record<string, unknown> {
  const start = Math.max(1, startLine);
  return {
    path,
    start_line: start,
    end_line: Math.max(start, endLine),
    annotation_level: level,
    title: cut(title, 255),
    message: cut(message, 4000),
  };
}

function cut(text: string, limit: number): string {
  const characters = Array.from(text);
  return characters.length <= limit ? text : `${characters.slice(0, limit - 1).join('')}…`;
}

/** Whole lines within a limit of UTF-8 bytes: GitHub counts bytes here. */
function clip(text: string, limit: number): string {
  if (Buffer.byteLength(text) <= limit) return text;
  const note = '\n\n… the rest is in the report.';
  const room = limit - Buffer.byteLength(note);
  let kept = Buffer.from(text)
    .subarray(0, room)
    .toString('utf8')
    .replace(/\ufffd+$/, '');
  const line = kept.lastIndexOf('\n');
  if (line > room / 2) kept = kept.slice(0, line);
  return kept + note;
}
