import { inflateRawSync, zstdDecompressSync } from 'node:zlib';
import { type AvroType, avroType } from './avro-type.ts';

/**
 * Reads object container files of Avro, https://avro.apache.org/docs/1.12.0/specification/. A library would compile the file's
 * own schema into a program, and believe a count of four bytes that promises a million values.
 */

/** `undefined` for arrays and maps: of those that manifests have a reader needs none. */
export type AvroValue = null | boolean | number | bigint | string | Buffer | AvroRecord | undefined;
/** By the fields' ids. */
export type AvroRecord = ReadonlyMap<number, AvroValue>;

const magic = Buffer.from('Obj\x01');
const mostHeaderEntries = 1_000;
const largestBlock = 64 << 20;
const mostUnpacked = 512 << 20;

/**
 * The records of a file, in order.
 * @param fail makes the error for a file that is damaged, or would take more than it has
 */
export function* avroRecords(file: Buffer, fail: (what: string) => Error): Generator<AvroRecord> {
  const cursor = new Cursor(file, fail);
  if (!cursor.bytes(magic.length).equals(magic)) throw fail('it is no Avro file');
  const header = headerOf(cursor, fail);
  const type = avroType(parsedSchema(header.get('avro.schema'), fail), fail);
  if (type.kind !== 'record') throw fail('its Avro schema is no record');
  const codec = header.get('avro.codec')?.toString('latin1') ?? 'null';
  const sync = cursor.bytes(16);
  let unpacked = 0;
  while (!cursor.isAtEnd()) {
    const count = cursor.size();
    const data = unpack(cursor.bytes(cursor.size()), codec, fail);
    if (!cursor.bytes(16).equals(sync)) throw fail('a block of it doesn’t end where it should');
    unpacked += data.length;
    if (unpacked > mostUnpacked) throw fail(`it is longer than ${mostUnpacked >> 20} MiB, unpacked`);
    if (count > data.length) throw fail('a block of it promises more records than it has bytes');
    const block = new Cursor(data, fail);
    for (let index = 0; index < count; index++) yield block.read(type) as AvroRecord;
    if (!block.isAtEnd()) throw fail('a block of it is longer than its records');
  }
}

function headerOf(cursor: Cursor, fail: (what: string) => Error): Map<string, Buffer> {
  const header = new Map<string, Buffer>();
  for (let count = cursor.length(); count > 0; count = cursor.length()) {
    if (header.size + count > mostHeaderEntries) throw fail('its header is too long');
    for (let index = 0; index < count; index++) {
      const key = cursor.bytes(cursor.size()).toString('utf8');
      header.set(key, cursor.bytes(cursor.size()));
    }
  }
  return header;
}

function parsedSchema(text: Buffer | undefined, fail: (what: string) => Error): unknown {
  try {
    return JSON.parse(text?.toString('utf8') ?? '');
  } catch {
    throw fail('its Avro schema can’t be read');
  }
}

function unpack(data: Buffer, codec: string, fail: (what: string) => Error): Buffer {
  const bounds = { maxOutputLength: largestBlock };
  try {
    if (codec === 'null') return data;
    if (codec === 'deflate') return inflateRawSync(data, bounds);
    if (codec === 'zstandard') return zstdDecompressSync(data, bounds);
  } catch (error) {
    const isTooLarge = error instanceof Error && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE';
    throw fail(
      isTooLarge ? `a block of it is longer than ${largestBlock >> 20} MiB` : 'a block of it can’t be unpacked',
    );
  }
  throw fail(`it is packed by ${codec.replace(/[^\w-]/g, '?').slice(0, 40)}, which is not read`);
}

/** A place in bytes, which moves on. */
class Cursor {
  readonly #data: Buffer;
  readonly #fail: (what: string) => Error;
  #place = 0;

  constructor(data: Buffer, fail: (what: string) => Error) {
    this.#data = data;
    this.#fail = fail;
  }

  isAtEnd(): boolean {
    return this.#place === this.#data.length;
  }

  bytes(count: number): Buffer {
    if (count > this.#data.length - this.#place) throw this.#fail('it is cut off');
    this.#place += count;
    return this.#data.subarray(this.#place - count, this.#place);
  }

  /** A count of bytes or records. */
  size(): number {
    const value = Number(this.#long());
    if (value < 0 || !Number.isSafeInteger(value)) throw this.#fail('it has a negative length');
    return value;
  }

  /** How many items follow in an array or map; a negative count has a length in bytes behind it. */
  length(): number {
    const count = Number(this.#long());
    if (count < 0) this.#pass({ kind: 'long' });
    return Math.abs(count);
  }

  read(type: AvroType): AvroValue {
    switch (type.kind) {
      case 'null':
        return null;
      case 'boolean':
        return this.bytes(1)[0] !== 0;
      case 'int':
      case 'enum':
        return Number(this.#long());
      case 'long':
        return this.#long();
      case 'float':
        return this.bytes(4).readFloatLE();
      case 'double':
        return this.bytes(8).readDoubleLE();
      case 'bytes':
        return this.bytes(this.size());
      case 'string':
        return this.bytes(this.size()).toString('utf8');
      case 'fixed':
        return this.bytes(type.size);
      case 'union':
        return this.read(this.#branch(type.branches));
      case 'record': {
        const record = new Map<number, AvroValue>();
        for (const field of type.fields) {
          if (field.id === null) this.#pass(field.type);
          else record.set(field.id, this.read(field.type));
        }
        return record;
      }
      case 'array':
      case 'map':
        this.#pass(type);
        return undefined;
    }
  }

  /** Moves behind a value. Each item of an array takes a byte at least, so that the bytes bound the time. */
  #pass(type: AvroType): void {
    switch (type.kind) {
      case 'int':
      case 'long':
      case 'enum':
        for (let length = 1; ((this.bytes(1)[0] as number) & 128) !== 0; length++) {
          if (length === 10) throw this.#fail('it has a number of more than 64 bits');
        }
        return;
      case 'union':
        this.#pass(this.#branch(type.branches));
        return;
      case 'record':
        for (const field of type.fields) this.#pass(field.type);
        return;
      case 'array':
      case 'map':
        for (let count = this.length(); count > 0; count = this.length()) {
          for (let index = 0; index < count; index++) {
            const before = this.#place;
            if (type.kind === 'map') this.bytes(this.size());
            this.#pass(type.items);
            if (this.#place === before) throw this.#fail('it has a list of nothing');
          }
        }
        return;
      default:
        this.read(type);
    }
  }

  #branch(branches: readonly AvroType[]): AvroType {
    const branch = branches[this.size()];
    if (branch === undefined) throw this.#fail('it has a value of no type');
    return branch;
  }

  #long(): bigint {
    // Most numbers are short; of those no bigint has to be made on the way.
    let low = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.bytes(1)[0] as number;
      low |= (byte & 127) << shift;
      if (byte < 128) return BigInt((low >>> 1) ^ -(low & 1));
    }
    let value = BigInt(low);
    for (let shift = 28n; shift < 70n; shift += 7n) {
      const byte = this.bytes(1)[0] as number;
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return BigInt.asIntN(64, (value >> 1n) ^ -(value & 1n));
    }
    throw this.#fail('it has a number of more than 64 bits');
  }
}
