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

it("names the model's own columns, and counts what moved by less than counts", () => {
  const check = Check.parse({ kind: 'drift' });
  if (check.kind !== 'drift') throw new Error('no drift check');
  const results: DriftResult[] = [
    { ...measured('late', 'fail'), role: 'label' },
    { ...measured('score', 'fail'), role: 'prediction' },
    { ...measured('a', 'fail'), role: 'feature', isSignificant: true },
    // Another measure of a drifted column is no second column.
    { ...measured('a', 'pass'), role: 'feature', isSignificant: true },
    { ...measured('b', 'pass'), role: 'feature', isSignificant: true },
    { ...measured('c', 'pass'), role: 'feature', isSignificant: false },
  ];
  expect(driftSummary(check, 'expected', results).observed).toBe(
    '3 of 5 columns drifted: late (label), score (prediction), a; 1 more moved significantly, by less than counts',
  );
});
