import { ConfigurationError, plainText } from '@passloop/core';
import type { CheckResult } from '@passloop/documents';
import { isNumeric, type Note, quoteIdentifier, quoteText, type TableColumn } from '@passloop/tables';
import { countIf, extreme, extremeText } from '../cells.ts';
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
import type { ScanAnswer, ScanPlan, Slot } from '../plan.ts';
import { percent, reaches } from '../share.ts';
import { conditionOf } from './judged-rows.ts';
import { type Rule, rangeRule, setRule, textOf } from './value-rules.ts';

export type RowCheck = CheckOf<
  'not-null' | 'null-like' | 'finite' | 'range' | 'set' | 'not-in-set' | 'regex' | 'like' | 'length' | 'expression'
>;

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
  const name = column === null ? null : quoteIdentifier(column.name);
  const both = [where, rule.judged].filter((part) => part !== null).join(' AND ');
  const breaking = (broken: string) => [both, `(${broken})`].filter((part) => part !== '').join(' AND ');
  const presence: Note | null = column === null ? null : { column, about: 'presence' };
  const judgedRows = rowsOf(rule, where, name);
  const judgedSlot = plan.add(judgedRows, judgedRows === `count(${name})` ? presence : null);
  const isPresence = check.kind === 'not-null' && where === null;
  const brokenCount = isPresence ? `count(*) - count(${name})` : countIf(breaking(rule.counted ?? rule.broken));
  const whole = rule.holds === undefined || column === null ? null : wholeColumn(rule.holds, column, plan);
  const extremes = column === null ? null : ([extreme('min', column, where), extreme('max', column, where)] as const);
  const brokenSlot = whole === null ? plan.add(brokenCount, isPresence ? presence : null) : null;
  const ofNan =
    check.kind === 'not-null' && column?.type === 'float'
      ? plan.add(countIf([where, `isnan(${name})`].filter((part) => part !== null).join(' AND ')))
      : null;
  let asked: { broken: Slot; minimum: Slot; maximum: Slot } | null = null;
  return { again, finish, failing: { condition: breaking(rule.broken) } };

  function again(answer: ScanAnswer, second: ScanPlan): void {
    if (whole === null || extremes === null || answer.count(judgedSlot) === 0) return;
    if (answer.count(whole.holds) === 1 && (whole.nan === null || answer.count(whole.nan) === 0)) return;
    asked = { broken: second.add(brokenCount), minimum: second.add(extremes[0]), maximum: second.add(extremes[1]) };
  }

  function finish(answer: ScanAnswer, again: ScanAnswer): CheckResult {
    const judged = answer.count(judgedSlot);
    if (judged === 0)
      return resultOf(check, { verdict: 'fail', expected, failingRows: 0, reason: `not executed: ${unjudged()}` });
    const broken = brokenSlot !== null ? answer.count(brokenSlot) : asked === null ? 0 : again.count(asked.broken);
    const passed = reaches(judged - broken, judged, check.mostly);
    const nans = ofNan === null ? 0 : answer.count(ofNan);
    const counts = `${broken} of ${judged} rows ${(rule as Rule).words}${broken === 0 ? '' : ` (${percent(broken, judged)})`}`;
    return resultOf(check, {
      verdict: passed ? 'pass' : brokenVerdict(check),
      expected,
      observed: withExtremes(counts, answer, again),
      failingRows: broken,
      sql: failingQuery(table, breaking((rule as Rule).broken)),
      reason: nans === 0 ? null : `${nans} rows are NaN, which is not NULL; a range check refuses NaN.`,
    });
  }

  function withExtremes(counts: string, answer: ScanAnswer, again: ScanAnswer): string {
    if (whole === null) return counts;
    const from = asked === null ? answer : again;
    const { minimum, maximum } = asked ?? whole;
    const lowest = from.text(minimum);
    if (lowest === null) return counts;
    const range = `${lowest} .. ${from.text(maximum)}`;
    return asked === null && where !== null ? `${counts}; all rows: ${range}` : `${range}; ${counts}`;
  }

  function unjudged(): string {
    if (table.rows === 0) return 'there are no rows';
    if (where !== null) return 'no row is left by `where`';
    return check.kind === 'expression' ? 'it is NULL in every row' : 'every row is NULL';
  }
}

/** How many rows a rule judges, in the words in which the engine counts them fastest. */
function rowsOf({ judged }: Rule, where: string | null, name: string | null): string {
  if (where === null)
    return judged === null ? 'count(*)' : judged === `${name} IS NOT NULL` ? `count(${name})` : countIf(judged);
  return countIf(judged === null ? where : `${where} AND ${judged}`);
}

type WholeColumn = { holds: Slot; minimum: Slot; maximum: Slot; nan: Slot | null };

/** What a column's extremes tell. Where a file notes them it leaves NaN out, which is counted apart. */
function wholeColumn(holds: string, column: TableColumn, plan: ScanPlan): WholeColumn {
  const quoted = quoteIdentifier(column.name);
  const note: Note = { column, about: 'extremes' };
  return {
    holds: plan.add(`(${holds})::INTEGER`, note),
    minimum: plan.add(extremeText(`min(${quoted})`, column), note),
    maximum: plan.add(extremeText(`max(${quoted})`, column), note),
    nan: column.type === 'float' ? plan.add(countIf(`isnan(${quoted})`)) : null,
  };
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
  return check.kind === 'expression' ? 'it names no column' : textRule(check, textOf(column), judged, context);
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
