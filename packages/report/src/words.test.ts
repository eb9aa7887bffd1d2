import type { DriftResult } from '@passloop/documents';
import { expect, it } from 'vitest';
import { phraseText } from './phrase.ts';
import { driftText } from './words.ts';

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
