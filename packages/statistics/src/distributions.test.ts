import { describe, expect, it } from 'vitest';
import { expectClose } from '../golden/close.ts';
import golden from '../golden/fixtures/golden.json' with { type: 'json' };
import {
  binomialCdf,
  chiSquareQuantile,
  chiSquareSf,
  normalCdf,
  normalQuantile,
  tCdf,
  tQuantile,
} from './distributions.ts';

const expected = golden.distributions;
type Two = [number, number];
type Three = [number, number, number];
type Four = [number, number, number, number];

describe('distributions agree with scipy', () => {
  it.each(expected.normalCdf as Two[])('normalCdf(%d) = %d', (x, p) => expectClose(normalCdf(x), p, 1e-12));
  it.each(expected.normalQuantile as Two[])('normalQuantile(%d) = %d', (p, x) =>
    x === 0 ? expect(normalQuantile(p)).toBeCloseTo(0, 15) : expectClose(normalQuantile(p), x, 1e-13));
  it.each(expected.chiSquareSf as Three[])('chiSquareSf(%d, %d) = %d', (x, k, p) =>
    expectClose(chiSquareSf(x, k), p, 1e-11));
  it.each(expected.chiSquareQuantile as Three[])('chiSquareQuantile(%d, %d) = %d', (p, k, x) =>
    expectClose(chiSquareQuantile(p, k), x, 1e-11));
  it.each(expected.binomialCdf as Four[])('binomialCdf(%d, %d, %d) = %d', (k, n, p, q) =>
    expectClose(binomialCdf(k, n, p), q, 1e-10));
  it.each(expected.tCdf as Three[])('tCdf(%d, %d) = %d', (x, k, p) => expectClose(tCdf(x, k), p, 1e-11));
  it.each(expected.tQuantile as Three[])('tQuantile(%d, %d) = %d', (p, k, x) => expectClose(tQuantile(p, k), x, 1e-9));
});

describe('normalQuantile at its edges', () => {
  it('inverts normalCdf down to the smallest numbers', () => {
    for (const p of [1e-300, 1e-100, 1e-17, 1e-9, 0.00999, 0.01, 0.3]) {
      expectClose(normalCdf(normalQuantile(p)), p, 1e-11);
      expect(normalQuantile(1 - p)).toBe(-normalQuantile(1 - (1 - p)));
    }
    expect(normalQuantile(0)).toBe(Number.NEGATIVE_INFINITY);
    expect(normalQuantile(1)).toBe(Number.POSITIVE_INFINITY);
    expect(normalQuantile(1.1)).toBeNaN();
    expect(normalQuantile(-0.1)).toBeNaN();
    expect(normalQuantile(Number.NaN)).toBeNaN();
  });
});

describe('chiSquareSf at its edges', () => {
  it.each([
    [0, 3, 1],
    [-1, 1, 1],
    [Number.POSITIVE_INFINITY, 4, 0],
  ])('chiSquareSf(%d, %d) = %d', (x, k, p) => expect(chiSquareSf(x, k)).toBe(p));

  it('passes NaN on and refuses a fractional number of degrees of freedom', () => {
    expect(chiSquareSf(Number.NaN, 2)).toBeNaN();
    expect(() => chiSquareSf(1, 1.5)).toThrow(RangeError);
    expect(() => chiSquareSf(1, 0)).toThrow(RangeError);
  });

  it('joins its two branches without a step', () => {
    for (const k of [2, 3, 10, 101]) expectClose(chiSquareSf(k * (1 + 1e-12), k), chiSquareSf(k, k), 1e-10);
  });
});
