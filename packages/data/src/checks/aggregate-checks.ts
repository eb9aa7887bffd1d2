import { plainText, toDecimal } from '@passloop/core';
import { durationMs } from '@passloop/model';
import { isNumeric, isTemporal, quoteIdentifier, type TableColumn } from '@passloop/tables';
import { countIf, extreme, extremesNote, extremeValue } from '../cells.ts';
import {
  boundsText,
  brokenVerdict,
  type CheckContext,
  type CheckOf,
  columnOf,
  notExecuted,
  type PlannedCheck,
  resultOf,
} from '../check.ts';
import type { ScanAnswer } from '../plan.ts';
import { percent, reaches } from '../share.ts';
import { finiteValues, momentsOf, quantilesOf } from './column-numbers.ts';
import { boundless, conditionOf, isBetween, numbersOf, rowless } from './judged-rows.ts';
import { boundLiteral } from './value-rules.ts';

/** A number of a column within bounds. Sums are of integers, or of fixed points: no order of rows changes a digit. */
export async function planAggregate(check: CheckOf<'aggregate'>, context: CheckContext): Promise<PlannedCheck> {
  const { table } = context;
  const expected = `${check.function} ${boundsText(check.min, check.max) ?? 'within bounds'}`;
  const column = columnOf(table, check.column);
  if (typeof column === 'string') return notExecuted(check, expected, column);
  if (check.min === undefined && check.max === undefined)
    return notExecuted(check, expected, 'it has neither `min` nor `max`');
  const condition = await conditionOf(check.where, context);
  if (typeof condition === 'string') return notExecuted(check, expected, condition);
  const isCount = ['distinct', 'distinct-share', 'null-share'].includes(check.function);
  const isExtreme = check.function === 'min' || check.function === 'max';
  if (!isCount && !isNumeric(column.type) && !(isExtreme && isTemporal(column.type)))
    return notExecuted(check, expected, `\`${column.name}\` is ${column.type}; ${check.function} needs numbers`);
  // What the engine knows exactly it compares exactly; of floats, and of what is computed from them, the printed number decides.
  const isExact = (isExtreme || check.function === 'sum') && column.type !== 'float';
  const bounds = [check.min, check.max].map((bound) => {
    if (bound === undefined) return null;
    return isExact ? boundLiteral(bound, column) : Number(bound);
  });
  const isWrong = [check.min, check.max].some((bound, at) => bound !== undefined && !isBound(bounds[at] ?? null));
  if (isWrong)
    return notExecuted(check, expected, `a bound is none for \`${plainText(column.name)}\`, which is ${column.type}`);
  const where = condition.sql === null ? '' : ` WHERE ${condition.sql}`;
  const read = planNumber(check.function, column, context, condition.sql);
  const inside = isExact ? planExact(check, column, context, condition.sql, bounds) : null;
  return {
    async finish(answer) {
      const found = await read(answer);
      if (found === null) return resultOf(check, { verdict: 'fail', expected, reason: rowless });
      if (typeof found === 'number' && !Number.isFinite(found))
        return resultOf(check, { verdict: 'fail', expected, reason: boundless });
      const holds =
        inside === null
          ? isBetween(
              Number(found),
              bounds.map((bound) => bound as number | null),
            )
          : inside(answer);
      return resultOf(check, {
        verdict: holds ? 'pass' : brokenVerdict(check),
        expected,
        observed: `${check.function} ${typeof found === 'number' ? toDecimal(found) : found}`,
        sql: `SELECT ${printedAggregate(check.function, column)} FROM ${table.printed}${where}`,
      });
    },
  };
}

function isBound(bound: string | number | null): boolean {
  return typeof bound === 'string' || (typeof bound === 'number' && Number.isFinite(bound));
}

/** Whether the engine finds the value within its bounds, asked in the shared scan. */
function planExact(
  { function: name }: CheckOf<'aggregate'>,
  column: TableColumn,
  { plan }: CheckContext,
  where: string | null,
  [low, high]: readonly (string | number | null)[],
): (answer: ScanAnswer) => boolean {
  const value = name === 'min' || name === 'max' ? extremeValue(name, column, where) : sumOf(column, where);
  const slots = [low == null ? null : `${value} >= ${low}`, high == null ? null : `${value} <= ${high}`]
    .filter((condition) => condition !== null)
    .map((condition) => plan.add(`(${condition})::VARCHAR`, name === 'sum' ? null : extremesNote(column, where)));
  return (answer) => slots.every((slot) => answer.text(slot) === 'true');
}

function sumOf(column: TableColumn, where: string | null): string {
  const quoted = quoteIdentifier(column.name);
  return `sum(${where === null ? quoted : `CASE WHEN ${where} THEN ${quoted} END`})`;
}

type ReadNumber = (answer: ScanAnswer) => Promise<number | string | null>;

/** What the shared scan can answer is planned into it; the rest is asked once for all checks of the column. */
function planNumber(
  name: CheckOf<'aggregate'>['function'],
  column: TableColumn,
  context: CheckContext,
  where: string | null,
): ReadNumber {
  const { session, table, plan, once } = context;
  const quoted = quoteIdentifier(column.name);
  const among = (sql: string) => (where === null ? sql : `CASE WHEN ${where} THEN ${sql} END`);
  switch (name) {
    case 'min':
    case 'max': {
      const slot = plan.add(extreme(name, column, where), extremesNote(column, where));
      return async (answer) => {
        const text = answer.text(slot);
        return text === null || column.type !== 'float' ? text : Number(text);
      };
    }
    case 'null-share': {
      const [rows, nulls] = [
        plan.add(`count(${among('1')})`),
        plan.add(countIf([where, `${quoted} IS NULL`].filter(Boolean).join(' AND '))),
      ];
      return async (answer) => (answer.count(rows) === 0 ? null : answer.count(nulls) / answer.count(rows));
    }
    case 'distinct':
    case 'distinct-share':
      return async () => {
        const query = `SELECT count(*), count(${quoted}), count(DISTINCT ${quoted}) FROM ${table.relation}${where === null ? '' : ` WHERE ${where}`}`;
        const [row] = await once(query, () => session.rows(query));
        const [rows, present, distinct] = (row ?? []).map(Number) as [number, number, number];
        if (rows === 0) return null;
        if (name === 'distinct') return distinct;
        return present === 0 ? null : distinct / present;
      };
    case 'median':
      return async () => (await quantilesOf(session, finiteValues(table, column, where), [0.5]))?.[0] ?? null;
    case 'sum':
      if (column.type !== 'float') {
        const slot = plan.add(`${sumOf(column, where)}::VARCHAR`);
        return async (answer) => answer.text(slot);
      }
      break;
    default:
      break;
  }
  return async () => {
    const moments = await momentsOf(context, finiteValues(table, column, where));
    if (moments === null) return null;
    if (name === 'mean') return moments.mean;
    // The mean is rounded once; its product with a whole number by one unit of the last place.
    if (name === 'sum') return moments.mean * moments.rows;
    return moments.sd === null ? null : name === 'sd' ? moments.sd : moments.sd ** 2;
  };
}

function printedAggregate(name: CheckOf<'aggregate'>['function'], { name: column }: TableColumn): string {
  const quoted = quoteIdentifier(column);
  const forms = {
    min: `min(${quoted})`,
    max: `max(${quoted})`,
    sum: `sum(${quoted})`,
    mean: `avg(${quoted})`,
    median: `median(${quoted})`,
    sd: `stddev_samp(${quoted})`,
    variance: `var_samp(${quoted})`,
    distinct: `count(DISTINCT ${quoted})`,
    'distinct-share': `count(DISTINCT ${quoted}) / count(${quoted})`,
    'null-share': `count_if(${quoted} IS NULL) / count(*)`,
  };
  return forms[name];
}

export async function planQuantile(check: CheckOf<'quantile'>, context: CheckContext): Promise<PlannedCheck> {
  const { session, table } = context;
  const expected = `quantile ${check.at} ${boundsText(check.min, check.max) ?? 'within bounds'}`;
  const column = numbersOf(check.column, context);
  if (typeof column === 'string') return notExecuted(check, expected, column);
  if (check.min === undefined && check.max === undefined)
    return notExecuted(check, expected, 'it has neither `min` nor `max`');
  const condition = await conditionOf(check.where, context);
  if (typeof condition === 'string') return notExecuted(check, expected, condition);
  const where = condition.sql === null ? '' : ` WHERE ${condition.sql}`;
  return {
    async finish() {
      const [value] = (await quantilesOf(session, finiteValues(table, column, condition.sql), [check.at])) ?? [];
      if (value === undefined) return resultOf(check, { verdict: 'fail', expected, reason: rowless });
      if (!Number.isFinite(value)) return resultOf(check, { verdict: 'fail', expected, reason: boundless });
      return resultOf(check, {
        verdict: isBetween(value, [check.min ?? null, check.max ?? null]) ? 'pass' : brokenVerdict(check),
        expected,
        observed: toDecimal(value),
        sql: `SELECT quantile_cont(${quoteIdentifier(column.name)}, ${check.at}) FROM ${table.printed}${where}`,
      });
    },
  };
}

/** The most frequent value, or the rarest class. */
export function planFrequency(
  check: CheckOf<'constant' | 'class-balance'>,
  { session, table }: CheckContext,
): PlannedCheck {
  const isConstant = check.kind === 'constant';
  const expected = isConstant
    ? `no value in ${check.below === 1 ? 'all' : `${percent(check.below, 1)}`} of the rows`
    : `each class in at least ${percent(check.min, 1)} of the rows`;
  const column = columnOf(table, check.column);
  if (typeof column === 'string') return notExecuted(check, expected, column);
  const name = quoteIdentifier(column.name);
  const groups = (relation: string) =>
    `SELECT ${name} AS value, count(*) AS n FROM ${relation}${isConstant ? '' : ` WHERE ${name} IS NOT NULL`} GROUP BY 1`;
  return {
    async finish() {
      const [row] = await session.rows(
        `SELECT count(*), sum(n)::BIGINT, min(n), max(n) FROM (${groups(table.relation)})`,
      );
      const [classes, rows, fewest, most] = (row ?? []).map(Number) as [number, number, number, number];
      if (classes === 0) return resultOf(check, { verdict: 'fail', expected, reason: rowless });
      // One class alone is no balance.
      const isBroken = isConstant ? reaches(most, rows, check.below) : classes < 2 || !reaches(fewest, rows, check.min);
      const observed = isConstant
        ? `the most frequent of ${classes} values has ${most} of ${rows} rows (${percent(most, rows)})`
        : `the rarest of ${classes} classes has ${fewest} of ${rows} rows (${percent(fewest, rows)})`;
      return resultOf(check, {
        verdict: isBroken ? brokenVerdict(check) : 'pass',
        expected,
        observed,
        sql: `${groups(table.printed)} ORDER BY n ${isConstant ? 'DESC' : ''}`.trimEnd(),
      });
    },
  };
}

/** Each value at least the one before, by the order of another column. */
export function planMonotonic(check: CheckOf<'monotonic'>, { session, table }: CheckContext): PlannedCheck {
  const expected = `${check.strict ? 'strictly ' : ''}${check.direction} by ${check.by}`;
  for (const wanted of [check.column, check.by]) {
    const found = columnOf(table, wanted);
    if (typeof found === 'string') return notExecuted(check, expected, found);
  }
  const [name, by] = [quoteIdentifier(check.column), quoteIdentifier(check.by)];
  const sign = check.direction === 'increasing' ? (check.strict ? '<=' : '<') : check.strict ? '>=' : '>';
  // Where several rows have one place in the order, theirs is that of their values: nothing is said of them.
  const order = `${by}, ${name}${check.direction === 'increasing' ? '' : ' DESC'}`;
  const query = (relation: string) =>
    `SELECT * FROM ${relation} WHERE ${name} IS NOT NULL AND ${by} IS NOT NULL QUALIFY ${name} ${sign} lag(${name}) OVER (ORDER BY ${order})`;
  return {
    failing: { query: query(table.relation) },
    async finish() {
      const [row] = await session.rows(
        `SELECT (SELECT count(*) FROM (${query(table.relation)})), count_if(${name} IS NOT NULL AND ${by} IS NOT NULL) FROM ${table.relation}`,
      );
      const [broken, rows] = (row ?? []).map(Number) as [number, number];
      if (rows === 0) return resultOf(check, { verdict: 'fail', expected, failingRows: 0, reason: rowless });
      return resultOf(check, {
        verdict: broken === 0 ? 'pass' : brokenVerdict(check),
        expected,
        observed: `${broken} of ${rows} rows are on the wrong side of the one before`,
        failingRows: broken,
        sql: query(table.printed),
      });
    },
  };
}

/** The newest time, against the clock. */
export function planFreshness(check: CheckOf<'freshness'>, { table, plan, now }: CheckContext): PlannedCheck {
  const expected = `at most ${check.within} old`;
  const column = columnOf(table, check.column);
  if (typeof column === 'string') return notExecuted(check, expected, column);
  if (column.type !== 'date' && column.type !== 'timestamp')
    return notExecuted(check, expected, `\`${column.name}\` is ${column.type}; freshness needs dates or timestamps`);
  const largest = `max(${quoteIdentifier(column.name)})`;
  const slot = plan.add(`epoch_ms(${largest}::TIMESTAMPTZ)::VARCHAR`, extremesNote(column));
  const written = plan.add(`${largest}::VARCHAR`, extremesNote(column));
  const sql = `SELECT ${largest} FROM ${table.printed}`;
  return {
    finish(answer) {
      const text = answer.text(written);
      if (text === null) return resultOf(check, { verdict: 'fail', expected, reason: rowless });
      // An infinite time has no milliseconds.
      const newest = Number(answer.text(slot) ?? text.replace('infinity', 'Infinity'));
      const age = now.getTime() - newest;
      // A time of the future would hide how old the rest is.
      const fresh = age >= 0 && age <= durationMs(check.within);
      const date = new Date(newest);
      const shown = Number.isNaN(date.getTime()) ? text : date.toISOString().replace('.000Z', 'Z');
      return resultOf(check, {
        verdict: fresh ? 'pass' : brokenVerdict(check),
        expected,
        observed: `the newest is ${shown}, ${age < 0 ? 'in the future' : `${Math.floor(age / 60_000)} minutes old`}`,
        sql,
      });
    },
  };
}
