import type { PlanDocument, PlannedModel } from '@passloop/documents';
import { expect, it } from 'vitest';
import { createPlannedModel } from '../../documents/src/testing/plans.ts';
import { planSentence, planSummary } from './plan-summary.ts';

function plan(...models: PlannedModel[]): PlanDocument {
  return { schema: 'passloop/plan/v1', commit: '3'.repeat(40), tree: '4'.repeat(40), base: null, models };
}

it.each([
  [plan(), 'No model file was found.'],
  [plan(createPlannedModel('a')), 'The model is affected.'],
  [plan(createPlannedModel('a', { affected: false })), 'No model is affected.'],
  [plan(createPlannedModel('a'), createPlannedModel('b', { affected: false })), '1 of 2 models are affected.'],
])('says how many models are affected', (document, sentence) => {
  expect(planSentence(document)).toBe(sentence);
});

it('says of each model what will be done, and why', () => {
  const text = planSummary(
    plan(
      createPlannedModel('a'),
      createPlannedModel('b', { store: 'hit' }),
      createPlannedModel('c', { affected: false, store: 'unknown' }),
    ),
  );
  expect(text).toContain('| `a` | affected, is trained | its run key differs |');
  expect(text).toContain('| `b` | affected, the store has its run |');
  expect(text).toContain('| `c` | not affected |');
});

it('takes a reason for text: it may name a file of the change', () => {
  const text = planSummary(plan(createPlannedModel('a', { reason: '@team <img src=x> | [x](http://x) differs' })));
  expect(text.split('\n').filter((line) => line.startsWith('|'))).toHaveLength(3);
  expect(text).not.toContain('<img');
  expect(text).not.toMatch(/(^|\s)@team/);
});

it('of very many models it tells the first ones', () => {
  const text = planSummary(plan(...Array.from({ length: 205 }, (_, index) => createPlannedModel(`m${index}`))));
  expect(text).toContain('… and 5 more');
});
