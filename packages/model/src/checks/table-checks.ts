import { z } from 'zod';
import { column, columns, common, dataset, rowFilter, share } from './fields.ts';

/** Checks across rows, and against other datasets of the model. */
export const tableChecks = [
  /** No two rows agree in all of `columns`. */
  z.strictObject({ kind: z.literal('unique'), ...common, columns, where: rowFilter.where }),
  /** Rows that are there more than once, in all columns but `except`; at most `max` of all. */
  z.strictObject({
    kind: z.literal('duplicate-rows'),
    ...common,
    except: z.array(column).default([]),
    max: share.default(0),
  }),
  /** No two columns hold the same in every row; with `share`, in so many of the rows that have a value in one of the two. */
  z.strictObject({
    kind: z.literal('duplicate-columns'),
    ...common,
    except: z.array(column).default([]),
    share: share.default(1),
  }),
  /** Each combination of `columns` is in another dataset, there as `to`. Rows with NULL in one refer to nothing. */
  z.strictObject({
    kind: z.literal('references'),
    ...common,
    columns,
    dataset,
    to: columns.optional(),
    mostly: share.default(1),
  }),
  /** Values that another dataset has too: a class of the test set that the training set lacks is a new label. */
  z.strictObject({ kind: z.literal('known-values'), ...common, column, dataset, mostly: share.default(1) }),
  /** Rows of this dataset by those of another. */
  z.strictObject({
    kind: z.literal('row-ratio'),
    ...common,
    dataset,
    min: z.number().min(0).optional(),
    max: z.number().min(0).optional(),
  }),
  /** Rows with the same features and another label; `features` is every other column without it. */
  z.strictObject({
    kind: z.literal('conflicting-labels'),
    ...common,
    label: column,
    features: columns.optional(),
    except: z.array(column).default([]),
    max: share.default(0),
  }),
  /**
   * How much each feature tells of the label by itself: one that tells nearly all is a leak, or the label under another name. With `dataset`, how much that
   * differs from there. `features` is every other column without it, the key aside.
   */
  z.strictObject({
    kind: z.literal('label-power'),
    ...common,
    label: column,
    features: columns.optional(),
    except: z.array(column).default([]),
    max: share.default(0.9),
    dataset: dataset.optional(),
    /** With `dataset`; 0.2 by default. */
    maxChange: share.optional(),
  }),
  /**
   * What the training set must not share with the test set: `rows` that are the same in all common columns but `except`, rows with the same `columns`, or a `time`
   * from which on the other one has no rows.
   */
  z.strictObject({
    kind: z.literal('leakage'),
    ...common,
    dataset,
    /** `columns` where these are named, else `rows`. */
    by: z.enum(['rows', 'columns', 'time']).optional(),
    columns: columns.optional(),
    except: z.array(column).default([]),
    max: share.default(0),
  }),
  /** A number of this data against the same one of earlier committed versions of its profile. */
  z.strictObject({
    kind: z.literal('history'),
    ...common,
    measure: z.enum(['rows', 'null-share', 'mean', 'distinct']),
    column: column.optional(),
    k: z.number().positive().default(4),
    versions: z.int().min(2).max(20).default(4),
  }),
] as const;
