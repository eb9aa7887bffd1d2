import { deploySecrets, flag, healthSecrets, optionalText, repositoryInputs } from '@passloop/github/action';
import { z } from 'zod';

export const Inputs = z.object({
  ...repositoryInputs,
  model: optionalText,
  ref: optionalText,
  again: flag,
  'app-client-id': optionalText,
});

export const secrets = {
  ...deploySecrets,
  ...healthSecrets,
  token: { variable: 'GITHUB_TOKEN', required: false },
};
