import { repositoryTokens, runAction } from '@passloop/github/action';
import { deployChainSentence, deployChainSummary, printDeployChain } from '@passloop/report';
import { chainDeploy } from '@passloop/verbs';
import { Inputs, secrets } from './inputs.ts';

await runAction(
  Inputs,
  async (inputs, context) => {
    const given = { input: 'token-for-models', token: context.env.PASSLOOP_MODELS_TOKEN };
    await using tokens = repositoryTokens(context, given, {
      clientId: inputs['app-client-id'],
      permissions: { actions: 'write' },
    });
    const document = await chainDeploy(context, inputs, tokens.tokenFor);
    return {
      kind: 'deploy-chain',
      document,
      verdict: document.verdict,
      sentence: deployChainSentence(document),
      text: printDeployChain(document),
      summary: deployChainSummary(document),
      outputs: { dispatched: JSON.stringify(document.dispatched) },
    };
  },
  { secrets },
);
