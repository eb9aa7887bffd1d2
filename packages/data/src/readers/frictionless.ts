import { ConfigurationError } from '@passloop/core';
import { z } from 'zod';
import {
  chosenRelation,
  collect,
  type ForeignChecks,
  leaveOthers,
  Named,
  readDocument,
  typesOf,
  uniqueValues,
} from './foreign-checks.ts';

const Names = z.union([z.string(), z.array(z.string())]);
const Schema = z.looseObject({
  fields: z
    .array(z.looseObject({ name: z.string(), type: z.string().optional(), constraints: Named.optional() }))
    .max(20_000),
  primaryKey: Names.optional(),
  foreignKeys: z.array(z.unknown()).optional(),
});

const Package = z.looseObject({
  resources: z.array(z.looseObject({ name: z.string(), schema: z.unknown().optional() })),
});

/** What describes and checks nothing. */
const about = ['$schema', 'name', 'title', 'description', 'homepage', 'keywords'];

/** A Table Schema of the Frictionless standards. */
export function readFrictionless(text: string, file: string): ForeignChecks {
  return readSchema(readDocument(text, file, Schema, 'Table Schema'), 'the schema');
}

/** The schema of one resource of a Data Package. @param relation which, where it has several */
export function readPackage(text: string, file: string, relation: string | null): ForeignChecks {
  const { resources } = readDocument(text, file, Package, 'Data Package');
  const { name, schema } = chosenRelation(resources, relation, file);
  const parsed = Schema.safeParse(schema);
  if (parsed.success) return readSchema(parsed.data, name);
  throw new ConfigurationError(`${file} holds no Table Schema of ${JSON.stringify(name.slice(0, 80))}.`, {
    file,
    hint: typeof schema === 'string' ? `It lies in another file: --from ${schema.slice(0, 200)}` : undefined,
  });
}

function readSchema(schema: z.infer<typeof Schema>, of: string): ForeignChecks {
  const found = collect();
  const missing = z.array(z.string()).safeParse(schema.missingValues).data ?? [''];
  if (missing.some((value) => value !== ''))
    found.leave('missingValues', 'write them as {kind: null-like, column: ..., values: [...]}, a check a column');
  leaveOthers(found, of, schema, [...about, 'fields', 'primaryKey', 'foreignKeys', 'missingValues']);
  for (const field of schema.fields) {
    const { name: column, type, constraints = {} } = field;
    const plainFormat = field.format === 'default' ? ['format'] : [];
    leaveOthers(found, column, field, [...about, ...plainFormat, 'type', 'constraints', 'example', 'rdfType']);
    const types = type === undefined || type === 'any' ? null : typesOf(type);
    if (types !== null) found.add({ kind: 'type', column, types }, `type of ${column}`);
    else if (type !== undefined && type !== 'any') found.leave(`type of ${column}`, `there is no type ${type}`);
    const {
      required,
      unique,
      minimum: min,
      maximum: max,
      enum: values,
      pattern,
      minLength,
      maxLength,
      ...others
    } = constraints;
    if (required === true) found.add({ kind: 'not-null', column }, `required of ${column}`);
    if (unique === true) found.add(uniqueValues([column]), `unique of ${column}`);
    if (min !== undefined || max !== undefined)
      found.add({ kind: 'range', column, min, max }, `minimum, maximum of ${column}`);
    if (values !== undefined) found.add({ kind: 'set', column, values }, `enum of ${column}`);
    if (pattern !== undefined) found.add({ kind: 'regex', column, pattern, full: true }, `pattern of ${column}`);
    if (minLength !== undefined || maxLength !== undefined)
      found.add({ kind: 'length', column, min: minLength, max: maxLength }, `minLength, maxLength of ${column}`);
    for (const other of Object.keys(others)) found.leave(`${other} of ${column}`, 'no check of ours is exactly this');
  }
  const key = schema.primaryKey === undefined ? [] : [schema.primaryKey].flat();
  if (key.length > 0) {
    found.add({ kind: 'unique', columns: key }, 'primaryKey');
    for (const column of key) found.add({ kind: 'not-null', column }, 'primaryKey');
  }
  if ((schema.foreignKeys ?? []).length > 0)
    found.leave(
      'foreignKeys',
      'write them as {kind: references, columns: [...], dataset: ..., to: [...]}, with the dataset of this model',
    );
  return { tool: 'Frictionless', ...found };
}
