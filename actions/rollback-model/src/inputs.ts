import { deploySecrets, flag, optionalText, repositoryInputs } from '@passloop/github/action';
import { z } from 'zod';

export const Inputs = z.object({
  ...repositoryInputs,
  model: optionalText,
  environment: optionalText,
  to: optionalText,
  reason: optionalText,
  'abort-event': optionalText,
  plan: flag,
  'app-client-id': optionalText,
});

export const secrets = {
  ...deploySecrets,
  token: { variable: 'GITHUB_TOKEN', required: false },
};
