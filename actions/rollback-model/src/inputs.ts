import { deploySecrets, flag, list, optionalText, repositoryInputs } from '@passloop/github/action';
import { z } from 'zod';

export const Inputs = z.object({
  ...repositoryInputs,
  model: optionalText,
  models: list,
  'all-of': optionalText,
  environment: optionalText,
  to: optionalText,
  leave: optionalText,
  'allow-signature-change': flag,
  reason: optionalText,
  'abort-event': optionalText,
  plan: flag,
  'app-client-id': optionalText,
});

export const secrets = {
  ...deploySecrets,
  token: { variable: 'GITHUB_TOKEN', required: false },
};
