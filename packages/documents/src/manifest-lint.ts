import { z } from 'zod';
import { Count, Text, Verdict } from './scalars.ts';

/** What manifests say otherwise than they read. Files are named as they were given. */
export const ManifestLintDocument = z.object({
  schema: z.literal('passloop/manifest-lint/v1'),
  verdict: Verdict,
  files: Count,
  findings: z.array(
    z.object({
      rule: z.string().max(64),
      verdict: Verdict,
      file: z.string().max(4096),
      line: Count,
      message: Text,
      hint: Text.nullable(),
    }),
  ),
});
export type ManifestLintDocument = z.infer<typeof ManifestLintDocument>;
