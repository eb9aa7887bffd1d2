import { list, optionalText, repositoryInputs } from '@passloop/github/action';
import { z } from 'zod';

export const Inputs = z.object({
  ...repositoryInputs,
  against: optionalText,
  models: list,
});

export const secrets = {
  token: { variable: 'GITHUB_TOKEN', required: false },
};
