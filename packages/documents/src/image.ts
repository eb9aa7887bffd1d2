import { z } from 'zod';
import { Count, Decimal, Digest, ImageKey, ModelName, ScalarText, Text, Verdict } from './scalars.ts';

export const ImageDocument = z.object({
  schema: z.literal('passloop/image/v1'),
  model: ModelName,
  imageKey: ImageKey,
  /** `repository@sha256:…` in its registry, or null while it lives in the engine only. */
  reference: z.string().max(512).nullable(),
  /** Manifest digest in the registry; null until it is pushed. */
  digest: Digest.nullable(),
  /** The engine's image id (digest of the image's configuration): what the probe started. */
  imageId: Digest,
  bytes: Count,
  cache: z.enum(['hit', 'miss']),
  modelDigest: Digest,
  signatureDigest: Digest,
  serveLockDigest: Digest,
  base: z.string().max(512),
  platform: z.string().max(64),
  runtime: z.string().max(64),
  recipe: z.string().max(64),
});
export type ImageDocument = z.infer<typeof ImageDocument>;

export const ProbeCheck = z.object({ id: z.string().max(128), verdict: Verdict, detail: Text });
export type ProbeCheck = z.infer<typeof ProbeCheck>;

export const ProbeDocument = z.object({
  schema: z.literal('passloop/probe/v1'),
  /** What was probed: an image id, an image reference or a URL. */
  target: Text,
  verdict: Verdict,
  executed: Count,
  checks: z.array(ProbeCheck),
  readySeconds: Decimal.nullable(),
  latency: z.object({ requests: Count, p50Ms: Decimal, p95Ms: Decimal }).nullable(),
  /** The stage's own predictions against the image's (train/serve skew); null where none were given. */
  predictions: z
    .object({ rows: Count, equal: Count, worst: Decimal.nullable(), verdict: Verdict, detail: Text })
    .nullable(),
});
export type ProbeDocument = z.infer<typeof ProbeDocument>;

export const ScanVerdict = z.enum(['pass', 'fail', 'inconclusive']);

export const ScannedFile = z.object({
  path: z.string().max(1024),
  format: z.string().max(64),
  verdict: ScanVerdict,
  globals: z.array(ScalarText),
  findings: z.array(z.object({ rule: z.string().max(128), detail: Text })),
});
export type ScannedFile = z.infer<typeof ScannedFile>;

export const ScanDocument = z.object({
  schema: z.literal('passloop/scan/v1'),
  verdict: ScanVerdict,
  files: z.array(ScannedFile),
});
export type ScanDocument = z.infer<typeof ScanDocument>;
