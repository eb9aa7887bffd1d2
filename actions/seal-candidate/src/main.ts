import path from 'node:path';
import { ConfigurationError, temporaryFolder } from '@passloop/core';
import { parseDocument, writeDocument } from '@passloop/documents';
import {
  candidateLimits,
  provideDuckdb,
  type RunArtifacts,
  readCheckEvent,
  runAction,
  runArtifacts,
} from '@passloop/github/action';
import { phraseText, printReport, renderSummary, reportHeadline } from '@passloop/report';
import { sealCandidate } from '@passloop/verbs';
import { Inputs, secrets } from './inputs.ts';

await runAction(
  Inputs,
  async (inputs, context) => {
    const event = await readCheckEvent(context.env);
    await provideDuckdb({ folder: inputs['duckdb-path'], env: context.env, progress: context.progress });
    const { model } = inputs;
    const artifacts = runArtifacts(context.env);
    // Outside of the workspace: what is checked out there may be links.
    await using place = await temporaryFolder('candidate', context.env.RUNNER_TEMP);
    const { report, notes } = await sealCandidate(context, {
      model,
      against: inputs.against ?? event.against ?? undefined,
      head: event.head ?? undefined,
      plan: inputs.plan === undefined ? undefined : parseDocument('plan', inputs.plan, 'input `plan`'),
      candidate: await download(artifacts, `passloop-candidate-${model}`, path.join(place.path, 'artifact')),
      store: inputs.store && !event.isRestricted,
      compare: inputs.compare,
      isPullRequest: event.isPullRequest,
      mayBeDenied: event.isRestricted,
    });
    const folder = path.join(place.path, 'report');
    await writeDocument('report', path.join(folder, 'report.json'), report);
    await artifacts.upload(`passloop-report-${model}`, folder);
    return {
      kind: 'report',
      document: report,
      verdict: report.verdict,
      sentence: phraseText(reportHeadline(report)),
      text: [phraseText(reportHeadline(report)), ...notes].join('\n'),
      details: printReport(report),
      summary: renderSummary(report),
      // In a promotion no job says it later, and what was not sealed is not built.
      toldLater: inputs.compare,
    };
  },
  { secrets },
);

/** An archive that was damaged or made to do harm is the candidate's fault, and a failing report says so. */
async function download(artifacts: RunArtifacts, name: string, folder: string) {
  try {
    return (await artifacts.download(name, folder, candidateLimits)) === null ? null : { folder };
  } catch (error) {
    if (error instanceof ConfigurationError) return { problem: error.message };
    throw error;
  }
}
