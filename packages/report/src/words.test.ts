import { readFileSync } from 'node:fs';
import type { ComparedMetric, ComparisonDocument, DriftResult } from '@passloop/documents';
import { expect, it } from 'vitest';
import { metricRow } from './comment-parts.ts';
import { phraseText } from './phrase.ts';
import { claimText, driftText, metricSentence, valueCell } from './words.ts';

const fixture = readFileSync(new URL('../../documents/fixtures/v1/comparison.json', import.meta.url), 'utf8');
const [first] = (JSON.parse(fixture) as ComparisonDocument).metrics as [ComparedMetric];
/** Two numbers of metrics files: nothing between them but a difference. */
const numbers = {
  ...first,
  name: 'f1_macro',
  interval: null,
  method: 'unpaired: two numbers, no interval',
  production: '0.8',
  candidate: '0.78',
  delta: '-0.02',
  margin: '0.01',
  min: null,
  max: null,
};

it.each<[Partial<ComparedMetric>, string]>([
  [{ verdict: 'outside' }, 'F1 macro fell by 0.0200 (not paired, allowed −0.01).'],
  [{ verdict: 'outside', margin: null, min: '0.79' }, 'F1 macro is 0.7800, and must be ≥ 0.79.'],
  [{ verdict: 'outside', min: '0.75' }, 'F1 macro fell by 0.0200 (not paired, allowed −0.01).'],
  [{ verdict: 'outside', min: '0.79' }, 'F1 macro is 0.7800, and must be ≥ 0.79.'],
  [{ verdict: 'within', margin: '0.05' }, 'F1 macro fell by 0.0200 (not paired, allowed −0.05).'],
  [{ verdict: 'within', margin: null, min: '0.7' }, 'F1 macro is 0.7800 (allowed ≥ 0.7).'],
])('says of two numbers what they say: %j', (change, sentence) => {
  expect(metricSentence({ ...numbers, ...change })).toBe(sentence);
});

const spread = { lowest: '0.74', highest: '0.76', standardDeviation: '0.00834' };
const seeds = {
  production: { ...spread, standardDeviation: null },
  candidate: spread,
  rowError: '0.001',
  seedError: '0.004',
  degreesOfFreedom: '5.2',
  needed: 14,
};

it.each<[Partial<ComparedMetric>, string]>([
  [{ rowsNeeded: 31_200 }, '; about 32,000 rows would decide.'],
  [{ rowsNeeded: 31_200, seeds }, '; about 32,000 rows or 14 seeds would decide.'],
  [{ rowsNeeded: 31_200, seeds: { ...seeds, needed: null } }, '; about 32,000 rows would decide.'],
  [{ rowsNeeded: null, seeds }, '; 14 seeds on the same rows would decide.'],
  [{ rowsNeeded: null }, ').'],
])('says what would decide: %j', (change, end) => {
  const undecided = metricSentence({ ...first, verdict: 'inconclusive', ...change });
  expect(undecided.slice(undecided.indexOf(')'))).toBe(end.startsWith(')') ? end : `)${end}`);
});

it('shows how far the seeds of a side lie apart', () => {
  const metric = { ...first, production: '0.75', candidate: '0.76', seeds };
  expect(valueCell(metric, 'production')).toBe('0.7500');
  expect(valueCell(metric, 'candidate')).toBe('0.7600 ± 0.0083');
});

const [several, alone] = [
  { digest: null, scoredBy: 'file', seeds: [null, null, null] },
  { digest: null, scoredBy: 'file' },
] as const;

it.each([
  [undefined, alone, alone, null],
  ['artifact', alone, alone, 'Two models are compared, each trained once: another seed may come out otherwise.'],
  [
    'pipeline',
    several,
    { ...several, seeds: [null, null] },
    'Two ways of training are compared, by 3 seeds of production and 2 of the candidate: values are means over seeds ± their standard deviation.',
  ],
  [
    'pipeline-against-artifact',
    alone,
    several,
    "The candidate's way of training, by 3 seeds, is compared with one model of production: values are means over seeds ± their standard deviation.",
  ],
  [
    'artifact-against-pipeline',
    several,
    alone,
    "One model of the candidate is compared with production's way of training, by 3 seeds: values are means over seeds ± their standard deviation.",
  ],
] as const)('says what is claimed: %s', (claim, production, candidate, text) => {
  const document = JSON.parse(fixture) as ComparisonDocument;
  expect(claimText({ ...document, claim, production, candidate } as ComparisonDocument)).toBe(text);
});

/** Two images side by side. */
const timed: ComparedMetric = {
  ...first,
  name: 'latency_p95_ms',
  direction: 'lower',
  production: '21.4187251234',
  candidate: '24.9431',
  delta: '3.5243748766',
  interval: ['1.2187', '5.83004'],
  method: 'paired t of 8 starts side by side',
  margin: '2.14187251234',
  relative: '0.1',
  min: null,
  max: null,
  verdict: 'inconclusive',
  gate: 'warn',
  severity: 'warn',
  rowsNeeded: null,
  reason: null,
};

it('shows a latency beside production as any other metric, with its unit, and a share of production rounded as it is', () => {
  expect(metricRow(timed).replaceAll('\u00a0', ' ').replaceAll('\u2011', '-')).toBe(
    '| latency p95 | 21.4 ms | 24.9 ms | +3.5 ms (1.2 … 5.8) | +2.1 ms (10 % of production) | ⚠️ inconclusive |',
  );
});

it.each<[Partial<ComparedMetric>, string]>([
  [{}, 'latency p95 cannot be decided: +3.5 ms (95 % interval 1.2 … 5.8, allowed +2.1 ms (10 % of production)).'],
  [
    { verdict: 'worse', relative: undefined, margin: '1' },
    'latency p95 rose by 3.5 ms (95 % interval 1.2 … 5.8, allowed +1 ms).',
  ],
  [
    { verdict: 'not-comparable', interval: null, delta: null, reason: "Production's image is gone." },
    "latency p95 cannot be compared: Production's image is gone.",
  ],
  [
    {
      name: 'image_bytes',
      method: 'sizes of both images',
      verdict: 'outside',
      relative: undefined,
      margin: '16000000',
      delta: '20000000',
      interval: null,
    },
    'image size rose by 20.0 MB (allowed +16 MB).',
  ],
])('says of images what they say: %j', (change, sentence) => {
  expect(metricSentence({ ...timed, ...change })).toBe(sentence);
});

function drifted(overrides: Partial<DriftResult>): DriftResult {
  return {
    column: 'late',
    method: 'psi(bins=decile-ref,k=10)',
    statistic: '0.3312',
    pValue: null,
    threshold: '0.2',
    verdict: 'fail',
    n: { reference: 2000, current: 2000 },
    reason: null,
    ...overrides,
  };
}

it.each([
  [{}, 'late drifted, PSI 0.331, allowed 0.2'],
  [
    {
      method: 'chi2(bins=values,two-sample,df=4,effect=cramers-v)',
      statistic: '845.2',
      effect: '0.31',
      threshold: '0.1',
    },
    "late drifted, Cramer's V 0.31, allowed 0.1",
  ],
  [{ role: 'feature' }, 'late drifted, PSI 0.331, allowed 0.2'],
  [{ role: 'label' }, 'label drift: late, PSI 0.331, allowed 0.2'],
  [{ role: 'prediction', verdict: 'warn' }, 'prediction drift: late, PSI 0.331, allowed 0.2'],
  [{ role: 'label', statistic: null }, 'late cannot be compared'],
  [
    { method: 'evidently:ks(score=p,drifted<=)', statistic: '0.01234', threshold: '0.05' },
    "late drifted, Evidently's ks p 0.0123, under 0.05",
  ],
  [
    { role: 'label', method: 'evidently:jensenshannon(score=distance,drifted>=)', threshold: '0.1' },
    "label drift: late, Evidently's jensenshannon 0.331, not under 0.1",
  ],
] satisfies [Partial<DriftResult>, string][])('of %o says "%s"', (overrides, sentence) => {
  expect(phraseText(driftText(drifted(overrides)))).toBe(sentence);
});
