import { describe, expect, it } from 'vitest';
import { compareSkew } from './skew.ts';
import type { Value } from './tensor.ts';

const column = (name: string, ...values: Value[]) => ({ name, values });

describe('compareSkew', () => {
  it('passes what agrees, and says how far the farthest is', () => {
    const skew = compareSkew(
      [column('score', 0.5, 0.25), column('hat', 1, 0)],
      [column('hat', 1n, 0), column('score', 0.5 + 2.505e-7, 0.25)],
    );
    expect(skew).toMatchObject({ rows: 2, equal: 2, verdict: 'pass' });
    // 2.505e-7 / (1e-9 + 1e-6 * 0.5) = 0.5
    expect(Number(skew.worst)).toBeCloseTo(0.5, 6);
  });

  it.each<[string, Value, Value, boolean]>([
    ['the same', 1.5, 1.5, true],
    ['just inside', 1, 1 + 1.0009e-6, true],
    ['just outside', 1, 1 + 1.0011e-6, false],
    ['near zero, inside', 0, 0.9e-9, true],
    ['near zero, outside', 0, 1.1e-9, false],
    ['a float32 of it', 0.1, Math.fround(0.1), true],
    ['NaN and NaN', Number.NaN, Number.NaN, true],
    ['NaN for a number', 0.5, Number.NaN, false],
    ['a number for NaN', Number.NaN, 0.5, false],
    ['infinite and infinite', Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, true],
    ['infinite for finite', 1, Number.POSITIVE_INFINITY, false],
    ['finite for infinite', Number.POSITIVE_INFINITY, 1, false],
    ['of opposite infinities', Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, false],
    ['another class', 0, 1, false],
    ['another text', 'late', 'on time', false],
    ['the same text', 'late', 'late', true],
    ['a text for a number', 1, '1', false],
    ['nothing for a number', 1, null, false],
    ['nothing for nothing', null, null, true],
    ['a whole number as bigint', 3, 3n, true],
    ['another bigint', 3n, 4n, false],
    ['one beyond 2^53', 2n ** 53n, 2n ** 53n + 1n, false],
    ['a fraction for a bigint', 3n, 3.0000001, false],
    ['minus zero', 0, -0, true],
    ['a truth for a number', 1, true, false],
  ])('%s: %s and %s', (_what, stage, image, equal) => {
    const skew = compareSkew([column('p', stage)], [column('p', image)]);
    expect(skew.verdict).toBe(equal ? 'pass' : 'fail');
    expect(skew.equal).toBe(equal ? 1 : 0);
  });

  it('tells whole numbers apart, however near by their size, where they are classes', () => {
    const [stage, image] = [[column('p', 5_000_000)], [column('p', 5_000_001)]];
    expect(compareSkew(stage, image).verdict).toBe('pass');
    expect(compareSkew(stage, image, new Set(['p'])).verdict).toBe('fail');
    expect(compareSkew(stage, stage, new Set(['p'])).verdict).toBe('pass');
    expect(compareSkew([column('p', 7n)], [column('p', 7)], new Set(['p'])).verdict).toBe('pass');
  });

  it('does not pass what it did not compare', () => {
    const skew = compareSkew([column('hat', 1)], [column('hat', 1), column('score', 0.5)]);
    expect(skew).toMatchObject({ rows: 1, equal: 1, verdict: 'warn' });
    expect(skew.detail).toMatch(/^The stage predicts no score, which was not compared\./);
  });

  it('names the first difference and counts rows, not cells', () => {
    const skew = compareSkew(
      [column('a', 1, 1, 1), column('b', 1, 1, 1)],
      [column('a', 1, 2, 1), column('b', 1, 2, 3)],
    );
    expect(skew).toMatchObject({ rows: 3, equal: 1, verdict: 'fail' });
    expect(skew.detail).toBe('row 2, "a": the stage has 1, the image 2');
  });

  it('never passes nothing', () => {
    expect(compareSkew([column('p')], [column('p')])).toMatchObject({ rows: 0, verdict: 'fail' });
    expect(() => compareSkew([], [])).toThrow(/no column/);
    expect(() => compareSkew([column('p', 1)], [column('q', 1)])).toThrow(/gives no column "p"/);
    expect(() => compareSkew([column('p', 1)], [column('p', 1, 2)])).toThrow(/1 predictions .* the image 2/);
  });
});
