import { plainText } from '@passloop/core';
import type { Check } from '@passloop/model';
import { findColumn, quoteIdentifier } from '@passloop/tables';
import { brokenVerdict, type CheckContext, columnOf, notExecuted, type PlannedCheck, resultOf } from './check.ts';

type Of<K extends Check['kind']> = Extract<Check, { kind: K }>;

/** The columns and their types; with `exact` no other column may be there. */
export function planColumns(check: Of<'columns'>, { table }: CheckContext): PlannedCheck {
  const wanted = Object.entries(check.types);
  const expected = `${wanted.map(([name, type]) => `${plainText(name, 60)} ${type}`).join(', ')}${check.exact ? ', and no other' : ''}`;
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

/** Bounds on the number of rows, inclusive. */
export function planRowCount(check: Of<'row-count'>, { table, plan }: CheckContext): PlannedCheck {
  const slot = plan.add('count(*)');
  const { min, max } = check;
  const expected =
    min === undefined ? `at most ${max} rows` : max === undefined ? `at least ${min} rows` : `${min} .. ${max} rows`;
  if (min === undefined && max === undefined)
    return notExecuted(check, 'a number of rows', 'it has neither `min` nor `max`');
  return {
    finish(answer) {
      const rows = answer.count(slot);
      const inside = rows >= (min ?? 0) && rows <= (max ?? Number.POSITIVE_INFINITY);
      return resultOf(check, {
        verdict: inside ? 'pass' : brokenVerdict(check),
        expected,
        observed: `${rows} rows`,
        sql: `SELECT count(*) FROM ${table.printed}`,
      });
    },
  };
}

/** No two rows agree in all columns. NULL equals NULL here, as in a key: two rows without it can't be told apart. */
export function planUnique(check: Of<'unique'>, { session, table }: CheckContext): PlannedCheck {
  const expected = `no two rows with the same ${check.columns.map((name) => plainText(name, 60)).join(', ')}`;
  for (const name of check.columns) {
    const found = columnOf(table, name);
    if (typeof found === 'string') return notExecuted(check, expected, found);
  }
  const columns = check.columns.map(quoteIdentifier).join(', ');
  return {
    async finish() {
      if (table.rows === 0)
        return resultOf(check, { verdict: 'fail', expected, reason: 'not executed: there are no rows' });
      const [row] = await session.rows(
        `SELECT count(*), coalesce(sum(n), 0)::BIGINT FROM (SELECT count(*) AS n FROM ${table.relation} GROUP BY ${columns}) WHERE n > 1`,
      );
      const [groups, rows] = [Number(row?.[0]), Number(row?.[1])];
      return resultOf(check, {
        verdict: groups === 0 ? 'pass' : brokenVerdict(check),
        expected,
        observed: groups === 0 ? `all ${table.rows} rows differ` : `${groups} repeated, in ${rows} rows`,
        failingRows: rows,
        sql: `SELECT * FROM ${table.printed} QUALIFY count(*) OVER (PARTITION BY ${columns}) > 1 ORDER BY ${columns}`,
      });
    },
  };
}
