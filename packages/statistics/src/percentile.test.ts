import { expect, it } from 'vitest';
import { percentile } from './percentile.ts';

it.each([
  [[5], 0.95, 5],
  [[1, 2, 3, 4], 0.5, 2],
  [[4, 3, 2, 1], 0.95, 4],
  [Array.from({ length: 100 }, (_, index) => index + 1), 0.95, 95],
])('nearest rank of %j at %s is %s', (values, share, expected) => {
  expect(percentile(values, share)).toBe(expected);
});

it('refuses nothing', () => {
  expect(() => percentile([], 0.5)).toThrow(RangeError);
});
