import path from 'node:path';
import { provideDuckdb, readCheckEvent, runAction, runArtifacts } from '@passloop/github/action';
import { phraseText, printReport, renderSummary, reportHeadline } from '@passloop/report';
import { trainCandidate } from '@passloop/verbs';
import { Inputs } from './inputs.ts';
import { recipientOf } from './recipient-of.ts';

await runAction(Inputs, async (inputs, context) => {
  const event = await readCheckEvent(context.env);
  await provideDuckdb({ folder: inputs['duckdb-path'], env: context.env, progress: context.progress });
  const { model } = inputs;
  const { report, folder } = await trainCandidate(context, {
    model,
    against: inputs.against ?? event.against ?? undefined,
    head: event.head ?? undefined,
    stored: inputs.stored,
    recipient: recipientOf(inputs.recipient, model),
    shareRows: inputs['share-rows'],
    // Outside of the workspace: what is checked out there may be links.
    out: path.join(context.env.RUNNER_TEMP ?? context.cwd, 'passloop/train'),
  });
  await runArtifacts(context.env).upload(`passloop-candidate-${model}`, folder);
  return {
    kind: 'report',
    document: report,
    verdict: report.verdict,
    sentence: phraseText(reportHeadline(report)),
    text: phraseText(reportHeadline(report)),
    details: printReport(report),
    summary: renderSummary(report),
    toldLater: true,
  };
});
