import { deployWrite, promotionResult, repositoryTokens, runAction } from '@passloop/github/action';
import { rollback, rollbackAborted } from '@passloop/verbs';
import { Inputs, secrets } from './inputs.ts';

await runAction(
  Inputs,
  async (inputs, context) => {
    const { 'app-client-id': clientId, 'abort-event': event, ...rest } = inputs;
    const { 'all-of': allOf, 'allow-signature-change': allowSignatureChange, ...others } = rest;
    const request = { ...others, allOf, allowSignatureChange };
    const given = { input: 'deploy-token', token: context.env.PASSLOOP_DEPLOY_TOKEN };
    await using tokens = repositoryTokens(context, given, { clientId, permissions: deployWrite });
    const asking = { ...context, tokenFor: tokens.tokenFor };
    const document =
      event === undefined
        ? await rollback(asking, request)
        : await rollbackAborted(asking, { ...request, event: { text: event } });
    return promotionResult('rollback', document);
  },
  { secrets },
);
