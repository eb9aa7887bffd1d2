import { deployWrite, promotionResult, repositoryTokens, runAction } from '@passloop/github/action';
import { rollback } from '@passloop/verbs';
import { Inputs, secrets } from './inputs.ts';

await runAction(
  Inputs,
  async (
    { 'app-client-id': clientId, 'all-of': allOf, 'allow-signature-change': allowSignatureChange, ...rest },
    context,
  ) => {
    const request = { ...rest, allOf, allowSignatureChange };
    const given = { input: 'deploy-token', token: context.env.PASSLOOP_DEPLOY_TOKEN };
    await using tokens = repositoryTokens(context, given, { clientId, permissions: deployWrite });
    return promotionResult('rollback', await rollback({ ...context, tokenFor: tokens.tokenFor }, request));
  },
  { secrets },
);
