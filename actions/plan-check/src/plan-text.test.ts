import type { PlanDocument } from '@passloop/documents';
import { expect, it } from 'vitest';
import { planText } from './plan-text.ts';

function planOf(count: number, isAffected: (index: number) => boolean = () => true): PlanDocument {
  const models = Array.from({ length: count }, (_, index) => ({
    name: `model-${index}`,
    file: 'passloop.yaml',
    affected: isAffected(index),
    reason: 'its run key differs',
    runKey: `rk1-${'5'.repeat(64)}`,
    store: 'miss' as const,
    policy: { source: 'base' as const, ref: 'main', digest: `sha256:${'a'.repeat(64)}`, differences: [] },
  }));
  return { schema: 'passloop/plan/v1', commit: '3'.repeat(40), tree: '4'.repeat(40), base: null, models };
}

it('is one line that reads as the plan', () => {
  const text = planText(planOf(200), {});
  expect(text).not.toContain('\n');
  expect(JSON.parse(text)).toEqual(planOf(200));
});

const one = (index: number) => index === 0;

it('says what to do where no job could take it', () => {
  expect(() => planText(planOf(2000, one), {})).toThrow(
    /^The plan of 2000 models has \d+ bytes; 120000 fit into an input/,
  );
});

it('is not put out where the job that reports could not be started with what the jobs before put out', () => {
  const linuxLimit = 131_072;
  for (let count = 200; count < 500; count += 5) {
    const plan = planOf(count, one);
    const outputs = { models: '[]', recipient: 'age1'.padEnd(62, 'q'), head: plan.commit };
    let text: string;
    try {
      text = planText(plan, outputs);
    } catch {
      return;
    }
    const jobs = { result: 'success', outputs: {} };
    const needs = { plan: { result: 'success', outputs: { ...outputs, plan: text } }, train: jobs, seal: jobs };
    expect(Buffer.byteLength(`INPUT_NEEDS=${JSON.stringify(needs, null, 2)}`)).toBeLessThan(linuxLimit);
  }
  throw new Error('every plan was taken');
});

it('says that a matrix has no more jobs, where GitHub would start none', () => {
  expect(() => planText(planOf(257), {})).toThrow('The change affects 257 models; a matrix has at most 256 jobs.');
});
