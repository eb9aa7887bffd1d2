import { z } from 'zod';
import { columnChecks } from './checks/column-checks.ts';
import { column, common, dataset, share } from './checks/fields.ts';
import { rowChecks } from './checks/row-checks.ts';
import { tableChecks } from './checks/table-checks.ts';
import { driftCompatibilities, driftMethods } from './drift-methods.ts';

export { type CheckAlias, checkAliases, withOwnNames } from './checks/aliases.ts';
export { aggregateFunctions } from './checks/column-checks.ts';
export { checkLoosens } from './checks/directions.ts';
export { ColumnType } from './checks/fields.ts';
export { type CheckKind, checkKinds } from './checks/kinds.ts';

/**
 * Distribution against the committed profile, per column; without `columns`, all that the profile has. With `dataset`, against the rows of another dataset of the
 * model.
 */
const driftCheck = z.strictObject({
  kind: z.literal('drift'),
  ...common,
  columns: z.array(column).optional(),
  except: z.array(column).default([]),
  method: z.enum(driftMethods).default('auto'),
  /** The effect from which a shift counts; the default belongs to the method. */
  threshold: z.number().min(0).optional(),
  /** The share of judged columns that may drift; none by default. */
  maxShare: share.optional(),
  /** 1,000 by default. */
  minRows: z.int().min(1).optional(),
  dataset: dataset.optional(),
  /** Another tool's choice of method, numbers and thresholds. */
  compat: z.enum(driftCompatibilities).optional(),
  /** With `compat`: the share of drifted columns from which the dataset has drifted; 0.5 by default. */
  driftShare: share.optional(),
});

/**
 * The checks of a dataset. Every kind is a strict object, so that a mistyped key is an error and not a check that
 * silently never ran.
 */
export const Check = z.discriminatedUnion('kind', [...rowChecks, ...columnChecks, ...tableChecks, driftCheck]);
export type Check = z.infer<typeof Check>;
export type CheckInput = z.input<typeof Check>;

/** What a leakage check compares. */
export function leakageBy({ by, columns }: Extract<Check, { kind: 'leakage' }>): 'rows' | 'columns' | 'time' {
  return by ?? (columns === undefined ? 'rows' : 'columns');
}

/** @returns what a drift check names and can't have; null where there is nothing of the kind */
export function driftProblem(check: Extract<Check, { kind: 'drift' }>): string | null {
  if (check.compat === undefined)
    return check.driftShare === undefined ? null : 'names `driftShare`, which is for `compat`; `maxShare` is wanted';
  if (check.dataset === undefined)
    return "names `compat` and no `dataset`: Evidently's numbers follow from the reference's rows, and a profile keeps counts in cells. Name the reference, such as `dataset: train`, or leave `compat` out";
  if (check.maxShare !== undefined) return 'names `maxShare`, which `compat` has not; `driftShare` is wanted';
  return check.minRows === undefined ? null : 'names `minRows`, and Evidently judges any number of rows';
}

/** Its own id, or what it is of: `range:distance`, `aggregate:mean:distance`, `unique:day,hour`. */
export function checkId(check: Check): string {
  if (check.id !== undefined) return check.id;
  const parts: string[] = [check.kind];
  if (check.kind === 'aggregate') parts.push(check.function);
  if (check.kind === 'quantile') parts.push(String(check.at));
  if (check.kind === 'expression') parts.push(check.expression);
  if (check.kind === 'leakage') parts.push(leakageBy(check));
  if (check.kind === 'history') parts.push(check.measure);
  if ('column' in check && check.column !== undefined) parts.push(check.column);
  else if ('label' in check) parts.push(check.label);
  else if ('columns' in check && check.columns !== undefined && check.kind !== 'drift')
    parts.push(check.columns.join(','));
  if ('dataset' in check && check.dataset !== undefined) parts.push(check.dataset);
  return parts.join(':');
}
