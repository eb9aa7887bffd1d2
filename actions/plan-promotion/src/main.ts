import { deployRead, recipientText, repositoryTokens, runAction } from '@passloop/github/action';
import { planPromotionSentence, planPromotionSummary, printPromotionPlan } from '@passloop/report';
import { planPromotions } from '@passloop/verbs';
import { Inputs, secrets } from './inputs.ts';

await runAction(
  Inputs,
  async (inputs, context) => {
    const given = { input: 'deploy-token', token: context.env.PASSLOOP_DEPLOY_TOKEN };
    await using tokens = repositoryTokens(context, given, {
      clientId: inputs['app-client-id'],
      permissions: deployRead,
    });
    const { document, recipients } = await planPromotions({ ...context, tokenFor: tokens.tokenFor }, inputs);
    const models = document.models.map(({ name, environment, needs, outcome }) => ({
      name,
      environment,
      needs,
      outcome,
    }));
    const needing = (...needs: string[]) => models.filter((model) => needs.includes(model.needs));
    return {
      kind: 'promotion-plan',
      document,
      verdict: document.verdict,
      // A soak that isn't over is no failed job: the next event, or the schedule, starts it again.
      toldLater: document.verdict === 'pending',
      sentence: planPromotionSentence(document),
      text: printPromotionPlan(document),
      summary: planPromotionSummary(document),
      outputs: {
        models: JSON.stringify(models),
        train: JSON.stringify(needing('train').map(({ name }) => name)),
        image: JSON.stringify(needing('train', 'image')),
        promote: JSON.stringify(needing('train', 'image', 'promote')),
        recipient: recipientText(recipients),
      },
    };
  },
  { secrets },
);
