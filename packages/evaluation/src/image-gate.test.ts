import type { Gate } from '@passloop/model';
import { describe, expect, it } from 'vitest';
import { judgeImage, measureStarts, type Starts } from './image-gate.ts';
import { createGate } from './testing/frames.ts';

// Milliseconds of eight starts; the interval is that of scipy 1.17.1, `ttest_rel(candidate, production).confidence_interval(0.95)`.
const production = [3.1, 3.4, 2.9, 3.3, 3.0, 3.2, 3.6, 3.1];
const candidate = [3.3, 3.5, 3.4, 3.2, 3.3, 3.5, 3.7, 3.4];
const low = 0.061370697747239994;
const high = 0.3636293022527599;
const measured: Starts = { kind: 'measured', production, candidate };
/** As a probe that ran alone has it: another number than the one side by side. */
const alone = { production: null, candidate: 2.8 };

const judge = (gate: Partial<Gate>, starts?: Starts, isFirst = false) =>
  judgeImage(
    { gate: createGate({ metric: 'latency_p95_ms', direction: 'lower', ...gate }), inconclusive: 'block' },
    { ...alone, starts },
    isFirst,
  );

it('is the paired difference of the starts, with the interval of scipy', () => {
  const found = measureStarts({ production, candidate });
  expect(found.production).toBeCloseTo(3.2, 12);
  expect(found.candidate).toBeCloseTo(3.4125, 12);
  expect(found.delta).toBeCloseTo(0.2125, 12);
  expect(found.interval?.[0]).toBeCloseTo(low, 12);
  expect(found.interval?.[1]).toBeCloseTo(high, 12);
  expect(found.method).toBe('paired t of 8 starts side by side');
  expect(() => measureStarts({ production: [3], candidate: [3] })).toThrow(RangeError);
});

describe('a gate with a margin', () => {
  it.each<[what: string, Partial<Gate>, verdict: string, gate: string]>([
    ['an interval within the margin', { margin: 0.4 }, 'non-inferior', 'pass'],
    ['the same as a share of 3.2 ms', { relative: 0.125 }, 'non-inferior', 'pass'],
    ['one that reaches beyond it', { margin: 0.2 }, 'inconclusive', 'inconclusive'],
    ['one beyond it', { margin: 0.06 }, 'worse', 'fail'],
    ['one beyond it, where the clock only warns', { margin: 0.06, severity: 'warn' }, 'worse', 'warn'],
    ['a broken `max`, whatever the margin', { margin: 0.4, max: 3.4 }, 'outside', 'fail'],
    ['starts, which are no rows', { margin: 0.4, minRows: 1000 }, 'non-inferior', 'pass'],
  ])('%s', (_what, gate, verdict, says) => {
    expect(judge(gate, measured)).toMatchObject({ verdict, gate: says, rowsNeeded: null, production: '3.2' });
  });

  it('is better where production is slower in each start', () => {
    const turned: Starts = { kind: 'measured', production: candidate, candidate: production };
    expect(judge({ margin: 0 }, turned)).toMatchObject({ verdict: 'better', gate: 'pass', candidate: '3.2' });
  });

  it("passes by no bound of its own where production's image could not be started, and by `max` alone", () => {
    const failed: Starts = { kind: 'failed', reason: "Production's image is gone." };
    expect(judge({ margin: 1 }, failed)).toMatchObject({
      verdict: 'not-comparable',
      gate: 'fail',
      reason: failed.reason,
    });
    expect(judge({ margin: 1 })).toMatchObject({
      gate: 'fail',
      reason: expect.stringContaining('not measured beside'),
    });
    expect(judge({ margin: 1, max: 3 }, failed)).toMatchObject({
      verdict: 'within',
      gate: 'pass',
      reason: failed.reason,
    });
    expect(judge({ margin: 1, max: 2 }, failed)).toMatchObject({ verdict: 'outside', gate: 'fail' });
  });

  it('waits, without a verdict, where another job decides or nothing is in production', () => {
    const reason = 'the promotion times them side by side';
    for (const kind of ['left-out', 'later'] as const) {
      const waiting = judge({ margin: 1 }, { kind, reason });
      expect(waiting).toMatchObject({ verdict: 'not-comparable', gate: 'skipped', candidate: '2.8', reason });
      expect(waiting.measuredAtPromotion).toBe(kind === 'later' ? true : undefined);
      expect(judge({ margin: 1, max: 2 }, { kind, reason })).toMatchObject({ gate: 'fail' });
      expect(judge({ max: 3 }, { kind, reason }).measuredAtPromotion).toBeUndefined();
    }
    expect(judge({ margin: 1 }, undefined, true)).toMatchObject({ gate: 'skipped', reason: 'there is no baseline' });
    const size = createGate({ metric: 'image_bytes', direction: 'lower', relative: 0.1 });
    expect(judgeImage({ gate: size, inconclusive: 'block' }, alone, true)).toMatchObject({ gate: 'skipped' });
  });
});

it('a gate with `max` alone is about the candidate alone, and no clock beside it is asked', () => {
  expect(judge({ max: 3 }, measured)).toMatchObject({
    verdict: 'within',
    candidate: '2.8',
    interval: null,
    reason: null,
  });
});
