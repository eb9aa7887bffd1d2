import type { PlanDocument } from '@passloop/documents';
import { expect, it } from 'vitest';
import { planText } from './plan-text.ts';

function planOf(count: number): PlanDocument {
  const models = Array.from({ length: count }, (_, index) => ({
    name: `model-${index}`,
    file: 'passloop.yaml',
    affected: true,
    reason: 'its run key differs',
    runKey: `rk1-${'5'.repeat(64)}`,
    store: 'miss' as const,
    policy: { source: 'base' as const, ref: 'main', digest: `sha256:${'a'.repeat(64)}`, differences: [] },
  }));
  return { schema: 'passloop/plan/v1', commit: '3'.repeat(40), tree: '4'.repeat(40), base: null, models };
}

it('is one line that reads as the plan', () => {
  const text = planText(planOf(200));
  expect(text).not.toContain('\n');
  expect(JSON.parse(text)).toEqual(planOf(200));
});

it('says what to do where no job could take it', () => {
  expect(() => planText(planOf(2000))).toThrow(/^The plan of 2000 models has \d+ bytes; 120000 fit into an input/);
});
