import { optionalText, repositoryInputs } from '@passloop/github/action';
import { z } from 'zod';

export const Inputs = z.object({
  ...repositoryInputs,
  model: optionalText,
  ref: optionalText,
  environment: optionalText,
  'duckdb-path': optionalText,
});

export const secrets = { token: { variable: 'GITHUB_TOKEN', required: false } };
