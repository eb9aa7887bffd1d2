import { z } from 'zod';

/** What checks have in common. `where` limits a check to some rows (one SQL expression); `mostly` is the share that must pass. */
export const common = {
  /** Defaults to `<kind>:<column>`. */
  id: z.string().max(256).optional(),
  severity: z.enum(['error', 'warn']).default('error'),
};
export const column = z.string().min(1).max(256);
export const columns = z.array(column).min(1).max(32);
export const share = z.number().min(0).max(1);
const scalar = z.union([z.string().max(1024), z.number(), z.boolean()]);
export const bound = z.union([z.number(), z.string().max(64)]);
export const values = z.array(scalar).min(1).max(10_000);
export const rowFilter = { where: z.string().max(4096).optional(), mostly: share.default(1) };
/** Another dataset of the same model. */
export const dataset = z.string().min(1).max(128);

/** Column types, in the words of users rather than of an engine. `nested` stands for lists, structs and maps. */
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
  'nested',
]);
export type ColumnType = z.infer<typeof ColumnType>;
