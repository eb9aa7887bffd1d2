import { ConfigurationError, InfrastructureError, plainText } from '@passloop/core';
import type { Datatype } from '@passloop/model';

/** One value of a table. Whole numbers of 64 bits may be `bigint`; null is a missing value. */
export type Value = number | bigint | boolean | string | null;

/** A named column of a table, in row order. */
export type Column = { name: string; values: ArrayLike<Value> };

/** A tensor of shape [n, 1] (or [n]) with its values in row order. */
export type TensorValues = { name: string; datatype: string; values: Value[] };

type Reader = (view: DataView, at: number) => Value;
type Writer = (view: DataView, at: number, value: never) => void;
type Layout = { bytes: number; read: Reader; write: Writer; min?: bigint; max?: bigint };

function whole(bits: number, signed: boolean): { min: bigint; max: bigint } {
  return signed
    ? { min: -(2n ** BigInt(bits - 1)), max: 2n ** BigInt(bits - 1) - 1n }
    : { min: 0n, max: 2n ** BigInt(bits) - 1n };
}

/** Fixed-size datatypes as raw bytes lay them out: row-major, little-endian. */
const layouts: Record<string, Layout> = {
  BOOL: { bytes: 1, read: (v, at) => v.getUint8(at) !== 0, write: (v, at, x: boolean) => v.setUint8(at, x ? 1 : 0) },
  INT8: { bytes: 1, read: (v, at) => v.getInt8(at), write: (v, at, x: number) => v.setInt8(at, x), ...whole(8, true) },
  INT16: {
    bytes: 2,
    read: (v, at) => v.getInt16(at, true),
    write: (v, at, x: number) => v.setInt16(at, x, true),
    ...whole(16, true),
  },
  INT32: {
    bytes: 4,
    read: (v, at) => v.getInt32(at, true),
    write: (v, at, x: number) => v.setInt32(at, x, true),
    ...whole(32, true),
  },
  INT64: {
    bytes: 8,
    read: (v, at) => smallest(v.getBigInt64(at, true)),
    write: (v, at, x: bigint) => v.setBigInt64(at, x, true),
    ...whole(64, true),
  },
  UINT8: {
    bytes: 1,
    read: (v, at) => v.getUint8(at),
    write: (v, at, x: number) => v.setUint8(at, x),
    ...whole(8, false),
  },
  UINT16: {
    bytes: 2,
    read: (v, at) => v.getUint16(at, true),
    write: (v, at, x: number) => v.setUint16(at, x, true),
    ...whole(16, false),
  },
  UINT32: {
    bytes: 4,
    read: (v, at) => v.getUint32(at, true),
    write: (v, at, x: number) => v.setUint32(at, x, true),
    ...whole(32, false),
  },
  UINT64: {
    bytes: 8,
    read: (v, at) => smallest(v.getBigUint64(at, true)),
    write: (v, at, x: bigint) => v.setBigUint64(at, x, true),
    ...whole(64, false),
  },
  FP16: { bytes: 2, read: (v, at) => v.getFloat16(at, true), write: (v, at, x: number) => v.setFloat16(at, x, true) },
  FP32: { bytes: 4, read: (v, at) => v.getFloat32(at, true), write: (v, at, x: number) => v.setFloat32(at, x, true) },
  FP64: { bytes: 8, read: (v, at) => v.getFloat64(at, true), write: (v, at, x: number) => v.setFloat64(at, x, true) },
};

/** The datatypes of the Open Inference Protocol. */
export const datatypes = [...Object.keys(layouts), 'BYTES'] as const;

function isFloat(datatype: string): boolean {
  return datatype === 'FP16' || datatype === 'FP32' || datatype === 'FP64';
}

/**
 * Table values as values of a datatype: a missing number is NaN in a float column; everything that the datatype cannot carry
 * without changing it is refused by column and row, except the rounding that FP32 and FP16 are.
 * @throws ConfigurationError
 */
export function toTensor(datatype: Datatype, column: Column, from = 0, to = column.values.length): Value[] {
  const values: Value[] = new Array(to - from);
  const layout = layouts[datatype];
  for (let row = from; row < to; row += 1) {
    const value = column.values[row] ?? null;
    const converted = convert(datatype, layout, value);
    if (converted === undefined) throw unfit(datatype, column.name, row, value);
    values[row - from] = converted;
  }
  return values;
}

function convert(datatype: string, layout: Layout | undefined, value: Value): Value | undefined {
  if (datatype === 'BYTES') return typeof value === 'string' ? value : undefined;
  if (isFloat(datatype)) {
    if (value === null) return Number.NaN;
    if (typeof value === 'number') return value;
    if (typeof value === 'bigint') return BigInt(Number(value)) === value ? Number(value) : undefined;
    return typeof value === 'boolean' ? Number(value) : undefined;
  }
  if (datatype === 'BOOL') {
    if (typeof value === 'boolean') return value;
    return value === 0 || value === 1 || value === 0n || value === 1n ? Number(value) === 1 : undefined;
  }
  if (typeof value === 'boolean') return Number(value);
  if (typeof value === 'number' ? !Number.isSafeInteger(value) : typeof value !== 'bigint') return undefined;
  const exact = BigInt(value as number | bigint);
  const inRange = layout?.min !== undefined && layout.max !== undefined && exact >= layout.min && exact <= layout.max;
  return inRange ? smallest(exact) : undefined;
}

function unfit(datatype: string, name: string, row: number, value: Value): ConfigurationError {
  const shown = value === null ? 'missing' : `${typeof value} ${plainText(String(value), 60)}`;
  return new ConfigurationError(
    `Column ${JSON.stringify(name)} is ${shown} in row ${row + 1}; the signature says ${datatype}.`,
    {
      hint:
        value === null
          ? 'Only FP32 and FP64 inputs carry missing values (as NaN). Fill them in the data, or make the input a float.'
          : 'Correct the datatype in the signature, or the column.',
    },
  );
}

/** Raw little-endian bytes; BYTES are a 4-byte length and that many bytes of UTF-8 each. */
export function encodeRaw(datatype: string, values: readonly Value[]): Buffer {
  if (datatype === 'BYTES') {
    const parts = values.map((value) => Buffer.from(String(value), 'utf8'));
    const all = Buffer.alloc(parts.reduce((sum, part) => sum + 4 + part.length, 0));
    let at = 0;
    for (const part of parts) {
      all.writeUInt32LE(part.length, at);
      part.copy(all, at + 4);
      at += 4 + part.length;
    }
    return all;
  }
  const layout = layoutOf(datatype);
  const bytes = Buffer.alloc(values.length * layout.bytes);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const wide = datatype === 'INT64' || datatype === 'UINT64';
  for (const [index, value] of values.entries()) {
    layout.write(view, index * layout.bytes, (wide ? BigInt(value as number | bigint) : value) as never);
  }
  return bytes;
}

/** @throws InfrastructureError where the bytes are not `count` values of the datatype */
export function decodeRaw(datatype: string, bytes: Uint8Array, count: number): Value[] {
  const values: Value[] = new Array(count);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (datatype === 'BYTES') {
    let at = 0;
    for (let index = 0; index < count; index += 1) {
      if (at + 4 > bytes.length) throw malformed(datatype, bytes.length, count);
      const length = view.getUint32(at, true);
      at += 4;
      if (length > bytes.length - at) throw malformed(datatype, bytes.length, count);
      values[index] = Buffer.from(bytes.buffer, bytes.byteOffset + at, length).toString('utf8');
      at += length;
    }
    if (at !== bytes.length) throw malformed(datatype, bytes.length, count);
    return values;
  }
  const layout = layoutOf(datatype);
  if (bytes.length !== count * layout.bytes) throw malformed(datatype, bytes.length, count);
  for (let index = 0; index < count; index += 1) values[index] = layout.read(view, index * layout.bytes);
  return values;
}

/** Values out of a JSON answer, nested or flat. Whole numbers beyond 2^53 come as `bigint` (see `parseExact`). */
export function fromJsonData(datatype: string, data: unknown, count: number): Value[] {
  const flat = Array.isArray(data) ? data.flat(16) : [];
  if (!Array.isArray(data) || flat.length !== count) {
    throw new InfrastructureError(`The answer has ${flat.length} values of ${datatype} where its shape says ${count}.`);
  }
  for (const value of flat) {
    const fits =
      datatype === 'BYTES'
        ? typeof value === 'string'
        : datatype === 'BOOL'
          ? typeof value === 'boolean'
          : typeof value === 'number' || (typeof value === 'bigint' && !isFloat(datatype));
    if (!fits)
      throw new InfrastructureError(`The answer holds ${plainText(String(value), 60)} in a tensor of ${datatype}.`);
  }
  return flat as Value[];
}

/** JSON values of a request. @throws ConfigurationError for NaN and Infinity, which JSON has no form for */
export function toJsonData(name: string, values: readonly Value[]): unknown[] {
  return values.map((value) => {
    if (typeof value === 'number' && !Number.isFinite(value)) {
      throw new ConfigurationError(
        `Input ${JSON.stringify(name)} holds ${value}, which travels only by gRPC or binary.`,
      );
    }
    return typeof value === 'bigint' ? exactJson.rawJSON(String(value)) : value;
  });
}

/** What the engine's JSON can and the language's typings don't know yet: the source text of a number, both ways. */
const exactJson = JSON as unknown as {
  parse(text: string, reviver: (key: string, value: unknown, context: { source?: string }) => unknown): unknown;
  rawJSON(text: string): unknown;
};

/** JSON with whole numbers beyond 2^53 kept exactly, as `bigint`. */
export function parseExact(text: string): unknown {
  return exactJson.parse(text, (_key, value, context) =>
    typeof value === 'number' && !Number.isSafeInteger(value) && /^-?\d+$/.test(context.source ?? '')
      ? BigInt(context.source ?? '')
      : value,
  );
}

/** The number of values of a shape. @throws InfrastructureError for a shape that is none */
export function countOf(shape: readonly number[]): number {
  const count = shape.reduce((product, size) => product * size, 1);
  if (
    shape.length === 0 ||
    !shape.every((size) => Number.isSafeInteger(size) && size >= 0) ||
    !Number.isSafeInteger(count)
  ) {
    throw new InfrastructureError(`The answer has the shape [${shape.slice(0, 8).join(', ')}].`);
  }
  return count;
}

function layoutOf(datatype: string): Layout {
  const layout = layouts[datatype];
  if (layout === undefined) throw new InfrastructureError(`${plainText(datatype, 40)} is no datatype of the protocol.`);
  return layout;
}

function malformed(datatype: string, bytes: number, count: number): InfrastructureError {
  return new InfrastructureError(`The answer has ${bytes} raw bytes, which are not ${count} values of ${datatype}.`);
}

function smallest(value: bigint): number | bigint {
  const small = Number(value);
  return Number.isSafeInteger(small) ? small : value;
}
