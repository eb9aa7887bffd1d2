import { z } from 'zod';
import { Count, Decimal, Digest, LongText, ScalarText, Severity, Text, Verdict } from './scalars.ts';

export const CheckResult = z.object({
  id: z.string().max(256),
  kind: z.string().max(64),
  column: z.string().max(256).nullable(),
  severity: Severity,
  verdict: Verdict,
  expected: ScalarText,
  observed: ScalarText.nullable(),
  failingRows: Count.nullable(),
  /** The query that shows it, ready to paste; null where no single query does. */
  sql: LongText.nullable(),
  /** Why there is no observation, or what else a reader must know; null where there is nothing to add. */
  reason: Text.nullable(),
});
export type CheckResult = z.infer<typeof CheckResult>;

export const DriftResult = z.object({
  column: z.string().max(256),
  /** What the column is to the model; absent where no model is known, and in reports of before it was told. */
  role: z.enum(['label', 'prediction', 'feature']).optional(),
  method: z.string().max(128),
  statistic: Decimal.nullable(),
  /** What is held against the threshold, where it isn't the statistic: Cramer's V of a chi-squared test. Absent elsewhere. */
  effect: Decimal.optional(),
  pValue: Decimal.nullable(),
  threshold: Decimal,
  verdict: Verdict,
  /**
   * The shift is more than chance among all columns of the check, whatever its size: a quiet column too may have moved. Absent where nothing was tested, and in
   * reports of before it was told.
   */
  isSignificant: z.boolean().optional(),
  n: z.object({ reference: Count, current: Count }),
  reason: Text.nullable(),
});
export type DriftResult = z.infer<typeof DriftResult>;

/** At most so many drifted columns are drawn, each by so many bins. */
export const drawnColumns = 8;
export const drawnBins = 13;

/**
 * How a column that drifted is distributed on both sides: rows by bin. `tenths`: bins (-inf, e1], (e1, e2] .. (ek, inf) by the reference's deciles, ties
 * merged. `around`: below, at and above the one value of `edges`, which nine tenths of the reference have. `values`: one bin for each of `values`, and
 * last one for all others.
 */
export const Distribution = z.object({
  column: z.string().max(256),
  role: DriftResult.shape.role,
  /** What the column was held against: the profile, or another dataset. */
  against: z.string().max(256),
  kind: z.enum(['tenths', 'around', 'values']),
  /** Edges and values are left out: the dataset doesn't show its values. The bins are the same ones, in the same order. */
  isHidden: z.boolean(),
  edges: z.array(Decimal).max(9),
  values: z.array(z.string().max(64)).max(drawnBins - 1),
  /** Rows by bin, two lists of one length. */
  reference: z.array(Count).max(drawnBins),
  current: z.array(Count).max(drawnBins),
  /** Rows without a finite value, which are in no bin. */
  missing: z.object({ reference: Count, current: Count }),
});
export type Distribution = z.infer<typeof Distribution>;

export const DataReport = z.object({
  schema: z.literal('passloop/data-report/v1'),
  dataset: z.object({ name: z.string().max(128), uri: Text, digest: Digest.nullable() }),
  engine: z.string().max(128),
  rows: Count,
  verdict: Verdict,
  /** How many checks and drift measurements ran; zero is never a pass. */
  executed: Count,
  /** Passes over the open dataset that this took (what opening a text file reads is not among them); absent in reports of before it was counted. */
  scans: Count.optional(),
  checks: z.array(CheckResult),
  drift: z.array(DriftResult),
  /** Of the columns that drifted, what drifted most first; absent where none did, and in reports of before it was told. */
  distributions: z.array(Distribution).max(drawnColumns).optional(),
});
export type DataReport = z.infer<typeof DataReport>;
