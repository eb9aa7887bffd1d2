import type { CheckRun, Protection, RepositoryState, Status } from './state.ts';

export type ContextState = 'failure' | 'pending' | 'success';

/** The newest status of each context of a commit, oldest context first. */
export function latestStatuses(state: RepositoryState, sha: string): Status[] {
  const latest = new Map<string, Status>();
  for (const status of state.statuses) if (status.sha === sha) latest.set(status.context, status);
  return [...latest.values()];
}

/** The newest run of each check of a commit; an app's run replaces only that app's. */
export function latestCheckRuns(state: RepositoryState, sha: string): CheckRun[] {
  const latest = new Map<string, CheckRun>();
  for (const run of state.checkRuns) if (run.sha === sha) latest.set(`${run.appId} ${run.name}`, run);
  return [...latest.values()];
}

function stateOfRun(run: CheckRun): ContextState {
  if (run.status !== 'completed') return 'pending';
  return ['neutral', 'skipped', 'success'].includes(run.conclusion ?? '') ? 'success' : 'failure';
}

function stateOfStatus(status: Status): ContextState {
  return status.state === 'error' ? 'failure' : status.state;
}

/** What statuses and check runs of one name say together: the worst of them; undefined when there are none. */
function stateOfContext(
  state: RepositoryState,
  sha: string,
  required: { context: string; appId: number | null },
): ContextState | undefined {
  const found: ContextState[] = [];
  for (const run of latestCheckRuns(state, sha)) {
    const fits = required.appId === null || required.appId === run.appId;
    if (run.name === required.context && fits) found.push(stateOfRun(run));
  }
  for (const status of latestStatuses(state, sha)) {
    if (status.context === required.context && required.appId === null) found.push(stateOfStatus(status));
  }
  return (['failure', 'pending', 'success'] as const).find((one) => found.includes(one));
}

/** The roll-up of everything reported on a commit; undefined when nothing was. */
export function rollupOf(state: RepositoryState, sha: string): ContextState | undefined {
  const found = [...latestCheckRuns(state, sha).map(stateOfRun), ...latestStatuses(state, sha).map(stateOfStatus)];
  return (['failure', 'pending', 'success'] as const).find((one) => found.includes(one));
}

/** Why the required checks forbid this commit on the branch, in GitHub's words; undefined when they don't. */
export function requiredChecksProblem(state: RepositoryState, protection: Protection, sha: string): string | undefined {
  const required = protection.requiredChecks?.contexts ?? [];
  const open: { context: string; word: string }[] = [];
  for (const one of required) {
    const found = stateOfContext(state, sha, one);
    const word = found === undefined ? 'expected' : found === 'failure' ? 'failing' : found;
    if (found !== 'success') open.push({ context: one.context, word });
  }
  const [first] = open;
  if (first === undefined) return undefined;
  if (required.length === 1) return `Required status check "${first.context}" is ${first.word}.`;
  if (open.every(({ word }) => word === 'expected')) {
    return `${open.length} of ${required.length} required status checks are expected.`;
  }
  const parts = ['failing', 'pending', 'expected']
    .map((word) => ({ word, count: open.filter((one) => one.word === word).length }))
    .filter(({ count }) => count > 0)
    .map(({ word, count }) => `${count} ${word}`);
  return `${open.length} of ${required.length} required status checks have not succeeded: ${parts.join(' and ')}.`;
}
