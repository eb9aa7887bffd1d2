import type { Verdict } from '@passloop/core';
import type { CheckResult, DriftResult } from '@passloop/documents';
import type { Check } from '@passloop/model';
import { brokenVerdict, resultOf } from './check.ts';

/** A drift measurement that was made and judged. */
export function isMeasured(result: DriftResult): boolean {
  return result.statistic !== null && result.verdict !== 'inconclusive';
}

/** The one check result of a drift check; it never passes when no column could be judged. */
export function driftSummary(
  check: Extract<Check, { kind: 'drift' }>,
  expected: string,
  own: readonly DriftResult[],
): CheckResult {
  const drifted = own.filter((result) => result.verdict === 'fail' || result.verdict === 'warn');
  const judged = own.filter((result) => result.verdict === 'pass' || (isMeasured(result) && drifted.includes(result)));
  const undecided = own.filter((result) => result.verdict === 'inconclusive');
  const columns = (results: readonly DriftResult[]) => [...new Set(results.map((result) => result.column))];
  if (drifted.length === 0 && judged.length === 0) {
    const reason = undecided[0]?.reason ?? 'no column of the profile can be judged';
    const verdict: Verdict = undecided.length > 0 ? 'inconclusive' : 'fail';
    return resultOf(check, { verdict, expected, reason: `not executed: ${reason}` });
  }
  const names = columns(drifted);
  return resultOf(check, {
    verdict: names.length === 0 ? 'pass' : brokenVerdict(check),
    expected,
    observed: `${names.length} of ${columns([...judged, ...drifted]).length} columns drifted${names.length === 0 ? '' : `: ${names.slice(0, 10).join(', ')}`}`,
    reason: undecided.length === 0 ? null : `${columns(undecided).length} columns had not enough data`,
  });
}
