import { describe, expect, it } from 'vitest';
import golden from '../golden/fixtures/fairness.json' with { type: 'json' };
import { compareModels } from './compare.ts';
import { type FairnessMetric, fairnessMetric } from './fairness.ts';
import { type EvaluationFrame, predictionsOf } from './frame.ts';
import { metricValue } from './metrics.ts';
import { reviewComparison } from './review.ts';
import { createGate, createRequest } from './testing/frames.ts';

type Rows = { labels: number[]; prediction: number[]; groups: string[]; weights: number[] | null };

function frameOf({ labels, prediction, groups, weights }: Rows, production = prediction): EvaluationFrame {
  const values = [...new Set(groups)].sort();
  return {
    task: 'binary',
    rows: labels.length,
    evaluationDigest: null,
    classes: ['0', '1'],
    labels: Float64Array.from(labels),
    weights: weights === null ? null : Float64Array.from(weights),
    units: null,
    declared: {},
    production: predictionsOf({ prediction: Float64Array.from(production) }),
    candidate: predictionsOf({ prediction: Float64Array.from(prediction) }),
    slices: [{ column: 'group', codes: Uint32Array.from(groups, (group) => values.indexOf(group)), values }],
  };
}

function gap(measure: FairnessMetric['measure'], as: FairnessMetric['as'], minRows = 2): FairnessMetric {
  return { kind: 'fairness', measure, by: 'group', as, minRows };
}

const cases = golden.cases as unknown as (Rows & {
  name: string;
  values: { measure: string; as: string; value: number | null }[];
  rates: Record<string, Record<string, number>>;
})[];

describe.each(cases)('as Fairlearn has it: $name', (one) => {
  const frame = frameOf(one);

  it.each(one.values)('$measure, $as', ({ measure, as, value }) => {
    const metric = fairnessMetric(gap(measure as FairnessMetric['measure'], as as FairnessMetric['as']));

    const found = metricValue(metric, frame, frame.candidate);

    if (value === null) expect(found).toBeNaN();
    else expect(Math.abs(found - value)).toBeLessThanOrEqual(1e-9);
  });

  it.each(Object.entries(one.rates))('%s of each group', (rate, expected) => {
    const measure = rate === 'selection-rate' ? 'demographic-parity' : 'equalised-odds';

    const groups = fairnessMetric(gap(measure, 'difference')).groups!('gap', frame);

    const found = Object.fromEntries(
      groups.flatMap((group) => (group.rate === rate ? [[group.slice.value, Number(group.candidate)]] : [])),
    );
    expect(Object.keys(found)).toEqual(Object.keys(expected));
    for (const [group, value] of Object.entries(expected)) expect(found[group]).toBeCloseTo(value, 9);
  });
});

/** Groups of these sizes; of each group's positives, production selects every second row, and the candidate so many less. */
function grouped(sizes: Record<string, number>, lost: Record<string, number> = {}): EvaluationFrame {
  const rows: Rows = { labels: [], prediction: [], groups: [], weights: null };
  const production: number[] = [];
  for (const [group, size] of Object.entries(sizes)) {
    for (let row = 0; row < size; row += 1) {
      const label = row % 2;
      const selected = label === 1 && row % 4 === 1 ? 1 : 0;
      rows.labels.push(label);
      rows.groups.push(group);
      production.push(selected);
      rows.prediction.push(selected === 1 && (row - 1) / 4 < (lost[group] ?? 0) ? 0 : selected);
    }
  }
  return frameOf(rows, production);
}

function compare(frame: EvaluationFrame, metric: FairnessMetric, gate: Partial<ReturnType<typeof createGate>>) {
  const direction = metric.as === 'difference' ? 'lower' : 'higher';
  const gates = [createGate({ metric: 'gap', direction, ...gate })];
  const declared = { gap: fairnessMetric(metric) };
  return {
    gates,
    document: compareModels(createRequest({ gates, frame: { ...frame, declared }, inconclusive: 'block' })),
  };
}

describe('the gate on a gap', () => {
  const opportunity = gap('equal-opportunity', 'difference', 100);

  it('blocks a candidate that gives up one group, and shows the groups', () => {
    const { document } = compare(grouped({ a: 2000, b: 1000 }, { b: 150 }), opportunity, { margin: 0.05 });

    expect(document.metrics[0]).toMatchObject({ verdict: 'worse', gate: 'fail', production: '0', candidate: '0.3' });
    expect(document.fairness.map(({ slice, rows, candidate, gate }) => [slice.value, rows, candidate, gate])).toEqual([
      ['a', 1000, '0.5', 'skipped'],
      ['b', 500, '0.2', 'skipped'],
    ]);
  });

  it('holds the gap itself against a bound, without production too', () => {
    const { document } = compare(grouped({ a: 2000, b: 1000 }, { b: 150 }), opportunity, { max: 0.2 });

    expect(document.metrics[0]).toMatchObject({ verdict: 'outside', gate: 'fail' });
  });

  it('has no opinion where nobody gave one: a gap in both models is no change', () => {
    const frame = grouped({ a: 2000, b: 1000 }, { b: 150 });
    const { document } = compare({ ...frame, production: frame.candidate }, opportunity, { margin: 0.01 });

    expect(document.verdict).toBe('pass');
  });

  it('says insufficient evidence of a small group, warns, and takes it out of the gap', () => {
    const { document, gates } = compare(grouped({ a: 2000, b: 1000, c: 60 }, { c: 15 }), opportunity, { margin: 0.05 });

    expect(document.metrics[0]).toMatchObject({ candidate: '0', gate: 'pass' });
    expect(document.fairness[2]).toMatchObject({
      rows: 30,
      candidate: '0',
      verdict: 'insufficient',
      gate: 'warn',
      reason: '30 rows; 100 are needed: not part of the gap',
    });
    expect(document.verdict).toBe('warn');
    expect(reviewComparison(document, gates, 'block')).toBeNull();
  });

  it('is undecided where fewer than two groups are large enough', () => {
    const { document, gates } = compare(grouped({ a: 2000, c: 60 }), opportunity, { margin: 0.05, max: 0.3 });

    expect(document.metrics[0]).toMatchObject({ verdict: 'insufficient', gate: 'inconclusive', candidate: null });
    // It was the only gate: nothing measured is nothing proven.
    expect(document).toMatchObject({ verdict: 'fail', reason: 'No gate could be measured.' });
    expect(reviewComparison(document, gates, 'block')).toBeNull();
  });

  it('fails where the rows have no such column', () => {
    const { document } = compare({ ...grouped({ a: 400, b: 400 }), slices: [] }, opportunity, { margin: 0.05 });

    expect(document.metrics[0]).toMatchObject({ gate: 'fail', reason: 'the rows have no column group' });
  });

  it('believes no document that lets a small group pass', () => {
    const { document, gates } = compare(grouped({ a: 2000, b: 1000, c: 60 }), opportunity, { margin: 0.05 });
    const forged = {
      ...document,
      verdict: 'pass' as const,
      fairness: document.fairness.map((group) => ({ ...group, gate: 'pass' as const })),
    };

    expect(reviewComparison(forged, gates, 'block')).toContain('it is insufficient, and says pass');
  });
});
