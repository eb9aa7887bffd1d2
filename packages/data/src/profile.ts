import { ConfigurationError } from '@passloop/core';
import { ColumnType } from '@passloop/model';
import { z } from 'zod';

/**
 * What a committed profile says of a table: enough to judge other data against it without the table itself, written so
 * that a review of its changes reads well. Columns and values are sorted by name, one value a line, number lists on one.
 */

const Count = z.int().min(0);
const Decimal = z.string().max(32);
const Text = z.string().max(1024);

export const ProfileKind = z.enum(['numeric', 'categorical', 'time', 'key', 'identifier', 'unsupported']);
export type ProfileKind = z.infer<typeof ProfileKind>;

/** How far a tenth of the reference lay from the rest of it, by method: what time alone does to this column. */
export const Wander = z.partialRecord(z.enum(['ks', 'psi', 'js', 'wasserstein', 'chi2', 'missing']), Decimal);
export type Wander = z.infer<typeof Wander>;

export const ProfileColumn = z.object({
  name: z.string().max(1024),
  type: ColumnType,
  /** `key` and `identifier` columns, dates and times have no distribution here: theirs is new by construction. */
  kind: ProfileKind,
  nulls: Count,
  nan: Count,
  infinite: Count,
  /** Distinct values that are not NULL, exactly; null for nested columns. */
  distinct: Count.nullable(),
  /** Of the finite values, as text. */
  minimum: Text.nullable(),
  maximum: Text.nullable(),
  /** Of the finite values; `sd` is the sample form (n - 1). */
  mean: Decimal.nullable(),
  sd: Decimal.nullable(),
  /**
   * The reference's percentiles (smallest value with at least that share at or below it; ties merged) and how many finite
   * values lie in each cell (-inf, e1], (e1, e2], .. (ek, inf). Edges are exact doubles. A value that two percentiles share
   * has the double right below it as an edge too, and so a cell of its own; the maximum is an edge only then.
   */
  quantiles: z.object({ edges: z.array(z.number()).max(200), counts: z.array(Count).max(201) }).nullable(),
  /** The most frequent values with their counts, sorted by value, and what is left. */
  values: z
    .array(z.object({ value: Text, count: Count }))
    .max(1000)
    .nullable(),
  other: z.object({ distinct: Count, count: Count }).nullable(),
  wander: Wander.nullable(),
});
export type ProfileColumn = z.infer<typeof ProfileColumn>;

export const Profile = z.object({
  schema: z.literal('passloop/profile/v1'),
  dataset: z.object({ name: z.string().max(128), uri: z.string().max(4096), digest: z.string().nullable() }),
  engine: z.string().max(128),
  rows: Count,
  /** The column by which `wander` was measured and in how many blocks; null where the table has no time. */
  time: z.object({ column: z.string().max(1024), blocks: Count }).nullable(),
  columns: z.array(ProfileColumn).max(20_000),
});
export type Profile = z.infer<typeof Profile>;

/** @throws ConfigurationError that names the first field that is wrong */
export function parseProfile(text: string, file: string): Profile {
  const hint = 'Run `passloop data profile` to write it again.';
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new ConfigurationError(`${file} is not JSON: ${(error as Error).message}`, { file, hint });
  }
  const result = Profile.safeParse(value);
  if (!result.success) {
    const issue = result.error.issues[0];
    throw new ConfigurationError(`${file} is no profile: ${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}`, {
      file,
      hint,
    });
  }
  for (const column of result.data.columns) {
    const { quantiles } = column;
    if (quantiles === null) continue;
    const ascending = quantiles.edges.every((edge, i) => i === 0 || edge > (quantiles.edges[i - 1] as number));
    if (!ascending || quantiles.counts.length !== quantiles.edges.length + 1) {
      throw new ConfigurationError(`${file}: the quantiles of ${JSON.stringify(column.name)} are not consistent.`, {
        file,
        hint,
      });
    }
  }
  return result.data;
}

/** The profile's bytes: the same for the same table on any number of threads. */
export function formatProfile(profile: Profile): string {
  return `${render(Profile.parse(profile), '')}\n`;
}

/** JSON with two spaces, but a list of scalars, and an object of scalars inside a list or a small field, on one line. */
function render(value: unknown, indent: string): string {
  if (Array.isArray(value)) {
    if (value.length === 0 || value.every(isScalar)) return inline(value);
    const inner = `${indent}  `;
    return `[\n${value.map((item) => inner + (isFlat(item) ? inline(item) : render(item, inner))).join(',\n')}\n${indent}]`;
  }
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const inner = `${indent}  `;
  const lines = Object.entries(value).map(
    ([key, item]) => `${inner}${JSON.stringify(key)}: ${isFlat(item) ? inline(item) : render(item, inner)}`,
  );
  return lines.length === 0 ? '{}' : `{\n${lines.join(',\n')}\n${indent}}`;
}

function isScalar(value: unknown): boolean {
  return typeof value !== 'object' || value === null;
}

function isFlat(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && Object.values(value).every(isScalar);
}

function inline(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((item) => JSON.stringify(item)).join(', ')}]`;
  const entries = Object.entries(value as Record<string, unknown>);
  return `{${entries.map(([key, item]) => `${JSON.stringify(key)}: ${JSON.stringify(item)}`).join(', ')}}`;
}
