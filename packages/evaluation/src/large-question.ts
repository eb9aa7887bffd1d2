import type { EvaluationFrame } from './frame.ts';
import type { FrameShape, Part } from './large-sums.ts';
import type { LargeTable } from './large-table.ts';
import type { PairedMeasurement, Resampling } from './measure.ts';

export type Side = 'production' | 'candidate';

/** What was found of one metric on some rows: what {@link Evidence} answers with. */
export type Found = { paired: PairedMeasurement | string; alone: Record<Side, number | string> };

export type LargeEvidence = {
  table: LargeTable;
  shape: FrameShape & Pick<EvaluationFrame, 'declared' | 'evaluationDigest'>;
  /** The values of each slice column, in the order of their codes. */
  slices: readonly { column: string; values: readonly string[] }[];
  hasProduction: boolean;
  resampling: Resampling;
};

/** What one metric is asked of some parts. */
export type Question = {
  large: LargeEvidence;
  part: string | null;
  parts: readonly Part[];
  /** Of a gap between groups: its column, as `groupsOf` gives it. */
  groups: EvaluationFrame | undefined;
};

export function sidesOf({ hasProduction }: LargeEvidence): readonly Side[] {
  return hasProduction ? ['production', 'candidate'] : ['candidate'];
}

/** Found nothing, for one reason. */
export function nothing(reason: string): Found {
  return { paired: reason, alone: { production: reason, candidate: reason } };
}
