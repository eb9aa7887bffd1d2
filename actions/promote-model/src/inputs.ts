import { appSecrets, flag, optionalText, repositoryInputs } from '@passloop/github/action';
import { z } from 'zod';

export const Inputs = z.object({
  ...repositoryInputs,
  model: optionalText,
  ref: optionalText,
  environment: optionalText,
  plan: flag,
  proof: flag,
  'app-client-id': optionalText,
  'duckdb-path': optionalText,
});

export const secrets = {
  'deploy-token': { variable: 'PASSLOOP_DEPLOY_TOKEN', required: false },
  ...appSecrets,
  token: { variable: 'GITHUB_TOKEN', required: false },
};
