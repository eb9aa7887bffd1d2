import { z } from 'zod';
import {
  type Collected,
  collect,
  type ForeignChecks,
  leaveOthers,
  Named,
  noEqual,
  readDocument,
  typesOf,
} from './foreign-checks.ts';

const Column = z.looseObject({
  dtype: z.string().nullish(),
  nullable: z.boolean().nullish(),
  unique: z.boolean().nullish(),
  required: z.boolean().nullish(),
  checks: z.union([Named, z.array(Named)]).nullish(),
});
const Schema = z.looseObject({
  columns: z.record(z.string(), Column),
  checks: z.unknown().optional(),
  unique: z.union([z.string(), z.array(z.string())]).nullish(),
});

/** What is read, or describes and checks nothing. */
const aboutSchema = [
  'schema_type',
  'api',
  'version',
  'columns',
  'checks',
  'unique',
  'name',
  'title',
  'description',
  'metadata',
  'report_duplicates',
];
const aboutColumn = [
  'dtype',
  'nullable',
  'unique',
  'required',
  'checks',
  'name',
  'title',
  'description',
  'metadata',
  'report_duplicates',
];

/** What says how a check is told or where it looks, and not what it holds values to. */
const optionNames = new Set([
  'check_name',
  'ignore_na',
  'raise_warning',
  'n_failure_cases',
  'groupby',
  'groups',
  'error',
  'name',
  'title',
  'description',
  'element_wise',
]);

/** Its checks, which newer versions write beside the other fields of a column. */
const checkNames = new Set([
  'equal_to',
  'eq',
  'not_equal_to',
  'ne',
  'greater_than',
  'gt',
  'greater_than_or_equal_to',
  'ge',
  'less_than',
  'lt',
  'less_than_or_equal_to',
  'le',
  'in_range',
  'between',
  'isin',
  'notin',
  'str_matches',
  'str_contains',
  'str_startswith',
  'str_endswith',
  'str_length',
]);

/** A DataFrameSchema as pandera writes it (`to_yaml`). */
export function readPandera(text: string, file: string): ForeignChecks {
  const found = collect();
  const schema = readDocument(text, file, Schema, 'schema of pandera');
  leaveOthers(found, 'the schema', schema, aboutSchema);
  for (const [column, described] of Object.entries(schema.columns)) {
    const { dtype, nullable, unique, checks } = described;
    if (described.required === false || described.regex === true) {
      found.leave(column, described.regex === true ? 'it names columns by a pattern' : 'the column may be missing');
      continue;
    }
    const written = Object.entries(described).filter(([name]) => checkNames.has(name));
    leaveOthers(found, column, described, [...aboutColumn, ...checkNames]);
    const types = dtype == null ? null : typesOf(dtype);
    if (types !== null) found.add({ kind: 'type', column, types }, `dtype of ${column}`);
    else if (dtype != null) found.leave(`dtype of ${column}`, `there is no type ${dtype}`);
    if (nullable !== true) found.add({ kind: 'not-null', column }, `not nullable: ${column}`);
    // Two missing values are one to pandas: as in a key.
    if (unique === true) found.add({ kind: 'unique', columns: [column] }, `unique: ${column}`);
    for (const one of checks == null ? [] : [checks].flat()) written.push(...namedChecks(one));
    for (const [name, value] of written) read(found, { column, isNullable: nullable === true }, name, value);
  }
  const unique = schema.unique == null ? [] : [schema.unique].flat();
  if (unique.length > 0) found.add({ kind: 'unique', columns: unique }, 'unique of the schema');
  if (z.union([Named, z.array(z.unknown()).nonempty()]).safeParse(schema.checks).success)
    found.leave('checks of the schema', noEqual);
  return { tool: 'pandera', ...found };
}

/** By name, as old versions write them; or a list, in which the options of each say its name. */
function namedChecks(written: Record<string, unknown>): [string, unknown][] {
  const name = Named.safeParse(written.options).data?.check_name;
  return typeof name === 'string' ? [[name, written]] : Object.entries(written);
}

/** What a check holds values to, and its options: they stand in it, or beside. */
function parts(written: unknown): { fields: Record<string, unknown>; options: Record<string, unknown> } {
  const { options: nested, ...all } = Named.safeParse(written).data ?? { value: written };
  const options: Record<string, unknown> = { ...(Named.safeParse(nested).data ?? {}) };
  const fields: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(all)) (optionNames.has(name) ? options : fields)[name] = value;
  return { fields, options };
}

type Judged = { column: string; isNullable: boolean };

function read(found: Collected, { column, isNullable }: Judged, name: string, written: unknown): boolean {
  const what = `${name} of ${column}`;
  const { fields, options } = parts(written);
  if (options.groupby != null) return found.leave(what, 'it looks at groups');
  if (options.ignore_na === false && isNullable) return found.leave(what, 'a missing value breaks it');
  const more = options.raise_warning === true ? { severity: 'warn' } : {};
  const [only] = Object.values(fields);
  switch (name) {
    case 'equal_to':
    case 'eq':
      return found.add({ kind: 'set', column, values: [only], ...more }, what);
    case 'not_equal_to':
    case 'ne':
      return found.add({ kind: 'not-in-set', column, values: [only], ...more }, what);
    case 'greater_than':
    case 'gt':
    case 'less_than':
    case 'lt':
      return found.leave(what, 'its bound is not part of the range');
    case 'greater_than_or_equal_to':
    case 'ge':
      return found.add({ kind: 'range', column, min: only, ...more }, what);
    case 'less_than_or_equal_to':
    case 'le':
      return found.add({ kind: 'range', column, max: only, ...more }, what);
    case 'in_range':
    case 'between':
      if (fields.include_min === false || fields.include_max === false)
        return found.leave(what, 'a bound is not part of the range');
      return found.add({ kind: 'range', column, min: fields.min_value, max: fields.max_value, ...more }, what);
    case 'isin':
      return found.add({ kind: 'set', column, values: only, ...more }, what);
    case 'notin':
      return found.add({ kind: 'not-in-set', column, values: only, ...more }, what);
    case 'str_matches':
      // From the start, as Python's `match`.
      return found.add({ kind: 'regex', column, pattern: `^(?:${String(only)})`, ...more }, what);
    case 'str_contains':
      return found.add({ kind: 'regex', column, pattern: only, ...more }, what);
    case 'str_startswith':
      return found.add({ kind: 'regex', column, pattern: `^${literally(String(only))}`, ...more }, what);
    case 'str_endswith':
      return found.add({ kind: 'regex', column, pattern: `${literally(String(only))}$`, ...more }, what);
    case 'str_length': {
      const { min_value: min, max_value: max, exact_value: exact, ...rest } = fields;
      if (Object.keys(rest).length > 0) return found.leave(what, noEqual);
      return found.add({ kind: 'length', column, min: exact ?? min, max: exact ?? max, ...more }, what);
    }
    default:
      return found.leave(what, noEqual);
  }
}

/** A text as a pattern that matches it alone. */
function literally(text: string): string {
  return text.replace(/[!-/:-@[-`{-~]/g, '\\$&');
}
