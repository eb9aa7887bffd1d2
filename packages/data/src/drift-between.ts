import { type Progress, silentProgress } from '@passloop/core';
import type { DataReport } from '@passloop/documents';
import type { Check } from '@passloop/model';
import {
  findColumn,
  isNumeric,
  isTemporal,
  quoteIdentifier,
  requireColumn,
  requireRows,
  type Table,
  type TableColumn,
  type TableSession,
} from '@passloop/tables';
import { missingCondition, valueText } from './cells.ts';
import type { DriftMethod } from './drift.ts';
import { driftSummary, isMeasured } from './drift-summary.ts';
import { type Candidate, judgeDrift } from './judge.ts';
import {
  type DriftMeasure,
  driftThresholds,
  type Measurement,
  measureCategorical,
  measureMissing,
  measureNumeric,
} from './measure.ts';

export type DriftBetweenOptions = {
  session: TableSession;
  reference: Table;
  current: Table;
  method: DriftMethod;
  /** Columns by name; all that both tables have when undefined. */
  columns?: readonly string[] | undefined;
  except?: readonly string[] | undefined;
  /** Columns that name a row; they are left out. */
  key?: readonly string[] | undefined;
  threshold?: number | undefined;
  minRows?: number | undefined;
  severity?: 'error' | 'warn' | undefined;
  progress?: Progress | undefined;
};

const fewValues = 20;
const mostValues = 100_000;

/**
 * Drift of one table against another, from all of their rows: exact KS and Wasserstein distances over the distinct
 * values of both, bins by the reference's deciles, exact counts of values.
 *
 * @throws ConfigurationError for an empty table, or a named column that isn't there
 */
export async function driftBetween(options: DriftBetweenOptions): Promise<DataReport> {
  const { session, reference, current, method, minRows = 1000, progress = silentProgress } = options;
  requireRows(reference);
  requireRows(current);
  const names = options.columns ?? reference.columns.map((column) => column.name);
  for (const name of options.columns ?? []) requireColumn(reference, name, '--column');
  const except = new Set([...(options.except ?? []), ...(options.key ?? [])]);
  const candidates: Candidate[] = [];
  for (const [done, name] of names.entries()) {
    progress.tick(done, names.length, 'columns');
    if (!except.has(name)) candidates.push(...(await driftOfColumn(options, name)));
  }
  const drift = judgeDrift(candidates, minRows);
  const check: Extract<Check, { kind: 'drift' }> = {
    kind: 'drift',
    severity: options.severity ?? 'error',
    columns: options.columns === undefined ? undefined : [...options.columns],
    except: [...except],
    method,
    minRows,
    maxShare: 0,
  };
  const graded = drift.map((result) =>
    result.verdict === 'fail' && check.severity === 'warn' ? { ...result, verdict: 'warn' as const } : result,
  );
  const summary = driftSummary(check, `no column drifts from ${reference.name} (${method})`, graded);
  return {
    schema: 'passloop/data-report/v1',
    dataset: { name: current.name, uri: current.source?.uri ?? current.name, digest: null },
    engine: session.engine,
    rows: current.rows,
    verdict: summary.verdict,
    executed: graded.filter(isMeasured).length,
    checks: [summary],
    drift: graded,
  };
}

async function driftOfColumn(options: DriftBetweenOptions, name: string): Promise<Candidate[]> {
  const { session, reference, current, method } = options;
  const left = requireColumn(reference, name);
  const right = findColumn(current, name);
  const threshold = options.threshold ?? (method === 'auto' ? driftThresholds.ks : driftThresholds[method]);
  const n = { reference: reference.rows, current: current.rows };
  const none = (verdict: 'fail' | 'skipped', reason: string): Candidate[] => [
    { kind: 'unmeasured', column: name.slice(0, 256), method, threshold, verdict, reason, n },
  ];
  const named = options.columns !== undefined;
  if (right === null) return none('fail', 'the column is missing');
  if (kindOf(left) !== kindOf(right)) return none('fail', `the type changed from ${left.type} to ${right.type}`);
  if (left.type === 'nested' || left.type === 'binary')
    return none(named ? 'fail' : 'skipped', `${left.type} columns have no distribution`);
  if (isTemporal(left.type)) return none(named ? 'fail' : 'skipped', 'a date or time moves on by construction');

  const missing = await missingCounts(session, [reference, current], [left, right]);
  const candidates: Candidate[] = [];
  const hold = (measure: DriftMeasure, measurement: Measurement) => {
    const own = measure === 'missing' ? undefined : options.threshold;
    const limit = own ?? driftThresholds[measure];
    candidates.push({ kind: 'measured', column: name.slice(0, 256), measurement, threshold: limit, note: null });
  };
  const sides = [
    { rows: reference.rows, missing: missing[0] },
    { rows: current.rows, missing: missing[1] },
  ] as const;
  if (missing[0] + missing[1] > 0) hold('missing', measureMissing(sides[0], sides[1]));
  if (missing[0] === reference.rows) return none(named ? 'fail' : 'skipped', 'the reference has no finite value');
  if (missing[1] === current.rows) return candidates;

  if (!isNumeric(left.type)) {
    const measures =
      method === 'auto' ? (['chi2'] as const) : method === 'ks' || method === 'wasserstein' ? [] : [method];
    if (measures.length === 0)
      return none(named ? 'fail' : 'skipped', `${method} needs numbers; the column has values without an order`);
    const pair = await valueCounts(session, reference, current, left, right);
    if (pair === null) return none(named ? 'fail' : 'skipped', `more than ${mostValues} distinct values`);
    if (!named && isIdentifier(pair.reference))
      return none('skipped', 'identifier-like: nearly every row has its own value');
    for (const measure of measures) hold(measure, measureCategorical(measure, pair));
    return candidates;
  }
  const pair = await numberCounts(session, reference, current, left, right);
  if (!named && left.type === 'integer' && isIdentifier(pair.reference)) {
    return none('skipped', 'identifier-like: nearly every row has its own value');
  }
  const few = left.type === 'integer' && right.type === 'integer' && pair.points.length <= fewValues;
  const measures = method !== 'auto' ? [method] : few ? (['chi2'] as const) : (['ks', 'psi'] as const);
  for (const measure of measures) {
    if (few && measure !== 'ks' && measure !== 'wasserstein') {
      hold(measure, measureCategorical(measure, { reference: [...pair.reference], current: [...pair.current] }));
    } else {
      hold(measure, measureNumeric(measure, { ...pair, cells: 'exact', range: { minimum: 0, maximum: 0 }, sd: 0 }));
    }
  }
  return candidates;
}

function kindOf(column: TableColumn): string {
  return isNumeric(column.type) ? 'number' : column.type;
}

function isIdentifier(counts: ArrayLike<number>): boolean {
  let distinct = 0;
  let rows = 0;
  for (let i = 0; i < counts.length; i++) {
    rows += counts[i] as number;
    if ((counts[i] as number) > 0) distinct++;
  }
  return distinct > 1000 && distinct > rows * 0.95;
}

async function missingCounts(
  session: TableSession,
  tables: readonly [Table, Table],
  columns: readonly [TableColumn, TableColumn],
): Promise<[number, number]> {
  const count = async (table: Table, column: TableColumn) =>
    Number((await session.rows(`SELECT count(*) FROM ${table.relation} WHERE ${missingCondition(column)}`))[0]?.[0]);
  return [await count(tables[0], columns[0]), await count(tables[1], columns[1])];
}

/** Distinct finite values of both sides in ascending order with their counts. */
async function numberCounts(
  session: TableSession,
  reference: Table,
  current: Table,
  left: TableColumn,
  right: TableColumn,
) {
  const side = (table: Table, column: TableColumn, at: number) =>
    `SELECT ${quoteIdentifier(column.name)}::DOUBLE AS v, ${at} AS side FROM ${table.relation} WHERE NOT ${missingCondition(column)}`;
  const points: number[] = [];
  const counts: [number[], number[]] = [[], []];
  await session.scan(
    `SELECT v, (count(*) FILTER (WHERE side = 0))::DOUBLE, (count(*) FILTER (WHERE side = 1))::DOUBLE
     FROM (${side(reference, left, 0)} UNION ALL ${side(current, right, 1)}) GROUP BY v ORDER BY v`,
    (chunk) => {
      const [values, first, second] = chunk.getColumns() as [number[], number[], number[]];
      for (let i = 0; i < chunk.rowCount; i++) {
        points.push(values[i] as number);
        counts[0].push(first[i] as number);
        counts[1].push(second[i] as number);
      }
    },
  );
  return { points, reference: counts[0], current: counts[1] };
}

async function valueCounts(
  session: TableSession,
  reference: Table,
  current: Table,
  left: TableColumn,
  right: TableColumn,
) {
  const side = (table: Table, column: TableColumn, at: number) =>
    `SELECT ${valueText(column)} AS v, ${at} AS side FROM ${table.relation} WHERE ${quoteIdentifier(column.name)} IS NOT NULL`;
  const rows = await session.rows(
    `SELECT (count(*) FILTER (WHERE side = 0))::DOUBLE, (count(*) FILTER (WHERE side = 1))::DOUBLE
     FROM (${side(reference, left, 0)} UNION ALL ${side(current, right, 1)}) GROUP BY v ORDER BY v LIMIT ${mostValues + 1}`,
  );
  if (rows.length > mostValues) return null;
  return { reference: rows.map(([count]) => Number(count)), current: rows.map(([, count]) => Number(count)) };
}
