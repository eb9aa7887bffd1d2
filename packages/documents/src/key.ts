import { z } from 'zod';
import { Change, Commit, Digest, ModelName, NamedValue, RelativePath, RunKey } from './scalars.ts';

/** All that determines one stage. `key` is sha256 of the RFC 8785 JSON of `inputs`. */
export const StageInputs = z.object({
  schema: z.literal('runkey/1'),
  stage: z.string().max(128),
  command: z.array(z.string().max(8192)).min(1),
  code: z.array(z.object({ path: RelativePath, mode: z.enum(['100644', '100755']), digest: Digest })),
  data: z.array(z.object({ name: z.string().max(128), digest: Digest })),
  params: z.array(NamedValue),
  environment: z.object({
    image: z.string().max(512).nullable(),
    lock: Digest.nullable(),
    python: z.string().max(32).nullable(),
    platform: z.string().max(64).nullable(),
  }),
  variables: z.array(NamedValue),
  seeds: z.array(NamedValue),
  outputs: z.array(RelativePath),
  upstream: z.array(z.object({ stage: z.string().max(128), key: RunKey })),
});
export type StageInputs = z.infer<typeof StageInputs>;

export const KeyDocument = z.object({
  schema: z.literal('passloop/key/v1'),
  model: ModelName,
  runKey: RunKey,
  stages: z.array(z.object({ name: z.string().max(128), key: RunKey, inputs: StageInputs })).min(1),
  /** What differs from the run that it was compared with; null where nothing was compared. */
  against: z
    .object({ runKey: RunKey, name: z.string().max(512), commit: Commit.nullable(), changes: z.array(Change) })
    .nullable(),
});
export type KeyDocument = z.infer<typeof KeyDocument>;
