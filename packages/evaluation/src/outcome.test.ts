import { describe, expect, it } from 'vitest';
import { decideOutcome } from './outcome.ts';

describe('decideOutcome', () => {
  const running = { modelDigest: 'a', imageDigest: 'i' };
  it.each([
    ['unchanged', 'a', 'i', running, [], []],
    ['unchanged', 'a', null, running, [], []],
    ['same-model', 'a', 'j', running, [], []],
    ['compared', 'b', 'i', running, [], []],
    ['first', 'b', 'i', null, [], []],
    ['held', 'b', 'i', running, ['b'], []],
    ['held', 'b', 'i', running, ['b'], ['b']],
    ['held', 'b', 'i', null, ['b'], []],
    ['rollback', 'b', 'i', running, ['c'], ['b']],
    ['unchanged', 'a', 'i', running, [], ['a']],
  ] as const)('%s: model %s, image %s', (outcome, modelDigest, imageDigest, production, held, history) => {
    const candidate = { modelDigest, imageDigest };
    const question = { candidate, production, held: new Set<string>(held), history: new Set<string>(history) };
    expect(decideOutcome(question)).toBe(outcome);
  });
});
