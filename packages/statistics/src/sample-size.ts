import { normalQuantile } from './distributions.ts';

interface Power {
  /** The one-sided error of the gate: 0.025 for a two-sided level of 0.95. */
  alpha?: number;
  /** The wanted chance of a decision. */
  power?: number;
}

/**
 * Rows for a paired non-inferiority decision: ceil(((z_{1-alpha} + z_{power}) sd / (margin + expectedDelta))^2), the
 * normal approximation for a mean of paired differences (Julious 2004, "Sample sizes for clinical trials with normal
 * data", Stat. Med. 23:1921, section 4).
 *
 * @param standardDeviation of a row's difference of the metric (candidate - production), in the metric's units
 * @param margin the tolerated loss, > -expectedDelta
 * @param expectedDelta the true difference, oriented so that positive is better; 0 by default
 * @returns null when no number of rows decides: the expected difference is at the margin or beyond
 */
export function rowsForMargin(
  {
    standardDeviation,
    margin,
    expectedDelta = 0,
  }: { standardDeviation: number; margin: number; expectedDelta?: number },
  { alpha = 0.025, power = 0.8 }: Power = {},
): number | null {
  if (!(standardDeviation >= 0)) throw new RangeError(`the standard deviation is ${standardDeviation}`);
  const distance = margin + expectedDelta;
  if (Number.isNaN(distance)) throw new RangeError(`margin ${margin}, expected difference ${expectedDelta}`);
  return distance > 0 ? atLeastOne(((quantiles(alpha, power) * standardDeviation) / distance) ** 2) : null;
}

/**
 * Rows that would probably turn an inconclusive gate into a decision, either way, if the measured delta is the true
 * one: the standard error shrinks with the square root of the rows, and the decision is at delta = -margin.
 *
 * @param delta oriented so that positive is better
 * @returns null when delta is exactly at the margin: no number of rows decides
 */
export function rowsToDecide(
  { rows, delta, standardError, margin }: { rows: number; delta: number; standardError: number; margin: number },
  { alpha = 0.025, power = 0.8 }: Power = {},
): number | null {
  if (!(rows >= 1 && standardError >= 0))
    throw new RangeError(`${rows} rows with a standard error of ${standardError}`);
  const distance = Math.abs(delta + margin);
  if (Number.isNaN(distance)) throw new RangeError(`delta ${delta}, margin ${margin}`);
  return distance > 0 ? atLeastOne(rows * ((quantiles(alpha, power) * standardError) / distance) ** 2) : null;
}

function quantiles(alpha: number, power: number): number {
  if (!(alpha > 0 && alpha < 1 && power > 0 && power < 1)) throw new RangeError(`alpha ${alpha}, power ${power}`);
  return normalQuantile(1 - alpha) + normalQuantile(power);
}

function atLeastOne(rows: number): number {
  return Math.max(1, Math.ceil(rows));
}
