import { z } from 'zod';
import { Producer, Reproduction } from './run.ts';
import {
  Commit,
  Count,
  DatasetIdentity,
  Decimal,
  Digest,
  EnvironmentName,
  ImageKey,
  ModelName,
  NamedValue,
  Outcome,
  RelativePath,
  RunKey,
  ScalarText,
  Text,
  Timestamp,
  TrustLevel,
  Verdict,
} from './scalars.ts';

export const RecordedGate = z.object({
  metric: z.string().max(128),
  slice: ScalarText.nullable(),
  verdict: Verdict,
  value: Decimal.nullable(),
  delta: Decimal.nullable(),
  interval: z.tuple([Decimal, Decimal]).nullable(),
});
export type RecordedGate = z.infer<typeof RecordedGate>;

export const Override = z.object({
  file: RelativePath,
  gate: z.string().max(256),
  /** Absent: of every model of the repository. */
  model: ModelName.optional(),
  reason: Text,
  until: z.string().max(32),
});
export type Override = z.infer<typeof Override>;

/** An address in the deploy repository, and the value that it carries while this record holds. */
export const RecordedTarget = z.object({
  kind: z.string().max(64),
  file: RelativePath,
  address: z.string().max(1024),
  value: z.string().max(512),
  /** The target's own fields beside kind and file; without them it is a kustomize one, named by its address. */
  declared: z.record(z.string().max(64), z.union([z.string().max(512), z.int()])).optional(),
});
export type RecordedTarget = z.infer<typeof RecordedTarget>;

/** True where a target carries a share of the traffic and no image, so that its value is no digest. */
export function isWeight({ kind, declared }: Pick<RecordedTarget, 'kind' | 'declared'>): boolean {
  return kind === 'istio' || (kind === 'seldon-v2' && declared?.experiment !== undefined);
}
/** A tensor as callers see it: which column it is made of is the model's own affair. */
const RecordedTensor = z.object({ name: z.string().max(256), datatype: z.string().max(64) });
export type RecordedTensor = z.infer<typeof RecordedTensor>;

/** What callers of a model send and get, and the version of the server that speaks for it. */
export const RecordedSignature = z.object({
  /** Of the signature's file. */
  digest: Digest,
  runtime: z.string().max(64),
  inputs: z.array(RecordedTensor),
  outputs: z.array(RecordedTensor),
});
export type RecordedSignature = z.infer<typeof RecordedSignature>;

/**
 * The join of code, data, params, environment, metrics, verdicts and image by digest. In the deploy repository it lies at
 * `.passloop/<environment>/<model>.json`; the record in the tree is the truth. Its identity is sha256 of its bytes.
 */
export const RecordDocument = z.object({
  schema: z.literal('passloop/record/v1'),
  /** `<owner>/<repo>#<name>`. */
  identity: z.string().max(320),
  model: ModelName,
  version: z.string().max(128),
  modelDigest: Digest,
  image: z.object({
    reference: z.string().max(512),
    digest: Digest,
    imageKey: ImageKey.nullable(),
    bytes: Count.nullable(),
    /** Null or absent where the image's makers didn't say: it is then not known whether callers fit. */
    signature: RecordedSignature.nullable().optional(),
  }),
  runKey: RunKey.nullable(),
  source: Producer.nullable(),
  data: z.array(DatasetIdentity),
  params: z.array(NamedValue),
  seeds: z.array(NamedValue),
  environment: z
    .object({
      image: z.string().max(512).nullable(),
      python: z.string().max(32).nullable(),
      lock: Digest.nullable(),
      platform: z.string().max(64).nullable(),
    })
    .nullable(),
  code: z.array(z.object({ path: RelativePath, digest: Digest })),
  metrics: z.array(z.object({ name: z.string().max(256), value: Decimal })),
  evaluation: z.object({ dataset: z.string().max(128), rows: Count, evaluationDigest: Digest }).nullable(),
  predictionsDigest: Digest.nullable(),
  gates: z.array(RecordedGate),
  overrides: z.array(Override),
  comparedWith: z.object({ modelDigest: Digest, outcome: Outcome, verdict: Verdict }).nullable(),
  reproduction: Reproduction.nullable(),
  trust: TrustLevel,
  deployment: z.object({
    environment: EnvironmentName,
    /** sha256(environment, identity, model digest, image digest, previous): one promotion has one id however often it is tried. */
    promotionId: Digest,
    cause: z.enum(['adopt', 'promotion', 'rollback']),
    targets: z.array(RecordedTarget).min(1),
    previous: z.object({ record: Digest, modelDigest: Digest, imageDigest: Digest, promotionId: Digest }).nullable(),
    at: Timestamp,
  }),
});
export type RecordDocument = z.infer<typeof RecordDocument>;

/** A refusal of a digest, in `.passloop/holds/<model>/sha256-<hex>.json` of the deploy repository. */
export const HoldDocument = z.object({
  schema: z.literal('passloop/hold/v1'),
  model: ModelName,
  /** The model digest that is refused. */
  modelDigest: Digest,
  imageDigest: Digest.nullable(),
  /** The run that made the model: its key is refused too, whatever digest a training of it gives next time. */
  runKey: RunKey.nullable().optional(),
  environment: EnvironmentName.nullable(),
  by: z.string().max(256),
  reason: Text,
  at: Timestamp,
});
export type HoldDocument = z.infer<typeof HoldDocument>;

/** Rows that decide again and again are learnt by heart, candidate by candidate: how often they have, as a reader must know. */
export const Holdout = z.object({
  evaluationDigest: Digest,
  /** Promotions to this environment that were decided on these rows; returns decide nothing. */
  promotions: Count,
  since: Timestamp,
});
export type Holdout = z.infer<typeof Holdout>;

/** The pointer under `production-<environment>` in the store, with production's predictions beside it. */
export const ProductionPointer = z.object({
  schema: z.literal('passloop/pointer/v1'),
  model: ModelName,
  environment: EnvironmentName,
  record: Digest,
  modelDigest: Digest,
  imageDigest: Digest,
  imageReference: z.string().max(512),
  /** Of the image as its record has it; absent or null where that is not known. */
  imageBytes: Count.nullable().optional(),
  runKey: RunKey.nullable(),
  deployCommit: Commit,
  /** Digest of the evaluation dataset on which the predictions beside this pointer were made; null where there are none. */
  evaluatedOn: Digest.nullable(),
  /** What was in production here before, newest first: a return to one of them is no new candidate. */
  history: z.array(z.object({ modelDigest: Digest, imageDigest: Digest, runKey: RunKey.nullable() })),
  /** By which rows the promotions in the history were decided; absent in pointers of before it was counted. */
  holdouts: z.array(Holdout).optional(),
  /** Model digests that are held here. */
  held: z.array(Digest),
  at: Timestamp,
});
export type ProductionPointer = z.infer<typeof ProductionPointer>;
