import { z } from 'zod';
import { Curves } from './curves.ts';
import {
  Count,
  Decimal,
  Digest,
  Direction,
  EnvironmentName,
  Measurement,
  Outcome,
  ScalarText,
  Severity,
  Text,
  Verdict,
} from './scalars.ts';

/** The values of one side's training seeds. */
export const SeedSpread = z.object({
  lowest: Decimal,
  highest: Decimal,
  /** Of the sample; null for one model. */
  standardDeviation: Decimal.nullable(),
});
export type SeedSpread = z.infer<typeof SeedSpread>;

export const ComparedMetric = z.object({
  name: z.string().max(128),
  direction: Direction,
  production: Decimal.nullable(),
  candidate: Decimal.nullable(),
  /** candidate − production, raw. */
  delta: Decimal.nullable(),
  /** Bounds of the raw delta at `level`, two-sided; null where none can be given. */
  interval: z.tuple([Decimal, Decimal]).nullable(),
  level: Decimal.nullable(),
  method: z.string().max(128).nullable(),
  margin: Decimal.nullable(),
  /** Where the margin is this share of production's value; `margin` has the loss that it allows. */
  relative: Decimal.nullable().optional(),
  min: Decimal.nullable(),
  max: Decimal.nullable(),
  severity: Severity,
  /** What the measurement says (better, worse, within, …). */
  verdict: Measurement,
  /** What the gate makes of it, with its severity and policy. */
  gate: Verdict,
  /** Rows that would decide an inconclusive gate; null where it is decided or where no number helps. */
  rowsNeeded: Count.nullable(),
  reason: Text.nullable(),
  /** Its margin is about what a clock measures of both images, and the promotion alone has both of them: it is not judged here. */
  measuredAtPromotion: z.literal(true).optional(),
  /** Whether there is any difference at all: two-sided, without a margin. It decides nothing. */
  equality: z.object({ test: z.string().max(128), pValue: Decimal }).optional(),
  /** Where a side has several training seeds: `production`, `candidate` and `delta` are of their means. */
  seeds: z
    .object({
      production: SeedSpread,
      candidate: SeedSpread,
      /** Standard errors of delta: by the rows, the models fixed, and what other seeds would change beyond that. */
      rowError: Decimal,
      seedError: Decimal,
      /** Of Student's interval, and of a slice's p-value. */
      degreesOfFreedom: Decimal,
      /** Seeds on each side that has several that would decide an inconclusive gate on these rows. */
      needed: Count.nullable(),
    })
    .optional(),
});
export type ComparedMetric = z.infer<typeof ComparedMetric>;

export const ComparedSlice = ComparedMetric.extend({
  slice: z.object({ column: z.string().max(256), value: ScalarText }),
  rows: Count,
  /** One-sided, of a loss beyond the margin by chance; null where it was not compared. */
  pValue: Decimal.nullable().optional(),
  /** The same among all slices of the comparison (Holm): this one decides `worse`. */
  adjustedPValue: Decimal.nullable().optional(),
});
export type ComparedSlice = z.infer<typeof ComparedSlice>;

/**
 * How often a model says yes in one group of rows, of which `rows` count. It is shown: what decides is the gate on the gap
 * between the groups (`skipped` here). A group of too few rows is `insufficient` and warns.
 */
export const FairnessGroup = ComparedSlice.extend({
  rate: z.enum(['selection-rate', 'true-positive-rate', 'false-positive-rate']).optional(),
});
export type FairnessGroup = z.infer<typeof FairnessGroup>;

/** What the rows of a comparison can show, where somebody asked. */
export const MetricPower = z.object({
  name: z.string().max(128),
  rows: Count,
  standardError: Decimal,
  /** As declared. */
  margin: Decimal.nullable(),
  at: z.array(
    z.object({
      /** The chance that an equally good candidate passes. */
      power: Decimal,
      /** The smallest margin with that chance on as many rows. */
      margin: Decimal,
      /** Rows that the declared margin needs for that chance. */
      rows: Count.nullable(),
    }),
  ),
});
export type MetricPower = z.infer<typeof MetricPower>;

export const ComparedSide = z.object({
  digest: Digest.nullable(),
  /** Who made the predictions: the model's image, the training stage, or a file that was handed over. */
  scoredBy: z.enum(['image', 'stage', 'file']),
  /** Of several training seeds, the digest of each one's predictions; absent for one model. */
  seeds: z.array(Digest.nullable()).optional(),
});

/**
 * What the verdict is about. `artifact`: these two models. `pipeline`: the ways of training, each known by several seeds. Else
 * a way of training (named first: the candidate's) against one model, or the other way round.
 */
export const Claim = z.enum(['artifact', 'pipeline', 'pipeline-against-artifact', 'artifact-against-pipeline']);
export type Claim = z.infer<typeof Claim>;

/** What a promotion to an environment would make of the candidate: its gates, judged as they are there. */
export const ComparedEnvironment = z.object({
  name: EnvironmentName,
  /** The environment that must take it first; null for the one that is asked first. */
  after: EnvironmentName.nullable(),
  /** Metrics of the gates that are its own; the others are the model's. */
  own: z.array(z.string().max(128)),
  /** Of all of them. */
  verdict: Verdict,
  reason: Text.nullable(),
  /** Of its own gates, and of the model's where they say something else here: what they say alike stands in the comparison. */
  metrics: z.array(ComparedMetric),
  slices: z.array(ComparedSlice),
});
export type ComparedEnvironment = z.infer<typeof ComparedEnvironment>;

export const ComparisonDocument = z.object({
  schema: z.literal('passloop/comparison/v1'),
  outcome: Outcome,
  verdict: Verdict,
  reason: Text.nullable(),
  /** Where rows of both sides were compared. */
  claim: Claim.optional(),
  rows: Count,
  evaluationDigest: Digest.nullable(),
  production: ComparedSide.nullable(),
  candidate: ComparedSide,
  metrics: z.array(ComparedMetric),
  slices: z.array(ComparedSlice),
  fairness: z.array(FairnessGroup),
  /** In a check, in the model file's order, where any of them has gates of its own. They don't decide the verdict above. */
  environments: z.array(ComparedEnvironment).max(32).optional(),
  resamples: Count,
  seed: Count,
  power: z.array(MetricPower).optional(),
  /** For pictures; absent where no rows were compared. */
  curves: Curves.optional(),
  /** The rows were too many to be read for curves, or each of several training seeds would have its own. */
  curvesLeftOut: z.literal(true).optional(),
});
export type ComparisonDocument = z.infer<typeof ComparisonDocument>;
