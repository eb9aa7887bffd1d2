/** A gate's answer. `pending` and `skipped` always travel with a reason. */
export const verdicts = ['pass', 'warn', 'fail', 'inconclusive', 'pending', 'skipped'] as const;
export type Verdict = (typeof verdicts)[number];

const severityOrder: Record<Verdict, number> = { skipped: 0, pass: 1, warn: 2, pending: 3, inconclusive: 4, fail: 5 };

/**
 * The verdict of a whole from the verdicts of its parts: the most severe one.
 * Nothing ran is a failure, so an empty list fails, and so does one in which everything was skipped.
 */
export function worstVerdict(parts: readonly Verdict[]): Verdict {
  let worst: Verdict | null = null;
  for (const part of parts) {
    if (worst === null || severityOrder[part] > severityOrder[worst]) worst = part;
  }
  return worst === null || worst === 'skipped' ? 'fail' : worst;
}

/** True where a person may go on: a warning is allowed, and everything that is undecided, unfinished or not run is no pass. */
export function isPassing(verdict: Verdict): boolean {
  return verdict === 'pass' || verdict === 'warn';
}
