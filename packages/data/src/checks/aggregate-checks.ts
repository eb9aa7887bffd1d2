import { ConfigurationError, toDecimal } from '@passloop/core';
import type { CheckResult } from '@passloop/documents';
import { type Check, durationMs } from '@passloop/model';
import { cramersV } from '@passloop/statistics';
import {
  isNumeric,
  isTemporal,
  quoteIdentifier,
  quoteText,
  scalarExpression,
  type TableColumn,
} from '@passloop/tables';
import { extreme } from '../cells.ts';
import {
  boundsText,
  brokenVerdict,
  type CheckContext,
  columnOf,
  failingQuery,
  notExecuted,
  type PlannedCheck,
  resultOf,
} from '../check.ts';
import { percent, reaches } from '../share.ts';
import { correlationOf, finiteValues, momentsOf, quantilesOf } from './column-numbers.ts';

type Of<K extends Check['kind']> = Extract<Check, { kind: K }>;

const rowless = 'not executed: there is no row to judge';
const digits = (value: number) => toDecimal(value);

/** `where` as the engine prints it; a refusal where it isn't one condition over the row. */
async function conditionOf(
  text: string | undefined,
  { session, table }: CheckContext,
): Promise<{ sql: string | null } | string> {
  if (text === undefined) return { sql: null };
  try {
    return { sql: await scalarExpression(session, table, text) };
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    return error.message;
  }
}

/** A number of a column within bounds. Sums are of integers, or of fixed points: no order of rows changes a digit. */
export async function planAggregate(check: Of<'aggregate'>, context: CheckContext): Promise<PlannedCheck> {
  const { session, table } = context;
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
  const isText = isExtreme && isTemporal(column.type);
  const bounds = [check.min, check.max].map((bound) => (bound === undefined || isText ? null : Number(bound)));
  if (bounds.some((bound) => bound !== null && !Number.isFinite(bound)))
    return notExecuted(check, expected, 'a bound is no number');
  const where = condition.sql === null ? '' : ` WHERE ${condition.sql}`;
  return {
    async finish() {
      const found = await aggregateOf(check.function, column, context, condition.sql);
      if (found === null) return resultOf(check, { verdict: 'fail', expected, reason: rowless });
      const inside = isText ? isBetweenTexts(String(found), check) : isBetween(Number(found), bounds);
      return resultOf(check, {
        verdict: inside ? 'pass' : brokenVerdict(check),
        expected,
        observed: `${check.function} ${typeof found === 'number' ? digits(found) : found}`,
        sql: `SELECT ${printedAggregate(check.function, column)} FROM ${table.printed}${where}`,
      });
    },
  };

  async function aggregateOf(
    name: Of<'aggregate'>['function'],
    column: TableColumn,
    { session, table }: CheckContext,
    where: string | null,
  ): Promise<number | string | null> {
    const limit = where === null ? '' : ` WHERE ${where}`;
    const quoted = quoteIdentifier(column.name);
    switch (name) {
      case 'distinct':
      case 'distinct-share':
      case 'null-share': {
        const [row] = await session.rows(
          `SELECT count(*), count(${quoted}), ${name === 'null-share' ? '0' : `count(DISTINCT ${quoted})`} FROM ${table.relation}${limit}`,
        );
        const [rows, present, distinct] = (row ?? []).map(Number) as [number, number, number];
        if (rows === 0) return null;
        if (name === 'distinct') return distinct;
        if (name === 'null-share') return (rows - present) / rows;
        return present === 0 ? null : distinct / present;
      }
      case 'min':
      case 'max': {
        const [row] = await session.rows(`SELECT ${extreme(name, column, where)} FROM ${table.relation}`);
        const text = row?.[0] ?? null;
        return text === null ? null : isNumeric(column.type) ? Number(text) : String(text);
      }
      case 'median':
        return (await quantilesOf(session, finiteValues(table, column, where), [0.5]))?.[0] ?? null;
      default: {
        const moments = await momentsOf(session, finiteValues(table, column, where));
        if (moments === null) return null;
        if (name === 'mean') return moments.mean;
        if (name === 'sum') return column.type === 'float' ? moments.mean * moments.rows : exactSum(column, where);
        return moments.sd === null ? null : name === 'sd' ? moments.sd : moments.sd ** 2;
      }
    }
  }

  async function exactSum(column: TableColumn, where: string | null): Promise<number> {
    const limit = where === null ? '' : ` WHERE ${where}`;
    const [row] = await session.rows(
      `SELECT sum(${quoteIdentifier(column.name)})::VARCHAR FROM ${table.relation}${limit}`,
    );
    return Number(row?.[0] ?? 0);
  }
}

function isBetween(value: number, [min, max]: readonly (number | null)[]): boolean {
  // A gate decides on the printed value.
  const printed = Number(digits(value));
  return printed >= (min ?? Number.NEGATIVE_INFINITY) && printed <= (max ?? Number.POSITIVE_INFINITY);
}

/** ISO dates and times sort as text where both have the same form. */
function isBetweenTexts(value: string, { min, max }: Of<'aggregate'>): boolean {
  const plain = (text: string) => text.replace('T', ' ');
  const isAbove = min === undefined || plain(value) >= plain(String(min));
  return isAbove && (max === undefined || plain(value).slice(0, plain(String(max)).length) <= plain(String(max)));
}

function printedAggregate(name: Of<'aggregate'>['function'], { name: column }: TableColumn): string {
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

export async function planQuantile(check: Of<'quantile'>, context: CheckContext): Promise<PlannedCheck> {
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
      return resultOf(check, {
        verdict: isBetween(value, [check.min ?? null, check.max ?? null]) ? 'pass' : brokenVerdict(check),
        expected,
        observed: digits(value),
        sql: `SELECT quantile_cont(${quoteIdentifier(column.name)}, ${check.at}) FROM ${table.printed}${where}`,
      });
    },
  };
}

/** The most frequent value, or the rarest class. */
export function planFrequency(check: Of<'constant' | 'class-balance'>, { session, table }: CheckContext): PlannedCheck {
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
      const isBroken = isConstant ? reaches(most, rows, check.below) : !reaches(fewest, rows, check.min);
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
export function planMonotonic(check: Of<'monotonic'>, { session, table }: CheckContext): PlannedCheck {
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
export function planFreshness(check: Of<'freshness'>, { table, plan, now }: CheckContext): PlannedCheck {
  const expected = `at most ${check.within} old`;
  const column = columnOf(table, check.column);
  if (typeof column === 'string') return notExecuted(check, expected, column);
  if (column.type !== 'date' && column.type !== 'timestamp')
    return notExecuted(check, expected, `\`${column.name}\` is ${column.type}; freshness needs dates or timestamps`);
  const slot = plan.add(`epoch_ms(max(${quoteIdentifier(column.name)})::TIMESTAMPTZ)::VARCHAR`);
  const sql = `SELECT max(${quoteIdentifier(column.name)}) FROM ${table.printed}`;
  return {
    finish(answer) {
      const text = answer.text(slot);
      if (text === null) return resultOf(check, { verdict: 'fail', expected, reason: rowless });
      const newest = Number(text);
      const age = now.getTime() - newest;
      const fresh = age <= durationMs(check.within);
      const shown = new Date(newest).toISOString().replace('.000Z', 'Z');
      return resultOf(check, {
        verdict: fresh ? 'pass' : brokenVerdict(check),
        expected,
        observed: `the newest is ${shown}, ${age < 0 ? 'in the future' : `${Math.floor(age / 60_000)} minutes old`}`,
        sql,
      });
    },
  };
}

function numbersOf(name: string, { table }: CheckContext): TableColumn | string {
  const column = columnOf(table, name);
  if (typeof column === 'string' || isNumeric(column.type)) return column;
  return `\`${column.name}\` is ${column.type}; only numbers have that`;
}

export function planCorrelation(check: Of<'correlation'>, context: CheckContext): PlannedCheck {
  const { session, table } = context;
  const expected = `correlation ${boundsText(check.min, check.max) ?? 'within bounds'}`;
  if (check.min === undefined && check.max === undefined)
    return notExecuted(check, expected, 'it has neither `min` nor `max`');
  const [left, right] = check.columns.map((name) => numbersOf(name, context));
  if (left === undefined || right === undefined) return notExecuted(check, expected, 'it needs two columns');
  if (typeof left === 'string') return notExecuted(check, expected, left);
  if (typeof right === 'string') return notExecuted(check, expected, right);
  return {
    async finish() {
      const { rows, r } = await correlationOf(session, table, [left, right]);
      if (r === null)
        return resultOf(check, {
          verdict: 'fail',
          expected,
          reason: `not executed: a column is constant, or fewer than two of ${rows} rows have both`,
        });
      return resultOf(check, {
        verdict: isBetween(r, [check.min ?? null, check.max ?? null]) ? 'pass' : brokenVerdict(check),
        expected,
        observed: `${digits(r)} over ${rows} rows`,
        sql: `SELECT corr(${quoteIdentifier(left.name)}, ${quoteIdentifier(right.name)}) FROM ${table.printed}`,
      });
    },
  };
}

/** So many values of each column are held against each other; more would be identifiers. */
const mostValues = 1000;

export function planAssociation(check: Of<'association'>, { session, table }: CheckContext): PlannedCheck {
  const expected = `Cramer's V at most ${check.max}`;
  for (const name of check.columns) {
    const found = columnOf(table, name);
    if (typeof found === 'string') return notExecuted(check, expected, found);
  }
  const [left, right] = check.columns.map(quoteIdentifier) as [string, string];
  const groups = (relation: string) =>
    `SELECT ${left} AS a, ${right} AS b, count(*) AS n FROM ${relation} WHERE ${left} IS NOT NULL AND ${right} IS NOT NULL GROUP BY ALL`;
  return {
    async finish() {
      const counted = await session.rows(
        `SELECT a::VARCHAR, b::VARCHAR, n FROM (${groups(table.relation)}) ORDER BY 1, 2 LIMIT ${mostValues * mostValues + 1}`,
      );
      const rowsOf = new Map([...new Set(counted.map(([a]) => String(a)))].map((a, index) => [a, index]));
      const columnsOf = new Map([...new Set(counted.map(([, b]) => String(b)))].map((b, index) => [b, index]));
      if (rowsOf.size > mostValues || columnsOf.size > mostValues)
        return resultOf(check, {
          verdict: 'fail',
          expected,
          reason: `not executed: a column has more than ${mostValues} values`,
        });
      if (rowsOf.size < 2 || columnsOf.size < 2)
        return resultOf(check, { verdict: 'fail', expected, reason: 'not executed: a column has one value, or none' });
      const cells = Array.from({ length: rowsOf.size }, () => new Array<number>(columnsOf.size).fill(0));
      for (const [a, b, n] of counted) {
        const row = cells[rowsOf.get(String(a)) ?? 0];
        if (row !== undefined) row[columnsOf.get(String(b)) ?? 0] = Number(n);
      }
      const { v } = cramersV(cells);
      return resultOf(check, {
        verdict: isBetween(v, [null, check.max]) ? 'pass' : brokenVerdict(check),
        expected,
        observed: `${digits(v)} (${rowsOf.size} x ${columnsOf.size} values)`,
        sql: groups(table.printed),
      });
    },
  };
}

const usualFactors = { iqr: 1.5, z: 3, mad: 3.5 } as const;
/** 1 / quantile(normal, 0.75): a median deviation as the standard deviation of a normal distribution. */
const madScale = 1.4826022185056018;

export async function planOutliers(check: Of<'outliers'>, context: CheckContext): Promise<PlannedCheck> {
  const { session, table } = context;
  const k = check.k ?? usualFactors[check.method];
  const expected = `at most ${percent(1 - check.mostly, 1)} of values beyond ${k} ${check.method}`;
  const column = numbersOf(check.column, context);
  if (typeof column === 'string') return notExecuted(check, expected, column);
  const condition = await conditionOf(check.where, context);
  if (typeof condition === 'string') return notExecuted(check, expected, condition);
  const values = finiteValues(table, column, condition.sql);
  const name = quoteIdentifier(column.name);
  const planned: PlannedCheck = {
    async finish(): Promise<CheckResult> {
      const limits = await fences();
      if (limits === null) return resultOf(check, { verdict: 'fail', expected, failingRows: 0, reason: rowless });
      const [low, high] = limits;
      const beyond = `(${name}::DOUBLE < '${low}'::DOUBLE OR ${name}::DOUBLE > '${high}'::DOUBLE)`;
      const finite = column.type === 'float' ? `isfinite(${name})` : null;
      const failing = [condition.sql, finite, beyond].filter((part) => part !== null).join(' AND ');
      planned.failing = { condition: failing };
      const [row] = await session.rows(
        `SELECT count(*), (SELECT count(*) FROM ${table.relation} WHERE ${failing}) FROM (${values})`,
      );
      const [rows, broken] = (row ?? []).map(Number) as [number, number];
      return resultOf(check, {
        verdict: reaches(rows - broken, rows, check.mostly) ? 'pass' : brokenVerdict(check),
        expected,
        observed: `${broken} of ${rows} values are outside ${digits(low)} .. ${digits(high)} (${percent(broken, rows)})`,
        failingRows: broken,
        sql: failingQuery(table, failing),
      });
    },
  };
  return planned;

  async function fences(): Promise<[number, number] | null> {
    if (check.method === 'z') {
      const moments = await momentsOf(session, values);
      if (moments === null) return null;
      const reach = k * (moments.sd ?? 0);
      return [moments.mean - reach, moments.mean + reach];
    }
    const quartiles = await quantilesOf(session, values, [0.25, 0.5, 0.75]);
    if (quartiles === null) return null;
    const [low, median, high] = quartiles as [number, number, number];
    if (check.method === 'iqr') return [low - k * (high - low), high + k * (high - low)];
    const [deviation = 0] =
      (await quantilesOf(session, `SELECT abs(v - '${median}'::DOUBLE) AS v FROM (${values})`, [0.5])) ?? [];
    const reach = k * madScale * deviation;
    return [median - reach, median + reach];
  }
}

/** Values that people take for one. */
export function planVariants(check: Of<'variants'>, { session, table }: CheckContext): PlannedCheck {
  const expected = 'each value in one spelling';
  const column = columnOf(table, check.column);
  if (typeof column === 'string') return notExecuted(check, expected, column);
  if (column.type !== 'string')
    return notExecuted(check, expected, `\`${column.name}\` is ${column.type}; variants needs text`);
  const name = quoteIdentifier(column.name);
  const base = `regexp_replace(lower(strip_accents(${name})), ${quoteText('[\\s\\p{P}]+')}, '', 'g')`;
  const query = (relation: string) =>
    `SELECT ${base} AS base, count(DISTINCT ${name}) AS spellings, count(*) AS n FROM ${relation} WHERE ${name} IS NOT NULL GROUP BY 1 HAVING count(DISTINCT ${name}) > 1 AND base <> ''`;
  return {
    async finish() {
      const [row] = await session.rows(
        `SELECT count(*), coalesce(sum(n), 0)::BIGINT, (SELECT count(${name}) FROM ${table.relation}) FROM (${query(table.relation)})`,
      );
      const [groups, rows, judged] = (row ?? []).map(Number) as [number, number, number];
      if (judged === 0) return resultOf(check, { verdict: 'fail', expected, reason: rowless });
      return resultOf(check, {
        verdict: groups === 0 ? 'pass' : brokenVerdict(check),
        expected,
        observed: groups === 0 ? 'no value has two' : `${groups} values have several spellings, in ${rows} rows`,
        failingRows: rows,
        sql: query(table.printed),
      });
    },
  };
}

/** Columns in which nearly each row has a value of its own. */
export function planIdentifierLike(check: Of<'identifier-like'>, { session, table }: CheckContext): PlannedCheck {
  const expected = `no column with another value in ${percent(check.below, 1)} of its rows`;
  const names = check.columns ?? [];
  for (const name of [...names, ...check.except]) {
    const found = columnOf(table, name);
    if (typeof found === 'string') return notExecuted(check, expected, found);
  }
  const judged = table.columns.filter(({ name, type }) =>
    names.length > 0
      ? names.includes(name)
      : !check.except.includes(name) && (type === 'string' || type === 'integer' || type === 'decimal'),
  );
  if (judged.length === 0) return notExecuted(check, expected, 'there is no such column');
  const counts = judged.flatMap(({ name }) => [
    `count(${quoteIdentifier(name)})`,
    `count(DISTINCT ${quoteIdentifier(name)})`,
  ]);
  return {
    async finish() {
      if (table.rows === 0) return resultOf(check, { verdict: 'fail', expected, reason: rowless });
      const [row] = await session.rows(`SELECT ${counts.join(', ')} FROM ${table.relation}`);
      const found = judged.filter((_, index) => {
        const [present, distinct] = [Number(row?.[2 * index]), Number(row?.[2 * index + 1])];
        return present > 1 && reaches(distinct, present, check.below);
      });
      return resultOf(check, {
        verdict: found.length === 0 ? 'pass' : brokenVerdict(check),
        expected,
        observed: found.length === 0 ? `none of ${judged.length}` : found.map(({ name }) => name).join(', '),
        sql: `SELECT ${judged.map(({ name }) => `count(DISTINCT ${quoteIdentifier(name)}) / count(${quoteIdentifier(name)})`).join(', ')} FROM ${table.printed}`,
      });
    },
  };
}
