import { flag, optionalText, repositoryInputs } from '@passloop/github/action';
import { z } from 'zod';

export const Inputs = z.object({
  ...repositoryInputs,
  file: optionalText,
  checks: optionalText,
  profile: optionalText,
  model: optionalText,
  dataset: optionalText,
  'show-values': flag,
  'failing-rows': optionalText,
  engine: z.enum(['duckdb', 'spark']).default('duckdb'),
  'spark-master': optionalText,
  'duckdb-path': optionalText,
});
