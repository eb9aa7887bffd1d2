import { decimalPattern, isDecimal, isInsidePath, verdicts } from '@passloop/core';
import { z } from 'zod';

/** What appears in many documents. No transforms here: every schema must have a JSON Schema. */

export const Digest = z.string().regex(/^sha256:[0-9a-f]{64}$/, 'is no sha256:<64 hex> digest');
export const RunKey = z.string().regex(/^rk1-[0-9a-f]{64}$/, 'is no rk1-<64 hex> run key');
export const ImageKey = z.string().regex(/^ik1-[0-9a-f]{64}$/, 'is no ik1-<64 hex> image key');
export const Commit = z.string().regex(/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/, 'is no full commit id');
export const ModelName = z
  .string()
  .max(53)
  .regex(/^[a-z]([-a-z0-9]*[a-z0-9])?$/, 'must be lower case letters, digits and "-", and begin with a letter');
export const EnvironmentName = ModelName;

/** A finite number as text, at most 12 significant digits. */
export const Decimal = z
  .string()
  .max(32)
  .regex(decimalPattern, 'is no decimal string')
  .refine((text) => isDecimal(text), 'is no decimal string');

export const Count = z.int().min(0).max(Number.MAX_SAFE_INTEGER);
export const Text = z.string().max(4096);
export const LongText = z.string().max(1 << 20);
export const RelativePath = z
  .string()
  .max(1024)
  .refine((text) => isInsidePath(text), 'must be a relative path inside the repository, with "/"');
export const Timestamp = z.iso.datetime({ offset: false });
export const Verdict = z.enum(verdicts);
/** A scalar as it was found in data or a params file, written as text so that every reader sees the same. */
export const ScalarText = z.string().max(1024);

export const TrustLevel = z.enum(['writers', 'attested', 'retrain', 'none']);
export const Severity = z.enum(['error', 'warn']);
export const Direction = z.enum(['higher', 'lower']);

export const Outcome = z.enum(['unchanged', 'rollback', 'held', 'same-model', 'first', 'not-comparable', 'compared']);
export type Outcome = z.infer<typeof Outcome>;

export const Measurement = z.enum([
  'better',
  'non-inferior',
  'worse',
  'inconclusive',
  'within',
  'outside',
  'not-comparable',
  'insufficient',
]);
export type Measurement = z.infer<typeof Measurement>;

/** A dataset as a record names it: what the lock says. */
export const DatasetIdentity = z.object({
  name: z.string().max(128),
  uri: Text,
  digest: Digest,
  rows: Count.nullable(),
});
export type DatasetIdentity = z.infer<typeof DatasetIdentity>;

export const FileDigest = z.object({ path: RelativePath, digest: Digest, bytes: Count });
export type FileDigest = z.infer<typeof FileDigest>;

export const NamedValue = z.object({ name: z.string().max(256), value: ScalarText });
export type NamedValue = z.infer<typeof NamedValue>;

/** What a change touches, as people say it: the typed answer to "what changed?". */
export const Change = z.object({
  kind: z.enum(['code', 'data', 'params', 'environment', 'variables', 'seeds', 'command', 'package']),
  subject: Text,
  from: ScalarText.nullable(),
  to: ScalarText.nullable(),
});
export type Change = z.infer<typeof Change>;
