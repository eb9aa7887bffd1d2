import { z } from 'zod';
import { Curves } from './curves.ts';
import {
  Count,
  Decimal,
  Digest,
  Direction,
  Measurement,
  Outcome,
  ScalarText,
  Severity,
  Text,
  Verdict,
} from './scalars.ts';

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
});
export type ComparedMetric = z.infer<typeof ComparedMetric>;

export const ComparedSlice = ComparedMetric.extend({
  slice: z.object({ column: z.string().max(256), value: ScalarText }),
  rows: Count,
});
export type ComparedSlice = z.infer<typeof ComparedSlice>;

export const ComparedSide = z.object({
  digest: Digest.nullable(),
  /** Who made the predictions: the model's image, the training stage, or a file that was handed over. */
  scoredBy: z.enum(['image', 'stage', 'file']),
});

export const ComparisonDocument = z.object({
  schema: z.literal('passloop/comparison/v1'),
  outcome: Outcome,
  verdict: Verdict,
  reason: Text.nullable(),
  rows: Count,
  evaluationDigest: Digest.nullable(),
  production: ComparedSide.nullable(),
  candidate: ComparedSide,
  metrics: z.array(ComparedMetric),
  slices: z.array(ComparedSlice),
  fairness: z.array(ComparedSlice),
  resamples: Count,
  seed: Count,
  /** For pictures; absent where no rows were compared. */
  curves: Curves.optional(),
  /** The rows were too many to be read for curves: their metrics were measured in the engine. */
  curvesLeftOut: z.literal(true).optional(),
});
export type ComparisonDocument = z.infer<typeof ComparisonDocument>;
