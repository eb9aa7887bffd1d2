import { describe, expect, it } from 'vitest';
import { boundsVerdict, gateVerdict, judgeAlone, judgeMissing, judgePaired, pairedVerdict } from './gate.ts';
import type { PairedMeasurement } from './measure.ts';
import { createGate } from './testing/frames.ts';

describe('pairedVerdict', () => {
  // Bounds of candidate - production, margin 0.005; for `lower` the same table with both signs turned.
  const table: [low: string, high: string, margin: string, expected: string][] = [
    ['0.001', '0.004', '0.005', 'better'],
    ['1e-12', '0.004', '0.005', 'better'],
    ['0', '0.004', '0.005', 'non-inferior'],
    ['0', '0', '0.005', 'non-inferior'],
    ['-0.00499999999999', '0.1', '0.005', 'non-inferior'],
    ['-0.005', '0.1', '0.005', 'inconclusive'],
    ['-0.006', '0.006', '0.005', 'inconclusive'],
    ['-0.02', '-0.005', '0.005', 'inconclusive'],
    ['-0.02', '-0.00499999999999', '0.005', 'inconclusive'],
    ['-0.02', '-0.00500000000001', '0.005', 'worse'],
    ['-0.004', '-0.001', '0.005', 'non-inferior'],
    ['0', '0', '0', 'inconclusive'],
    ['-0.002', '-0.001', '0', 'worse'],
    ['0.001', '0.002', '0', 'better'],
    ['-0.001', '0.002', '0', 'inconclusive'],
    ['-20', '-10', '30', 'non-inferior'],
  ];
  const turn = (text: string) => (text === '0' ? '0' : text.startsWith('-') ? text.slice(1) : `-${text}`);

  it.each(table)('higher [%s, %s] with margin %s is %s', (low, high, margin, expected) => {
    expect(pairedVerdict('higher', [low, high], margin)).toBe(expected);
  });
  it.each(table)('lower, turned: [%s, %s] with margin %s is %s', (low, high, margin, expected) => {
    expect(pairedVerdict('lower', [turn(high), turn(low)], margin)).toBe(expected);
  });
});

describe('gateVerdict', () => {
  it.each([
    ['better', ['pass', 'pass', 'pass', 'pass']],
    ['non-inferior', ['pass', 'pass', 'pass', 'pass']],
    ['within', ['pass', 'pass', 'pass', 'pass']],
    ['worse', ['fail', 'fail', 'warn', 'warn']],
    ['outside', ['fail', 'fail', 'warn', 'warn']],
    ['not-comparable', ['fail', 'fail', 'warn', 'warn']],
    ['inconclusive', ['inconclusive', 'warn', 'warn', 'warn']],
    ['insufficient', ['inconclusive', 'warn', 'warn', 'warn']],
  ] as const)('%s: error and block, error and warn, warn and block, warn and warn', (measurement, expected) => {
    const found = (['error', 'warn'] as const).flatMap((severity) =>
      (['block', 'warn'] as const).map((policy) => gateVerdict(measurement, severity, policy)),
    );
    expect(found).toEqual(expected);
  });
});

const measured = (overrides: Partial<PairedMeasurement> = {}): PairedMeasurement => ({
  production: 0.7,
  candidate: 0.702,
  delta: 0.002,
  interval: [-0.006, 0.01],
  level: 0.95,
  method: 'DeLong',
  problem: null,
  ...overrides,
});
const judge = (gate: Parameters<typeof createGate>[0], one = measured(), rows = 1000) =>
  judgePaired({ gate: createGate(gate), inconclusive: 'block' }, one, { rows, counting: rows });

describe('judgePaired', () => {
  it('decides on the printed bound: a difference beyond the twelfth digit is none', () => {
    const result = judge({ metric: 'm', margin: 0.005 }, measured({ interval: [-0.0049999999999999, 0.1] }));
    expect(result).toMatchObject({ interval: ['-0.005', '0.1'], verdict: 'inconclusive', gate: 'inconclusive' });
  });

  it.each([-1, 1])('takes what rounding leaves of two equal values for no difference (%s)', (sign) => {
    // Two perfect rankings of weighted rows: the sums differ by the order in which the weights were added.
    const [less, more] = [sign * 2.220446049250313e-16, sign * 4.440892098500626e-16];
    const equal = measured({ production: 1, candidate: 1 + less, delta: less, interval: [more, more] });
    const told = { delta: '0', interval: ['0', '0'] };
    expect(judge({ metric: 'm', margin: 0 }, equal)).toMatchObject({ ...told, verdict: 'inconclusive' });
    expect(judge({ metric: 'm', margin: 0.01 }, equal)).toMatchObject({ ...told, verdict: 'non-inferior' });
  });

  it('tells how many rows would decide', () => {
    // se = 0.016 / (2 x 1.959964) = 0.0040817; distance 0.007; (1.959964 + 0.841621)^2 = 7.848880
    const expected = Math.ceil(1000 * 7.84888 * (0.0040817 / 0.007) ** 2);
    expect(judge({ metric: 'm', margin: 0.005 }).rowsNeeded).toBeCloseTo(expected, -1);
    const lower = judge(
      { metric: 'm', direction: 'lower', margin: 0.005 },
      measured({ delta: -0.002, interval: [-0.01, 0.006] }),
    );
    expect(lower.rowsNeeded).toBeCloseTo(expected, -1);
  });

  it.each([
    ['at the margin', { delta: -0.005 }],
    ['so near that nobody has the rows', { delta: -0.005 + 1e-15 }],
  ])('gives no number of rows %s', (_name, overrides) => {
    expect(judge({ metric: 'm', margin: 0.005 }, measured(overrides)).rowsNeeded).toBeNull();
  });

  it('asks for minRows first, and says that few rows prove nothing', () => {
    expect(judge({ metric: 'm', margin: 0.005 }, measured({ interval: [0, 0] }), 99)).toMatchObject({
      verdict: 'insufficient',
      gate: 'inconclusive',
      rowsNeeded: 100,
      reason: '99 rows; 100 are needed',
    });
    expect(judge({ metric: 'm', margin: 0.005 }, measured({ interval: null, problem: 'why' }))).toMatchObject({
      verdict: 'insufficient',
      reason: 'why',
      interval: null,
      gate: 'inconclusive',
    });
  });

  it.each([
    ['a broken bound outweighs a better model', { min: 0.8, margin: 0.005 }, [0.001, 0.003], 'outside', 'fail'],
    ['a kept bound leaves the comparison', { min: 0.6, margin: 0.005 }, [-0.03, -0.02], 'worse', 'fail'],
    ['a bound alone', { min: 0.702 }, [-0.03, -0.02], 'within', 'pass'],
    ['a bound alone, broken by the last printed digit', { min: 0.702000000001 }, [0.1, 0.2], 'outside', 'fail'],
    ['an upper bound, broken', { max: 0.7019 }, [0.1, 0.2], 'outside', 'fail'],
  ] as const)('%s', (_name, gate, interval, verdict, decision) => {
    const result = judge({ metric: 'm', ...gate }, measured({ interval: [...interval] }));
    expect([result.verdict, result.gate]).toEqual([verdict, decision]);
  });
});

describe('judgeAlone and judgeMissing', () => {
  it('skips a margin without a baseline, decides a bound, never passes what is missing', () => {
    const alone = (gate: object, value: number) =>
      judgeAlone({ gate: createGate({ metric: 'm', ...gate }), inconclusive: 'warn' }, value, null, 'no baseline');
    expect(alone({ margin: 0.1 }, 0.5)).toMatchObject({ verdict: 'not-comparable', gate: 'skipped' });
    expect(alone({ margin: 0.1, min: 0.5 }, 0.5)).toMatchObject({ verdict: 'within', gate: 'pass' });
    expect(alone({ min: 0.5 }, 0.49)).toMatchObject({ verdict: 'outside', gate: 'fail' });
    const missing = judgeMissing({ gate: createGate({ metric: 'm', margin: 1 }), inconclusive: 'warn' }, 'why');
    expect(missing).toMatchObject({ verdict: 'not-comparable', gate: 'fail', reason: 'why', candidate: null });
  });
  it('counts a value on a bound as within', () => {
    expect(boundsVerdict('0.5', '0.5', '0.5')).toBe('within');
    expect(boundsVerdict('0.500000000001', null, '0.5')).toBe('outside');
  });
});

describe('a margin that is a share of production', () => {
  const relative = { metric: 'm', margin: undefined, relative: 0.02 };

  it('is worked out of the printed value, whatever its sign', () => {
    expect(
      judge(relative, measured({ production: 0.5, candidate: 0.496, delta: -0.004, interval: [-0.009, 0.001] })),
    ).toMatchObject({
      margin: '0.01',
      relative: '0.02',
      verdict: 'non-inferior',
    });
    expect(
      judge(relative, measured({ production: -0.5, candidate: -0.52, delta: -0.02, interval: [-0.03, -0.011] })),
    ).toMatchObject({
      margin: '0.01',
      verdict: 'worse',
    });
  });

  it('never passes where production is 0', () => {
    expect(
      judge(relative, measured({ production: 0, candidate: 0.1, delta: 0.1, interval: [0.05, 0.15] })),
    ).toMatchObject({
      production: '0',
      candidate: '0.1',
      delta: '0.1',
      margin: null,
      verdict: 'not-comparable',
      gate: 'fail',
      reason: "production's value is 0, and a share of 0 is nothing: give an absolute `margin`",
    });
  });
});
