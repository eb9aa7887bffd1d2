import { type Progress, silentProgress } from '@passloop/core';
import type { DataReport, DriftResult } from '@passloop/documents';
import type { Check } from '@passloop/model';
import {
  findColumn,
  isNumeric,
  isTemporal,
  requireColumn,
  requireRows,
  type Table,
  type TableColumn,
  type TableSession,
} from '@passloop/tables';
import { type ColumnRoles, withRoles } from './column-roles.ts';
import { distributionsOf, drawnDistributions, type Shape, shapeOfPair } from './distribution.ts';
import type { DriftMethod, MeasuredColumn } from './drift.ts';
import { gradedDrift, isMeasured } from './drift-summary.ts';
import { evidentlyOfColumn } from './evidently-between.ts';
import { type Candidate, judgeDrift } from './judge.ts';
import {
  type DriftMeasure,
  driftThresholds,
  type Measurement,
  measureCategorical,
  measureMissing,
  measureNumeric,
} from './measure.ts';
import { missingCounts, mostValues, numberCounts, tooManyNumbers, valueCounts } from './paired-counts.ts';

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
  /** Another tool's choice of method, numbers and thresholds; `minRows` is not among them. */
  compat?: 'evidently' | undefined;
  /** With `compat`: the share of drifted columns from which the table has drifted; 0.5 by default. */
  driftShare?: number | undefined;
  /** What the columns are to a model. */
  roles?: ColumnRoles | undefined;
  /** The document may name edges and values of the columns that drifted. */
  showValues?: boolean | undefined;
  progress?: Progress | undefined;
};

const fewValues = 20;

/**
 * Drift of one table against another, from all of their rows: exact KS and Wasserstein distances over the distinct
 * values of both, bins by the reference's deciles, exact counts of values.
 *
 * @throws ConfigurationError for an empty table, or a named column that isn't there
 */
export async function driftBetween(options: DriftBetweenOptions): Promise<DataReport> {
  const { session, reference, current, method, compat } = options;
  for (const name of options.columns ?? []) requireColumn(reference, name, '--column');
  const check: Extract<Check, { kind: 'drift' }> = {
    kind: 'drift',
    severity: options.severity ?? 'error',
    columns: options.columns === undefined ? undefined : [...options.columns],
    except: [],
    method,
    minRows: options.minRows,
    compat,
    driftShare: options.driftShare,
  };
  const { results, shapes } = await driftResultsBetween(options);
  const { summary, drift } = gradedDrift(check, results, reference.name);
  const found = distributionsOf(drift, shapes, { against: reference.name, isShown: options.showValues === true });
  return {
    schema: 'passloop/data-report/v1',
    dataset: { name: current.name, uri: current.source?.uri ?? current.name, digest: null },
    engine: session.engine,
    rows: current.rows,
    verdict: summary.verdict,
    executed: drift.filter(isMeasured).length,
    checks: [summary],
    drift,
    ...drawnDistributions(found),
  };
}

/** What was measured and judged of each column, before a check's severity and shares, and how each is distributed. */
export async function driftResultsBetween(
  options: DriftBetweenOptions,
): Promise<{ results: DriftResult[]; shapes: Map<string, Shape> }> {
  const { reference, current, compat, minRows = 1000, progress = silentProgress } = options;
  requireRows(reference);
  requireRows(current);
  const except = new Set([...(options.except ?? []), ...(options.key ?? [])]);
  // Evidently goes by what the current table has.
  const { columns } = compat === undefined ? reference : current;
  const names = (options.columns ?? columns.map((column) => column.name)).filter((name) => !except.has(name));
  const candidates: Candidate[] = [];
  const results: DriftResult[] = [];
  const shapes = new Map<string, Shape>();
  for (const [done, name] of names.entries()) {
    progress.tick(done, names.length, 'columns');
    const found = compat === 'evidently' ? await evidentlyOfColumn(options, name) : await driftOfColumn(options, name);
    if ('result' in found) results.push(found.result);
    else candidates.push(...found.candidates);
    if (found.shape !== null) shapes.set(name.slice(0, 256), found.shape);
  }
  const judged = compat === undefined ? judgeDrift(candidates, minRows) : results;
  return { results: withRoles(judged, options.roles), shapes };
}

async function driftOfColumn(options: DriftBetweenOptions, name: string): Promise<MeasuredColumn> {
  const { session, reference, current, method } = options;
  const left = findColumn(reference, name);
  const right = findColumn(current, name);
  const threshold = options.threshold ?? (method === 'auto' ? driftThresholds.ks : driftThresholds[method]);
  const n = { reference: reference.rows, current: current.rows };
  const none = (verdict: 'fail' | 'skipped', reason: string): MeasuredColumn => ({
    candidates: [{ kind: 'unmeasured', column: name.slice(0, 256), method, threshold, verdict, reason, n }],
    shape: null,
  });
  const named = options.columns !== undefined;
  if (left === null) return none('fail', 'the reference has no such column');
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
  if (missing[1] === current.rows) return { candidates, shape: null };

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
    return { candidates, shape: shapeOfPair(pair, missing, 'values') };
  }
  const pair = await numberCounts(session, reference, current, left, right);
  if (pair === null) return none('fail', tooManyNumbers);
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
  return { candidates, shape: shapeOfPair(pair, missing, few ? 'values' : 'numbers') };
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
