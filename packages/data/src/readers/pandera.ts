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
const aboutColumn = ['dtype', 'nullable', 'unique', 'required', 'checks', 'title', 'description', 'metadata'];

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
    leaveOthers(found, column, described, aboutColumn);
    const types = dtype == null ? null : typesOf(dtype);
    if (types !== null) found.add({ kind: 'type', column, types }, `dtype of ${column}`);
    else if (dtype != null) found.leave(`dtype of ${column}`, `there is no type ${dtype}`);
    if (nullable !== true) found.add({ kind: 'not-null', column }, `not nullable: ${column}`);
    // Two missing values are one to pandas: as in a key.
    if (unique === true) found.add({ kind: 'unique', columns: [column] }, `unique: ${column}`);
    for (const one of checks == null ? [] : [checks].flat())
      for (const [name, value] of Object.entries(one)) read(found, column, name, value);
  }
  const unique = schema.unique == null ? [] : [schema.unique].flat();
  if (unique.length > 0) found.add({ kind: 'unique', columns: unique }, 'unique of the schema');
  if (Named.safeParse(schema.checks).success) found.leave('checks of the schema', noEqual);
  return { tool: 'pandera', ...found };
}

function read(found: Collected, column: string, name: string, written: unknown): boolean {
  const what = `${name} of ${column}`;
  const { options, ...fields } = Named.safeParse(written).data ?? { value: written };
  const { raise_warning: warns } = Named.safeParse(options).data ?? {};
  const more = warns === true ? { severity: 'warn' } : {};
  const value = 'value' in fields ? fields.value : written;
  switch (name) {
    case 'greater_than_or_equal_to':
    case 'ge':
      return found.add({ kind: 'range', column, min: value, ...more }, what);
    case 'less_than_or_equal_to':
    case 'le':
      return found.add({ kind: 'range', column, max: value, ...more }, what);
    case 'in_range':
      if (fields.include_min === false || fields.include_max === false)
        return found.leave(what, 'a bound is not part of the range');
      return found.add({ kind: 'range', column, min: fields.min_value, max: fields.max_value, ...more }, what);
    case 'isin':
      return found.add({ kind: 'set', column, values: fields.allowed_values ?? value, ...more }, what);
    case 'notin':
      return found.add({ kind: 'not-in-set', column, values: fields.forbidden_values ?? value, ...more }, what);
    case 'str_matches':
      // From the start, as Python's `match`.
      return found.add({ kind: 'regex', column, pattern: `^(?:${String(fields.pattern ?? value)})`, ...more }, what);
    case 'str_contains':
      return found.add({ kind: 'regex', column, pattern: fields.pattern ?? value, ...more }, what);
    case 'str_length':
      return found.add({ kind: 'length', column, min: fields.min_value, max: fields.max_value, ...more }, what);
    default:
      return found.leave(what, noEqual);
  }
}
