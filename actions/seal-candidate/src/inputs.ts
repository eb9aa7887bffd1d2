import { documentText, optionalText, repositoryInputs, requiredText, switchedOn } from '@passloop/github/action';
import { z } from 'zod';

export const Inputs = z.object({
  ...repositoryInputs,
  model: requiredText,
  against: optionalText,
  plan: documentText,
  store: switchedOn,
  compare: switchedOn,
  'duckdb-path': optionalText,
});

export const secrets = {
  token: { variable: 'GITHUB_TOKEN', required: false },
};
