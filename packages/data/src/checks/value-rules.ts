import { plainText } from '@passloop/core';
import {
  isNumeric,
  isTemporal,
  quoteDouble,
  quoteIdentifier,
  quoteScalar,
  quoteText,
  type TableColumn,
} from '@passloop/tables';
import type { CheckOf } from '../check.ts';

/** What a row check looks at: which rows it judges, and which of them break it, as SQL that is never NULL for the former. */
export type Rule = {
  expected: string;
  judged: string | null;
  broken: string;
  /** The same as `broken`, where the engine is faster with other words than people. */
  counted?: string | undefined;
  /** What breaking is called: "12 of 100 rows are NULL". */
  words: string;
  /**
   * An aggregate over the whole column's smallest and largest value, true only where these are finite and no row is broken but
   * by NaN: then none is looked at one by one.
   */
  holds?: string | undefined;
};

export function rangeRule(check: CheckOf<'range'>, column: TableColumn, name: string): Rule | string {
  if (!isNumeric(column.type) && column.type !== 'date' && column.type !== 'timestamp' && column.type !== 'time') {
    return `\`${plainText(column.name)}\` is ${column.type}; a range needs numbers, dates or times (in a CSV with the year first: 2001-01-31)`;
  }
  const bounds: string[] = [];
  const within: string[] = column.type === 'float' ? [`isfinite(min(${name}))`, `isfinite(max(${name}))`] : [];
  for (const [bound, operator] of [
    [check.min, '>='],
    [check.max, '<='],
  ] as const) {
    if (bound === undefined) continue;
    const literal = boundLiteral(bound, column);
    if (literal === null)
      return `${JSON.stringify(bound)} is no bound for \`${plainText(column.name)}\`, which is ${column.type}`;
    bounds.push(`${name} ${operator} ${literal}`);
    within.push(`${operator === '>=' ? 'min' : 'max'}(${name}) ${operator} ${literal}`);
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
    holds: within.join(' AND '),
  };
}

/** A column of text as the engine's text: an identifier (UUID), an interval or JSON has a type of its own, to which no other text is turned. */
export function textOf({ name, type, engineType }: TableColumn): string {
  const quoted = quoteIdentifier(name);
  return type !== 'string' || engineType === 'VARCHAR' ? quoted : `${quoted}::VARCHAR`;
}

const isoDate = /^\d{4}-\d{2}-\d{2}$/;
const isoTimestamp = /^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}(:?\d{2})?)?)?$/;
const isoTime = /^\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?$/;

/** A bound as SQL of the column's type; null for what is none: no number, no date of the calendar. */
export function boundLiteral(bound: number | string, column: TableColumn): string | null {
  if (isNumeric(column.type)) {
    const text = String(bound).trim();
    if (!/^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(text)) return null;
    return longDouble(text, column) ?? `(${text.replace(/^\+/, '')})`;
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

/**
 * Digits are a decimal to the engine, and a long one is not the double that it is written of: what a column holds would not be equal to itself. Null where
 * the digits are few: they stay as people write them.
 */
function longDouble(text: string, { type, engineType }: TableColumn): string | null {
  if (type !== 'float') return null;
  const isShort = engineType === 'FLOAT';
  const digits = text.replace(/e.*$/i, '').replace(/\D/g, '');
  if (digits.length <= (isShort ? 6 : 15) && (!isShort || !/e/i.test(text))) return null;
  return quoteDouble(isShort ? Math.fround(Number(text)) : Number(text));
}

function isRealDate(text: string): boolean {
  const day = text.slice(0, 10);
  const parsed = new Date(`${day}T00:00:00Z`);
  return !Number.isNaN(parsed.getTime()) && parsed.toISOString().startsWith(day);
}

export function setRule(check: CheckOf<'set' | 'not-in-set'>, column: TableColumn, name: string): Rule | string {
  const wrong = check.values.find((value) => !fits(value, column));
  if (wrong !== undefined)
    return `${JSON.stringify(wrong)} can't be a value of \`${plainText(column.name)}\`, which is ${column.type}`;
  const list = check.values.map((value) => valueLiteral(value, column));
  const isNegated = check.kind === 'set';
  // A list is looked into once for each value of a dictionary, IN for each row, value by value.
  const isListed =
    column.engineType === 'VARCHAR' || (column.type === 'integer' && check.values.every(Number.isSafeInteger));
  const shown = check.values.slice(0, 10).map((value) => plainText(String(value), 40));
  return {
    expected: `${check.kind === 'set' ? 'one of' : 'none of'} ${shown.join(', ')}${check.values.length > 10 ? ` and ${check.values.length - 10} more` : ''}`,
    judged: `${name} IS NOT NULL`,
    broken: `${textOf(column)} ${isNegated ? 'NOT IN' : 'IN'} (${list.join(', ')})`,
    counted: isListed ? `${isNegated ? 'NOT ' : ''}list_contains([${list.join(', ')}], ${name})` : undefined,
    words: check.kind === 'set' ? 'have another value' : 'have one of them',
  };
}

function valueLiteral(value: string | number | boolean, column: TableColumn): string {
  const long = isNumeric(column.type) ? longDouble(String(value), column) : null;
  if (long !== null) return long;
  if (typeof value !== 'string') return quoteScalar(value);
  if (isNumeric(column.type)) return `(${value})`;
  return isTemporal(column.type) ? `${quoteText(value)}::${column.engineType}` : quoteText(value);
}

/** Digits in quotes are a number of more digits than a double has. */
const digits = /^-?(0|[1-9]\d*)(\.\d+)?$/;

function fits(value: string | number | boolean, column: TableColumn): boolean {
  if (isNumeric(column.type)) return typeof value === 'string' ? digits.test(value) : Number.isFinite(value);
  if (column.type === 'boolean') return typeof value === 'boolean';
  if (typeof value !== 'string') return false;
  if (column.type === 'date') return isoDate.test(value) && isRealDate(value);
  if (column.type === 'timestamp') return isoTimestamp.test(value) && isRealDate(value);
  return column.type !== 'time' || isoTime.test(value);
}
