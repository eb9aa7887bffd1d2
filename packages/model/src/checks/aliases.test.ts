import { expect, it } from 'vitest';
import { Check } from '../checks.ts';
import { parseChecks } from '../load.ts';
import { checkAliases, modelsWithOwnNames, withOwnNames } from './aliases.ts';

/** For each alias a check as its tool writes it, and ours. */
const written: Record<string, [Record<string, unknown>, Record<string, unknown>]> = {
  expect_column_values_to_not_be_null: [
    { column: 'a', mostly: 0.9 },
    { kind: 'not-null', column: 'a', mostly: 0.9 },
  ],
  expect_column_values_to_be_between: [
    { column: 'a', min_value: 1, max_value: 2 },
    { kind: 'range', column: 'a', min: 1, max: 2 },
  ],
  expect_column_values_to_be_in_set: [
    { column: 'a', value_set: ['x'] },
    { kind: 'set', column: 'a', values: ['x'] },
  ],
  expect_column_values_to_not_be_in_set: [
    { column: 'a', value_set: ['x'] },
    { kind: 'not-in-set', column: 'a', values: ['x'] },
  ],
  expect_column_values_to_match_regex: [
    { column: 'a', regex: '^x' },
    { kind: 'regex', column: 'a', pattern: '^x', not: false },
  ],
  expect_column_values_to_not_match_regex: [
    { column: 'a', regex: '^x' },
    { kind: 'regex', column: 'a', pattern: '^x', not: true },
  ],
  expect_column_values_to_match_like_pattern: [
    { column: 'a', like_pattern: 'x%' },
    { kind: 'like', column: 'a', pattern: 'x%', not: false },
  ],
  expect_column_values_to_not_match_like_pattern: [
    { column: 'a', like_pattern: 'x%' },
    { kind: 'like', column: 'a', pattern: 'x%', not: true },
  ],
  expect_column_value_lengths_to_be_between: [
    { column: 'a', min_value: 1, max_value: 2 },
    { kind: 'length', column: 'a', min: 1, max: 2 },
  ],
  expect_column_value_lengths_to_equal: [
    { column: 'a', value: 2, mostly: 0.5 },
    { kind: 'length', column: 'a', min: 2, max: 2, mostly: 0.5 },
  ],
  expect_column_distinct_values_to_be_in_set: [
    { column: 'a', value_set: ['x'] },
    { kind: 'set', column: 'a', values: ['x'] },
  ],
  expect_table_row_count_to_equal: [{ value: 5 }, { kind: 'row-count', min: 5, max: 5 }],
  expect_table_column_count_to_equal: [{ value: 5 }, { kind: 'column-count', min: 5, max: 5 }],
  expect_column_values_to_be_unique: [
    { column: 'a "b"' },
    { kind: 'unique', columns: ['a "b"'], where: '"a ""b""" IS NOT NULL' },
  ],
  expect_table_row_count_to_be_between: [{ min_value: 1 }, { kind: 'row-count', min: 1 }],
  expect_table_column_count_to_be_between: [{ max_value: 9 }, { kind: 'column-count', max: 9 }],
  expect_column_min_to_be_between: [
    { column: 'a', min_value: 1 },
    { kind: 'aggregate', column: 'a', function: 'min', min: 1 },
  ],
  expect_column_max_to_be_between: [
    { column: 'a', min_value: 1 },
    { kind: 'aggregate', column: 'a', function: 'max', min: 1 },
  ],
  expect_column_sum_to_be_between: [
    { column: 'a', min_value: 1 },
    { kind: 'aggregate', column: 'a', function: 'sum', min: 1 },
  ],
  expect_column_mean_to_be_between: [
    { column: 'a', min_value: 1 },
    { kind: 'aggregate', column: 'a', function: 'mean', min: 1 },
  ],
  expect_column_median_to_be_between: [
    { column: 'a', min_value: 1 },
    { kind: 'aggregate', column: 'a', function: 'median', min: 1 },
  ],
  expect_column_stdev_to_be_between: [
    { column: 'a', min_value: 1 },
    { kind: 'aggregate', column: 'a', function: 'sd', min: 1 },
  ],
  expect_column_unique_value_count_to_be_between: [
    { column: 'a', min_value: 1 },
    { kind: 'aggregate', column: 'a', function: 'distinct', min: 1 },
  ],
  expect_column_proportion_of_unique_values_to_be_between: [
    { column: 'a', min_value: 0.1 },
    { kind: 'aggregate', column: 'a', function: 'distinct-share', min: 0.1 },
  ],
  not_null: [{ column: 'a' }, { kind: 'not-null', column: 'a' }],
  accepted_values: [
    { column: 'a', values: ['x'] },
    { kind: 'set', column: 'a', values: ['x'] },
  ],
  'dbt_utils.accepted_range': [
    { column: 'a', min_value: 0 },
    { kind: 'range', column: 'a', min: 0 },
  ],
  'dbt_utils.expression_is_true': [{ expression: 'a > b' }, { kind: 'expression', expression: 'a > b' }],
  isComplete: [{ column: 'a' }, { kind: 'not-null', column: 'a' }],
  isContainedIn: [
    { column: 'a', allowedValues: ['x'] },
    { kind: 'set', column: 'a', values: ['x'] },
  ],
  isNonNegative: [{ column: 'a' }, { kind: 'range', column: 'a', min: 0 }],
};

it.each(Object.keys(checkAliases))('takes %s for ours', (alias) => {
  const [theirs, ours] = written[alias] ?? [];
  expect(Check.parse(withOwnNames({ kind: alias, ...theirs }))).toMatchObject(ours ?? { kind: 'nothing' });
});

it.each([
  null,
  7,
  'text',
  [],
  { kind: 3 },
  { kind: '__proto__' },
  { kind: 'constructor' },
])('leaves %j alone', (value) => {
  expect(withOwnNames(value)).toBe(value);
  expect(modelsWithOwnNames({ models: [{ data: { train: { checks: [value] } } }] })).toEqual({
    models: [{ data: { train: { checks: [value] } } }],
  });
});

it('reads them in a file of checks, and names the line of one that is wrong', () => {
  const text =
    'checks:\n  - {kind: not_null, column: a}\n  - {kind: expect_column_values_to_be_between, column: a, min: 1}\n';
  expect(parseChecks(text, 'checks.yaml').map(({ kind }) => kind)).toEqual(['not-null', 'range']);
  expect(() => parseChecks('- {kind: not_null}\n', 'checks.yaml')).toThrow(/column/);
  expect(() => parseChecks('- {kind: not-nul, column: a}\n', 'checks.yaml')).toThrow(/not-nul/);
});
