import { ConfigurationError, plainText } from '@passloop/core';
import type { CheckResult } from '@passloop/documents';
import { leakageBy, leakageProblem } from '@passloop/model';
import { areNear, findColumn, isNumeric, quoteIdentifier, type Table, type TableColumn } from '@passloop/tables';
import { countIf, extremesNote } from '../cells.ts';
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
import { conditionOf } from './judged-rows.ts';

const rowless = 'not executed: there are no rows';
/** Columns that are compared in one query: more would take more memory than the engine has. */
const mostComparisons = 100;
/** Of more columns every two would be too many. */
const mostAlmostEqual = 100;

/** No two rows agree in all columns. NULL equals NULL here, as in a key: two rows without it can't be told apart. */
export async function planUnique(check: CheckOf<'unique'>, context: CheckContext): Promise<PlannedCheck> {
  const { session, table, once } = context;
  const expected = `no two rows with the same ${check.columns.map((name) => plainText(name, 60)).join(', ')}`;
  const missing = missingOf(check.columns, table);
  if (missing !== null) return notExecuted(check, expected, missing);
  const condition = await conditionOf(check.where, context);
  if (typeof condition === 'string') return notExecuted(check, expected, condition);
  const where = condition.sql === null ? '' : ` WHERE ${condition.sql}`;
  const columns = check.columns.map(quoteIdentifier).join(', ');
  const [only] = check.columns.length === 1 ? check.columns : [];
  const key = only === undefined ? null : planWholeKey(findColumn(table, only), condition.sql, context);
  const query = (relation: string) =>
    `SELECT * FROM ${relation}${where} QUALIFY count(*) OVER (PARTITION BY ${columns}) > 1 ORDER BY ${columns}`;
  return {
    failing: { query: query(table.relation) },
    async finish(answer) {
      const all = key === null ? null : await key(answer);
      if (all !== null)
        return resultOf(check, {
          verdict: 'pass',
          expected,
          observed: `all ${all} rows differ`,
          failingRows: 0,
          sql: query(table.printed),
        });
      const groups = `SELECT count_if(n > 1), coalesce(sum(n) FILTER (WHERE n > 1), 0)::BIGINT, coalesce(sum(n), 0)::BIGINT
         FROM (SELECT count(*) AS n FROM ${table.relation}${where} GROUP BY ${columns})`;
      const [row] = await once(groups, () => session.rows(groups));
      const [repeated, rows, judged] = (row ?? []).map(Number) as [number, number, number];
      if (judged === 0) return resultOf(check, { verdict: 'fail', expected, reason: rowless });
      return resultOf(check, {
        verdict: repeated === 0 ? 'pass' : brokenVerdict(check),
        expected,
        observed: repeated === 0 ? `all ${judged} rows differ` : `${repeated} repeated, in ${rows} rows`,
        failingRows: rows,
        sql: query(table.printed),
      });
    },
  };
}

/**
 * A key of whole numbers is unique where as many numbers differ as there are: a bit for each says so at a tenth of what
 * groups cost. The answer is the number of rows, if they all differ; null where groups have to tell.
 */
function planWholeKey(
  column: TableColumn | null,
  where: string | null,
  { session, table, plan, once }: CheckContext,
): ((answer: ScanAnswer) => Promise<number | null>) | null {
  if (column?.type !== 'integer') return null;
  const name = quoteIdentifier(column.name);
  const value = where === null ? name : `CASE WHEN ${where} THEN ${name} END`;
  const slots = {
    rows: plan.add(where === null ? 'count(*)' : countIf(where)),
    filled: plan.add(`count(${value})`, where === null ? { column, about: 'presence' } : null),
    low: plan.add(`min(${value})::VARCHAR`, extremesNote(column, where)),
    high: plan.add(`max(${value})::VARCHAR`, extremesNote(column, where)),
  };
  return async (answer) => {
    const [low, high] = [answer.text(slots.low), answer.text(slots.high)];
    if (low === null || high === null) return null;
    const rows = answer.count(slots.rows);
    const filled = answer.count(slots.filled);
    const [from, to] = [BigInt(low), BigInt(high)];
    // One row without a key differs from all others, two don't.
    if (rows - filled > 1 || !areNear(filled, from, to)) return null;
    const values = `SELECT ${value} AS v FROM ${table.relation} WHERE ${value} IS NOT NULL`;
    const distinct = await once(values, () => session.distinctBetween(values, from, to));
    return distinct === filled ? rows : null;
  };
}

/** Rows beyond the first of their kind: taking these away leaves each row once. */
export function planDuplicateRows(check: CheckOf<'duplicate-rows'>, { session, table }: CheckContext): PlannedCheck {
  const expected = `at most ${percent(check.max, 1)} of rows there already`;
  const missing = missingOf(check.except, table);
  if (missing !== null) return notExecuted(check, expected, missing);
  const judged = comparable(table, check.except);
  if (typeof judged === 'string') return notExecuted(check, expected, judged);
  if (judged.length === 0) return notExecuted(check, expected, 'no column is left');
  const columns = judged.map(({ name }) => quoteIdentifier(name)).join(', ');
  // Spark numbers no rows without an order; theirs is none.
  const query = (relation: string) =>
    `SELECT * FROM ${relation} QUALIFY row_number() OVER (PARTITION BY ${columns} ORDER BY ${columns}) > 1`;
  return {
    failing: { query: query(table.relation) },
    async finish() {
      if (table.rows === 0) return resultOf(check, { verdict: 'fail', expected, reason: rowless });
      const [row] = await session.rows(
        `SELECT coalesce(sum(n - 1), 0)::BIGINT FROM (SELECT count(*) AS n FROM ${table.relation} GROUP BY ${columns})`,
      );
      const repeated = Number(row?.[0] ?? 0);
      return resultOf(check, {
        verdict: reaches(table.rows - repeated, table.rows, 1 - check.max) ? 'pass' : brokenVerdict(check),
        expected,
        observed: `${repeated} of ${table.rows} rows are there already (${percent(repeated, table.rows)})`,
        failingRows: repeated,
        sql: query(table.printed),
      });
    },
  };
}

/** A sum of hashes finds the suspects in one scan; the values themselves decide. */
export function planDuplicateColumns(
  check: CheckOf<'duplicate-columns'>,
  { session, table }: CheckContext,
): PlannedCheck {
  const expected = `no two columns with the same values${check.share === 1 ? '' : ` in ${percent(check.share, 1)} of rows`}`;
  const missing = missingOf(check.except, table);
  if (missing !== null) return notExecuted(check, expected, missing);
  const judged = comparable(table, check.except);
  if (typeof judged === 'string') return notExecuted(check, expected, judged);
  if (judged.length < 2) return notExecuted(check, expected, 'fewer than two columns are left');
  if (check.share < 1 && judged.length > mostAlmostEqual)
    return notExecuted(check, expected, `every two of ${judged.length} columns are too many; leave some out (except)`);
  return {
    async finish() {
      if (table.rows === 0) return resultOf(check, { verdict: 'fail', expected, reason: rowless });
      const same = await (check.share < 1 ? nearlySameColumns(judged) : sameColumns(await suspects(judged)));
      return resultOf(check, {
        verdict: same.length === 0 ? 'pass' : brokenVerdict(check),
        expected,
        observed:
          same.length === 0
            ? `${judged.length} columns differ`
            : same
                .slice(0, 10)
                .map(([left, right]) => `${plainText(left, 60)} = ${plainText(right, 60)}`)
                .join('; '),
      });
    },
  };

  /** Groups of columns that may be the same. */
  async function suspects(judged: readonly TableColumn[]): Promise<string[][]> {
    const [marks] = await session.rows(
      `SELECT ${judged.map(({ name }) => `coalesce(sum(hash(${quoteIdentifier(name)}::VARCHAR)::HUGEINT), 0)::VARCHAR || ' ' || count(${quoteIdentifier(name)})`).join(', ')} FROM ${table.relation}`,
    );
    const marked = judged.map(({ name }, index) => ({ name, mark: String(marks?.[index]) }));
    // Two columns without any value hold nothing that could be the same.
    const filled = marked.filter(({ mark }) => !mark.endsWith(' 0'));
    return [...Map.groupBy(filled, ({ mark }) => mark).values()].map((group) => group.map(({ name }) => name));
  }

  /** Every two columns, over the rows in which one of them has a value. */
  async function nearlySameColumns(judged: readonly TableColumn[]): Promise<[string, string][]> {
    const names = judged.map(({ name }) => name);
    const pairs = names.flatMap((one, at) => names.slice(at + 1).map((other): [string, string] => [one, other]));
    const same: [string, string][] = [];
    for (let start = 0; start < pairs.length; start += mostComparisons) {
      const part = pairs.slice(start, start + mostComparisons);
      const counts = part.flatMap((pair) => {
        const [one, other] = pair.map(quoteIdentifier);
        return [`count_if(${one}::VARCHAR = ${other}::VARCHAR)`, `count(coalesce(${one}::VARCHAR, ${other}::VARCHAR))`];
      });
      const [row] = await session.rows(`SELECT ${counts.join(', ')} FROM ${table.relation}`);
      for (const [at, pair] of part.entries()) {
        const [equal, filled] = [Number(row?.[2 * at]), Number(row?.[2 * at + 1])];
        if (filled > 0 && reaches(equal, filled, check.share)) same.push(pair);
      }
    }
    return same;
  }

  /** Each column against the first of its group, and those that differ from it against one another: as many comparisons as columns, not as pairs. */
  async function sameColumns(groups: readonly string[][]): Promise<[string, string][]> {
    const same: [string, string][] = [];
    let left = groups.filter((group) => group.length > 1);
    while (left.length > 0) {
      const pairs = left.flatMap(([first = '', ...others]) => others.map((other): [string, string] => [first, other]));
      const differing = new Set<string>();
      for (let start = 0; start < pairs.length; start += mostComparisons) {
        const part = pairs.slice(start, start + mostComparisons);
        const counts = part.map(
          ([one, other]) =>
            `count_if(${quoteIdentifier(one)}::VARCHAR IS DISTINCT FROM ${quoteIdentifier(other)}::VARCHAR)`,
        );
        const [row] = await session.rows(`SELECT ${counts.join(', ')} FROM ${table.relation}`);
        for (const [at, pair] of part.entries()) {
          if (Number(row?.[at]) === 0) same.push(pair);
          else differing.add(pair[1]);
        }
      }
      left = left.map((group) => group.filter((name) => differing.has(name))).filter((group) => group.length > 1);
    }
    return same;
  }
}

/** Values that another dataset has: a foreign key, or the classes that a model has seen. */
export async function planReferences(
  check: CheckOf<'references' | 'known-values'>,
  context: CheckContext,
): Promise<PlannedCheck> {
  const { session, table } = context;
  const columns = check.kind === 'references' ? check.columns : [check.column];
  const to = check.kind === 'references' ? (check.to ?? check.columns) : [check.column];
  const expected = `${columns.join(', ')} in ${check.dataset}${to.join() === columns.join() ? '' : ` (${to.join(', ')})`}`;
  const missing = missingOf(columns, table);
  if (missing !== null) return notExecuted(check, expected, missing);
  const other = await otherTable(check.dataset, context);
  if (typeof other === 'string') return notExecuted(check, expected, other);
  if (to.length !== columns.length) return notExecuted(check, expected, '`to` names another number of columns');
  const problem = missingOf(to, other) ?? typeProblem(table, columns, other, to);
  if (problem !== null) return notExecuted(check, expected, problem);
  const present = columns.map((name) => `l.${quoteIdentifier(name)} IS NOT NULL`).join(' AND ');
  const equal = columns
    .map((name, at) => `l.${quoteIdentifier(name)} = r.${quoteIdentifier(to[at] ?? name)}`)
    .join(' AND ');
  const query = (left: string, right: string) =>
    `SELECT l.* FROM ${left} l ANTI JOIN ${right} r ON ${equal} WHERE ${present}`;
  const failing = query(table.relation, other.relation);
  return {
    failing: { query: failing },
    async finish() {
      const [row] = await session.rows(
        `SELECT (SELECT count(*) FROM (${failing})), count_if(${present}) FROM ${table.relation} l`,
      );
      const [broken, judged] = (row ?? []).map(Number) as [number, number];
      if (judged === 0) return resultOf(check, { verdict: 'fail', expected, failingRows: 0, reason: rowless });
      const values = check.kind === 'known-values' && broken > 0 ? await unknownValues(failing, check.column) : '';
      return resultOf(check, {
        verdict: reaches(judged - broken, judged, check.mostly) ? 'pass' : brokenVerdict(check),
        expected,
        observed: `${broken} of ${judged} rows are not there${broken === 0 ? '' : ` (${percent(broken, judged)})`}${values}`,
        failingRows: broken,
        sql: query(table.printed, other.printed),
      });
    },
  };

  async function unknownValues(failing: string, column: string): Promise<string> {
    const [row] = await session.rows(`SELECT count(DISTINCT ${quoteIdentifier(column)}) FROM (${failing})`);
    return `; ${Number(row?.[0])} values are new`;
  }
}

export async function planRowRatio(check: CheckOf<'row-ratio'>, context: CheckContext): Promise<PlannedCheck> {
  const { table } = context;
  const expected = `${boundsText(check.min, check.max) ?? 'a ratio'} rows a row of ${check.dataset}`;
  if (check.min === undefined && check.max === undefined)
    return notExecuted(check, expected, 'it has neither `min` nor `max`');
  const other = await otherTable(check.dataset, context);
  if (typeof other === 'string') return notExecuted(check, expected, other);
  return {
    finish(): CheckResult {
      if (other.rows === 0)
        return resultOf(check, { verdict: 'fail', expected, reason: `not executed: ${check.dataset} has no rows` });
      const ratio = table.rows / other.rows;
      const inside = ratio >= (check.min ?? 0) && ratio <= (check.max ?? Number.POSITIVE_INFINITY);
      return resultOf(check, {
        verdict: inside ? 'pass' : brokenVerdict(check),
        expected,
        observed: `${Number(ratio.toPrecision(6))}: ${table.rows} rows, and ${other.rows} in ${check.dataset}`,
        sql: `SELECT (SELECT count(*) FROM ${table.printed}) / (SELECT count(*) FROM ${other.printed})`,
      });
    },
  };
}

/** Rows of a group of equal features that has several labels. */
export function planConflicts(check: CheckOf<'conflicting-labels'>, { session, table }: CheckContext): PlannedCheck {
  const expected = `at most ${percent(check.max, 1)} of rows with equal features and another ${plainText(check.label, 60)}`;
  const missing = missingOf([check.label, ...check.except, ...(check.features ?? [])], table);
  if (missing !== null) return notExecuted(check, expected, missing);
  const features = comparable(table, [check.label, ...check.except], check.features);
  if (typeof features === 'string') return notExecuted(check, expected, features);
  if (features.length === 0) return notExecuted(check, expected, 'no feature is left');
  const columns = features.map(({ name }) => quoteIdentifier(name)).join(', ');
  const label = quoteIdentifier(check.label);
  const query = (relation: string) =>
    `SELECT * FROM ${relation} WHERE ${label} IS NOT NULL WINDOW w AS (PARTITION BY ${columns}) QUALIFY min(${label}) OVER w <> max(${label}) OVER w`;
  return {
    failing: { query: query(table.relation) },
    async finish() {
      const [row] = await session.rows(
        `SELECT coalesce(sum(n) FILTER (WHERE least <> most), 0)::BIGINT, coalesce(sum(n), 0)::BIGINT
         FROM (SELECT count(*) AS n, min(${label}) AS least, max(${label}) AS most FROM ${table.relation} WHERE ${label} IS NOT NULL GROUP BY ${columns})`,
      );
      const [broken, judged] = (row ?? []).map(Number) as [number, number];
      if (judged === 0) return resultOf(check, { verdict: 'fail', expected, reason: rowless });
      return resultOf(check, {
        verdict: reaches(judged - broken, judged, 1 - check.max) ? 'pass' : brokenVerdict(check),
        expected,
        observed: `${broken} of ${judged} rows (${percent(broken, judged)})`,
        failingRows: broken,
        sql: query(table.printed),
      });
    },
  };
}

/** What two datasets share that they must not. Whole rows are compared with NULL equal to NULL; an id that is missing is nobody's. */
export async function planLeakage(check: CheckOf<'leakage'>, context: CheckContext): Promise<PlannedCheck> {
  const { session, table } = context;
  const by = leakageBy(check);
  const named = check.columns ?? [];
  const what = { rows: 'rows', columns: named.join(', '), time: `times of ${named[0] ?? ''}` }[by];
  const expected = `at most ${percent(check.max, 1)} of ${what} shared with ${check.dataset}`;
  const unclear = leakageProblem(check);
  if (unclear !== null) return notExecuted(check, expected, `it ${unclear}`);
  const other = await otherTable(check.dataset, context);
  if (typeof other === 'string') return notExecuted(check, expected, other);
  const missing = missingOf([...named, ...check.except], table) ?? missingOf(named, other);
  if (missing !== null) return notExecuted(check, expected, missing);
  const judgedColumns = by === 'rows' ? comparable(table, check.except) : comparable(table, [], named);
  if (typeof judgedColumns === 'string') return notExecuted(check, expected, judgedColumns);
  const names = judgedColumns.map(({ name }) => name).filter((name) => findColumn(other, name) !== null);
  if (names.length === 0) return notExecuted(check, expected, `${check.dataset} has none of these columns`);
  const problem = typeProblem(table, names, other, names);
  if (problem !== null) return notExecuted(check, expected, problem);
  const [first = ''] = names.map(quoteIdentifier);
  const sign = by === 'rows' ? 'IS NOT DISTINCT FROM' : '=';
  const equal = names.map((name) => `l.${quoteIdentifier(name)} ${sign} r.${quoteIdentifier(name)}`).join(' AND ');
  const query = (left: string, right: string) =>
    by === 'time'
      ? `SELECT * FROM ${left} WHERE ${first} <= (SELECT max(${first}) FROM ${right})`
      : `SELECT l.* FROM ${left} l SEMI JOIN ${right} r ON ${equal}`;
  const failing = query(table.relation, other.relation);
  const present = by === 'rows' ? 'true' : names.map((name) => `${quoteIdentifier(name)} IS NOT NULL`).join(' AND ');
  return {
    failing: { query: failing },
    async finish() {
      const [row] = await session.rows(
        `SELECT (SELECT count(*) FROM (${failing})), (SELECT count_if(${present}) FROM ${table.relation}), (SELECT count_if(${present}) FROM ${other.relation})`,
      );
      const [shared, judged, against] = (row ?? []).map(Number) as [number, number, number];
      if (judged === 0 || against === 0)
        return resultOf(check, { verdict: 'fail', expected, failingRows: 0, reason: rowless });
      const said = by === 'time' ? `not after the last one of ${check.dataset}` : `in ${check.dataset} too`;
      return resultOf(check, {
        verdict: reaches(judged - shared, judged, 1 - check.max) ? 'pass' : brokenVerdict(check),
        expected,
        observed: `${shared} of ${judged} rows are ${said} (${percent(shared, judged)})`,
        failingRows: shared,
        sql: query(table.printed, other.printed),
      });
    },
  };
}

export function missingOf(names: readonly string[], table: Table): string | null {
  for (const name of names) {
    const found = columnOf(table, name);
    if (typeof found === 'string') return found;
  }
  return null;
}

/** Columns of single values, all but `except` or only `named`; why not where one of them holds several. */
function comparable(
  table: Table,
  except: readonly string[],
  named: readonly string[] | undefined = undefined,
): TableColumn[] | string {
  const found = table.columns.filter(
    ({ name }) => !except.includes(name) && (named === undefined || named.includes(name)),
  );
  const nested = found.find(({ type }) => type === 'nested');
  if (nested === undefined) return found;
  return `\`${plainText(nested.name, 60)}\` holds several values in one; leave it out`;
}

export async function otherTable(name: string, context: CheckContext): Promise<Table | string> {
  try {
    return await context.other(name);
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    return error.hint === null ? error.message : `${error.message} ${error.hint}`;
  }
}

/** `7` is not `'007'`: an engine would cast one to the other, or fail. */
export function typeProblem(
  table: Table,
  names: readonly string[],
  other: Table,
  to: readonly string[],
): string | null {
  const kind = (column: TableColumn | null) => (column === null ? '' : isNumeric(column.type) ? 'number' : column.type);
  for (const [at, name] of names.entries()) {
    const [left, right] = [findColumn(table, name), findColumn(other, to[at] ?? name)];
    if (kind(left) === kind(right)) continue;
    return `\`${plainText(name, 60)}\` is ${left?.type} here and ${right?.type} in ${other.name}`;
  }
  return null;
}
