import { flag, optionalText, repositoryInputs } from '@passloop/github/action';
import { z } from 'zod';

export const Inputs = z.object({
  ...repositoryInputs,
  model: optionalText,
  ref: optionalText,
  environment: optionalText,
  plan: flag,
  'duckdb-path': optionalText,
});

export const secrets = { 'deploy-token': 'PASSLOOP_DEPLOY_TOKEN', token: 'GITHUB_TOKEN' };
