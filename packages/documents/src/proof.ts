import { z } from 'zod';
import { Commit, Digest, EnvironmentName, FileDigest, ImageKey, ModelName, RunKey, Text, Verdict } from './scalars.ts';

/** What a proof compared with: production's record, and what it named. */
export const ProvenAgainst = z.object({ record: Digest, modelDigest: Digest, imageDigest: Digest });
export type ProvenAgainst = z.infer<typeof ProvenAgainst>;

/**
 * What one job proved of a candidate, for another one that writes: the documents beside this one, each by digest, and what they are
 * about. The seal is an HMAC under the store's hand-over key: who can't read the store can't make one.
 */
export const ProofDocument = z.object({
  schema: z.literal('passloop/proof/v1'),
  model: ModelName,
  environment: EnvironmentName,
  commit: Commit,
  runKey: RunKey,
  modelDigest: Digest,
  imageKey: ImageKey,
  imageDigest: Digest,
  production: ProvenAgainst.nullable(),
  verdict: Verdict,
  /** Why it doesn't pass; null where it does. */
  reason: Text.nullable(),
  /** The job that proved, as its forge names it; null outside of one. */
  run: z.string().max(1024).nullable(),
  files: z.array(FileDigest).max(1000),
  seal: z
    .string()
    .regex(/^hmac-sha256:[0-9a-f]{64}$/, 'is no hmac-sha256:<64 hex>')
    .nullable(),
});
export type ProofDocument = z.infer<typeof ProofDocument>;
