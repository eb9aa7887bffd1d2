import type { Verdict } from '@passloop/core';
import type { CheckResult, DriftResult } from '@passloop/documents';
import type { Check } from '@passloop/model';
import { brokenVerdict, resultOf } from './check.ts';
import { reaches } from './share.ts';

/** A drift measurement that was made and judged. */
export function isMeasured(result: DriftResult): boolean {
  return result.statistic !== null && result.verdict !== 'inconclusive';
}

/**
 * The one check result of a drift check. It never passes when no column could be judged, nor when one that the check
 * names is undecided.
 */
export function driftSummary(
  check: Extract<Check, { kind: 'drift' }>,
  expected: string,
  own: readonly DriftResult[],
): CheckResult {
  const judged = columnsOf(own.filter(isMeasured));
  const broken = own.filter((result) => result.verdict === 'fail' || result.verdict === 'warn');
  const drifted = columnsOf(broken.filter(isMeasured));
  const apart = columnsOf(broken.filter((result) => !isMeasured(result)));
  const undecided = own.filter((result) => result.verdict === 'inconclusive');
  if (judged.length === 0 && apart.length === 0) {
    const reason = undecided[0]?.reason ?? 'no column of the profile can be judged';
    const verdict: Verdict = undecided.length > 0 ? 'inconclusive' : 'fail';
    return resultOf(check, { verdict, expected, reason: `not executed: ${reason}` });
  }
  const found = [
    `${drifted.length} of ${judged.length} columns drifted${list(drifted)}`,
    ...(apart.length === 0 ? [] : [`${apart.length} can't be compared${list(apart)}`]),
  ];
  const open = undecided.length > 0 && check.columns !== undefined ? ('inconclusive' as const) : ('pass' as const);
  const shown = columnsOf(undecided);
  // What can't be compared is no matter of a share.
  const isTolerated = apart.length === 0 && reaches(judged.length - drifted.length, judged.length, 1 - check.maxShare);
  return resultOf(check, {
    verdict: broken.length > 0 && !isTolerated ? brokenVerdict(check) : open,
    expected,
    observed: found.join('; '),
    reason: shown.length === 0 ? null : `${shown.length} columns are undecided${list(shown)}; ${undecided[0]?.reason}`,
  });
}

function columnsOf(results: readonly DriftResult[]): string[] {
  return [...new Set(results.map((result) => result.column))];
}

function list(names: readonly string[]): string {
  return names.length === 0 ? '' : `: ${names.slice(0, 10).join(', ')}${names.length > 10 ? ' and more' : ''}`;
}
