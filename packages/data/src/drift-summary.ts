import type { Verdict } from '@passloop/core';
import type { CheckResult, DriftResult } from '@passloop/documents';
import type { Check } from '@passloop/model';
import { brokenVerdict, resultOf } from './check.ts';
import { percent, reaches } from './share.ts';

/** A drift measurement that was made and judged. */
export function isMeasured(result: DriftResult): boolean {
  return result.statistic !== null && result.verdict !== 'inconclusive';
}

/**
 * The results of one drift check as its severity and its shares have them, and the check's own: `from` names what the data was held against. Columns that drifted
 * within a tolerated share are told, and fail nothing.
 */
export function gradedDrift(
  check: Extract<Check, { kind: 'drift' }>,
  results: readonly DriftResult[],
  from: string,
): { summary: CheckResult; drift: DriftResult[] } {
  const own = results.map((result) => ({
    ...result,
    verdict: result.verdict === 'fail' ? brokenVerdict(check) : result.verdict,
  }));
  const summary = driftSummary(check, expectedOf(check, from), own);
  const isTolerated = summary.verdict === 'pass' || summary.verdict === 'inconclusive';
  const drift = own.map((one) => (isTolerated && one.verdict === 'fail' ? { ...one, verdict: 'warn' as const } : one));
  return { summary, drift };
}

/** The sentence of what a check asks for. */
export function expectedOf(check: Extract<Check, { kind: 'drift' }>, from: string): string {
  const { compat, driftShare = 0.5, maxShare = 0, method } = check;
  if (compat !== undefined)
    return `less than ${percent(driftShare, 1)} of columns drift from ${from} (as Evidently: ${method})`;
  const limit = maxShare === 0 ? 'no column drifts' : `at most ${percent(maxShare, 1)} of columns drift`;
  return `${limit} from ${from} (${method})`;
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
  const measured = columnsOf(own.filter(isMeasured));
  // Evidently counts a column among those without drift where its test has no number.
  const judged =
    check.compat === undefined ? measured : columnsOf(own.filter((one) => isMeasured(one) || one.verdict === 'pass'));
  const broken = own.filter((result) => result.verdict === 'fail' || result.verdict === 'warn');
  const drifted = columnsOf(broken.filter(isMeasured));
  const apart = columnsOf(broken.filter((result) => !isMeasured(result)));
  const undecided = own.filter((result) => result.verdict === 'inconclusive');
  if (measured.length === 0 && apart.length === 0) {
    const reason = undecided[0]?.reason ?? 'no column of the profile can be judged';
    const verdict: Verdict = undecided.length > 0 ? 'inconclusive' : 'fail';
    return resultOf(check, { verdict, expected, reason: `not executed: ${reason}` });
  }
  const faint = columnsOf(own.filter((one) => one.verdict === 'pass' && one.isSignificant === true)).filter(
    (column) => !drifted.includes(column),
  );
  const roles = new Map(own.map(({ column, role }) => [column, role]));
  const named = drifted.map((column) => {
    const role = roles.get(column);
    return role === undefined || role === 'feature' ? column : `${column} (${role})`;
  });
  const found = [
    `${drifted.length} of ${judged.length} columns drifted${list(named)}`,
    ...(apart.length === 0 ? [] : [`${apart.length} can't be compared${list(apart)}`]),
    // A table of many rows moves in many ways that matter to nobody; who expects none wants to know.
    ...(faint.length === 0 ? [] : [`${faint.length} more moved significantly, by less than counts`]),
  ];
  const open = undecided.length > 0 && check.columns !== undefined ? ('inconclusive' as const) : ('pass' as const);
  const shown = columnsOf(undecided);
  // What can't be compared is no matter of a share.
  const { compat, driftShare = 0.5, maxShare = 0 } = check;
  const isShareKept =
    compat === undefined
      ? reaches(judged.length - drifted.length, judged.length, 1 - maxShare)
      : !reaches(drifted.length, judged.length, driftShare);
  const isTolerated = apart.length === 0 && isShareKept;
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
