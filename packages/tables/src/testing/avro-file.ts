import { deflateRawSync, zstdCompressSync } from 'node:zlib';

/** A schema of Avro as it stands in files. */
export type AvroSchema = string | AvroSchema[] | { type: string; [more: string]: unknown };

export type AvroFileOptions = {
  codec?: 'null' | 'deflate' | 'zstandard' | 'snappy';
  /** What the only block says, where it lies about its records. */
  count?: number | bigint;
  /** The bytes of the block before they are packed, where they are no records. */
  data?: Buffer;
};

/** An object container file with one block; the writer of tests. */
export function avroFile(schema: AvroSchema, records: readonly unknown[], options: AvroFileOptions = {}): Buffer {
  const { codec = 'null', count = records.length } = options;
  const data = options.data ?? Buffer.concat(records.map((record) => encoded(schema, record)));
  const packed = codec === 'deflate' ? deflateRawSync(data) : codec === 'zstandard' ? zstdCompressSync(data) : data;
  const sync = Buffer.alloc(16, 7);
  const header = { 'avro.schema': Buffer.from(JSON.stringify(schema)), 'avro.codec': Buffer.from(codec) };
  return Buffer.concat([
    Buffer.from('Obj\x01'),
    encoded({ type: 'map', values: 'bytes' }, header),
    sync,
    varint(count),
    varint(packed.length),
    packed,
    sync,
  ]);
}

/** A zigzag number of variable length. */
export function varint(value: number | bigint): Buffer {
  let rest = BigInt.asUintN(64, BigInt(value) < 0n ? (-BigInt(value) << 1n) - 1n : BigInt(value) << 1n);
  const bytes: number[] = [];
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  return Buffer.from([...bytes, Number(rest)]);
}

/** Of a union of nothing and something, what isn't null is of the second. */
function encoded(schema: AvroSchema, value: unknown): Buffer {
  if (Array.isArray(schema)) {
    const place = value === null || value === undefined ? 0 : 1;
    return Buffer.concat([varint(place), encoded(schema[place] as AvroSchema, value)]);
  }
  const type = typeof schema === 'string' ? schema : schema.type;
  switch (type) {
    case 'null':
      return Buffer.alloc(0);
    case 'boolean':
      return Buffer.from([value === true ? 1 : 0]);
    case 'int':
    case 'long':
      return varint(value as number | bigint);
    case 'double': {
      const bytes = Buffer.alloc(8);
      bytes.writeDoubleLE(value as number);
      return bytes;
    }
    case 'bytes':
    case 'string': {
      const bytes = Buffer.from(value as string);
      return Buffer.concat([varint(bytes.length), bytes]);
    }
    case 'map': {
      const entries = Object.entries(value as object);
      const { values } = schema as { values: AvroSchema } & AvroSchema;
      return Buffer.concat([
        varint(entries.length),
        ...entries.flatMap(([key, one]) => [encoded('string', key), encoded(values, one)]),
        ...(entries.length === 0 ? [] : [varint(0)]),
      ]);
    }
    case 'record': {
      const { fields } = schema as unknown as { fields: { name: string; type: AvroSchema }[] };
      return Buffer.concat(fields.map((field) => encoded(field.type, (value as Record<string, unknown>)[field.name])));
    }
    default:
      throw new Error(`no encoder for ${type}`);
  }
}
