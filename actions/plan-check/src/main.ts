import { type Annotation, readCheckEvent, recipientText, runAction } from '@passloop/github/action';
import { phraseText, planSentence, planSummary, policySentence, printPlan } from '@passloop/report';
import { planJob } from '@passloop/verbs';
import { Inputs, secrets } from './inputs.ts';
import { planText } from './plan-text.ts';

await runAction(
  Inputs,
  async (inputs, context) => {
    const event = await readCheckEvent(context.env);
    const { plan, models, recipients } = await planJob(context, {
      against: inputs.against ?? event.against ?? undefined,
      head: event.head ?? undefined,
      models: inputs.models.length === 0 ? undefined : inputs.models,
      mayBeDenied: event.isRestricted,
    });
    const outputs = {
      models: JSON.stringify(models),
      recipient: recipientText(recipients),
      head: event.head ?? plan.commit,
    };
    return {
      kind: 'plan',
      document: plan,
      verdict: 'pass',
      sentence: planSentence(plan),
      text: printPlan(plan),
      summary: planSummary(plan),
      annotations: plan.models.flatMap((model) => loosened(model)),
      outputs: { ...outputs, plan: planText(plan, outputs) },
    };
  },
  { secrets },
);

type Planned = Awaited<ReturnType<typeof planJob>>['plan']['models'][number];

/** A change that loosens what judges it, on the file that does: whoever reviews it sees it where it stands. */
function loosened({ name, file, policy }: Planned): Annotation[] {
  return policy.differences
    .filter((difference) => difference.loosens)
    .map((difference) => ({
      level: 'warning',
      title: `passloop: ${name}`,
      message: `It loosens its own policy: ${phraseText(policySentence(difference))}. ${policy.ref ?? 'The base'} decides.`,
      file,
      line: null,
    }));
}
