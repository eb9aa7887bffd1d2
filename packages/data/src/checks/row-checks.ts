import { ConfigurationError, plainText } from '@passloop/core';
import type { CheckResult } from '@passloop/documents';
import { isNumeric, quoteIdentifier, quoteScalar, quoteText, type TableColumn } from '@passloop/tables';
import { countIf, extreme } from '../cells.ts';
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
import type { ScanAnswer } from '../plan.ts';
import { percent, reaches } from '../share.ts';
import { conditionOf } from './judged-rows.ts';

export type RowCheck = CheckOf<
  'not-null' | 'null-like' | 'finite' | 'range' | 'set' | 'not-in-set' | 'regex' | 'like' | 'length' | 'expression'
>;

/** What a row check looks at: which rows it judges, and which of them break it, as SQL that is never NULL for the former. */
type Rule = {
  expected: string;
  judged: string | null;
  broken: string;
  /** What breaking is called: "12 of 100 rows are NULL". */
  words: string;
  extremes?: { minimum: string; maximum: string } | undefined;
};

/**
 * Checks that judge row by row. Rows are those of `where`; NULL is judged by `not-null` alone. `mostly` is compared on
 * integers. A check that judges no row fails: nothing ran.
 */
export async function planRows(check: RowCheck, context: CheckContext): Promise<PlannedCheck> {
  const { table, plan } = context;
  const column = check.kind === 'expression' ? null : columnOf(table, check.column);
  if (typeof column === 'string') return notExecuted(check, `${check.kind}${suffix(check)}`, column);
  const rule = await ruleOf(check, column, context);
  const expected = `${typeof rule === 'string' ? check.kind : rule.expected}${suffix(check)}`;
  if (typeof rule === 'string') return notExecuted(check, expected, rule);
  const condition = await conditionOf(check.where, context);
  if (typeof condition === 'string') return notExecuted(check, expected, condition);
  const where = condition.sql;
  const both = [where, rule.judged].filter((part) => part !== null).join(' AND ');
  const failing = [both, `(${rule.broken})`].filter((part) => part !== '').join(' AND ');
  const judgedSlot = plan.add(both === '' ? 'count(*)' : countIf(both));
  const failingSlot = plan.add(countIf(failing));
  const nanSlot =
    check.kind === 'not-null' && column?.type === 'float'
      ? plan.add(countIf([where, `isnan(${quoteIdentifier(column.name)})`].filter(Boolean).join(' AND ')))
      : null;
  const extremes =
    rule.extremes === undefined || column === null
      ? null
      : { minimum: plan.add(extreme('min', column, where)), maximum: plan.add(extreme('max', column, where)) };
  return { finish, failing: { condition: failing } };

  function finish(answer: ScanAnswer): CheckResult {
    const judged = answer.count(judgedSlot);
    const broken = answer.count(failingSlot);
    if (judged === 0) {
      const why =
        table.rows === 0
          ? 'there are no rows'
          : where === null
            ? check.kind === 'expression'
              ? 'it is NULL in every row'
              : 'every row is NULL'
            : 'no row is left by `where`';
      return resultOf(check, { verdict: 'fail', expected, failingRows: 0, reason: `not executed: ${why}` });
    }
    const passed = reaches(judged - broken, judged, check.mostly);
    const nan = nanSlot === null ? 0 : answer.count(nanSlot);
    const lowest = extremes === null ? null : answer.text(extremes.minimum);
    const range = extremes === null || lowest === null ? '' : `${lowest} .. ${answer.text(extremes.maximum)}; `;
    return resultOf(check, {
      verdict: passed ? 'pass' : brokenVerdict(check),
      expected,
      observed: `${range}${broken} of ${judged} rows ${(rule as Rule).words}${broken === 0 ? '' : ` (${percent(broken, judged)})`}`,
      failingRows: broken,
      sql: failingQuery(table, failing),
      reason: nan === 0 ? null : `${nan} rows are NaN, which is not NULL; a range check refuses NaN.`,
    });
  }
}

function suffix(check: RowCheck): string {
  const mostly = check.mostly === 1 ? '' : `, in at least ${percent(check.mostly, 1)} of rows`;
  return `${mostly}${check.where === undefined ? '' : `, where ${plainText(check.where, 300)}`}`;
}

async function ruleOf(check: RowCheck, column: TableColumn | null, context: CheckContext): Promise<Rule | string> {
  if (column === null) return check.kind === 'expression' ? expressionRule(check, context) : 'it names no column';
  const name = quoteIdentifier(column.name);
  if (check.kind === 'not-null')
    return { expected: 'not NULL', judged: null, broken: `${name} IS NULL`, words: 'are NULL' };
  if (column.type === 'nested' || column.type === 'binary')
    return `\`${plainText(column.name)}\` is ${column.type}; ${check.kind} needs single values`;
  const judged = `${name} IS NOT NULL`;
  switch (check.kind) {
    case 'range':
      return rangeRule(check, column, name);
    case 'set':
    case 'not-in-set':
      return setRule(check, column, name);
    case 'finite':
      if (!isNumeric(column.type)) return `\`${plainText(column.name)}\` is ${column.type}; only numbers are finite`;
      return {
        expected: 'finite',
        judged,
        // Integers and decimals can't be otherwise.
        broken: column.type === 'float' ? `NOT isfinite(${name})` : 'false',
        words: 'are NaN or infinite',
      };
    default:
      break;
  }
  if (column.type !== 'string') return `\`${plainText(column.name)}\` is ${column.type}; ${check.kind} needs text`;
  return check.kind === 'expression' ? 'it names no column' : textRule(check, name, judged, context);
}

/** Text that stands for a missing value, lower case and without outer spaces. */
const nullLike = [
  '',
  'na',
  'n/a',
  '#n/a',
  'nan',
  'null',
  'none',
  'nil',
  '-',
  '--',
  '?',
  '.',
  'missing',
  'unknown',
  '(null)',
  '<na>',
];

async function textRule(
  check: CheckOf<'null-like' | 'regex' | 'like' | 'length'>,
  name: string,
  judged: string,
  { session }: CheckContext,
): Promise<Rule | string> {
  switch (check.kind) {
    case 'null-like': {
      const list = [...new Set((check.values ?? nullLike).map((value) => value.trim().toLowerCase()))];
      const shown = list.slice(0, 8).map((value) => JSON.stringify(plainText(value, 40)));
      return {
        expected: `no text that means missing: ${shown.join(', ')}${list.length > 8 ? ' and more' : ''}`,
        judged,
        broken: `lower(trim(${name}, ${quoteText(' \t\n\r')})) IN (${list.map(quoteText).join(', ')})`,
        words: 'mean missing',
      };
    }
    case 'like':
      return {
        expected: `${check.not ? 'not ' : ''}like ${plainText(check.pattern, 200)}`,
        judged,
        broken: `${name} ${check.not ? '' : 'NOT '}LIKE ${quoteText(check.pattern)}`,
        words: check.not ? 'match' : "don't match",
      };
    case 'regex': {
      const matches = check.full ? 'regexp_full_match' : 'regexp_matches';
      const problem = await session.rows(`SELECT ${matches}('', ${quoteText(check.pattern)})`).then(
        () => null,
        (error: unknown) => error,
      );
      if (problem !== null) {
        if (!(problem instanceof ConfigurationError)) throw problem;
        return `the pattern ${plainText(check.pattern, 100)} is none: ${plainText(problem.message, 300)}`;
      }
      return {
        expected: `${check.not ? 'no match of' : 'matches'} ${plainText(check.pattern, 200)}`,
        judged,
        broken: `${check.not ? '' : 'NOT '}${matches}(${name}, ${quoteText(check.pattern)})`,
        words: check.not ? 'match' : "don't match",
      };
    }
    default: {
      const { min, max } = check;
      if (min === undefined && max === undefined) return 'it has neither `min` nor `max`';
      const parts = [
        min === undefined ? null : `length(${name}) >= ${min}`,
        max === undefined ? null : `length(${name}) <= ${max}`,
      ];
      const words = min === undefined ? `at most ${max}` : max === undefined ? `at least ${min}` : `${min} .. ${max}`;
      return {
        expected: `${words} characters`,
        judged,
        broken: `NOT (${parts.filter((part) => part !== null).join(' AND ')})`,
        words: 'are shorter or longer',
      };
    }
  }
}

async function expressionRule({ expression }: CheckOf<'expression'>, context: CheckContext): Promise<Rule | string> {
  const condition = await conditionOf(expression, context);
  if (typeof condition === 'string') return condition;
  return {
    expected: plainText(expression, 400),
    judged: `${condition.sql} IS NOT NULL`,
    broken: `NOT ${condition.sql}`,
    words: "don't fulfil it",
  };
}

function rangeRule(check: CheckOf<'range'>, column: TableColumn, name: string): Rule | string {
  if (!isNumeric(column.type) && column.type !== 'date' && column.type !== 'timestamp' && column.type !== 'time') {
    return `\`${plainText(column.name)}\` is ${column.type}; a range needs numbers, dates or times (in a CSV with the year first: 2001-01-31)`;
  }
  const bounds: string[] = [];
  for (const [bound, operator] of [
    [check.min, '>='],
    [check.max, '<='],
  ] as const) {
    if (bound === undefined) continue;
    const literal = boundLiteral(bound, column);
    if (literal === null)
      return `${JSON.stringify(bound)} is no bound for \`${plainText(column.name)}\`, which is ${column.type}`;
    bounds.push(`${name} ${operator} ${literal}`);
  }
  if (bounds.length === 0) return 'it has neither `min` nor `max`';
  const expected =
    check.min === undefined
      ? `at most ${check.max}`
      : check.max === undefined
        ? `at least ${check.min}`
        : `${check.min} .. ${check.max}`;
  // NaN is above everything to the engine; here it is outside every range.
  const outside = `NOT (${bounds.join(' AND ')})`;
  return {
    expected,
    judged: `${name} IS NOT NULL`,
    broken: column.type === 'float' ? `isnan(${name}) OR ${outside}` : outside,
    words: 'are outside',
    extremes: { minimum: name, maximum: name },
  };
}

const isoDate = /^\d{4}-\d{2}-\d{2}$/;
const isoTimestamp = /^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}(:?\d{2})?)?)?$/;
const isoTime = /^\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?$/;

/** A bound as SQL of the column's type; null for what is none: no number, no date of the calendar. */
export function boundLiteral(bound: number | string, column: TableColumn): string | null {
  if (isNumeric(column.type)) {
    const text = String(bound).trim();
    if (!/^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(text)) return null;
    return `(${text.replace(/^\+/, '')})`;
  }
  if (typeof bound === 'number') return null;
  if (column.type === 'date') {
    if (!isoDate.test(bound) || !isRealDate(bound)) return null;
    return `DATE ${quoteText(bound)}`;
  }
  if (column.type === 'time') return isoTime.test(bound) ? `TIME ${quoteText(bound)}` : null;
  if (!isoTimestamp.test(bound) || !isRealDate(bound)) return null;
  return `${column.engineType === 'TIMESTAMP WITH TIME ZONE' ? 'TIMESTAMPTZ' : 'TIMESTAMP'} ${quoteText(bound)}`;
}

function isRealDate(text: string): boolean {
  const day = text.slice(0, 10);
  const parsed = new Date(`${day}T00:00:00Z`);
  return !Number.isNaN(parsed.getTime()) && parsed.toISOString().startsWith(day);
}

function setRule(check: CheckOf<'set' | 'not-in-set'>, column: TableColumn, name: string): Rule | string {
  const wrong = check.values.find((value) => !fits(value, column));
  if (wrong !== undefined)
    return `${JSON.stringify(wrong)} can't be a value of \`${plainText(column.name)}\`, which is ${column.type}`;
  const text = column.type === 'date' || column.type === 'time' || column.type === 'timestamp';
  const list = check.values.map((value) =>
    text ? `${quoteText(String(value))}::${column.engineType}` : quoteScalar(value),
  );
  const shown = check.values.slice(0, 10).map((value) => plainText(String(value), 40));
  return {
    expected: `${check.kind === 'set' ? 'one of' : 'none of'} ${shown.join(', ')}${check.values.length > 10 ? ` and ${check.values.length - 10} more` : ''}`,
    judged: `${name} IS NOT NULL`,
    broken: `${name} ${check.kind === 'set' ? 'NOT IN' : 'IN'} (${list.join(', ')})`,
    words: check.kind === 'set' ? 'have another value' : 'have one of them',
  };
}

function fits(value: string | number | boolean, column: TableColumn): boolean {
  if (isNumeric(column.type)) return typeof value === 'number' && Number.isFinite(value);
  if (column.type === 'boolean') return typeof value === 'boolean';
  if (typeof value !== 'string') return false;
  if (column.type === 'date') return isoDate.test(value) && isRealDate(value);
  if (column.type === 'timestamp') return isoTimestamp.test(value) && isRealDate(value);
  return column.type !== 'time' || isoTime.test(value);
}
