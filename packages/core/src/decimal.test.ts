import fc from 'fast-check';
import { expect, it } from 'vitest';
import { fromDecimal, isDecimal, toDecimal, toDecimalOrNull } from './decimal.ts';

it.each([
  [0.1 + 0.2, '0.3'],
  [-0, '0'],
  [1e21, '1e+21'],
  [1e-7, '1e-7'],
  [0.00001, '0.00001'],
  [123456789012.4, '123456789012'],
  [1 / 3, '0.333333333333'],
])('writes %d as %s', (value, text) => {
  expect(toDecimal(value)).toBe(text);
});

it.each([
  '',
  'NaN',
  'Infinity',
  '01',
  '1.0',
  '1.',
  '.5',
  '-0',
  '1e5',
  '1e+05',
  ' 1',
  '1234567890123',
  '0.1234567890123',
  '1e+999',
])('refuses %j', (text) => {
  expect(isDecimal(text)).toBe(false);
  expect(() => fromDecimal(text)).toThrow(RangeError);
});

it('never lets NaN or Infinity be a measurement', () => {
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
    expect(() => toDecimal(value)).toThrow(RangeError);
    expect(toDecimalOrNull(value)).toBeNull();
  }
});

it('writes every finite number so that it reads back to 12 digits and stays as it is when written again', () => {
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e300, max: 1e300 }), (value) => {
      const text = toDecimal(value);
      expect(isDecimal(text)).toBe(true);
      expect(toDecimal(fromDecimal(text))).toBe(text);
      expect(fromDecimal(text)).toBe(Number(value.toPrecision(12)) + 0);
    }),
  );
});
