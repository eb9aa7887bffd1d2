import { z } from 'zod';
import { PullRequestReference } from './promotion.ts';
import { HoldDocument, RecordedGate } from './record.ts';
import { Commit, Digest, EnvironmentName, ModelName, RunKey, Text, Timestamp, Verdict } from './scalars.ts';

export const StatusRow = z.object({
  model: ModelName,
  environment: EnvironmentName,
  state: z.enum(['recorded', 'drifted', 'no-record', 'invalid-record']),
  version: z.string().max(128).nullable(),
  modelDigest: Digest.nullable(),
  imageDigest: Digest.nullable(),
  runKey: RunKey.nullable(),
  since: Timestamp.nullable(),
  cause: z.enum(['adopt', 'promotion', 'rollback']).nullable(),
  gates: z.array(RecordedGate),
  drift: z.array(
    z.object({ file: z.string().max(1024), recorded: z.string().max(512), found: z.string().max(512).nullable() }),
  ),
  openPullRequest: PullRequestReference.nullable(),
  /** On a remote without pull requests: the promotion's branch, while it isn't merged. */
  openBranch: z.string().max(256).optional(),
  /** Promotions whose pull request people closed without merging it. */
  refused: z
    .array(PullRequestReference.extend({ modelDigest: Digest, by: z.string().max(256).nullable(), at: Timestamp }))
    .optional(),
  reason: Text.nullable(),
});
export type StatusRow = z.infer<typeof StatusRow>;

export const HeldDigest = z.object({
  model: ModelName,
  environment: EnvironmentName.nullable(),
  modelDigest: Digest,
  /** `file`: a committed hold; `history`: its record was replaced by one of its ancestors. */
  source: z.enum(['file', 'history']),
  by: z.string().max(256).nullable(),
  reason: Text,
  commit: Commit.nullable(),
  hold: HoldDocument.nullable(),
});
export type HeldDigest = z.infer<typeof HeldDigest>;

export const StatusDocument = z.object({
  schema: z.literal('passloop/status/v1'),
  repository: z.string().max(1024),
  commit: Commit,
  verdict: Verdict,
  rows: z.array(StatusRow),
  holds: z.array(HeldDigest),
});
export type StatusDocument = z.infer<typeof StatusDocument>;
