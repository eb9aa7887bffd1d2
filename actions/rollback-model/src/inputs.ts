import { flag, optionalText, repositoryInputs } from '@passloop/github/action';
import { z } from 'zod';

export const Inputs = z.object({
  ...repositoryInputs,
  model: optionalText,
  environment: optionalText,
  to: optionalText,
  reason: optionalText,
  plan: flag,
});

export const secrets = { 'deploy-token': 'PASSLOOP_DEPLOY_TOKEN', token: 'GITHUB_TOKEN' };
