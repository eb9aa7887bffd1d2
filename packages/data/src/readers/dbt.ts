import { z } from 'zod';
import {
  type Collected,
  chosenRelation,
  collect,
  type ForeignChecks,
  leaveOthers,
  Named,
  noEqual,
  readDocument,
  uniqueValues,
} from './foreign-checks.ts';

const Test = z.union([z.string(), Named]);
const Tests = { tests: z.array(Test).optional(), data_tests: z.array(Test).optional() };
const Relation = z.looseObject({
  name: z.string(),
  ...Tests,
  columns: z.array(z.looseObject({ name: z.string(), ...Tests })).optional(),
});
const Schema = z.looseObject({
  models: z.array(Relation).optional(),
  seeds: z.array(Relation).optional(),
  sources: z.array(z.looseObject({ tables: z.array(Relation).optional() })).optional(),
});

/** What is read, or describes and checks nothing. */
const about = [
  'name',
  'description',
  'meta',
  'docs',
  'tags',
  'config',
  'tests',
  'data_tests',
  'columns',
  'quote',
  'identifier',
  'versions',
  'access',
  'group',
];

/** The tests of one relation in a properties file of dbt. @param relation which, where the file has several */
export function readDbt(text: string, file: string, relation: string | null): ForeignChecks {
  const { models = [], seeds = [], sources = [] } = readDocument(text, file, Schema, 'properties file of dbt');
  const all = [...models, ...seeds, ...sources.flatMap(({ tables = [] }) => tables)];
  const one = chosenRelation(all, relation, file);
  const found = collect();
  for (const test of [...(one.tests ?? []), ...(one.data_tests ?? [])]) read(found, test, null);
  leaveOthers(found, one.name, one, about);
  for (const column of one.columns ?? []) {
    leaveOthers(found, column.name, column, about);
    for (const test of [...(column.tests ?? []), ...(column.data_tests ?? [])]) read(found, test, column.name);
  }
  return { tool: 'dbt', ...found };
}

/** Settings of a test, which stand in its `config`, and in older files beside its arguments. */
const settingNames = [
  'severity',
  'where',
  'error_if',
  'warn_if',
  'enabled',
  'fail_calc',
  'limit',
  'store_failures',
  'store_failures_as',
  'tags',
  'meta',
  'docs',
  'group',
  'alias',
  'schema',
  'database',
];

/** Those that say where failures are kept and how a test is told. */
const harmless = new Set(settingNames.slice(settingNames.indexOf('limit')));

function read(found: Collected, test: z.infer<typeof Test>, column: string | null): boolean {
  const [name, raw] = typeof test === 'string' ? [test, {}] : named(test);
  const what = `${name}${column === null ? '' : ` of ${column}`}`;
  const { arguments: inner, config, name: _name, description: _text, ...fields } = Named.safeParse(raw).data ?? {};
  const settings = { ...pick(fields, settingNames, true), ...(Named.safeParse(config).data ?? {}) };
  const { severity: level, enabled, ...others } = settings;
  if (enabled === false) return found.leave(what, 'it is turned off');
  const odd = Object.keys(others).filter((key) => !harmless.has(key));
  // A template decides it elsewhere.
  if (enabled !== undefined && enabled !== true) odd.push('enabled');
  if (odd.length > 0) return found.leave(what, `its config has ${odd.join(', ')}`);
  const more = String(level).toLowerCase() === 'warn' ? { severity: 'warn' } : {};
  const own = { ...pick(fields, settingNames, false), ...(Named.safeParse(inner).data ?? {}) };
  const known = Object.hasOwn(argumentsOf, name) ? argumentsOf[name] : undefined;
  const unread = known === undefined ? [] : Object.keys(own).filter((key) => !known.includes(key));
  if (unread.length > 0) return found.leave(what, `${noEqual}: it has ${unread.join(', ')}`);
  switch (name) {
    case 'unique':
      return column === null ? found.leave(what, noEqual) : found.add({ ...uniqueValues([column]), ...more }, what);
    case 'dbt_utils.unique_combination_of_columns':
      return found.add({ kind: 'unique', columns: own.combination_of_columns, ...more }, what);
    case 'accepted_values':
      return found.add({ kind: 'accepted_values', column, values: own.values, ...more }, what);
    case 'dbt_utils.accepted_range':
      if (own.inclusive === false) return found.leave(what, 'its bounds are not part of the range');
      return found.add({ kind: name, column, min_value: own.min_value, max_value: own.max_value, ...more }, what);
    case 'dbt_utils.expression_is_true': {
      const text = column === null ? own.expression : `"${column.replaceAll('"', '""')}" ${String(own.expression)}`;
      return found.add({ kind: 'expression', expression: text, ...more }, what);
    }
    case 'not_null':
      return found.add({ kind: name, column, ...more }, what);
    case 'relationships':
      return found.leave(
        what,
        'write it as {kind: references, columns: [...], dataset: ..., to: [...]}, with the dataset of this model',
      );
    default:
      return found.leave(what, noEqual);
  }
}

/** What each test is read of; `quote` says only how a warehouse writes it. */
const argumentsOf: Readonly<Record<string, readonly string[]>> = {
  unique: [],
  not_null: [],
  accepted_values: ['values', 'quote'],
  'dbt_utils.unique_combination_of_columns': ['combination_of_columns', 'quote_columns'],
  'dbt_utils.accepted_range': ['min_value', 'max_value', 'inclusive'],
  'dbt_utils.expression_is_true': ['expression'],
};

function pick(fields: Record<string, unknown>, names: readonly string[], isWanted: boolean): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([name]) => names.includes(name) === isWanted));
}

/** A test with fields is a map with one key; newer versions write `test_name` beside others. */
function named(test: Record<string, unknown>): [string, unknown] {
  if (typeof test.test_name === 'string') {
    const { test_name: name, ...rest } = test;
    return [name, rest];
  }
  const [[name, fields] = ['', {}]] = Object.entries(test);
  return [name, fields];
}
