import { list, optionalText, repositoryInputs, requiredList, requiredText, wholeNumber } from '@passloop/github/action';
import { z } from 'zod';

export const Inputs = z.object({
  ...repositoryInputs,
  production: requiredText,
  candidate: requiredText,
  dataset: optionalText,
  key: requiredList,
  label: requiredText,
  score: optionalText,
  prediction: optionalText,
  positive: optionalText,
  task: z.enum(['binary', 'multiclass', 'regression'], 'must be binary, multiclass or regression').optional(),
  metrics: requiredList,
  slices: list,
  resamples: wholeNumber,
  seed: wholeNumber,
  'duckdb-path': optionalText,
});
