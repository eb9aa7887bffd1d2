import type { ComparedSlice } from '@passloop/documents';
import { expect, it } from 'vitest';
import { judgeTogether, lossPValue, wrongSliceVerdict } from './slice-verdicts.ts';

/** A change with a symmetric interval: `z` standard errors (of 0.01) below the margin of 0.02. */
function sliceAt(z: number, value = 'a'): ComparedSlice {
  const delta = -0.02 - 0.01 * z;
  const reach = 0.01 * 1.959963984540054;
  const upper = delta + reach;
  return {
    name: 'accuracy',
    direction: 'higher',
    production: '0.8',
    candidate: String(0.8 + delta),
    delta: String(Number(delta.toPrecision(12))),
    interval: [String(Number((delta - reach).toPrecision(12))), String(Number(upper.toPrecision(12)))],
    level: '0.95',
    method: 'Tango score',
    margin: '0.02',
    min: null,
    max: null,
    severity: 'error',
    verdict: upper < -0.02 ? 'worse' : 'inconclusive',
    gate: upper < -0.02 ? 'fail' : 'warn',
    rowsNeeded: null,
    reason: null,
    slice: { column: 'hub', value },
    rows: 500,
  };
}

// scipy.stats.norm.sf(z)
it.each([
  [0, 0.5],
  [1, 0.15865525393145707],
  [2.5, 0.006209665325776132],
  [4, 3.167124183311986e-5],
])('has the p-value of %d standard errors beyond the margin', (z, expected) => {
  expect(lossPValue(sliceAt(z))).toBeCloseTo(expected, 9);
});

// scipy.stats.t.sf(z * 2.570581835636314 / 1.959963984540054, 5): the interval has Student's reach there.
it.each([
  [0, 0.5],
  [1.959963984540054, 0.025],
  [2.5, 0.01099105245507896],
  [4, 0.0016683693476658849],
])("of several seeds has Student's p-value of %d: %d", (z, expected) => {
  const spread = { lowest: '0.7', highest: '0.8', standardDeviation: '0.01' };
  const errors = { rowError: '0.01', seedError: '0', degreesOfFreedom: '5', needed: null };
  expect(lossPValue({ ...sliceAt(z), seeds: { production: spread, candidate: spread, ...errors } })).toBeCloseTo(
    expected,
    9,
  );
});

it('turns a metric of which less is better', () => {
  const slice = sliceAt(2.5);
  const turned: ComparedSlice = {
    ...slice,
    direction: 'lower',
    delta: String(-Number(slice.delta)),
    interval: [String(-Number(slice.interval![1])), String(-Number(slice.interval![0]))],
  };
  expect(lossPValue(turned)).toBeCloseTo(0.006209665325776132, 9);
});

it('takes an interval of one point at its word', () => {
  const point = { ...sliceAt(1), delta: '-0.05', interval: ['-0.05', '-0.05'] as [string, string] };
  expect(lossPValue(point)).toBe(0);
  expect(lossPValue({ ...point, delta: '0', interval: ['0', '0'] })).toBe(1);
});

it('blocks for one slice of its own, and not for one of twenty that only chance made', () => {
  const worse = sliceAt(2.5);
  const others = Array.from({ length: 19 }, (_, at) => sliceAt(-1, `slice ${at}`));

  const [alone] = judgeTogether([worse]);
  const [together, ...rest] = judgeTogether([worse, ...others]);

  expect(alone).toMatchObject({ verdict: 'worse', gate: 'fail', adjustedPValue: alone?.pValue });
  // statsmodels.stats.multitest.multipletests(p, method='holm'): 20 x 0.00620966532578
  expect(together).toMatchObject({
    verdict: 'inconclusive',
    gate: 'warn',
    reason: expect.stringContaining('among 20'),
  });
  expect(Number(together?.adjustedPValue)).toBeCloseTo(0.12419330651, 9);
  expect(rest.every(({ verdict }) => verdict === 'inconclusive')).toBe(true);
});

it('still blocks for a loss that chance does not make among twenty', () => {
  const slices = [sliceAt(4), ...Array.from({ length: 19 }, (_, at) => sliceAt(-1, `slice ${at}`))];
  expect(judgeTogether(slices)[0]).toMatchObject({ verdict: 'worse', gate: 'fail' });
});

it('counts only slices that were compared', () => {
  const missing: ComparedSlice = { ...sliceAt(0), interval: null, verdict: 'insufficient', reason: '3 rows' };
  const [worse, small] = judgeTogether([sliceAt(2.5), ...Array.from({ length: 30 }, () => missing)]);
  expect(worse).toMatchObject({ verdict: 'worse' });
  expect(small).toMatchObject({ verdict: 'insufficient', reason: '3 rows', pValue: null });
});

it('finds a verdict that does not follow from the numbers, either way', () => {
  const others = Array.from({ length: 19 }, (_, at) => sliceAt(-1, `slice ${at}`));
  const honest = judgeTogether([sliceAt(2.5), ...others]);
  expect(wrongSliceVerdict(honest)).toBeNull();
  expect(wrongSliceVerdict([{ ...honest[0]!, verdict: 'worse', gate: 'fail' }, ...honest.slice(1)])?.why).toMatch(
    /says worse, and its numbers say inconclusive/,
  );
  const hidden: ComparedSlice = { ...sliceAt(4), verdict: 'inconclusive', gate: 'warn' };
  expect(wrongSliceVerdict([hidden])?.why).toMatch(/says inconclusive, and its numbers say worse/);
});
