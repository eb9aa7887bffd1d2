import { z } from 'zod';

const primitives = ['null', 'boolean', 'int', 'long', 'float', 'double', 'bytes', 'string'] as const;

/** A schema of Avro as reading needs it. Fields go by the ids that Iceberg gives them, whatever their names. */
export type AvroType =
  | { kind: (typeof primitives)[number] }
  | { kind: 'enum' }
  | { kind: 'fixed'; size: number }
  | { kind: 'array' | 'map'; items: AvroType }
  | { kind: 'union'; branches: AvroType[] }
  | { kind: 'record'; fields: { id: number | null; type: AvroType }[] };

const Named = z.object({ name: z.string(), namespace: z.string().optional() });
const Fixed = Named.extend({ size: z.int().min(1).max(1024) });
const Field = z.object({ type: z.unknown(), 'field-id': z.int().optional() });
const RecordType = Named.extend({ fields: z.array(Field) });

const deepest = 16;
/** Types, those of a name that is used again counted again: what a record costs at most. */
const mostTypes = 5_000;
/** Records without a field take no byte, and could be asked for without end. An unpartitioned table has one. */
const mostEmpty = 4;

/**
 * Reads a schema of a stranger's. None may hold itself, or take time without taking bytes.
 * @param fail makes the error for what is no schema, or one that is refused
 */
export function avroType(schema: unknown, fail: (what: string) => Error): AvroType {
  type Counted = { type: AvroType; types: number; empty: number };
  const named = new Map<string, Counted | null>();

  function read(given: unknown, depth: number, isBranch: boolean): Counted {
    if (depth > deepest) throw fail('its Avro schema is nested too deeply');
    const found = one(given, depth);
    if (found.type.kind === 'null' && !isBranch) throw fail('its Avro schema has a field of nothing');
    if (found.types > mostTypes || found.empty > mostEmpty) throw fail('its Avro schema is too large');
    return found;
  }

  function one(given: unknown, depth: number): Counted {
    if (Array.isArray(given)) {
      const branches = given.map((branch) => read(branch, depth + 1, true));
      return counted({ kind: 'union', branches: branches.map(({ type }) => type) }, branches);
    }
    if (typeof given === 'string') {
      const kind = primitives.find((name) => name === given);
      if (kind !== undefined) return { type: { kind }, types: 1, empty: 0 };
      const known = named.get(lastPart(given));
      if (known === null) throw fail('its Avro schema holds itself');
      if (known === undefined) throw fail('its Avro schema names a type that it lacks');
      return known;
    }
    const type = typeof given === 'object' && given !== null && 'type' in given ? given.type : null;
    switch (type) {
      case 'record':
        return record(given, depth);
      case 'fixed': {
        const { name, size } = parsed(Fixed, given);
        return remember(name, { type: { kind: 'fixed', size }, types: 1, empty: 0 });
      }
      case 'enum':
        return remember(parsed(Named, given).name, { type: { kind: 'enum' }, types: 1, empty: 0 });
      case 'array':
      case 'map': {
        const items = read((given as Record<string, unknown>)[type === 'array' ? 'items' : 'values'], depth + 1, false);
        return counted({ kind: type, items: items.type }, [items]);
      }
      case null:
        throw fail('its Avro schema can’t be read');
      // {"type": "long", "logicalType": …}
      default:
        return read(type, depth + 1, true);
    }
  }

  function record(given: unknown, depth: number): Counted {
    const { name, fields } = parsed(RecordType, given);
    // While it is read it is known, and of no use: a schema that uses it holds itself.
    named.set(lastPart(name), null);
    const types = fields.map(({ type }) => read(type, depth + 1, false));
    const type: AvroType = {
      kind: 'record',
      fields: fields.map((field, place) => ({
        id: field['field-id'] ?? null,
        type: (types[place] as Counted).type,
      })),
    };
    return remember(name, counted(type, types, fields.length === 0 ? 1 : 0));
  }

  function remember(name: string, found: Counted): Counted {
    named.set(lastPart(name), found);
    return found;
  }

  function parsed<T>(wanted: z.ZodType<T>, given: unknown): T {
    const result = wanted.safeParse(given);
    if (result.success) return result.data;
    throw fail('its Avro schema can’t be read');
  }

  return read(schema, 0, false).type;
}

function counted(
  type: AvroType,
  parts: readonly { types: number; empty: number }[],
  empty = 0,
): { type: AvroType; types: number; empty: number } {
  return {
    type,
    types: parts.reduce((sum, part) => sum + part.types, 1),
    empty: parts.reduce((sum, part) => sum + part.empty, empty),
  };
}

/** Writers of manifests use no two namespaces with one name. */
function lastPart(name: string): string {
  return name.slice(name.lastIndexOf('.') + 1);
}
