import { toDecimal, toDecimalOrNull } from '@passloop/core';
import type { DriftResult } from '@passloop/documents';
import { findColumn, isNumeric, type TableColumn } from '@passloop/tables';
import { type Shape, shapeOfPair } from './distribution.ts';
import type { DriftBetweenOptions } from './drift-between.ts';
import { type EvidentlyColumn, evidentlyDrift } from './evidently.ts';
import { missingCounts, mostValues, numberCounts, tooManyNumbers, valueCounts } from './paired-counts.ts';

/** Values of the current table up to which whole numbers without a gap are categories. */
const fewIntegers = 10;

/** A column's drift, and how it is distributed on both sides. */
export type EvidentlyOfColumn = { result: DriftResult; shape: Shape | null };

/** The drift of one column as Evidently measures it, on the rows of both tables. */
export async function evidentlyOfColumn(options: DriftBetweenOptions, name: string): Promise<EvidentlyOfColumn> {
  const { session, reference, current, method } = options;
  const column = name.slice(0, 256);
  const unmeasured = (verdict: 'fail' | 'skipped', reason: string): EvidentlyOfColumn => ({
    result: {
      column,
      method: `evidently:${method}`,
      statistic: null,
      pValue: null,
      threshold: toDecimal(options.threshold ?? 0.1),
      verdict,
      n: { reference: reference.rows, current: current.rows },
      reason,
    },
    shape: null,
  });
  const left = findColumn(reference, name);
  const right = findColumn(current, name);
  if (left === null) return unmeasured('fail', 'the reference has no such column');
  if (right === null) return unmeasured('fail', 'the column is missing');
  const unjudged = options.columns === undefined ? 'skipped' : 'fail';
  const why = leftOut(right);
  if (why !== null) return unmeasured(unjudged, why);
  if (isNumeric(left.type) !== isNumeric(right.type) || (!isNumeric(left.type) && left.type !== right.type))
    return unmeasured('fail', `the type changed from ${left.type} to ${right.type}`);

  const missing = await missingCounts(session, [reference, current], [left, right]);
  if (missing[0] === reference.rows)
    return unmeasured('fail', 'the reference has no finite value, and Evidently stops');
  if (missing[1] === current.rows) return unmeasured('fail', 'the column has no finite value, and Evidently stops');
  const numbers = isNumeric(right.type) ? await numberCounts(session, reference, current, left, right) : null;
  if (numbers === null && isNumeric(right.type)) return unmeasured('fail', tooManyNumbers);
  const counted = numbers ?? (await valueCounts(session, reference, current, left, right));
  if (counted === null) return unmeasured('fail', `more than ${mostValues} distinct values`);
  const kind = kindOf(right, missing[1] > 0, counted.current);
  if (kind === 'unknown') return unmeasured(unjudged, `Evidently takes ${right.type} with NULLs for unknown`);
  if (kind === 'text') {
    const reason =
      "Evidently takes this for text: more than half of its values are different. It then trains a classifier of words, which isn't reproduced here; leave the column out (except)";
    return unmeasured('fail', reason);
  }
  const isInteger = left.type === 'integer' && right.type === 'integer' && missing[0] + missing[1] === 0;
  const measured: EvidentlyColumn = {
    type: kind,
    points: numbers?.points ?? null,
    isInteger,
    reference: counted.reference,
    current: counted.current,
  };
  const drift = evidentlyDrift(measured, method, options.threshold);
  if (typeof drift === 'string') return unmeasured(unjudged, drift);
  const score = toDecimalOrNull(drift.score);
  const result: DriftResult = {
    column,
    method: drift.method,
    statistic: score,
    pValue: drift.isPValue ? score : null,
    threshold: toDecimal(drift.threshold),
    verdict: drift.isDrifted ? 'fail' : 'pass',
    n: drift.n,
    reason: score === null ? 'one value only: Evidently has no number for it, and no drift' : null,
  };
  return { result, shape: shapeOfPair(counted, missing, kind === 'categorical' ? 'values' : 'numbers') };
}

/** Why Evidently leaves a column out; null where it doesn't. */
function leftOut({ type, engineType }: TableColumn): string | null {
  // Only pandas' signed whole numbers and binary floats are numbers to it.
  const isSigned = ['TINYINT', 'SMALLINT', 'INTEGER', 'BIGINT'].includes(engineType);
  if (type === 'float' || type === 'string' || type === 'boolean' || (type === 'integer' && isSigned)) return null;
  return `Evidently leaves ${type === 'integer' ? engineType : type} columns out`;
}

/** What Evidently takes the current column for, as pandas reads it: whole numbers with a NULL are floats there. */
function kindOf(
  { type }: TableColumn,
  hasMissing: boolean,
  counts: readonly number[],
): EvidentlyColumn['type'] | 'text' | 'unknown' {
  const distinct = counts.filter((count) => count > 0).length;
  if (type === 'boolean') return hasMissing ? 'unknown' : 'categorical';
  if (type === 'integer' && !hasMissing && distinct <= fewIntegers) return 'categorical';
  if (type !== 'string') return 'numerical';
  const present = counts.reduce((sum, count) => sum + count, 0);
  return distinct > present * 0.5 ? 'text' : 'categorical';
}
