import { describe, expect, it } from 'vitest';
import { type AvroSchema, avroFile, varint } from '../testing/avro-file.ts';
import { avroRecords } from './avro.ts';

const field = (name: string, id: number, type: AvroSchema) => ({ name, type, 'field-id': id });
const record = (...fields: object[]) => ({ type: 'record', name: 'r', fields });
const fail = (what: string) => new Error(what);
const read = (file: Buffer) => [...avroRecords(file, fail)].map((one) => Object.fromEntries(one));

describe('values', () => {
  const schema = record(
    field('whole', 1, 'long'),
    field('maybe', 2, ['null', { type: 'int', logicalType: 'date' }]),
    field('text', 3, 'string'),
    field('bounds', 4, { type: 'map', values: 'bytes' }),
    field('share', 5, 'double'),
    field('inner', 6, { type: 'record', name: 'inner', fields: [field('flag', 7, 'boolean')] }),
    { name: 'without an id', type: 'long' },
  );
  const rows = [
    { whole: 2n ** 63n - 1n, maybe: null, text: 'ü', bounds: { a: 'xyz' }, share: 0.1, inner: { flag: true } },
    { whole: -(2n ** 63n), maybe: -1, text: '', bounds: {}, share: -0, inner: { flag: false } },
  ].map((row) => ({ ...row, 'without an id': 2 ** 40 }));

  it.each(['null', 'deflate', 'zstandard'] as const)('by their ids, packed by %s', (codec) => {
    const [first, second] = read(avroFile(schema, rows, { codec }));
    expect(first).toEqual({
      1: 2n ** 63n - 1n,
      2: null,
      3: 'ü',
      4: undefined,
      5: 0.1,
      6: new Map([[7, true]]),
    });
    expect(second).toMatchObject({ 1: -(2n ** 63n), 2: -1, 3: '', 5: -0 });
  });

  it.each([0, -1, 1, 63, -64, 64, 2 ** 27, -(2 ** 27) - 1, 2 ** 28, 2 ** 31, -(2 ** 40)])('the number %d', (value) => {
    expect(read(avroFile(record(field('n', 1, 'long')), [{ n: value }]))).toEqual([{ 1: BigInt(value) }]);
  });

  it('cut off anywhere are an error, never other values', () => {
    const file = avroFile(schema, rows);
    const headerEnd = file.indexOf(Buffer.alloc(16, 7)) + 16;
    for (let length = 0; length < file.length; length++) {
      if (length === headerEnd) continue;
      expect(() => read(file.subarray(0, length)), `${length} bytes`).toThrow(/./);
    }
  });
});

describe('hostile files', () => {
  const long = record(field('n', 1, 'long'));
  const list = (items: AvroSchema) => record(field('l', 1, { type: 'array', items }));
  const nested = (depth: number): AvroSchema => (depth === 0 ? 'long' : { type: 'array', items: nested(depth - 1) });
  const doubled = (depth: number): object[] => {
    const fields: object[] = [field('a0', 1, { type: 'record', name: 'r0', fields: [field('n', 1, 'long')] })];
    for (let level = 1; level <= depth; level++) {
      const before = `r${level - 1}`;
      const type = { type: 'record', name: `r${level}`, fields: [field('x', 1, before), field('y', 2, before)] };
      fields.push(field(`a${level}`, level + 1, type));
    }
    return fields;
  };

  it.each<[string, Buffer, RegExp]>([
    ['that are none', Buffer.from('PAR1 and more'), /it is no Avro file/],
    ['packed in another way', avroFile(long, [], { codec: 'snappy' }), /it is packed by snappy, which is not read/],
    [
      'that unpack to more than a block may have',
      avroFile(long, [], { codec: 'deflate', data: Buffer.alloc(65 << 20) }),
      /a block of it is longer than 64 MiB/,
    ],
    ['that promise more records', avroFile(long, [{ n: 1 }], { count: 2n ** 40n }), /more records than it has bytes/],
    ['that promise fewer', avroFile(long, [{ n: 1 }, { n: 1 }], { count: 1 }), /longer than its records/],
    ['with a negative count', avroFile(long, [{ n: 1 }], { count: -1 }), /a negative length/],
    [
      'with a list that promises millions',
      avroFile(list('int'), [], { count: 1, data: varint(2n ** 50n) }),
      /it is cut off/,
    ],
    [
      'with a list of nothing, without end',
      avroFile(list({ type: 'record', name: 'e', fields: [] }), [], { count: 1, data: varint(2n ** 50n) }),
      /a list of nothing/,
    ],
    ['with fields of nothing', avroFile(record(field('n', 1, 'null')), []), /a field of nothing/],
    [
      'with many empty records',
      avroFile(
        record(
          ...Array.from({ length: 9 }, (_, n) => field(`f${n}`, n, { type: 'record', name: `e${n}`, fields: [] })),
        ),
        [],
      ),
      /its Avro schema is too large/,
    ],
    ['with a schema that holds itself', avroFile(record(field('n', 1, ['null', 'r'])), []), /holds itself/],
    ['with a schema of unknown names', avroFile(record(field('n', 1, 'other')), []), /names a type that it lacks/],
    ['with a deep schema', avroFile(record(field('n', 1, nested(40))), []), /nested too deeply/],
    ['with a schema that doubles', avroFile(record(...doubled(14)), []), /too large/],
    ['with a schema that is no record', avroFile('long', []), /its Avro schema is no record/],
    [
      'with a wrong branch',
      avroFile(record(field('n', 1, ['null', 'long'])), [], { count: 1, data: varint(2) }),
      /no type/,
    ],
    [
      'with a number of too many bytes',
      avroFile(long, [], { count: 1, data: Buffer.alloc(20, 255) }),
      /more than 64 bits/,
    ],
    [
      'with another mark between blocks',
      Buffer.concat([avroFile(long, [{ n: 1 }]).subarray(0, -1), Buffer.from('x')]),
      /doesn’t end where it should/,
    ],
  ])('%s', (_name, file, message) => {
    expect(() => read(file)).toThrow(message);
  });
});
