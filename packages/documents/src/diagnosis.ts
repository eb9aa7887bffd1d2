import { z } from 'zod';
import { Commit, Text, Verdict } from './scalars.ts';

/** One thing that a repository needs. What could not be found out is `unknown`, and never `ok`. */
export const DiagnosedCheck = z.object({
  id: z
    .string()
    .max(64)
    .regex(/^[a-z]([-a-z0-9]*[a-z0-9])?$/, 'must be lower case letters, digits and "-"'),
  /** Which of several it is about: a dataset, a workflow, an image repository. */
  subject: z.string().max(512).nullable(),
  verdict: z.enum(['ok', 'warn', 'fail', 'unknown']),
  message: Text,
  /** A command, a line of YAML, or the address of the page where it is set. */
  fix: Text.nullable(),
});
export type DiagnosedCheck = z.infer<typeof DiagnosedCheck>;

export const DiagnosisDocument = z.object({
  schema: z.literal('passloop/diagnosis/v1'),
  repository: z.string().max(1024).nullable(),
  commit: Commit.nullable(),
  /** `pass` only if every check is `ok`; what is unknown warns. */
  verdict: Verdict,
  checks: z.array(DiagnosedCheck),
});
export type DiagnosisDocument = z.infer<typeof DiagnosisDocument>;
