import { toDecimal } from '@passloop/core';
import type { CheckResult } from '@passloop/documents';
import { quoteIdentifier, quoteText } from '@passloop/tables';
import {
  brokenVerdict,
  type CheckContext,
  type CheckOf,
  columnOf,
  failingQuery,
  notExecuted,
  type PlannedCheck,
  resultOf,
} from '../check.ts';
import { percent, reaches } from '../share.ts';
import { distinctCounts, finiteValues, madScale, momentsOf, quantilesOf } from './column-numbers.ts';
import { boundless, conditionOf, numbersOf, rowless } from './judged-rows.ts';
import { textOf } from './value-rules.ts';

const usualFactors = { iqr: 1.5, z: 3, mad: 3.5 } as const;

export async function planOutliers(check: CheckOf<'outliers'>, context: CheckContext): Promise<PlannedCheck> {
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
      if (limits === 'equal') {
        const reason = `not executed: half of the values are equal, so that ${check.method} has no spread to go by; take z`;
        return resultOf(check, { verdict: 'fail', expected, failingRows: 0, reason });
      }
      if (!limits.every(Number.isFinite))
        return resultOf(check, { verdict: 'fail', expected, failingRows: 0, reason: boundless });
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
        observed: `${broken} of ${rows} values are outside ${toDecimal(low)} .. ${toDecimal(high)} (${percent(broken, rows)})`,
        failingRows: broken,
        sql: failingQuery(table, failing),
      });
    },
  };
  return planned;

  async function fences(): Promise<[number, number] | 'equal' | null> {
    if (check.method === 'z') {
      const moments = await momentsOf(context, values);
      if (moments === null) return null;
      const reach = k * (moments.sd ?? 0);
      return [moments.mean - reach, moments.mean + reach];
    }
    const quartiles = await quantilesOf(session, values, [0.25, 0.5, 0.75]);
    if (quartiles === null) return null;
    const [low, median, high] = quartiles as [number, number, number];
    if (check.method === 'iqr' && low === high) return 'equal';
    if (check.method === 'iqr') return [low - k * (high - low), high + k * (high - low)];
    const [deviation = 0] =
      (await quantilesOf(session, `SELECT abs(v - '${median}'::DOUBLE) AS v FROM (${values})`, [0.5])) ?? [];
    if (deviation === 0) return 'equal';
    const reach = k * madScale * deviation;
    return [median - reach, median + reach];
  }
}

/** Values that people take for one. */
export function planVariants(check: CheckOf<'variants'>, { session, table }: CheckContext): PlannedCheck {
  const expected = 'each value in one spelling';
  const column = columnOf(table, check.column);
  if (typeof column === 'string') return notExecuted(check, expected, column);
  if (column.type !== 'string')
    return notExecuted(check, expected, `\`${column.name}\` is ${column.type}; variants needs text`);
  const name = textOf(column);
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
export function planIdentifierLike(check: CheckOf<'identifier-like'>, { session, table }: CheckContext): PlannedCheck {
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
  return {
    async finish() {
      if (table.rows === 0) return resultOf(check, { verdict: 'fail', expected, reason: rowless });
      const counts = await distinctCounts(session, table, judged);
      const found = judged.filter((_, at) => {
        const { present, distinct } = counts[at] as (typeof counts)[number];
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
