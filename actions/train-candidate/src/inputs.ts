import { flag, optionalText, repositoryInputs, requiredText } from '@passloop/github/action';
import { z } from 'zod';

export const Inputs = z.object({
  ...repositoryInputs,
  model: requiredText,
  against: optionalText,
  stored: z.enum(['none', 'run', 'proof'], 'must be none, run or proof').default('none'),
  recipient: z.string().min(1).max(65_536).optional(),
  'share-rows': flag,
  'duckdb-path': optionalText,
});
