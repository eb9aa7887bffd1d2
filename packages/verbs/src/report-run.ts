import { readFile } from 'node:fs/promises';
import path from 'node:path';
import {
  ConfigurationError,
  isPassing,
  PassloopError,
  plainText,
  temporaryFolder,
  writeFileAtomic,
} from '@passloop/core';
import { type PlanDocument, parseDocument, type ReportDocument, writeDocument } from '@passloop/documents';
import { assembleReport } from './assemble-report.ts';
import { type Context, timestamp } from './context.ts';
import { misplaced, parseJobResults, unsealed } from './job-results.ts';
import { type PostedReport, postCheck, postReport } from './post-report.ts';

/** The artifacts of this run, as far as a report needs them; `download` gives the files' paths, or null where there is none. */
export type ReportArtifacts = {
  upload(name: string, folder: string): Promise<unknown>;
  uploadPage(file: string): Promise<{ url: string | null }>;
  download(name: string, folder: string): Promise<string[] | null>;
};

export type ReportRunRequest = {
  /** The plan, as the job that planned put it out; empty where that job failed. */
  plan: string | undefined;
  /** `toJSON(needs)`. */
  needs: string;
  /** The commit that the report is about. */
  head: string;
  /** In the event of one. */
  pullRequest: number | null;
  /** A stranger's code, and mostly a token that only reads: model-report.yml posts. */
  isRestricted: boolean;
  /** Uploads the page, for the comment's link. */
  sharePage: boolean;
  artifacts: ReportArtifacts;
};

export type ReportedRun = {
  report: ReportDocument;
  outcome: PostedReport['outcome'] | 'skipped';
  commentUrl: string | null;
  /** What wasn't done, each a sentence that says how to change that. */
  notes: string[];
};

/**
 * Joins what the jobs of this run found to one report, leaves it as the artifact `passloop-report`, and posts it where the event's token may. A job
 * that failed fails its models: a check always says something, and never more than was found.
 */
export async function reportRun(context: Context, request: ReportRunRequest): Promise<ReportedRun> {
  const report = await joined(context, request);
  const { artifacts, pullRequest, isRestricted } = request;
  const notes: string[] = [];
  await using place = await temporaryFolder('report', context.env.RUNNER_TEMP);
  const folder = path.join(place.path, 'report');
  await writeDocument('report', path.join(folder, 'report.json'), report);
  await noting(notes, () => artifacts.upload('passloop-report', folder));
  let page: string | null = null;
  if (request.sharePage) {
    const file = path.join(place.path, 'passloop-report.html');
    const { renderHtml } = await import('@passloop/report/page');
    await writeFileAtomic(file, await renderHtml(report));
    page = (await noting(notes, () => artifacts.uploadPage(file)))?.url ?? null;
  }
  if (isRestricted) {
    notes.push(
      'This run posts nothing, since the change comes from a fork or from Dependabot: model-report.yml posts the report.',
    );
    return { report, outcome: 'skipped', commentUrl: null, notes };
  }
  const plan = planOf(request);
  const posting = { report, plan, pageUrl: page ?? undefined };
  const posted =
    pullRequest === null ? await postCheck(context, posting) : await postReport(context, { ...posting, pullRequest });
  return { report, outcome: posted.outcome, commentUrl: posted.commentUrl, notes: [...notes, ...posted.lacking] };
}

async function joined(context: Context, request: ReportRunRequest): Promise<ReportDocument> {
  const plan = planOf(request);
  const repository = context.env.GITHUB_REPOSITORY ?? null;
  if (plan === null) return nothingPlanned(context, request.head, repository);
  const results = parseJobResults(request.needs);
  const missing = unsealed(plan, results);
  const reports = new Map<string, ReportDocument>();
  await using place = await temporaryFolder('reports', context.env.RUNNER_TEMP);
  for (const { name, affected } of plan.models) {
    if (!affected || missing.has(name)) continue;
    try {
      const report = await readModelReport(request.artifacts, name, path.join(place.path, name));
      if (report === null) missing.set(name, `The job seal left no report of ${name}: see its log.`);
      else reports.set(name, report);
    } catch (error) {
      if (!(error instanceof PassloopError)) throw error;
      missing.set(name, plainText(error.message, 1000));
    }
  }
  const assembled = { plan, head: request.head, repository, reports };
  const report = await assembleReport(context, { ...assembled, missing });
  const doubt = misplaced(results);
  if (doubt === null || !isPassing(report.verdict)) return report;
  return await assembleReport(context, {
    ...assembled,
    missing: new Map([...reports.keys()].map((name) => [name, doubt])),
  });
}

async function readModelReport(
  artifacts: ReportArtifacts,
  model: string,
  folder: string,
): Promise<ReportDocument | null> {
  const name = `passloop-report-${model}`;
  const files = await artifacts.download(name, folder);
  if (files === null) return null;
  if (files.length !== 1 || files[0] !== 'report.json') {
    throw new ConfigurationError(`The artifact ${name} holds ${files.length} files; report.json is expected.`);
  }
  return parseDocument('report', await readFile(path.join(folder, 'report.json'), 'utf8'), name);
}

function planOf({ plan }: ReportRunRequest): PlanDocument | null {
  return plan === undefined ? null : parseDocument('plan', plan, 'input `plan`');
}

/** Nobody knows which models are affected, so nothing can have passed. */
function nothingPlanned(context: Context, head: string, repository: string | null): ReportDocument {
  const madeAt = timestamp(context);
  return {
    schema: 'passloop/report/v1',
    passloop: context.version,
    repository,
    head,
    base: null,
    verdict: 'fail',
    models: [],
    madeAt,
  };
}

/** Without the artifact the verdict is still posted; what is missing is said. */
async function noting<T>(notes: string[], work: () => Promise<T>): Promise<T | null> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof PassloopError)) throw error;
    notes.push(plainText(error.message, 500));
    return null;
  }
}
