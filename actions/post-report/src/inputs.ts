import { documentText, flag, flagOn, optionalText } from '@passloop/github/action';
import { z } from 'zod';

export const Inputs = z.object({
  plan: documentText,
  needs: documentText,
  head: optionalText,
  'share-page': flagOn,
  'workflow-run': flag,
  workflow: z.string().min(1).max(1024).default('.github/workflows/model-check.yml'),
});

export const secrets = {
  token: { variable: 'GITHUB_TOKEN', required: false },
};
