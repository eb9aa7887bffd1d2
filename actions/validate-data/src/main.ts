import { isPassing, worstVerdict } from '@passloop/core';
import { type Annotation, provideDuckdb, runAction } from '@passloop/github/action';
import { checkMessage, dataSentence, dataSummary, printDataReport } from '@passloop/report';
import { dataValidate, type ValidatedDataset } from '@passloop/verbs';
import { Inputs } from './inputs.ts';

await runAction(Inputs, async (inputs, context) => {
  await provideDuckdb({ folder: inputs['duckdb-path'], env: context.env, progress: context.progress });
  const validated = await dataValidate(context, {
    ...inputs,
    showValues: inputs['show-values'],
    failingRows: inputs['failing-rows'],
    sparkMaster: inputs['spark-master'],
  });
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
    // Which rows fail is data too: it stands in the log only where somebody asked for it.
    text: validated
      .map(({ report, failing, showValues }) =>
        printDataReport(report, showValues ? failing : failing.map((one) => ({ ...one, examples: [] }))),
      )
      .join('\n'),
    summary: dataSummary(reports, verdict),
    annotations: validated.flatMap(annotationsOf),
    outputs: { executed: String(executed) },
  };
});

/** Each check that doesn't hold, on the line that declares it where a model file does; and a dataset that nothing was asked of. */
function annotationsOf({ report, declared }: ValidatedDataset): Annotation[] {
  const title = `passloop: ${report.dataset.name}`;
  const nowhere = { file: null, line: null };
  const broken = report.checks.filter(({ verdict }) => verdict !== 'pass' && verdict !== 'skipped');
  const annotations = broken.map((check): Annotation => {
    const level = check.verdict === 'warn' ? 'warning' : 'failure';
    return { level, title, message: checkMessage(report, check), ...(declared.get(check.id) ?? nowhere) };
  });
  const isSaid = isPassing(report.verdict) || annotations.some(({ level }) => level === 'failure');
  return isSaid
    ? annotations
    : [...annotations, { level: 'failure', title, message: dataSentence([report]), ...nowhere }];
}
