import { fromDecimal, toDecimal } from '@passloop/core';
import type { ComparedSlice } from '@passloop/documents';
import type { Gate } from '@passloop/model';
import { holm, normalCdf, normalQuantile, tCdf, tQuantile } from '@passloop/statistics';
import { countedRows, type Evidence } from './evidence.ts';
import { fewRows, gateVerdict, judgeMissing, judgePaired, pairedVerdict } from './gate.ts';
import type { Metric } from './metric.ts';

/**
 * A slice is compared with production; an absolute bound is about the whole. What it cannot decide warns, but a metric that
 * production has on these rows and the candidate lost (it predicts no positive any more) fails.
 */
export function judgeSlice(gate: Gate, metric: Metric, rows: Evidence, slice: ComparedSlice['slice']): ComparedSlice {
  const context = { gate: { ...gate, min: undefined, max: undefined }, inconclusive: 'warn' as const };
  const insufficient = (reason: string): ComparedSlice => ({
    ...judgeMissing(context, reason),
    verdict: 'insufficient',
    gate: 'warn',
    slice,
    rows: rows.rows,
  });
  const counted = countedRows(rows, metric);
  const few = fewRows(gate, counted);
  if (few !== null) return insufficient(few);
  const measured = rows.paired(gate.metric, metric);
  if (typeof measured === 'string') {
    const lost =
      typeof rows.alone(gate.metric, metric, 'candidate') === 'string' &&
      typeof rows.alone(gate.metric, metric, 'production') === 'number';
    return lost ? { ...judgeMissing(context, measured), slice, rows: rows.rows } : insufficient(measured);
  }
  return { ...judgePaired(context, measured, counted), slice, rows: rows.rows };
}

/**
 * One-sided: how likely a change is that looks as bad as this one, where the candidate loses no more than the margin. From
 * the printed interval alone, by its half towards no loss (Altman & Bland 2011, "How to obtain the P value from a confidence
 * interval", BMJ 343:d2304; of several training seeds with Student's tails), so that it is below (1 - level) / 2 exactly where the interval says `worse`.
 */
export function lossPValue(
  metric: Pick<ComparedSlice, 'direction' | 'delta' | 'interval' | 'level' | 'margin' | 'seeds'>,
): number | null {
  const { delta, interval, level, margin } = metric;
  if (delta === null || interval === null || level === null || margin === null) return null;
  const sign = metric.direction === 'higher' ? 1 : -1;
  const change = sign * fromDecimal(delta);
  const upper = sign * fromDecimal(interval[metric.direction === 'higher' ? 1 : 0]);
  const reach = upper - change;
  const beyond = -fromDecimal(margin) - upper;
  if (!(reach > 0)) return beyond > 0 ? 0 : 1;
  const oneSided = 0.5 + fromDecimal(level) / 2;
  if (metric.seeds !== undefined) {
    const freedom = fromDecimal(metric.seeds.degreesOfFreedom);
    const t = tQuantile(oneSided, freedom);
    return tCdf(-(t + (t * beyond) / reach), freedom);
  }
  const z = normalQuantile(oneSided);
  return normalCdf(-(z + (z * beyond) / reach));
}

/**
 * Slices judged together. One of many looks worse by chance alone, so a loss counts only where it is still one among all
 * slices and metrics of the comparison (Holm 1979): else the slice is undecided, and warns.
 */
export function judgeTogether(slices: readonly ComparedSlice[]): ComparedSlice[] {
  const raw = slices.map(lossPValue);
  const tested = raw.filter((p) => p !== null);
  const adjusted = holm(tested);
  let at = 0;
  return slices.map((slice, index) => {
    const p = raw[index] as number | null;
    if (p === null) return { ...slice, pValue: null, adjustedPValue: null };
    const together = adjusted[at++] as number;
    const judged = { ...slice, pValue: toDecimal(p), adjustedPValue: toDecimal(together) };
    const limit = (1 - fromDecimal(slice.level as string)) / 2;
    if (slice.verdict !== 'worse' || together <= limit) return judged;
    return {
      ...judged,
      verdict: 'inconclusive' as const,
      gate: gateVerdict('inconclusive', slice.severity, 'warn'),
      reason: `by itself it is worse (p ${shown(p)}), but chance alone finds such a slice among ${tested.length} (adjusted p ${shown(together)}, needed ${shown(limit)})`,
    };
  });
}

function shown(p: number): string {
  return p < 0.0001 ? '< 0.0001' : String(Number(p.toPrecision(2)));
}

/** What is wrong with the verdicts of slices that were compared, or null: they follow from the printed numbers. */
export function wrongSliceVerdict(slices: readonly ComparedSlice[]): { slice: ComparedSlice; why: string } | null {
  const alone = slices.map((slice) =>
    slice.interval === null || slice.margin === null
      ? slice
      : { ...slice, verdict: pairedVerdict(slice.direction, slice.interval, slice.margin) },
  );
  for (const [index, expected] of judgeTogether(alone).entries()) {
    const slice = slices[index] as ComparedSlice;
    if (slice.verdict !== expected.verdict)
      return { slice, why: `it says ${slice.verdict}, and its numbers say ${expected.verdict}` };
  }
  return null;
}
