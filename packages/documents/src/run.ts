import { z } from 'zod';
import {
  Commit,
  DatasetIdentity,
  Decimal,
  Digest,
  FileDigest,
  ModelName,
  NamedValue,
  RunKey,
  Text,
  Timestamp,
  TrustLevel,
} from './scalars.ts';

/** How alike two runs of one key are, strongest first. */
export const ReproductionLevel = z.enum(['bitwise', 'functional', 'metric', 'diverged']);
export type ReproductionLevel = z.infer<typeof ReproductionLevel>;

export const Reproduction = z.object({
  level: ReproductionLevel,
  outputs: z.array(
    z.object({
      path: z.string().max(1024),
      level: ReproductionLevel,
      stored: Digest,
      again: Digest,
      detail: Text.nullable(),
    }),
  ),
});
export type Reproduction = z.infer<typeof Reproduction>;

export const Producer = z.object({
  /** `owner/name` on the forge, or null where the repository has no remote. */
  repository: z.string().max(256).nullable(),
  commit: Commit,
  tree: Commit,
  ref: z.string().max(512).nullable(),
  run: z.string().max(1024).nullable(),
});
export type Producer = z.infer<typeof Producer>;

/** The machine as it was found: recorded, never keyed. */
export const Machine = z.object({
  platform: z.string().max(64),
  cpu: z.string().max(256),
  interpreter: z.string().max(128).nullable(),
});
export type Machine = z.infer<typeof Machine>;

export const RunDocument = z.object({
  schema: z.literal('passloop/run/v1'),
  model: ModelName,
  runKey: RunKey,
  cache: z.enum(['hit', 'miss']),
  stages: z.array(z.object({ name: z.string().max(128), key: RunKey, seconds: Decimal })),
  outputs: z.array(FileDigest),
  modelDigest: Digest,
  metrics: z.array(z.object({ name: z.string().max(256), value: Decimal })),
  data: z.array(DatasetIdentity),
  params: z.array(NamedValue),
  seeds: z.array(NamedValue),
  environment: z.object({
    image: z.string().max(512).nullable(),
    python: z.string().max(32).nullable(),
    lock: Digest.nullable(),
    platform: z.string().max(64).nullable(),
  }),
  machine: Machine,
  producer: Producer,
  trust: TrustLevel,
  reproduction: Reproduction.nullable(),
  startedAt: Timestamp,
  finishedAt: Timestamp,
});
export type RunDocument = z.infer<typeof RunDocument>;
