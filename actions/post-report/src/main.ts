import { ConfigurationError, escapeMarkdown } from '@passloop/core';
import {
  type ActionContext,
  type ActionResult,
  documentLimits,
  readCheckEvent,
  runAction,
  runArtifacts,
} from '@passloop/github/action';
import { phraseText, printReport, renderSummary, reportHeadline } from '@passloop/report';
import { postForkReport, reportRun } from '@passloop/verbs';
import type { z } from 'zod';
import { Inputs, secrets } from './inputs.ts';

type Given = z.infer<typeof Inputs>;

await runAction(
  Inputs,
  (inputs, context) => (inputs['workflow-run'] ? postForFork(inputs, context) : reportThisRun(inputs, context)),
  { secrets },
);

async function reportThisRun(inputs: Given, context: ActionContext): Promise<ActionResult> {
  const event = await readCheckEvent(context.env);
  const head = inputs.head ?? event.head ?? context.env.GITHUB_SHA;
  if (head === undefined || inputs.needs === undefined) {
    throw new ConfigurationError('Input `needs` is empty, or the event names no commit.', {
      hint: '`needs` is the expression toJSON(needs), in a job that needs all jobs of the check.',
    });
  }
  const artifacts = runArtifacts(context.env);
  const { report, outcome, commentUrl, notes } = await reportRun(context, {
    plan: inputs.plan,
    needs: inputs.needs,
    head,
    pullRequest: event.pullRequest,
    isRestricted: event.isRestricted,
    sharePage: inputs['share-page'],
    artifacts: { ...artifacts, download: (name, folder) => artifacts.download(name, folder, documentLimits) },
  });
  return {
    kind: 'report',
    document: report,
    verdict: report.verdict,
    sentence: phraseText(reportHeadline(report)),
    // Its notes stand in the log as warnings.
    text: [phraseText(reportHeadline(report)), `${outcome}: ${commentUrl ?? 'no comment'}`].join('\n'),
    details: printReport(report),
    summary: `${renderSummary(report)}\n${noted(notes)}`,
    annotations: notes.map((message) => ({ level: 'warning', title: 'passloop', message, file: null, line: null })),
    outputs: { outcome, 'comment-url': commentUrl },
  };
}

async function postForFork(inputs: Given, context: ActionContext): Promise<ActionResult> {
  const posted = await postForkReport(context, { workflow: inputs.workflow });
  const { report, outcome, reason, commentUrl, lacking } = posted;
  const reasons = reason === null ? [] : [reason];
  const notes = [...reasons, ...lacking];
  const outputs = { outcome, 'comment-url': commentUrl };
  const annotations = lacking.map((message) => ({
    level: 'warning' as const,
    title: 'passloop',
    message,
    file: null,
    line: null,
  }));
  if (report === null) {
    return {
      kind: 'report',
      document: null,
      verdict: 'skipped',
      sentence: reason ?? 'Nothing was posted.',
      text: reasons.join('\n'),
      summary: `### Nothing was posted\n\n${noted(notes)}`,
      annotations,
      outputs,
      toldLater: true,
    };
  }
  return {
    kind: 'report',
    document: report,
    verdict: posted.verdict ?? report.verdict,
    sentence: phraseText(reportHeadline(report)),
    text: [`${outcome}: ${commentUrl ?? 'no comment'}`, ...reasons].join('\n'),
    summary: `${renderSummary(report)}\n${noted(notes)}`,
    annotations,
    outputs,
    // Of the fork's change and not of this job: the check on the pull request says it.
    toldLater: true,
  };
}

function noted(notes: readonly string[]): string {
  return notes.map((note) => `- ${escapeMarkdown(note, 2000)}\n`).join('');
}
