import { plainText } from '@passloop/core';
import { z } from 'zod';
import { quoteIdentifier } from '../quote.ts';
import { damaged, unread } from './refusals.ts';

/** Schemas of Iceberg, https://iceberg.apache.org/spec/#schemas-and-data-types */

export const IcebergSchema = z.object({
  'schema-id': z.int().optional(),
  fields: z.array(z.object({ id: z.int(), name: z.string().min(1), type: z.unknown() })).min(1),
});
export type IcebergSchema = z.infer<typeof IcebergSchema>;

/** `plain` is the format's own word, `engine` the engine's. */
export type IcebergType =
  | { kind: 'plain'; plain: string; engine: string }
  | { kind: 'struct'; fields: IcebergField[] }
  | { kind: 'list'; element: IcebergPart }
  | { kind: 'map'; key: IcebergPart; value: IcebergPart };
type IcebergPart = { id: number; type: IcebergType };
/** A column: found by its id, whatever a file calls it. */
export type IcebergField = IcebergPart & { name: string };

const plainTypes: Readonly<Record<string, string>> = {
  boolean: 'BOOLEAN',
  int: 'INTEGER',
  long: 'BIGINT',
  float: 'FLOAT',
  double: 'DOUBLE',
  date: 'DATE',
  time: 'TIME',
  timestamp: 'TIMESTAMP',
  timestamptz: 'TIMESTAMP WITH TIME ZONE',
  string: 'VARCHAR',
  uuid: 'UUID',
  binary: 'BLOB',
};

const Struct = z.object({ type: z.literal('struct'), fields: IcebergSchema.shape.fields });
const List = z.object({ type: z.literal('list'), 'element-id': z.int(), element: z.unknown() });
const MapType = z.object({
  type: z.literal('map'),
  'key-id': z.int(),
  key: z.unknown(),
  'value-id': z.int(),
  value: z.unknown(),
});

const deepest = 32;

/** The columns of a schema. @throws ConfigurationError for a type that isn't known, and ids that are given twice */
export function fieldsOf(table: string, schema: IcebergSchema): IcebergField[] {
  const ids = new Set<number>();
  const part = (id: number, type: unknown, at: string, depth: number): IcebergPart => {
    if (ids.has(id)) throw damaged(table, `its schema gives the id ${id} twice`);
    ids.add(id);
    return { id, type: typeOf(type, at, depth) };
  };
  const typeOf = (given: unknown, at: string, depth: number): IcebergType => {
    if (depth > deepest) throw unread(table, `a column that is nested more than ${deepest} deep`);
    if (typeof given === 'string') return plainType(table, given, at);
    const struct = Struct.safeParse(given);
    if (struct.success) {
      const fields = struct.data.fields.map(({ id, name, type }) => ({ ...part(id, type, at, depth + 1), name }));
      return { kind: 'struct', fields };
    }
    const list = List.safeParse(given);
    if (list.success) return { kind: 'list', element: part(list.data['element-id'], list.data.element, at, depth + 1) };
    const map = MapType.safeParse(given);
    if (!map.success) throw damaged(table, `its schema has no type for ${at}`);
    return {
      kind: 'map',
      key: part(map.data['key-id'], map.data.key, at, depth + 1),
      value: part(map.data['value-id'], map.data.value, at, depth + 1),
    };
  };
  return schema.fields.map(({ id, name, type }) => ({ ...part(id, type, JSON.stringify(plainText(name)), 0), name }));
}

function plainType(table: string, type: string, at: string): IcebergType {
  const [, precision, scale] = /^decimal\((\d{1,2}), ?(\d{1,2})\)$/.exec(type) ?? [];
  if (precision !== undefined) return { kind: 'plain', plain: 'decimal', engine: `DECIMAL(${precision},${scale})` };
  if (/^fixed\[\d{1,9}\]$/.test(type)) return { kind: 'plain', plain: 'fixed', engine: 'BLOB' };
  const engine = Object.hasOwn(plainTypes, type) ? plainTypes[type] : undefined;
  if (engine === undefined) throw unread(table, `the type ${plainText(type, 60)} (column ${at})`);
  return { kind: 'plain', plain: type, engine };
}

/** As the engine writes the type. */
export function engineType(type: IcebergType): string {
  switch (type.kind) {
    case 'plain':
      return type.engine;
    case 'struct':
      return `STRUCT(${type.fields.map((field) => `${quoteIdentifier(field.name)} ${engineType(field.type)}`).join(', ')})`;
    case 'list':
      return `${engineType(type.element.type)}[]`;
    case 'map':
      return `MAP(${engineType(type.key.type)}, ${engineType(type.value.type)})`;
  }
}
