import { z } from 'zod';
import { bound, ColumnType, column, columns, common, rowFilter, share } from './fields.ts';

const count = z.int().min(0).optional();
const number = z.number().optional();

/** What `aggregate` computes of a column. */
export const aggregateFunctions = [
  'min',
  'max',
  'sum',
  'mean',
  'median',
  'sd',
  'variance',
  'distinct',
  'distinct-share',
  'null-share',
] as const;

/** Checks of a column, or of some columns, as a whole. */
export const columnChecks = [
  /** The columns and their types; with `exact` no other column may be there, with `ordered` they stand in this order. */
  z.strictObject({
    kind: z.literal('columns'),
    ...common,
    types: z.record(column, ColumnType),
    exact: z.boolean().default(false),
    ordered: z.boolean().default(false),
  }),
  z.strictObject({ kind: z.literal('column-count'), ...common, min: count, max: count }),
  /** One of these types. */
  z.strictObject({
    kind: z.literal('type'),
    ...common,
    column,
    types: z.array(ColumnType).min(1).max(10),
  }),
  z.strictObject({ kind: z.literal('row-count'), ...common, min: count, max: count }),
  z.strictObject({
    kind: z.literal('aggregate'),
    ...common,
    column,
    function: z.enum(aggregateFunctions),
    min: bound.optional(),
    max: bound.optional(),
    where: rowFilter.where,
  }),
  /** The value at a share of the sorted rows, between two rows as numpy's `linear` and pandas have it. */
  z.strictObject({
    kind: z.literal('quantile'),
    ...common,
    column,
    at: share,
    min: number,
    max: number,
    where: rowFilter.where,
  }),
  /** The most frequent value (NULL is one) has less than `below` of the rows; 1: there is more than one value. */
  z.strictObject({ kind: z.literal('constant'), ...common, column, below: share.default(1) }),
  /** The rarest class has at least `min` of the rows that have one. */
  z.strictObject({ kind: z.literal('class-balance'), ...common, column, min: share.default(0.1) }),
  /** By the order of another column, each value is at least (`strict`: above) the one before. */
  z.strictObject({
    kind: z.literal('monotonic'),
    ...common,
    column,
    by: column,
    direction: z.enum(['increasing', 'decreasing']).default('increasing'),
    strict: z.boolean().default(false),
  }),
  /** The newest date or timestamp is at most this old. Times without a zone count as UTC. */
  z.strictObject({
    kind: z.literal('freshness'),
    ...common,
    column,
    within: z.string().regex(/^[1-9][0-9]{0,5}[smhd]$/, 'must be a time such as 90m, 24h or 7d'),
  }),
  /** Pearson's correlation of two columns, NULL and what isn't finite left out. */
  z.strictObject({
    kind: z.literal('correlation'),
    ...common,
    columns: z.array(column).length(2),
    min: number,
    max: number,
  }),
  /** Cramer's V of two columns of few values: how much one tells of the other. */
  z.strictObject({
    kind: z.literal('association'),
    ...common,
    columns: z.array(column).length(2),
    max: share.default(0.9),
  }),
  /**
   * Values far from the others: `iqr` beyond the quartiles by `k` times their distance (1.5), `z` beyond the mean by `k` standard deviations (3),
   * `mad` beyond the median by `k` scaled median deviations (3.5).
   */
  z.strictObject({
    kind: z.literal('outliers'),
    ...common,
    column,
    method: z.enum(['iqr', 'z', 'mad']).default('iqr'),
    k: z.number().positive().optional(),
    where: rowFilter.where,
    mostly: share.default(0.99),
  }),
  /** Values that are one but for letter case, spaces and punctuation. */
  z.strictObject({ kind: z.literal('variants'), ...common, column }),
  /** Columns that name the row rather than tell of it: nearly every value is another one. Without `columns`, all but floats and times. */
  z.strictObject({
    kind: z.literal('identifier-like'),
    ...common,
    columns: columns.optional(),
    except: z.array(column).default([]),
    below: share.default(0.95),
  }),
] as const;
