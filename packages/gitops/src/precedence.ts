import type { Refusal } from './apply-change.ts';
import { type Candidate, type Decision, decide } from './decision.ts';
import type { EnvironmentState } from './deploy-state.ts';

/**
 * Why an environment that comes `after` another one has to wait; null where that one runs this very candidate, by its record on the
 * branch and in its manifests. With the image's digest known, that image; before it is built, the one of its key.
 */
export function precedenceProblem(before: EnvironmentState, candidate: Candidate): Refusal | null {
  const decision = decide(before, candidate);
  if (decision.kind === 'already-promoted') return null;
  const reason = `It waits for ${before.name} to run this very model: ${reasonOf(decision, before)}`;
  return { kind: 'refused', outcome: 'pending', reason };
}

function reasonOf(decision: Decision, before: EnvironmentState): string {
  if (decision.kind === 'blocked') return decision.reason;
  if (decision.kind === 'held') return `there it is held: ${decision.hold.reason}`;
  const open = before.head?.pullRequest ?? null;
  const { production } = before;
  const other = decision.kind === 'same-model' ? ' in another image' : '';
  const runs = production === null ? 'no recorded model' : `${production.record.version}${other}`;
  return `it runs ${runs}${open === null ? '' : `, and ${open.url} is open`}.`;
}
