import { z } from 'zod';

/** A name that another tool has for a check which ours is exactly: fields are renamed, and what the name itself says is added. */
export type CheckAlias = {
  tool: 'Great Expectations' | 'dbt' | 'deequ';
  kind: string;
  /** Theirs to ours: one may be two of ours. */
  rename?: Readonly<Record<string, string | readonly string[]>>;
  add?: Readonly<Record<string, unknown>>;
  /** Theirs judges no NULL: `where` is added over the column, which becomes `columns`. */
  isUniqueness?: true;
};

const between = { min_value: 'min', max_value: 'max' };
const equal = { value: ['min', 'max'] };
const ge = (kind: string, rename: CheckAlias['rename'] = {}, add: CheckAlias['add'] = {}): CheckAlias => ({
  tool: 'Great Expectations',
  kind,
  rename,
  add,
});
const aggregate = (name: string) => ge('aggregate', between, { function: name });

export const checkAliases: Readonly<Record<string, CheckAlias>> = {
  expect_column_values_to_not_be_null: ge('not-null'),
  expect_column_values_to_be_between: ge('range', between),
  expect_column_values_to_be_in_set: ge('set', { value_set: 'values' }),
  expect_column_values_to_not_be_in_set: ge('not-in-set', { value_set: 'values' }),
  expect_column_values_to_match_regex: ge('regex', { regex: 'pattern' }),
  expect_column_values_to_not_match_regex: ge('regex', { regex: 'pattern' }, { not: true }),
  expect_column_values_to_match_like_pattern: ge('like', { like_pattern: 'pattern' }),
  expect_column_values_to_not_match_like_pattern: ge('like', { like_pattern: 'pattern' }, { not: true }),
  expect_column_value_lengths_to_be_between: ge('length', between),
  expect_column_value_lengths_to_equal: ge('length', equal),
  expect_column_distinct_values_to_be_in_set: ge('set', { value_set: 'values' }),
  expect_column_values_to_be_unique: { tool: 'Great Expectations', kind: 'unique', isUniqueness: true },
  expect_table_row_count_to_be_between: ge('row-count', between),
  expect_table_column_count_to_be_between: ge('column-count', between),
  expect_table_row_count_to_equal: ge('row-count', equal),
  expect_table_column_count_to_equal: ge('column-count', equal),
  expect_column_min_to_be_between: aggregate('min'),
  expect_column_max_to_be_between: aggregate('max'),
  expect_column_sum_to_be_between: aggregate('sum'),
  expect_column_mean_to_be_between: aggregate('mean'),
  expect_column_median_to_be_between: aggregate('median'),
  expect_column_stdev_to_be_between: aggregate('sd'),
  expect_column_unique_value_count_to_be_between: aggregate('distinct'),
  expect_column_proportion_of_unique_values_to_be_between: aggregate('distinct-share'),
  not_null: { tool: 'dbt', kind: 'not-null' },
  accepted_values: { tool: 'dbt', kind: 'set' },
  'dbt_utils.accepted_range': { tool: 'dbt', kind: 'range', rename: between },
  'dbt_utils.expression_is_true': { tool: 'dbt', kind: 'expression' },
  isComplete: { tool: 'deequ', kind: 'not-null' },
  isContainedIn: { tool: 'deequ', kind: 'set', rename: { allowedValues: 'values' } },
  isNonNegative: { tool: 'deequ', kind: 'range', add: { min: 0 } },
};

const Written = z.looseObject({ kind: z.string() });
const Checks = z.array(z.unknown());
const Datasets = z.record(z.string(), z.unknown());
const Fields = z.looseObject({
  models: z.unknown().optional(),
  data: z.unknown().optional(),
  checks: z.unknown().optional(),
});

/** A model file's value with all of its checks under our names. What isn't as it should be is left for the schema to refuse. */
export function modelsWithOwnNames(value: unknown): unknown {
  const mapped = (part: unknown, key: 'models' | 'checks', change: (one: unknown) => unknown) => {
    const fields = Fields.safeParse(part).data;
    const list = Checks.safeParse(fields?.[key]).data;
    return fields === undefined || list === undefined ? part : { ...fields, [key]: list.map(change) };
  };
  return mapped(value, 'models', (model) => {
    const fields = Fields.safeParse(model).data;
    const datasets = Datasets.safeParse(fields?.data).data;
    if (fields === undefined || datasets === undefined) return model;
    const data = Object.entries(datasets).map(([name, one]) => [name, mapped(one, 'checks', withOwnNames)] as const);
    return { ...fields, data: Object.fromEntries(data) };
  });
}

/** A check as it was written, under our names; what isn't one of the aliases is given back as it is. */
export function withOwnNames(check: unknown): unknown {
  const written = Written.safeParse(check).data;
  const alias =
    written !== undefined && Object.hasOwn(checkAliases, written.kind) ? checkAliases[written.kind] : undefined;
  if (written === undefined || alias === undefined) return check;
  const { rename = {}, add = {} } = alias;
  const own: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(written)) {
    if (name === 'kind') continue;
    for (const ours of [(Object.hasOwn(rename, name) ? rename[name] : undefined) ?? name].flat()) own[ours] = value;
  }
  const renamed: Record<string, unknown> = { kind: alias.kind, ...own, ...add };
  if (alias.isUniqueness !== true || typeof own.column !== 'string') return renamed;
  const { column, ...rest } = renamed;
  return { ...rest, columns: [column], where: `"${String(column).replaceAll('"', '""')}" IS NOT NULL` };
}
