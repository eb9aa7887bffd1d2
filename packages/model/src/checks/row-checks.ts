import { z } from 'zod';
import { bound, column, common, rowFilter, values } from './fields.ts';

const pattern = z.string().min(1).max(4096);
const count = z.int().min(0).optional();

/** Checks that judge each row by itself: NULL is judged by `not-null` alone. */
export const rowChecks = [
  z.strictObject({ kind: z.literal('not-null'), ...common, column, ...rowFilter }),
  /** Text that stands for a missing value, compared without case and outer spaces. */
  z.strictObject({
    kind: z.literal('null-like'),
    ...common,
    column,
    values: z.array(z.string().max(1024)).min(1).max(1000).optional(),
    ...rowFilter,
  }),
  /** Neither NaN nor infinite. */
  z.strictObject({ kind: z.literal('finite'), ...common, column, ...rowFilter }),
  /** Bounds are inclusive; numbers, or ISO dates and timestamps as strings. NaN is outside every range. */
  z.strictObject({
    kind: z.literal('range'),
    ...common,
    column,
    min: bound.optional(),
    max: bound.optional(),
    ...rowFilter,
  }),
  z.strictObject({ kind: z.literal('set'), ...common, column, values, ...rowFilter }),
  z.strictObject({ kind: z.literal('not-in-set'), ...common, column, values, ...rowFilter }),
  /** RE2's syntax, found anywhere in the text; with `full` it must be the whole of it, with `not` nowhere in it. */
  z.strictObject({
    kind: z.literal('regex'),
    ...common,
    column,
    pattern,
    full: z.boolean().default(false),
    not: z.boolean().default(false),
    ...rowFilter,
  }),
  /** SQL's LIKE: `%` is any text, `_` any character. */
  z.strictObject({
    kind: z.literal('like'),
    ...common,
    column,
    pattern,
    not: z.boolean().default(false),
    ...rowFilter,
  }),
  /** Characters of a text. */
  z.strictObject({ kind: z.literal('length'), ...common, column, min: count, max: count, ...rowFilter }),
  /** One SQL condition over the columns of a row. A row for which it is NULL isn't judged. */
  z.strictObject({ kind: z.literal('expression'), ...common, expression: z.string().min(1).max(4096), ...rowFilter }),
] as const;
