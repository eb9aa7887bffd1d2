import { z } from 'zod';
import { driftMethods } from './drift-methods.ts';

/**
 * The checks of a dataset. Every kind is a strict object, so that a mistyped key is an error and not a check that
 * silently never ran. `where` limits a check to some rows (one SQL expression); `mostly` is the share that must pass.
 */

const common = {
  /** Defaults to `<kind>:<column>`. */
  id: z.string().max(256).optional(),
  severity: z.enum(['error', 'warn']).default('error'),
};
const column = z.string().min(1).max(256);
const share = z.number().min(0).max(1);
const scalar = z.union([z.string().max(1024), z.number(), z.boolean()]);
const bound = z.union([z.number(), z.string().max(64)]);
const rowFilter = { where: z.string().max(4096).optional(), mostly: share.default(1) };

/** Column types, in the words of users rather than of an engine. */
export const ColumnType = z.enum([
  'integer',
  'float',
  'decimal',
  'string',
  'boolean',
  'date',
  'timestamp',
  'time',
  'binary',
]);
export type ColumnType = z.infer<typeof ColumnType>;

export const Check = z.discriminatedUnion('kind', [
  /** The columns and their types; with `exact` no other column may be there. */
  z.strictObject({
    kind: z.literal('columns'),
    ...common,
    types: z.record(column, ColumnType),
    exact: z.boolean().default(false),
  }),
  z.strictObject({
    kind: z.literal('row-count'),
    ...common,
    min: z.int().min(0).optional(),
    max: z.int().min(0).optional(),
  }),
  z.strictObject({ kind: z.literal('not-null'), ...common, column, ...rowFilter }),
  /** Bounds are inclusive; numbers, or ISO dates and timestamps as strings. NaN is outside every range. */
  z.strictObject({
    kind: z.literal('range'),
    ...common,
    column,
    min: bound.optional(),
    max: bound.optional(),
    ...rowFilter,
  }),
  z.strictObject({
    kind: z.literal('set'),
    ...common,
    column,
    values: z.array(scalar).min(1).max(10_000),
    ...rowFilter,
  }),
  /** No two rows agree in all of `columns`. */
  z.strictObject({ kind: z.literal('unique'), ...common, columns: z.array(column).min(1).max(32) }),
  /** Distribution against the committed profile, per column; without `columns`, all that the profile has. */
  z.strictObject({
    kind: z.literal('drift'),
    ...common,
    columns: z.array(column).optional(),
    except: z.array(column).default([]),
    method: z.enum(driftMethods).default('auto'),
    /** The effect from which a shift counts; the default belongs to the method. */
    threshold: z.number().min(0).optional(),
    minRows: z.int().min(1).default(1000),
  }),
]);
export type Check = z.infer<typeof Check>;
export type CheckInput = z.input<typeof Check>;

export function checkId(check: Check): string {
  if (check.id !== undefined) return check.id;
  if ('column' in check) return `${check.kind}:${check.column}`;
  if (check.kind === 'unique') return `unique:${check.columns.join(',')}`;
  return check.kind;
}
