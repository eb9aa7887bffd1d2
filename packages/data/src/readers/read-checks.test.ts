import { Check } from '@passloop/model';
import { describe, expect, it } from 'vitest';
import { suggestionText } from '../suggestion.ts';
import { readForeignChecks } from './read-checks.ts';

function ours(text: string, table: string | null = null) {
  const { tool, suggestions, unmapped } = readForeignChecks(text, 'theirs', table);
  for (const { check } of suggestions) expect(Check.safeParse(check).success).toBe(true);
  return {
    tool,
    checks: suggestions.map(({ check }) => check),
    left: unmapped.map(({ what, why }) => `${what}: ${why}`),
  };
}

it('reads a suite of Great Expectations, and lists what can not be mapped', () => {
  const suite = {
    name: 'flights',
    expectations: [
      { type: 'expect_column_values_to_not_be_null', kwargs: { column: 'id', mostly: 0.99 }, meta: {} },
      {
        expectation_type: 'expect_column_values_to_be_between',
        kwargs: { column: 'age', min_value: 0, max_value: null, strict_min: false },
      },
      { type: 'expect_column_values_to_be_between', kwargs: { column: 'age', min_value: 0, strict_min: true } },
      { type: 'expect_column_to_exist', kwargs: { column: 'hub' } },
      { type: 'expect_column_to_exist', kwargs: { column: 'day', column_index: 3 } },
      { type: 'expect_compound_columns_to_be_unique', kwargs: { column_list: ['day', 'hour'] } },
      { type: 'expect_column_kl_divergence_to_be_less_than', kwargs: { column: 'age', threshold: 0.1 } },
      { type: 'expect_column_values_to_be_in_set', kwargs: { column: 'hub', value_set: ['a'], row_condition: 'x>1' } },
      { type: 'expect_column_mean_to_be_between', kwargs: { column: 'age', min_value: 1 }, severity: 'warning' },
    ],
  };
  expect(ours(JSON.stringify(suite))).toEqual({
    tool: 'Great Expectations',
    checks: [
      { kind: 'not-null', column: 'id', mostly: 0.99 },
      { kind: 'range', column: 'age', min: 0 },
      expect.objectContaining({ kind: 'type', column: 'hub', types: expect.arrayContaining(['string', 'nested']) }),
      { kind: 'unique', columns: ['day', 'hour'], where: '"day" IS NOT NULL OR "hour" IS NOT NULL' },
      { kind: 'aggregate', function: 'mean', column: 'age', min: 1, severity: 'warn' },
    ],
    left: [
      'expect_column_values_to_be_between of age: its bound is not part of the range',
      'expect_column_to_exist of day: it says at which place the column stands',
      'expect_column_kl_divergence_to_be_less_than of age: no check of ours is exactly this',
      'expect_column_values_to_be_in_set of hub: its row_condition is written in another language',
    ],
  });
});

it.each([
  ['^(?=x)', false],
  ['(?<!a)b', false],
  ['(a)\\1', false],
  ['(?P<q>a)(?P=q)', false],
  ['(?:a|b)(?i)c', true],
  ['\\\\1 or \\(?=', true],
  ['(?P<q>a)', true],
])('maps only a pattern that our engine has: %s', (regex, isMapped) => {
  const expectation = { type: 'expect_column_values_to_match_regex', kwargs: { column: 'a', regex } };
  const { checks, left } = ours(JSON.stringify({ expectations: [expectation] }));
  expect(checks).toEqual(isMapped ? [{ kind: 'regex', column: 'a', pattern: regex }] : []);
  expect(left).toHaveLength(isMapped ? 0 : 1);
});

const dbt = `version: 2
models:
  - name: flights
    data_tests:
      - dbt_utils.unique_combination_of_columns: {combination_of_columns: [day, hour]}
      - dbt_utils.expression_is_true: {expression: "arrived >= departed"}
    columns:
      - name: id
        tests: [unique, not_null]
      - name: hub
        data_tests:
          - accepted_values: {arguments: {values: [a, b]}, config: {severity: warn}}
          - relationships: {to: ref('hubs'), field: code}
          - not_null: {config: {where: "x > 1"}}
          - dbt_expectations.expect_something
  - name: hubs
`;

it('reads the tests of one relation of dbt', () => {
  expect(ours(dbt, 'flights')).toEqual({
    tool: 'dbt',
    checks: [
      { kind: 'unique', columns: ['day', 'hour'] },
      { kind: 'expression', expression: 'arrived >= departed' },
      { kind: 'unique', columns: ['id'], where: '"id" IS NOT NULL' },
      { kind: 'not-null', column: 'id' },
      { kind: 'set', column: 'hub', values: ['a', 'b'], severity: 'warn' },
    ],
    left: [
      'relationships of hub: write it as {kind: references, columns: [...], dataset: ..., to: [...]}, with the dataset of this model',
      'not_null of hub: its config has where',
      'dbt_expectations.expect_something of hub: no check of ours is exactly this',
    ],
  });
  expect(() => ours(dbt)).toThrow(/describes 2 relations/);
  expect(() => ours(dbt, 'gone')).toThrow(/none is "gone"/);
});

it('reads a contract of Soda', () => {
  const contract = `dataset: a/b/flights
columns:
  - name: id
    data_type: integer
    checks: [missing:, duplicate:]
  - name: hub
    data_type: geography
    checks:
      - invalid: {valid_values: [a, b]}
      - missing: {threshold: {metric: percent, must_be_less_than: 5}}
      - aggregate: {function: avg_length, threshold: {must_be: 3}}
  - name: age
    checks:
      - aggregate: {function: avg, threshold: {level: warn, must_be_between: {greater_than_or_equal: 1, less_than_or_equal: 9}}}
checks:
  - row_count:
  - schema:
`;
  expect(ours(contract)).toMatchObject({
    tool: 'Soda',
    checks: [
      { kind: 'type', column: 'id', types: ['integer'] },
      { kind: 'not-null', column: 'id' },
      { kind: 'unique', columns: ['id'] },
      { kind: 'set', column: 'hub', values: ['a', 'b'] },
      { kind: 'aggregate', column: 'age', function: 'mean', min: 1, max: 9, severity: 'warn' },
      { kind: 'row-count', min: 1 },
    ],
    left: [
      'data_type of hub: there is no type geography',
      'missing of hub: it tolerates some; write it with `mostly`',
      expect.stringContaining('aggregate of hub: '),
      'schema: no check of ours is exactly this',
    ],
  });
});

it.each([
  'int[]',
  'integer[3]',
  'text[]',
  'decimal(10, 2)[]',
  'timestamp[]',
  'list<int64>[pyarrow]',
  'array(int)',
])('takes no list for one of its values: %s', (dtype) => {
  const { checks, left } = ours(JSON.stringify({ columns: { a: { dtype, nullable: true } } }));
  expect([checks, left]).toEqual([[], [`dtype of a: there is no type ${dtype}`]]);
});

it('says which relation it means of two with one name', () => {
  const text = 'models: [{name: m, columns: []}]\nseeds: [{name: m, columns: []}]';
  expect(() => ours(text, 'm')).toThrow('theirs describes 2 relations, and several are "m".');
  expect(() => ours(text, 'x')).toThrow('theirs describes 2 relations, and none is "x".');
});

it.each([
  ["not_null: {where: 'id > 3'}", 'its config has where'],
  ['not_null: {enabled: false}', 'it is turned off'],
  ['not_null: {config: {enabled: false}}', 'it is turned off'],
  ["not_null: {config: {enabled: '{{ later }}'}}", 'its config has enabled'],
  ['toString: {a: 1}', 'no check of ours is exactly this'],
  ["unique: {warn_if: '>5', fail_calc: n}", 'its config has warn_if, fail_calc'],
  ["dbt_utils.accepted_range: {min_value: 0, where: 'id > 3'}", 'its config has where'],
  [
    "dbt_utils.expression_is_true: {expression: '> 0', condition: 'id > 3'}",
    'no check of ours is exactly this: it has condition',
  ],
  ['accepted_values: {arguments: {values: [a], other: 1}}', 'no check of ours is exactly this: it has other'],
])('drops no setting of a test of dbt: %s', (test, why) => {
  const { checks, left } = ours(`models: [{name: m, columns: [{name: id, tests: [{${test}}]}]}]`);
  expect(checks).toEqual([]);
  expect(left).toEqual([`${test.split(':')[0]} of id: ${why}`]);
});

it.each([
  [
    'not_null: {config: {severity: WARN, store_failures: true, tags: [a], limit: 10}}',
    { kind: 'not-null', severity: 'warn' },
  ],
  ['not_null: {severity: warn, tags: [a], name: mine, enabled: true}', { kind: 'not-null', severity: 'warn' }],
  ['accepted_values: {values: [a], quote: false}', { kind: 'set', values: ['a'] }],
])('reads past what only says how a test of dbt is told: %s', (test, check) => {
  const { checks, left } = ours(`models: [{name: m, columns: [{name: id, tests: [{${test}}]}]}]`);
  expect(checks).toEqual([{ column: 'id', ...check }]);
  expect(left).toEqual([]);
});

it('takes a threshold of none for what it is in a contract of Soda', () => {
  const checks = '[{missing: {threshold: {must_be: 0}}}, {missing: {threshold: {must_be: 1}}}]';
  expect(ours(`dataset: d\ncolumns: [{name: a, checks: ${checks}}]`)).toEqual({
    tool: 'Soda',
    checks: [{ kind: 'not-null', column: 'a' }],
    left: ['missing of a: it tolerates some; write it with `mostly`'],
  });
});

it('reads a Table Schema', () => {
  const schema = {
    fields: [
      { name: 'id', type: 'integer', constraints: { required: true, unique: true } },
      { name: 'ref', type: 'string', constraints: { pattern: 'R-[0-9]+', minLength: 3, jsonSchema: {} } },
      { name: 'at', type: 'geopoint' },
    ],
    primaryKey: 'id',
    foreignKeys: [{}],
  };
  const { tool, checks, left } = ours(JSON.stringify(schema));
  expect(tool).toBe('Frictionless');
  expect(checks).toEqual([
    { kind: 'type', column: 'id', types: ['integer'] },
    { kind: 'not-null', column: 'id' },
    { kind: 'unique', columns: ['id'], where: '"id" IS NOT NULL' },
    { kind: 'type', column: 'ref', types: ['string'] },
    { kind: 'regex', column: 'ref', pattern: 'R-[0-9]+', full: true },
    { kind: 'length', column: 'ref', min: 3 },
    { kind: 'unique', columns: ['id'], id: 'unique:id:2' },
    { kind: 'not-null', column: 'id', id: 'not-null:id:2' },
  ]);
  expect(left).toEqual([
    'jsonSchema of ref: no check of ours is exactly this',
    'type of at: there is no type geopoint',
    expect.stringMatching(/^foreignKeys: /),
  ]);
});

it('reads a resource of a Data Package', () => {
  const fields = [{ name: 'id', constraints: { required: true } }];
  const text = JSON.stringify({
    name: 'pkg',
    resources: [
      { name: 'orders', path: 'orders.csv', schema: { fields, missingValues: ['-'] } },
      { name: 'past', schema: 'past.json' },
      { name: 'bare' },
    ],
  });
  const { checks, left } = ours(text, 'orders');
  expect(checks).toEqual([{ kind: 'not-null', column: 'id' }]);
  expect(left).toEqual([expect.stringMatching(/^missingValues: /)]);
  expect(() => ours(text)).toThrow('theirs describes 3 relations.');
  expect(() => ours(text, 'past')).toThrow(
    expect.objectContaining({ hint: 'It lies in another file: --from past.json' }),
  );
  expect(() => ours(text, 'bare')).toThrow('theirs holds no Table Schema of "bare".');
});

it('reads a schema of pandera', () => {
  const schema = `schema_type: dataframe
version: 0.20.0
columns:
  age:
    dtype: int64
    nullable: false
    checks:
      greater_than_or_equal_to: 0
      in_range: {min_value: 0, max_value: 120, include_min: true, include_max: false}
      isin: {value: [1, 2], options: {raise_warning: true}}
    unique: true
  ref:
    dtype: string[python]
    nullable: true
    checks: {str_matches: "R-.*", str_length: {min_value: 3, max_value: 9}}
checks: null
index: null
unique: [age, ref]
`;
  expect(ours(schema)).toEqual({
    tool: 'pandera',
    checks: [
      { kind: 'type', column: 'age', types: ['integer'] },
      { kind: 'not-null', column: 'age' },
      { kind: 'unique', columns: ['age'] },
      { kind: 'range', column: 'age', min: 0 },
      { kind: 'set', column: 'age', values: [1, 2], severity: 'warn' },
      { kind: 'type', column: 'ref', types: ['string'] },
      { kind: 'regex', column: 'ref', pattern: '^(?:R-.*)' },
      { kind: 'length', column: 'ref', min: 3, max: 9 },
      { kind: 'unique', columns: ['age', 'ref'] },
    ],
    left: ['in_range of age: a bound is not part of the range'],
  });
});

it('reads a schema of pandera as its versions since write it', () => {
  const flat = `schema_type: dataframe
api: pandas
columns:
  age:
    dtype: int64[pyarrow]
    unique: true
    greater_than_or_equal_to: 0
    less_than: 100
  rate:
    dtype: Float64
    nullable: true
    coerce: false
    in_range: {min_value: 0, max_value: 1, include_min: true, include_max: true}
    less_than_or_equal_to: {max_value: 1, ignore_na: false}
    notin: [5]
  ref:
    dtype: string[pyarrow]
    isin: {allowed_values: [x, y], raise_warning: true}
    str_contains: {pattern: foo, error: no foo}
    str_startswith: 'R-('
    str_endswith: ü.
    str_length: {min_value: null, max_value: null, exact_value: 3}
    equal_to: q
    unique_values_eq: {values: [q]}
  at:
    dtype: Datetime(time_unit='us', time_zone=None)
    in_range: {min_value: '2020-01-01 00:00:00', max_value: '2021-01-01 00:00:00', include_min: true, include_max: true}
checks:
- options: {check_name: own}
`;
  expect(ours(flat)).toEqual({
    tool: 'pandera',
    checks: [
      { kind: 'type', column: 'age', types: ['integer'] },
      { kind: 'not-null', column: 'age' },
      { kind: 'unique', columns: ['age'] },
      { kind: 'range', column: 'age', min: 0 },
      { kind: 'type', column: 'rate', types: ['float'] },
      { kind: 'range', column: 'rate', min: 0, max: 1 },
      { kind: 'not-in-set', column: 'rate', values: [5] },
      { kind: 'type', column: 'ref', types: ['string'] },
      { kind: 'not-null', column: 'ref' },
      { kind: 'set', column: 'ref', values: ['x', 'y'], severity: 'warn' },
      { kind: 'regex', column: 'ref', pattern: 'foo' },
      { kind: 'regex', column: 'ref', pattern: '^R\\-\\(', id: 'regex:ref:2' },
      { kind: 'regex', column: 'ref', pattern: 'ü\\.$', id: 'regex:ref:3' },
      { kind: 'length', column: 'ref', min: 3, max: 3 },
      { kind: 'set', column: 'ref', values: ['q'], id: 'set:ref:2' },
      { kind: 'type', column: 'at', types: ['timestamp'] },
      { kind: 'not-null', column: 'at' },
      { kind: 'range', column: 'at', min: '2020-01-01 00:00:00', max: '2021-01-01 00:00:00' },
    ],
    left: [
      'less_than of age: its bound is not part of the range',
      'less_than_or_equal_to of rate: a missing value breaks it',
      'unique_values_eq of ref: no check of ours is exactly this',
      'checks of the schema: no check of ours is exactly this',
    ],
  });
  const listed = `columns:
  age:
    dtype: int64
    checks:
    - {value: 0, options: {check_name: greater_than_or_equal_to, raise_warning: true, ignore_na: true}}
    - {min_value: 1, max_value: 9, include_min: true, include_max: true, options: {check_name: in_range}}
    - {allowed_values: [1, 2], options: {check_name: isin}}
    - {value: 3, options: {check_name: equal_to, groupby: [sex]}}
`;
  expect(ours(listed)).toEqual({
    tool: 'pandera',
    checks: [
      { kind: 'type', column: 'age', types: ['integer'] },
      { kind: 'not-null', column: 'age' },
      { kind: 'range', column: 'age', min: 0, severity: 'warn' },
      { kind: 'range', column: 'age', min: 1, max: 9, id: 'range:age:2' },
      { kind: 'set', column: 'age', values: [1, 2] },
    ],
    left: ['equal_to of age: it looks at groups'],
  });
});

it.each([
  ['timestamp(6) with time zone', ['timestamp']],
  ['date32[day][pyarrow]', ['date']],
  ['decimal128(10, 2)', ['decimal']],
  ['IntegerType()', ['integer']],
  ['DecimalType(10,2)', ['decimal']],
  ['Utf8', ['string']],
  ['list[int64]', null],
])('knows the type %s', (name, types) => {
  const { checks } = ours(JSON.stringify({ columns: { a: { dtype: name, nullable: true } } }));
  expect(checks).toEqual(types === null ? [] : [{ kind: 'type', column: 'a', types }]);
});

it.each([
  [
    { fields: [{ name: 'a', format: 'email', decimalChar: ',' }], missingValues: ['', 'NA'] },
    ['missingValues: ', 'format of a: ', 'decimalChar of a: '],
  ],
  [
    {
      columns: {
        a: { required: false, dtype: 'int64' },
        'b_.*': { regex: true },
        c: { coerce: true, nullable: true, dtype: 'int64' },
      },
      strict: true,
    },
    ['strict of the schema: ', 'a: the column may be missing', 'b_.*: it names columns by a pattern', 'coerce of c: '],
  ],
  [
    { columns: [{ name: 'a', missing_values: ['NA'], optional: true }], filter: 'x > 1' },
    ['filter of the contract: ', 'missing_values of a: ', 'optional of a: '],
  ],
  [
    {
      models: [
        {
          name: 'm',
          constraints: [{ type: 'unique' }],
          columns: [{ name: 'a', data_type: 'int', constraints: [{ type: 'not_null' }] }],
        },
      ],
    },
    ['constraints of m: ', 'data_type of a: ', 'constraints of a: '],
  ],
])('drops nothing that it has no word for', (theirs, wanted) => {
  const { left } = ours(JSON.stringify(theirs));
  for (const start of wanted) expect(left.filter((line) => line.startsWith(start))).toHaveLength(1);
});

describe('what is none of these', () => {
  it.each(['[]', 'a: 1', '{"expectations": 3}', 'columns: 7'])('is refused: %s', (text) => {
    expect(() => ours(text)).toThrow(/holds no checks that are known here/);
  });

  it.each([
    ['{"expectations": [{"kwargs": 3}]}', /is no suite of Great Expectations: expectations\.0\.kwargs/],
    ['fields: [{}]', /is no Table Schema: fields\.0\.name/],
    ['a: [', /theirs is not valid YAML/],
  ])('or broken: %s', (text, message) => {
    expect(() => ours(text)).toThrow(message);
  });
});

it('lets no name out of its line', () => {
  const hostile = 'x: y}\n- {kind: row-count}\u2028# "\'';
  const suite = {
    expectations: [
      { type: 'expect_column_values_to_not_be_null', kwargs: { column: hostile } },
      { type: hostile, kwargs: {} },
    ],
  };
  const { suggestions, unmapped } = readForeignChecks(JSON.stringify(suite), 'theirs');
  const text = suggestionText(suggestions, unmapped);
  expect(text.trimEnd().split(/[\n\u2028]/)).toHaveLength(2);
});
