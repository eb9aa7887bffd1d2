import {
  lines,
  list,
  optionalText,
  repositoryInputs,
  requiredLines,
  requiredList,
  requiredText,
  wholeNumber,
} from '@passloop/github/action';
import { z } from 'zod';

export const Inputs = z.object({
  ...repositoryInputs,
  production: requiredLines,
  candidate: requiredLines,
  dataset: optionalText,
  key: requiredList,
  label: requiredText,
  score: optionalText,
  scores: list,
  prediction: optionalText,
  positive: optionalText,
  weight: optionalText,
  unit: optionalText,
  query: optionalText,
  task: z
    .enum(
      ['binary', 'multiclass', 'regression', 'forecast', 'ranking'],
      'must be binary, multiclass, regression, forecast or ranking',
    )
    .optional(),
  metrics: requiredList,
  slices: list,
  define: lines,
  resamples: wholeNumber,
  seed: wholeNumber,
  'duckdb-path': optionalText,
});
