import { z } from 'zod';
import { Commit, Digest, EnvironmentName, LongText, ModelName, Outcome, RelativePath, Text } from './scalars.ts';

export const Edit = z.object({ file: RelativePath, diff: LongText });
export type Edit = z.infer<typeof Edit>;

export const PullRequestReference = z.object({ number: z.int().min(1), url: z.string().max(1024) });
export type PullRequestReference = z.infer<typeof PullRequestReference>;

/** The text of a pull request that a person opens: the deploy repository is a plain git remote, and its branch was pushed. */
export const Proposal = z.object({
  title: z.string().max(256),
  body: LongText,
  /** The page on which it is opened or, where the host is none that is known, the repository and the branch. */
  url: z.string().max(2048),
});
export type Proposal = z.infer<typeof Proposal>;

export const PromotionOutcome = z.enum([
  'created',
  'updated',
  'unchanged',
  'superseded',
  'already-promoted',
  'held',
  'blocked',
  'conflict',
  'pending',
]);
export type PromotionOutcome = z.infer<typeof PromotionOutcome>;

export const PromotionDocument = z.object({
  schema: z.literal('passloop/promotion/v1'),
  outcome: PromotionOutcome,
  model: ModelName,
  environment: EnvironmentName,
  /** What kind of change it is (§ outcomes): a promotion forward, or the return to an earlier record. */
  change: Outcome.nullable(),
  reason: Text.nullable(),
  /** Of a plan: what people should look at, in its edits and in the manifests as they leave them. */
  notes: z.array(Text).max(100).optional(),
  promotionId: Digest.nullable(),
  recordDigest: Digest.nullable(),
  branch: z.string().max(256).nullable(),
  commit: Commit.nullable(),
  pullRequest: PullRequestReference.nullable(),
  proposal: Proposal.optional(),
  merged: z.boolean(),
  edits: z.array(Edit),
});
export type PromotionDocument = z.infer<typeof PromotionDocument>;

const Side = z.object({ modelDigest: Digest, imageDigest: Digest, version: z.string().max(128) });

export const RollbackDocument = PromotionDocument.extend({
  schema: z.literal('passloop/rollback/v1'),
  from: Side.nullable(),
  to: Side.nullable(),
  hold: RelativePath.nullable(),
  /** Where several models went back in one commit: all of them, the one above included. */
  models: z
    .array(
      z.object({
        model: ModelName,
        promotionId: Digest,
        recordDigest: Digest,
        from: Side,
        to: Side,
        hold: RelativePath.nullable(),
      }),
    )
    .optional(),
});
export type RollbackDocument = z.infer<typeof RollbackDocument>;
