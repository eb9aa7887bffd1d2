import type { Check } from '../checks.ts';
import { durationMs } from '../health.ts';

type CheckOf<K extends Check['kind']> = Extract<Check, { kind: K }>;

/** Whether a field's new value stops all that the old one stopped; the checks themselves where that depends on more. */
type StopsAsMuch<K extends Check['kind'], F extends keyof CheckOf<K>> = (
  from: CheckOf<K>[F],
  to: CheckOf<K>[F],
  base: CheckOf<K>,
  head: CheckOf<K>,
) => boolean;

/**
 * For each kind of check the fields whose changes can be judged, and how. A field that is not here must stay as it is: nobody knows what another
 * `where`, column, pattern or exception lets through.
 */
const directions: { [K in Check['kind']]: { [F in keyof CheckOf<K>]?: StopsAsMuch<K, F> } } = {
  columns: { types: covers, exact: isOn, ordered: isOn },
  'column-count': { min: isAtLeast, max: isAtMost },
  type: { types: isWithin },
  'row-count': { min: isAtLeast, max: isAtMost },
  'not-null': { mostly: isAtLeast },
  'null-like': {
    values: (from, to) => from !== undefined && to !== undefined && isWithin(to, from),
    mostly: isAtLeast,
  },
  finite: { mostly: isAtLeast },
  range: { min: isAtLeast, max: isAtMost, mostly: isAtLeast },
  set: { values: isWithin, mostly: isAtLeast },
  'not-in-set': { values: (from, to) => isWithin(to, from), mostly: isAtLeast },
  regex: {
    // The whole of a text is harder to match than some of it, and so easier not to match.
    full: (_from, to, base, head) => base.not === head.not && to !== head.not,
    mostly: isAtLeast,
  },
  like: { mostly: isAtLeast },
  length: { min: isAtLeast, max: isAtMost, mostly: isAtLeast },
  expression: { mostly: isAtLeast },
  aggregate: { min: isAtLeast, max: isAtMost },
  quantile: { min: isAtLeast, max: isAtMost },
  constant: { below: isAtMost },
  'class-balance': { min: isAtLeast },
  monotonic: { strict: isOn },
  freshness: { within: (from, to) => durationMs(to) <= durationMs(from) },
  correlation: { min: isAtLeast, max: isAtMost },
  association: { max: isAtMost },
  outliers: { k: isBelowKnown, mostly: isAtLeast },
  variants: {},
  'identifier-like': { below: isAtMost },
  unique: {},
  'duplicate-rows': { max: isAtMost },
  'duplicate-columns': { share: isAtMost },
  references: { mostly: isAtLeast },
  'known-values': { mostly: isAtLeast },
  'row-ratio': { min: isAtLeast, max: isAtMost },
  'conflicting-labels': { max: isAtMost },
  'label-power': { max: isAtMost, maxChange: isBelowKnown },
  leakage: { max: isAtMost },
  history: { k: isAtMost },
  drift: {
    // Where some columns may drift, one that becomes decided may be one of them; and another tool's may be of p-values.
    threshold: (from, to, _base, head) =>
      head.compat === undefined && (head.maxShare ?? 0) === 0 && isBelowKnown(from, to),
    maxShare: (from, to) => (to ?? 0) <= (from ?? 0),
    driftShare: (from, to) => from !== undefined && to !== undefined && to <= from,
  },
};

/** Whether `head` lets through what `base` stops, or could. Only what is surely as tight counts as tight. */
export function checkLoosens(base: Check, head: Check): boolean {
  if (base.kind !== head.kind || (base.severity === 'error' && head.severity === 'warn')) return true;
  const judged = directions[base.kind] as Record<string, StopsAsMuch<Check['kind'], 'kind'> | undefined>;
  const [before, after] = [base, head] as unknown as Record<string, never>[];
  const fields = new Set([...Object.keys(base), ...Object.keys(head)]);
  fields.delete('severity');
  return [...fields].some((name) => {
    const [from, to] = [before?.[name], after?.[name]] as [never, never];
    if (JSON.stringify(from) === JSON.stringify(to)) return false;
    return judged[name]?.(from, to, base as never, head as never) !== true;
  });
}

type Bound = number | string | undefined;

/** A lower bound: a higher one stops more, and none nothing. */
function isAtLeast(from: Bound, to: Bound): boolean {
  return from === undefined || (areComparable(from, to) && to >= from);
}

function isAtMost(from: Bound, to: Bound): boolean {
  return from === undefined || (areComparable(from, to) && to <= from);
}

/** Numbers, and days as ISO writes them: their order is that of the texts. */
function areComparable(from: number | string, to: Bound): to is number | string {
  if (typeof from === 'number') return typeof to === 'number';
  return [from, to].every(isDay);
}

function isDay(bound: Bound): boolean {
  const day = String(bound);
  const parsed = /^\d{4}-\d\d-\d\d$/.test(day) ? new Date(day) : null;
  return parsed !== null && !Number.isNaN(parsed.valueOf()) && parsed.toISOString().startsWith(day);
}

/** An upper bound whose default is another one for each method. */
function isBelowKnown(from: number | undefined, to: number | undefined): boolean {
  return from !== undefined && to !== undefined && to <= from;
}

function isOn(_from: boolean, to: boolean): boolean {
  return to;
}

function isWithin(from: readonly unknown[], to: readonly unknown[]): boolean {
  const known = new Set(from.map((value) => JSON.stringify(value)));
  return to.every((value) => known.has(JSON.stringify(value)));
}

/** All columns of `from`, each with its type, and in their order where one counts. More of them stop more, unless no other was allowed. */
function covers(
  from: Readonly<Record<string, string>>,
  to: Readonly<Record<string, string>>,
  base: CheckOf<'columns'>,
): boolean {
  const names = Object.keys(from);
  const kept = Object.keys(to).filter((name) => Object.hasOwn(from, name));
  if (names.length === 0 || kept.length !== names.length || names.some((name) => to[name] !== from[name])) return false;
  if (base.ordered && names.some((name, at) => name !== kept[at])) return false;
  return !base.exact || Object.keys(to).length === names.length;
}
