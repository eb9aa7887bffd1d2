import { type Decimal, toDecimal, toDecimalOrNull, type Verdict } from '@passloop/core';
import type { DriftResult } from '@passloop/documents';
import { benjaminiHochberg } from '@passloop/statistics';
import type { Measurement } from './measure.ts';

/** A measured shift with what it is held to, or the reason why there is none. */
export type Candidate =
  | { kind: 'measured'; column: string; measurement: Measurement; threshold: number; note: string | null }
  | {
      kind: 'unmeasured';
      column: string;
      method: string;
      threshold: number;
      verdict: Extract<Verdict, 'fail' | 'skipped' | 'inconclusive'>;
      reason: string;
      n: { reference: number; current: number };
    };

/** The false discovery rate over all columns of one drift check. */
const falseDiscoveryRate = 0.05;

/**
 * Judges the shifts of one drift check together. A shift counts when both hold: its effect, less what chance explains
 * at 95 %, is above the threshold; and its p-value survives Benjamini-Hochberg over all columns at 5 %. The first keeps
 * harmless shifts of large tables quiet, the second accidents among many columns. Below `minRows` on either side there
 * is no verdict but "not enough data", and none where the threshold lies within what cells of a profile leave open.
 */
export function judgeDrift(candidates: readonly Candidate[], minRows: number): DriftResult[] {
  const tested: number[] = [];
  const pValues: number[] = [];
  for (const [i, candidate] of candidates.entries()) {
    if (candidate.kind !== 'measured' || !enough(candidate.measurement, minRows)) continue;
    if (candidate.measurement.pValue === null) continue;
    tested.push(i);
    pValues.push(candidate.measurement.pValue);
  }
  const adjustedList = benjaminiHochberg(pValues);
  const adjusted = new Map(tested.map((candidate, i) => [candidate, adjustedList[i] as number]));
  return candidates.map((candidate, i) => {
    if (candidate.kind === 'unmeasured') {
      const { column, method, verdict, reason, n } = candidate;
      return {
        column,
        method,
        statistic: null,
        pValue: null,
        threshold: decimal(candidate.threshold),
        verdict,
        n,
        reason,
      };
    }
    return judged(candidate, adjusted.get(i) ?? null, minRows);
  });
}

function judged(
  { column, measurement, threshold, note }: Extract<Candidate, { kind: 'measured' }>,
  adjusted: number | null,
  minRows: number,
): DriftResult {
  const statistic = toDecimalOrNull(measurement.statistic);
  const effect = toDecimalOrNull(measurement.effect);
  const base = {
    column,
    method: measurement.method,
    statistic,
    ...(effect === null || effect === statistic ? {} : { effect }),
    pValue: toDecimalOrNull(measurement.pValue),
    threshold: decimal(threshold),
    n: measurement.n,
  };
  if (!Number.isFinite(measurement.effect))
    return { ...base, verdict: 'fail', reason: 'the effect is larger than any number that can be written' };
  if (!enough(measurement, minRows)) {
    const { reference, current } = measurement.n;
    return {
      ...base,
      verdict: 'inconclusive',
      reason: `not enough data: ${reference} reference and ${current} current values, ${minRows} are needed on each side`,
    };
  }
  const { below, above } = measurement.unknown ?? { below: 0, above: 0 };
  const large = measurement.lowerBound - below > threshold;
  if (!large && measurement.lowerBound + above > threshold) {
    const range = `${short(measurement.effect - below)} and ${short(measurement.effect + above)}`;
    const reason = `the profile's cells are too wide to tell: the effect lies between ${range}, against ${short(threshold)}. Compare with the table itself (data drift --reference), or by ks`;
    return { ...base, verdict: 'inconclusive', reason };
  }
  const significant = adjusted === null || adjusted <= falseDiscoveryRate;
  const bound = `effect ${short(measurement.effect)}, at least ${short(measurement.lowerBound)} beyond chance`;
  const tested = adjusted === null ? '' : `, adjusted p ${short(adjusted)}`;
  const faint = !large && adjusted !== null && significant ? 'significant, but less than counts: ' : '';
  const why = `${faint}${bound}, against ${short(threshold)}${tested}${note === null ? '' : `; ${note}`}`;
  return {
    ...base,
    verdict: large && significant ? 'fail' : 'pass',
    ...(adjusted === null ? {} : { isSignificant: significant }),
    reason: why,
  };
}

function enough(measurement: Measurement, minRows: number): boolean {
  return measurement.n.reference >= minRows && measurement.n.current >= minRows;
}

function short(value: number): string {
  return toDecimal(Number(value.toPrecision(4)));
}

function decimal(value: number): Decimal {
  return toDecimal(value);
}
