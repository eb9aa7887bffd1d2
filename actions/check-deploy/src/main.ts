import { type Annotation, runAction } from '@passloop/github/action';
import { deployCheckSentence, deployCheckSummary, printDeployCheck } from '@passloop/report';
import { checkDeploy } from '@passloop/verbs';
import { Inputs, secrets } from './inputs.ts';

await runAction(
  Inputs,
  async (inputs, context) => {
    const document = await checkDeploy(context, inputs);
    return {
      kind: 'deploy-check',
      document,
      verdict: document.verdict,
      sentence: deployCheckSentence(document),
      text: printDeployCheck(document),
      summary: deployCheckSummary(document),
      annotations: document.findings.map(({ verdict, rule, message, file, line }): Annotation => {
        const level = verdict === 'fail' ? 'failure' : verdict === 'warn' ? 'warning' : 'notice';
        return { level, title: `passloop: ${rule}`, message, file, line };
      }),
    };
  },
  { secrets },
);
