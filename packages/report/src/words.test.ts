import { readFileSync } from 'node:fs';
import type { ComparedMetric, ComparisonDocument } from '@passloop/documents';
import { expect, it } from 'vitest';
import { metricSentence } from './words.ts';

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
  [{ verdict: 'within', margin: '0.05' }, 'F1 macro fell by 0.0200 (not paired, allowed −0.05).'],
  [{ verdict: 'within', margin: null, min: '0.7' }, 'F1 macro is 0.7800 (allowed ≥ 0.7).'],
])('says of two numbers what they say: %j', (change, sentence) => {
  expect(metricSentence({ ...numbers, ...change })).toBe(sentence);
});
