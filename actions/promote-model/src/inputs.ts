import { deploySecrets, flag, healthSecrets, optionalText, repositoryInputs } from '@passloop/github/action';
import { z } from 'zod';

export const Inputs = z.object({
  ...repositoryInputs,
  model: optionalText,
  ref: optionalText,
  environment: optionalText,
  plan: flag,
  again: flag,
  proof: flag,
  'app-client-id': optionalText,
  'duckdb-path': optionalText,
});

export const secrets = {
  ...deploySecrets,
  ...healthSecrets,
  token: { variable: 'GITHUB_TOKEN', required: false },
};
