import type { DriftResult } from '@passloop/documents';
import { Check } from '@passloop/model';
import { expect, it } from 'vitest';
import { driftSummary } from './drift-summary.ts';

function measured(column: string, verdict: DriftResult['verdict'], statistic: string | null = '0.3'): DriftResult {
  return {
    column,
    method: 'ks(exact)',
    statistic,
    pValue: null,
    threshold: '0.1',
    verdict,
    n: { reference: 2000, current: 2000 },
    reason: null,
  };
}

const one = [
  measured('a', 'fail'),
  measured('a', 'fail'),
  measured('b', 'pass'),
  measured('c', 'pass'),
  measured('d', 'pass'),
];

it.each([
  [0, one, 'fail'],
  [0.2, one, 'fail'],
  // A column counts once, however many measures see it drift.
  [0.25, one, 'pass'],
  [1, one.map((result) => ({ ...result, verdict: 'fail' as const })), 'pass'],
  // What is gone can't be compared: that is no share of the columns.
  [1, [...one, measured('e', 'fail', null)], 'fail'],
] satisfies [
  number,
  DriftResult[],
  string,
][])('lets a share of %d of the columns drift', (maxShare, results, verdict) => {
  const check = Check.parse({ kind: 'drift', maxShare });
  if (check.kind !== 'drift') throw new Error('no drift check');
  expect(driftSummary(check, 'expected', results)).toMatchObject({ verdict });
});
