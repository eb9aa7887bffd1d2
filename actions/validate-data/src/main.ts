import { worstVerdict } from '@passloop/core';
import { type Annotation, provideDuckdb, runAction } from '@passloop/github/action';
import { checkMessage, dataSentence, dataSummary, printDataReport } from '@passloop/report';
import { dataValidate, type ValidatedDataset } from '@passloop/verbs';
import { Inputs } from './inputs.ts';

await runAction(Inputs, async (inputs, context) => {
  await provideDuckdb({ folder: inputs['duckdb-path'], env: context.env, progress: context.progress });
  const validated = await dataValidate(context, inputs);
  const reports = validated.map(({ report }) => report);
  const verdict = worstVerdict(reports.map((report) => report.verdict));
  const document = reports.find((report) => report.verdict === verdict);
  if (document === undefined) throw new Error('no dataset was validated');
  const executed = reports.reduce((sum, report) => sum + report.executed, 0);
  return {
    kind: 'data-report',
    document,
    verdict,
    sentence: dataSentence(reports),
    text: reports.map(printDataReport).join('\n'),
    summary: dataSummary(reports, verdict),
    annotations: validated.flatMap(annotationsOf),
    outputs: { executed: String(executed) },
  };
});

/** Each check that doesn't hold, on the line that declares it. */
function annotationsOf({ report, declared }: ValidatedDataset): Annotation[] {
  return report.checks.flatMap((check): Annotation[] => {
    const place = declared.get(check.id);
    if (place === undefined || check.verdict === 'pass' || check.verdict === 'skipped') return [];
    const level = check.verdict === 'warn' ? 'warning' : 'failure';
    return [{ level, title: `passloop: ${report.dataset.name}`, message: checkMessage(report, check), ...place }];
  });
}
