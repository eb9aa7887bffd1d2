import { fromDecimal, toDecimal, type Verdict } from '@passloop/core';
import type { ComparedMetric, Measurement } from '@passloop/documents';
import { type Gate, isComparative } from '@passloop/model';
import { rowsToDecide } from '@passloop/statistics';
import { type PairedMeasurement, standardErrorOf } from './measure.ts';
import type { SeedSpread } from './measure-seeds.ts';

/** What an undecided gate does: a check warns, the promotion to the last environment blocks. */
export type InconclusivePolicy = 'warn' | 'block';

/**
 * The verdict of a paired difference with bounds L and U, oriented so that more is better: `better` L > 0; `non-inferior`
 * L > −margin; `worse` U < −margin; else `inconclusive`. All from the printed decimals, so that a reader can check it.
 */
export function pairedVerdict(
  direction: Gate['direction'],
  interval: readonly [string, string],
  margin: string,
): Measurement {
  const first = fromDecimal(interval[0]);
  const second = fromDecimal(interval[1]);
  const low = direction === 'higher' ? first : -second;
  const high = direction === 'higher' ? second : -first;
  const allowed = fromDecimal(margin);
  if (low > 0) return 'better';
  if (low > -allowed) return 'non-inferior';
  if (high < -allowed) return 'worse';
  return 'inconclusive';
}

export function boundsVerdict(value: string, min: string | null, max: string | null): Measurement {
  const number = fromDecimal(value);
  return (min === null || number >= fromDecimal(min)) && (max === null || number <= fromDecimal(max))
    ? 'within'
    : 'outside';
}

/** What the gate makes of a measurement. */
export function gateVerdict(
  measurement: Measurement,
  severity: Gate['severity'],
  inconclusive: InconclusivePolicy,
): Verdict {
  switch (measurement) {
    case 'better':
    case 'non-inferior':
    case 'within':
      return 'pass';
    case 'worse':
    case 'outside':
    case 'not-comparable':
      return severity === 'warn' ? 'warn' : 'fail';
    case 'inconclusive':
    case 'insufficient':
      return inconclusive === 'block' && severity === 'error' ? 'inconclusive' : 'warn';
  }
}

export type Frame = { gate: Gate; inconclusive: InconclusivePolicy };

export function hasBounds(gate: { min?: unknown; max?: unknown }): boolean {
  return (gate.min ?? null) !== null || (gate.max ?? null) !== null;
}

/** The loss that a share of production's value allows. @returns null for a value of 0, of which every share is nothing */
export function relativeMargin(relative: number, production: string): number | null {
  const value = Math.abs(fromDecimal(production));
  return value === 0 ? null : fromDecimal(toDecimal(relative * value));
}

/** The gate with its margin in the metric's unit, or why it has none. */
function withMargin({ relative, ...gate }: Gate, production: number): Gate | string {
  if (relative === undefined) return gate;
  const margin = relativeMargin(relative, toDecimal(production));
  return margin === null
    ? "production's value is 0, and a share of 0 is nothing: give an absolute `margin`"
    : { ...gate, relative, margin };
}

function base({ gate }: Frame): Omit<ComparedMetric, 'verdict' | 'gate'> {
  return {
    name: gate.metric,
    direction: gate.direction,
    production: null,
    candidate: null,
    delta: null,
    interval: null,
    level: null,
    method: null,
    margin: gate.margin === undefined ? null : toDecimal(gate.margin),
    ...(gate.relative === undefined ? {} : { relative: toDecimal(gate.relative) }),
    min: gate.min === undefined ? null : toDecimal(gate.min),
    max: gate.max === undefined ? null : toDecimal(gate.max),
    severity: gate.severity,
    rowsNeeded: null,
    reason: null,
  };
}

/**
 * A gate on a paired measurement; an absolute bound that is broken outweighs the comparison. Under `minRows` rows no
 * interval is trusted: the comparison is `insufficient`, and does what an undecided one does.
 * @param counted null for what isn't measured on rows
 */
export function judgePaired(frame: Frame, measured: PairedMeasurement, counted: CountedRows | null): ComparedMetric {
  const { inconclusive } = frame;
  const gate = withMargin(frame.gate, measured.production);
  if (typeof gate === 'string') return judgeWithoutMargin(frame, gate, measured);
  const start = base({ gate, inconclusive });
  const candidate = toDecimal(measured.candidate);
  const told = (difference: number) => toldDifference(difference, measured);
  const interval: [string, string] | null =
    measured.interval === null ? null : [told(measured.interval[0]), told(measured.interval[1])];
  const bounds = hasBounds(start) ? boundsVerdict(candidate, start.min, start.max) : null;
  const tooFew = start.margin === null ? null : insufficiency(gate, measured, counted);
  const paired =
    start.margin === null
      ? null
      : tooFew !== null || interval === null
        ? 'insufficient'
        : pairedVerdict(gate.direction, interval, start.margin);
  const verdict = bounds === 'outside' || paired === null ? (bounds ?? 'not-comparable') : paired;
  const needed = whatDecides(verdict, gate, measured, counted);
  return {
    ...start,
    production: toDecimal(measured.production),
    candidate,
    delta: told(measured.delta),
    interval,
    level: toDecimal(measured.level),
    method: measured.method,
    verdict,
    gate: gateVerdict(verdict, gate.severity, inconclusive),
    rowsNeeded: needed.rows,
    reason: tooFew,
    ...equalityOf(measured),
    ...seedsOf(measured, needed.seeds),
  };
}

/** What differs by less than the last printed digit of the values is how sums were rounded: as much as no difference. */
function toldDifference(difference: number, { production, candidate }: PairedMeasurement): string {
  const least = 1e-12 * Math.max(Math.abs(production), Math.abs(candidate));
  return toDecimal(Math.abs(difference) < least ? 0 : difference);
}

/** Beside a verdict, never behind one. */
function equalityOf({ interval, equality }: PairedMeasurement): Pick<ComparedMetric, 'equality'> {
  if (interval === null || equality === undefined) return {};
  return { equality: { test: equality.test, pValue: toDecimal(equality.pValue) } };
}

/** Rows, and those of them that say something of a metric. */
export type CountedRows = { rows: number; counting: number };

/** Why the rows are fewer than the gate needs, or null. One that weighs nothing says nothing. */
export function fewRows({ minRows }: Gate, { rows, counting }: CountedRows): string | null {
  if (counting >= minRows) return null;
  const said = counting === rows ? `${rows} rows` : `${counting} of ${rows} rows weigh more than 0`;
  return `${said}; ${minRows} are needed`;
}

function insufficiency(gate: Gate, measured: PairedMeasurement, counted: CountedRows | null): string | null {
  const few = counted === null ? null : fewRows(gate, counted);
  if (few !== null) return few;
  return measured.interval === null ? measured.problem : null;
}

/** More rows than anybody has are no advice. */
const mostRows = 1e12;

/** What would decide where it is undecided: rows, and for several training seeds as well more of them. */
function whatDecides(
  verdict: Measurement,
  gate: Gate,
  measured: PairedMeasurement,
  counted: CountedRows | null,
): { rows: number | null; seeds: number | null } {
  const nothing = { rows: null, seeds: null };
  if (counted === null) return nothing;
  const { rows, counting } = counted;
  if (verdict === 'insufficient') {
    // Of more rows as many weigh nothing.
    const enough = counting === 0 ? null : Math.ceil((gate.minRows * rows) / counting);
    return { ...nothing, rows: counting < gate.minRows ? enough : null };
  }
  if (verdict !== 'inconclusive' || gate.margin === undefined || measured.interval === null) return nothing;
  const delta = gate.direction === 'higher' ? measured.delta : -measured.delta;
  if (measured.seeds !== undefined) return measured.seeds.needed(delta, gate.margin);
  const needed = rowsToDecide(
    { rows, delta, standardError: standardErrorOf(measured.interval, measured.level), margin: gate.margin },
    { alpha: (1 - measured.level) / 2 },
  );
  return { ...nothing, rows: needed === null || needed > mostRows ? null : Math.max(needed, rows + 1) };
}

function seedsOf({ seeds }: PairedMeasurement, needed: number | null): Pick<ComparedMetric, 'seeds'> {
  if (seeds === undefined) return {};
  const spread = ({ lowest, highest, standardDeviation }: SeedSpread) => ({
    lowest: toDecimal(lowest),
    highest: toDecimal(highest),
    standardDeviation: standardDeviation === null ? null : toDecimal(standardDeviation),
  });
  return {
    seeds: {
      production: spread(seeds.production),
      candidate: spread(seeds.candidate),
      rowError: toDecimal(seeds.rowError),
      seedError: toDecimal(seeds.seedError),
      degreesOfFreedom: toDecimal(seeds.degreesOfFreedom),
      needed,
    },
  };
}

/** A gate where only the candidate has a value: absolute bounds decide, a margin has no baseline. */
export function judgeAlone(frame: Frame, value: number, production: number | null, reason: string): ComparedMetric {
  const start = base(frame);
  const candidate = toDecimal(value);
  const bounded = hasBounds(start);
  const verdict = bounded ? boundsVerdict(candidate, start.min, start.max) : 'not-comparable';
  return {
    ...start,
    production: production === null ? null : toDecimal(production),
    candidate,
    delta: production === null ? null : toDecimal(value - production),
    verdict,
    gate: bounded ? gateVerdict(verdict, frame.gate.severity, frame.inconclusive) : 'skipped',
    reason: isComparative(frame.gate) ? reason : null,
  };
}

/** How a comparison of two numbers calls itself. */
const unpairedMethod = 'unpaired: two numbers, no interval';

/**
 * A gate on two numbers that nobody can resample. Chance is not taken into account, so that it is never `better` or
 * `non-inferior`: with a margin it is `within` or `outside` production's number less the margin.
 */
export function judgeUnpaired(frame: Frame, candidate: number, production: number): ComparedMetric {
  const gate = withMargin(frame.gate, production);
  if (typeof gate === 'string') return judgeWithoutMargin(frame, gate, { production, candidate });
  const start = base({ ...frame, gate });
  const value = toDecimal(candidate);
  const before = toDecimal(production);
  const bounds = boundsVerdict(value, start.min, start.max);
  const isWithin =
    bounds === 'within' && (start.margin === null || isWithinMargin(frame.gate.direction, value, before, start.margin));
  const verdict = isWithin ? 'within' : 'outside';
  return {
    ...start,
    production: before,
    candidate: value,
    delta: printedChange(value, before),
    method: unpairedMethod,
    verdict,
    gate: gateVerdict(verdict, frame.gate.severity, frame.inconclusive),
    reason: 'numbers that were not measured on the same rows by Passloop: chance is not taken into account',
  };
}

/** A gate on the sizes of the two images, which chance has no part in. */
export function judgeSizes(frame: Frame, candidate: number, production: number): ComparedMetric {
  const judged = judgeUnpaired(frame, candidate, production);
  return judged.method === null ? judged : { ...judged, method: 'sizes of both images', reason: null };
}

/** What lies between two numbers as they are printed. */
function printedChange(candidate: string, production: string): string {
  return toDecimal(fromDecimal(candidate) - fromDecimal(production));
}

/** Whether a number is no worse than production's by more than the margin, as they are printed. */
export function isWithinMargin(
  direction: Gate['direction'],
  candidate: string,
  production: string,
  margin: string,
): boolean {
  const change = fromDecimal(printedChange(candidate, production));
  return (direction === 'higher' ? change : -change) >= -fromDecimal(margin);
}

/** A gate whose margin is a share of nothing: what both have is shown, and nothing is compared. */
function judgeWithoutMargin(
  frame: Frame,
  reason: string,
  { production, candidate }: { production: number; candidate: number },
): ComparedMetric {
  const [before, value] = [toDecimal(production), toDecimal(candidate)];
  return {
    ...judgeMissing(frame, reason),
    production: before,
    candidate: value,
    delta: printedChange(value, before),
  };
}

/** A gate that could not be measured: never a pass. */
export function judgeMissing(frame: Frame, reason: string): ComparedMetric {
  return {
    ...base(frame),
    verdict: 'not-comparable',
    gate: gateVerdict('not-comparable', frame.gate.severity, frame.inconclusive),
    reason,
  };
}

/** A gate whose rows are too few to say anything: undecided. */
export function judgeInsufficient(frame: Frame, reason: string): ComparedMetric {
  const { severity } = frame.gate;
  return {
    ...judgeMissing(frame, reason),
    verdict: 'insufficient',
    gate: gateVerdict('insufficient', severity, frame.inconclusive),
  };
}
