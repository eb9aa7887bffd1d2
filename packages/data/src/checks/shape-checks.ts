import { plainText } from '@passloop/core';
import { findColumn } from '@passloop/tables';
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

/** The columns and their types; with `exact` no other column may be there, with `ordered` they stand in this order. */
export function planColumns(check: CheckOf<'columns'>, { table }: CheckContext): PlannedCheck {
  const wanted = Object.entries(check.types);
  const more = `${check.ordered ? ', in this order' : ''}${check.exact ? ', and no other' : ''}`;
  const expected = `${wanted.map(([name, type]) => `${plainText(name, 60)} ${type}`).join(', ')}${more}`;
  if (wanted.length === 0 && !check.exact) return notExecuted(check, expected, 'it names no column');
  const problems: string[] = [];
  for (const [name, type] of wanted) {
    const found = findColumn(table, name);
    if (found === null) problems.push(`${plainText(name, 60)} is missing`);
    else if (found.type !== type) problems.push(`${plainText(name, 60)} is ${found.type}, not ${type}`);
  }
  if (check.exact) {
    for (const column of table.columns) {
      if (!Object.hasOwn(check.types, column.name)) problems.push(`${plainText(column.name, 60)} is not expected`);
    }
  }
  if (check.ordered) {
    const there = table.columns.map(({ name }) => name).filter((name) => Object.hasOwn(check.types, name));
    const order = wanted.map(([name]) => name).filter((name) => there.includes(name));
    const wrong = order.findIndex((name, index) => name !== there[index]);
    if (wrong >= 0)
      problems.push(`${plainText(there[wrong] ?? '', 60)} stands where ${plainText(order[wrong] ?? '', 60)} should`);
  }
  return {
    finish: () =>
      resultOf(check, {
        verdict: problems.length === 0 ? 'pass' : brokenVerdict(check),
        expected,
        observed: problems.length === 0 ? `all ${wanted.length} as expected` : problems.join('; '),
        sql: `DESCRIBE SELECT * FROM ${table.printed}`,
      }),
  };
}

export function planColumnCount(check: CheckOf<'column-count'>, { table }: CheckContext): PlannedCheck {
  const expected = boundsText(check.min, check.max, 'columns');
  if (expected === null) return notExecuted(check, 'a number of columns', 'it has neither `min` nor `max`');
  const count = table.columns.length;
  return {
    finish: () =>
      resultOf(check, {
        verdict: isWithin(count, check) ? 'pass' : brokenVerdict(check),
        expected,
        observed: `${count} columns`,
        sql: `DESCRIBE SELECT * FROM ${table.printed}`,
      }),
  };
}

export function planType(check: CheckOf<'type'>, { table }: CheckContext): PlannedCheck {
  const expected = check.types.join(' or ');
  const column = columnOf(table, check.column);
  if (typeof column === 'string') return notExecuted(check, expected, column);
  const isOne = check.types.some((type) => type === column.type);
  return {
    finish: () =>
      resultOf(check, {
        verdict: isOne ? 'pass' : brokenVerdict(check),
        expected,
        observed: column.type,
        sql: `DESCRIBE SELECT * FROM ${table.printed}`,
      }),
  };
}

/** Bounds on the number of rows, inclusive. */
export function planRowCount(check: CheckOf<'row-count'>, { table, plan }: CheckContext): PlannedCheck {
  const expected = boundsText(check.min, check.max, 'rows');
  if (expected === null) return notExecuted(check, 'a number of rows', 'it has neither `min` nor `max`');
  const slot = plan.add('count(*)');
  return {
    finish(answer) {
      const rows = answer.count(slot);
      return resultOf(check, {
        verdict: isWithin(rows, check) ? 'pass' : brokenVerdict(check),
        expected,
        observed: `${rows} rows`,
        sql: `SELECT count(*) FROM ${table.printed}`,
      });
    },
  };
}

function isWithin(value: number, { min, max }: { min?: number | undefined; max?: number | undefined }): boolean {
  return value >= (min ?? Number.NEGATIVE_INFINITY) && value <= (max ?? Number.POSITIVE_INFINITY);
}
