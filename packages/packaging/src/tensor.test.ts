import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { countOf, decodeRaw, encodeRaw, fromJsonData, parseExact, toJsonData, toTensor, type Value } from './tensor.ts';

describe('raw bytes', () => {
  // Golden bytes by numpy: np.array([...], dtype).tobytes().hex().
  it.each<[string, Value[], string]>([
    ['BOOL', [true, false], '0100'],
    ['INT8', [-1, 127], 'ff7f'],
    ['INT16', [-2, 258], 'feff0201'],
    ['INT32', [-2147483648], '00000080'],
    ['INT64', [-1, 2n ** 62n], 'ffffffffffffffff0000000000000040'],
    ['UINT8', [255], 'ff'],
    ['UINT16', [65535], 'ffff'],
    ['UINT32', [4294967295], 'ffffffff'],
    ['UINT64', [2n ** 64n - 1n], 'ffffffffffffffff'],
    ['FP16', [1.5, -2], '003e00c0'],
    ['FP32', [1.5], '0000c03f'],
    ['FP64', [0.1], '9a9999999999b93f'],
    ['BYTES', ['é', ''], '02000000c3a900000000'],
  ])('of %s are those of numpy', (datatype, values, hex) => {
    expect(encodeRaw(datatype, values).toString('hex')).toBe(hex);
    expect(decodeRaw(datatype, Buffer.from(hex, 'hex'), values.length)).toEqual(values);
  });

  it.each<[string, fc.Arbitrary<Value>]>([
    ['FP64', fc.double()],
    ['INT64', fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })],
    ['UINT64', fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })],
    ['BYTES', fc.string({ unit: 'grapheme' })],
    ['BOOL', fc.boolean()],
  ])('of %s come back', (datatype, arbitrary) => {
    fc.assert(
      fc.property(fc.array(arbitrary), (values) => {
        const back = decodeRaw(datatype, encodeRaw(datatype, values), values.length);
        for (const [index, value] of values.entries()) {
          const same =
            typeof value === 'bigint' ? BigInt(back[index] as number) === value : Object.is(back[index], value);
          expect(same).toBe(true);
        }
      }),
    );
  });

  it.each([
    ['FP64', '00'.repeat(9), 1],
    ['BYTES', '05000000ff', 1],
    ['BYTES', 'ffffffff', 1],
    ['BYTES', '0000', 1],
    ['BYTES', '0000000000', 1],
    ['FP64', '', 1],
    ['WHAT', '00', 1],
  ])('of %s that are cut or too many are refused', (datatype, hex, count) => {
    expect(() => decodeRaw(datatype, Buffer.from(hex, 'hex'), count)).toThrow();
  });
});

describe('toTensor', () => {
  const column = (...values: Value[]) => ({ name: 'distance', values });

  it('takes what fits, and a missing float as NaN', () => {
    expect(toTensor('INT64', column(1, 2n, true))).toEqual([1, 2, 1]);
    expect(toTensor('FP64', column(1, 2n, null, true))).toEqual([1, 2, Number.NaN, 1]);
    expect(toTensor('BOOL', column(true, 0, 1n))).toEqual([true, false, true]);
    expect(toTensor('BYTES', column('a', ''))).toEqual(['a', '']);
    expect(toTensor('INT64', column(1, 2, 3), 1, 2)).toEqual([2]);
  });

  it.each<[Parameters<typeof toTensor>[0], Value]>([
    ['INT64', null],
    ['INT64', 1.5],
    ['INT64', Number.NaN],
    ['INT64', 2n ** 63n],
    ['INT8', 128],
    ['UINT8', -1],
    ['BOOL', 2],
    ['BOOL', 'true'],
    ['BYTES', null],
    ['BYTES', 1],
    ['FP64', '1'],
    ['FP64', 2n ** 53n + 1n],
  ])('refuses for %s the value %s, by column and row', (datatype, value) => {
    expect(() => toTensor(datatype, { name: 'distance', values: ['x', value] as Value[] }, 1)).toThrow(
      /Column "distance" is .* in row 2; the signature says/,
    );
  });
});

describe('JSON', () => {
  it('keeps whole numbers beyond 2^53, both ways', () => {
    const text = '{"data":[9007199254740993,-9223372036854775808,1.5,1e3]}';
    expect(parseExact(text)).toEqual({ data: [9007199254740993n, -(2n ** 63n), 1.5, 1000] });
    expect(JSON.stringify(toJsonData('x', [9007199254740993n, 1]))).toBe('[9007199254740993,1]');
  });

  it('has no NaN', () => {
    expect(() => toJsonData('x', [Number.NaN])).toThrow(/gRPC or binary/);
    expect(() => parseExact('[NaN]')).toThrow();
  });

  it('takes nested and flat data, and refuses other kinds and counts', () => {
    expect(fromJsonData('FP64', [[1], [2.5]], 2)).toEqual([1, 2.5]);
    expect(fromJsonData('BYTES', ['a'], 1)).toEqual(['a']);
    for (const [datatype, data, count] of [
      ['FP64', ['1'], 1],
      ['FP64', [null], 1],
      ['FP64', [1], 2],
      ['BOOL', [1], 1],
      ['BYTES', [1], 1],
      ['FP64', { length: 1 }, 1],
    ] as const) {
      expect(() => fromJsonData(datatype, data, count)).toThrow();
    }
  });

  it.each([[[]], [[-1, 1]], [[1.5]], [[2 ** 40, 2 ** 40]]])('has no shape %j', (shape) => {
    expect(() => countOf(shape)).toThrow(/shape/);
  });
});
