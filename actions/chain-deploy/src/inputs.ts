import { appSecrets, optionalText, repositoryInputs } from '@passloop/github/action';
import { z } from 'zod';

export const Inputs = z.object({
  ...repositoryInputs,
  workflow: z.string().min(1).max(256).default('model-promote.yml'),
  ref: optionalText,
  'app-client-id': optionalText,
});

export const secrets = {
  'token-for-models': { variable: 'PASSLOOP_MODELS_TOKEN', required: false, inputOnly: true },
  ...appSecrets,
  token: { variable: 'GITHUB_TOKEN', required: false },
};
