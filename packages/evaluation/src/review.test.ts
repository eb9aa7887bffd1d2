import { readFileSync } from 'node:fs';
import type { ComparedMetric, ComparedSlice, ComparisonDocument } from '@passloop/documents';
import type { Gate } from '@passloop/model';
import { expect, it } from 'vitest';
import { reviewComparison } from './review.ts';

const gate: Gate = {
  metric: 'roc_auc',
  direction: 'higher',
  margin: 0.005,
  slices: ['daypart'],
  minRows: 100,
  severity: 'error',
};
const fixture = readFileSync(new URL('../../documents/fixtures/v1/comparison.json', import.meta.url), 'utf8');

/** ROC AUC non-inferior, on the whole and on one slice: 0.0023 (-0.0012 … 0.0058) under a margin of 0.005. */
function review(
  change: (document: ComparisonDocument, metric: ComparedMetric, slice: ComparedSlice) => void,
): string | null {
  const document = JSON.parse(fixture) as ComparisonDocument;
  change(document, document.metrics[0] as ComparedMetric, document.slices[0] as ComparedSlice);
  return reviewComparison(document, [gate], 'block');
}

it('finds nothing wrong with an honest comparison', () => {
  expect(review(() => {})).toBeNull();
});

it('finds nothing wrong with one that fails: its own verdict says so', () => {
  expect(
    review((document, metric) => {
      Object.assign(metric, { verdict: 'worse', gate: 'fail', interval: ['-0.02', '-0.01'] });
      document.verdict = 'fail';
    }),
  ).toBeNull();
});

it.each<[string, Parameters<typeof review>[0], RegExp]>([
  ['another claim', (document) => void Object.assign(document, { claim: 'pipeline' }), /trainings with several seeds/],
  [
    'a mean over seeds',
    (_, metric) => {
      const spread = { lowest: '0.7', highest: '0.8', standardDeviation: '0.05' };
      const errors = { rowError: '0.1', seedError: '0.1', degreesOfFreedom: '2', needed: null };
      metric.seeds = { production: spread, candidate: spread, ...errors };
    },
    /trainings with several seeds/,
  ],
  ['a gate that is gone', (document) => void document.metrics.pop(), /0 metrics, and 1 gates/],
  ['another metric in its place', (_, metric) => (metric.name = 'recall'), /recall stands in its place/],
  ['a wider margin', (_, metric) => (metric.margin = '0.05'), /not those of the model file/],
  ['a turned direction', (_, metric) => (metric.direction = 'lower'), /not those of the model file/],
  ['a severity that only warns', (_, metric) => (metric.severity = 'warn'), /not those of the model file/],
  [
    'an interval that says something else',
    (_, metric) => (metric.interval = ['-0.02', '0.01']),
    /does not say non-inferior/,
  ],
  ['a pass without an interval', (_, metric) => (metric.interval = null), /without an interval/],
  ['a pass without a value', (_, metric) => (metric.candidate = null), /without a value/],
  [
    'a worse metric whose gate passes',
    (_, metric) => (metric.verdict = 'worse'),
    /it is worse, and its gate says pass/,
  ],
  [
    'an undecided one that warns in the last environment',
    (_, metric) => Object.assign(metric, { verdict: 'inconclusive', gate: 'warn' }),
    /inconclusive, and its gate says warn/,
  ],
  [
    'a gate that was skipped though there is a baseline',
    (_, metric) => Object.assign(metric, { gate: 'skipped', verdict: 'worse' }),
    /roc_auc: it was skipped/,
  ],
  ['no slice', (document) => (document.slices = []), /nothing was measured on daypart/],
  ['another slice', (_, __, slice) => (slice.slice.column = 'hub'), /nothing was measured on daypart/],
  [
    'a worse slice that passes',
    (_, __, slice) => (slice.verdict = 'worse'),
    /on daypart: it is worse, and its gate says pass/,
  ],
  [
    'a slice of too few rows that passes',
    (_, __, slice) => (slice.verdict = 'insufficient'),
    /it is insufficient, and says pass/,
  ],
  [
    'a margin that is kept without an interval',
    (_, metric) => Object.assign(metric, { verdict: 'within', interval: null }),
    /within a margin without an interval/,
  ],
  ['no rows', (document) => (document.rows = 0), /no row was compared/],
  [
    'a whole that is better than its parts',
    (_, __, slice) =>
      Object.assign(slice, { verdict: 'worse', gate: 'fail', delta: '-0.02', interval: ['-0.03', '-0.01'] }),
    /it says pass, and its gates say fail/,
  ],
])('notices %s', (_, change, expected) => {
  expect(review(change)).toMatch(expected);
});

it('believes two numbers only where the model file compares two, and works them out again', () => {
  const claim = (production: string | null) => {
    const document = JSON.parse(fixture) as ComparisonDocument;
    Object.assign(document.metrics[0] as ComparedMetric, {
      verdict: 'within',
      interval: null,
      candidate: '0.8',
      production,
    });
    return reviewComparison(document, [gate], 'block', new Set(['roc_auc']));
  };
  expect(claim('0.805')).toBeNull();
  expect(claim('0.8051')).toMatch(/0\.8 is farther from 0\.8051 than 0\.005/);
  expect(claim(null)).toMatch(/within a margin of nothing/);
});

it('works a margin out again that is a share of production', () => {
  const claim = (more: Partial<ComparedMetric>) => {
    const document = JSON.parse(fixture) as ComparisonDocument;
    document.slices = [];
    Object.assign(document.metrics[0] as ComparedMetric, {
      production: '0.5',
      relative: '0.01',
      margin: '0.005',
      ...more,
    });
    return reviewComparison(document, [{ ...gate, margin: undefined, relative: 0.01, slices: [] }], 'block');
  };
  expect(claim({})).toBeNull();
  expect(claim({ margin: '0.006' })).toMatch(/bounds are not those of the model file/);
  expect(claim({ relative: '0.02' })).toMatch(/bounds are not those of the model file/);
  expect(claim({ relative: undefined })).toMatch(/bounds are not those of the model file/);
  expect(claim({ verdict: 'within', interval: null, margin: null })).toMatch(/within a margin without an interval/);
});

it('believes no slice with another margin than its gate', () => {
  expect(review((_, __, slice) => (slice.margin = '0.5'))).toMatch(/its margin is not that of the model file/);
});

it('works the margin of an image size out again', () => {
  const size: Gate = {
    metric: 'image_bytes',
    direction: 'lower',
    margin: 10,
    slices: [],
    minRows: 100,
    severity: 'error',
  };
  const claim = (more: Partial<ComparedMetric>, outcome: ComparisonDocument['outcome'] = 'compared') => {
    const document = JSON.parse(fixture) as ComparisonDocument;
    Object.assign(document, { outcome, slices: [] });
    const judged = {
      name: 'image_bytes',
      direction: 'lower',
      interval: null,
      margin: '10',
      min: null,
      max: null,
      verdict: 'within',
      gate: 'pass',
      ...more,
    };
    Object.assign(document.metrics[0] as ComparedMetric, judged);
    return reviewComparison(document, [size], 'block');
  };
  expect(claim({ production: '100', candidate: '110' })).toBeNull();
  expect(claim({ production: '100', candidate: '111' })).toMatch(/111 is farther from 100 than 10/);
  expect(claim({ production: null, candidate: '1' })).toMatch(/within a margin of nothing/);
  // Another image of the same model is decided by nothing else.
  expect(claim({ production: '100', candidate: '110' }, 'same-model')).toBeNull();
  expect(claim({ production: '100', candidate: '111' }, 'same-model')).toMatch(/111 is farther from 100 than 10/);
});

it('works the verdict of two images side by side out again, and lets their own bounds decide only without an interval', () => {
  const gate: Gate = {
    metric: 'latency_p95_ms',
    direction: 'lower',
    relative: 0.1,
    max: 40,
    slices: [],
    minRows: 100,
    severity: 'error',
  };
  const claim = (more: Partial<ComparedMetric>, of: Gate = gate) => {
    const document = JSON.parse(fixture) as ComparisonDocument;
    document.slices = [];
    const judged = {
      name: 'latency_p95_ms',
      direction: 'lower',
      production: '10',
      candidate: '10.5',
      interval: ['0.1', '0.9'],
      margin: '1',
      relative: '0.1',
      min: null,
      max: '40',
      verdict: 'non-inferior',
      gate: 'pass',
      ...more,
    };
    Object.assign(document.metrics[0] as ComparedMetric, judged);
    return reviewComparison(document, [of], 'block');
  };
  expect(claim({})).toBeNull();
  expect(claim({ interval: ['0.1', '1.1'] })).toMatch(/its interval does not say non-inferior/);
  expect(claim({ verdict: 'within' })).toMatch(/judged without it/);
  const alone = { production: null, interval: null, margin: null, verdict: 'within' } as const;
  expect(claim(alone)).toBeNull();
  expect(claim({ ...alone, max: null }, { ...gate, max: undefined })).toMatch(/within a margin of nothing/);
  expect(claim({ ...alone, verdict: 'not-comparable', gate: 'skipped' })).toMatch(/it was skipped/);
});
