import { provideDuckdb, runAction } from '@passloop/github/action';
import { comparisonSummary, gatesSentence, printComparison } from '@passloop/report';
import { compare } from '@passloop/verbs';
import { Inputs } from './inputs.ts';

await runAction(Inputs, async (inputs, context) => {
  await provideDuckdb({ folder: inputs['duckdb-path'], env: context.env, progress: context.progress });
  const document = await compare(context, inputs);
  return {
    kind: 'comparison',
    document,
    verdict: document.verdict,
    sentence: gatesSentence(document),
    text: printComparison(document),
    summary: comparisonSummary(document),
    outputs: { outcome: document.outcome },
  };
});
