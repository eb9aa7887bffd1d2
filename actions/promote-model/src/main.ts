import { promotionResult, provideDuckdb, runAction } from '@passloop/github/action';
import { promote } from '@passloop/verbs';
import { Inputs, secrets } from './inputs.ts';

await runAction(
  Inputs,
  async (inputs, context) => {
    await provideDuckdb({ folder: inputs['duckdb-path'], env: context.env, progress: context.progress });
    return promotionResult('promotion', await promote(context, { ...inputs, train: false }));
  },
  { secrets },
);
