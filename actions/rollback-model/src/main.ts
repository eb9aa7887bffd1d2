import { promotionResult, runAction } from '@passloop/github/action';
import { rollback } from '@passloop/verbs';
import { Inputs, secrets } from './inputs.ts';

await runAction(Inputs, async (inputs, context) => promotionResult('rollback', await rollback(context, inputs)), {
  secrets,
});
