import { z } from 'zod';
import { Commit, Count, EnvironmentName, ModelName, RelativePath, Text, Verdict } from './scalars.ts';

/** What is wrong, or worth knowing, about a file of a deploy repository. */
export const DeployFinding = z.object({
  rule: z.enum([
    'record',
    'promotion-id',
    'previous',
    'identity',
    'manifest',
    'unrecorded-edit',
    'held',
    'hold',
    'several-models',
    'foreign-file',
    'image',
    'rollback',
    'lint',
  ]),
  verdict: Verdict,
  file: RelativePath,
  line: Count.nullable(),
  message: Text,
});
export type DeployFinding = z.infer<typeof DeployFinding>;

/** The judgement of a change to a deploy repository: its records, its manifests and its holds. */
export const DeployCheckDocument = z.object({
  schema: z.literal('passloop/deploy-check/v1'),
  commit: Commit,
  base: Commit,
  verdict: Verdict,
  /** Records that the change makes, moves or takes away. */
  records: z.array(
    z.object({
      file: RelativePath,
      model: ModelName,
      environment: EnvironmentName,
      change: z.enum(['promotion', 'rollback', 'adopt', 'removed', 'unreadable']),
    }),
  ),
  findings: z.array(DeployFinding),
});
export type DeployCheckDocument = z.infer<typeof DeployCheckDocument>;

/** Which model repositories were told that their records moved. */
export const DeployChainDocument = z.object({
  schema: z.literal('passloop/deploy-chain/v1'),
  repository: z.string().max(256),
  commit: Commit,
  verdict: Verdict,
  dispatched: z.array(
    z.object({
      repository: z.string().max(256),
      model: ModelName,
      workflow: z.string().max(256),
      ref: z.string().max(256),
    }),
  ),
  /** Records whose repository could not be told, and why. */
  failed: z.array(z.object({ file: RelativePath, repository: z.string().max(256).nullable(), reason: Text })),
});
export type DeployChainDocument = z.infer<typeof DeployChainDocument>;
