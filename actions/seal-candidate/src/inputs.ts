import { documentText, flagOn, optionalText, repositoryInputs, requiredText } from '@passloop/github/action';
import { z } from 'zod';

export const Inputs = z.object({
  ...repositoryInputs,
  model: requiredText,
  against: optionalText,
  plan: documentText,
  store: flagOn,
  compare: flagOn,
  'duckdb-path': optionalText,
});

export const secrets = {
  token: { variable: 'GITHUB_TOKEN', required: false },
};
