import { z } from 'zod';
import { Commit, Digest, ModelName, RelativePath, RunKey, ScalarText, Text } from './scalars.ts';

/** One difference between the policy of the target branch and the one that the change brings. */
export const PolicyDifference = z.object({
  path: z.string().max(512),
  from: ScalarText.nullable(),
  to: ScalarText.nullable(),
  loosens: z.boolean(),
});
export type PolicyDifference = z.infer<typeof PolicyDifference>;

export const Policy = z.object({
  /** Where the deciding policy was read: the target branch, or the change itself where there is no base (a first model file). */
  source: z.enum(['base', 'head']),
  ref: z.string().max(512).nullable(),
  digest: Digest,
  differences: z.array(PolicyDifference),
});
export type Policy = z.infer<typeof Policy>;

export const PlannedModel = z.object({
  name: ModelName,
  file: RelativePath,
  affected: z.boolean(),
  reason: Text,
  runKey: RunKey.nullable(),
  store: z.enum(['hit', 'miss', 'unknown']),
  policy: Policy,
});
export type PlannedModel = z.infer<typeof PlannedModel>;

export const PlanDocument = z.object({
  schema: z.literal('passloop/plan/v1'),
  commit: Commit,
  tree: Commit,
  base: z.object({ ref: z.string().max(512), commit: Commit }).nullable(),
  models: z.array(PlannedModel),
});
export type PlanDocument = z.infer<typeof PlanDocument>;
