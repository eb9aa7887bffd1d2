import { InfrastructureError } from '@passloop/core';
import { withTrailers } from './commit-message.ts';
import { type DeployChange, isApplied } from './deploy-change.ts';
import {
  type DeploySnapshot,
  type Forge,
  type HeadSnapshot,
  type MergeMethod,
  type OpenPullRequest,
  type PullRequestText,
  StaleError,
} from './forge.ts';
import { commitText } from './pull-request-text.ts';

export type MergePolicy = 'review' | 'auto';

/** Time and chance, which the domain doesn't own. */
export type RetryPorts = {
  sleep(milliseconds: number): Promise<void>;
  /** Uniform in [0, 1). */
  random(): number;
  /** How often a promotion reads again after others moved what it read; 10 by default. */
  attempts?: number;
  /** How often the forge may fail before it is believed; 3 by default. */
  failures?: number;
};

type AppliedChange = {
  outcome: 'created' | 'updated' | 'unchanged';
  /** The commit on the branch. */
  commit: string;
  pullRequest: OpenPullRequest;
  /** The commit on the base branch, where the pull request was merged at once. */
  merged: string | null;
};

export type Refusal = {
  kind: 'refused';
  outcome: 'already-promoted' | 'held' | 'blocked' | 'superseded' | 'conflict' | 'pending';
  reason: string;
};

export type Performed<State, Plan> =
  | { state: State; plan: Plan; applied: AppliedChange }
  | { state: State; plan: Refusal; applied: null };

/**
 * The protocol of every change: read, plan, write, and read again where somebody was faster or the forge failed. It can be
 * killed anywhere and run again with one result.
 */
export async function performChange<
  State extends { snapshot: DeploySnapshot },
  Plan extends { kind: 'change'; change: DeployChange },
>(
  forge: Forge,
  options: {
    read(): Promise<State>;
    plan(state: State): Promise<Plan | Refusal>;
    /** True where the base branch holds what an earlier attempt of this call wrote. */
    hasLanded(state: State, plan: Plan): boolean;
    merge: MergePolicy | ((plan: Plan) => MergePolicy);
    ports: RetryPorts;
  },
): Promise<Performed<State, Plan>> {
  let first: OpenPullRequest | null | undefined;
  let written: { plan: Plan; applied: AppliedChange } | null = null;
  return converge<State, Performed<State, Plan>>(
    options.read,
    async (state) => {
      const plan = await options.plan(state);
      if (plan.kind === 'refused') {
        if (written === null) return { state, plan, applied: null };
        if (!options.hasLanded(state, written.plan)) {
          await giveTextBack(forge, state.snapshot, written.plan.change);
          return { state, plan, applied: null };
        }
        return { state, plan: written.plan, applied: { ...written.applied, merged: state.snapshot.commit } };
      }
      if (first === undefined) first = state.snapshot.heads.get(plan.change.branch)?.pullRequest ?? null;
      const policy = typeof options.merge === 'function' ? options.merge(plan) : options.merge;
      const submitted = await submitChange(forge, state.snapshot, plan.change, policy);
      const applied = { ...submitted, outcome: overall(first, submitted) };
      written = { plan, applied };
      requireOwn(applied, state.snapshot.heads.get(plan.change.branch) ?? null);
      const merged = await mergeChange(forge, state.snapshot, plan.change, submitted, policy);
      return { state, plan, applied: { ...applied, merged } };
    },
    options.ports,
  );
}

/** What this call did in all its attempts: the last one may only have found what an earlier one wrote. */
function overall(first: OpenPullRequest | null, last: AppliedChange): AppliedChange['outcome'] {
  if (first === null) return 'created';
  return last.outcome === 'unchanged' && first.headCommit !== last.commit ? 'updated' : last.outcome;
}

/**
 * Writes a change: objects, branch by compare-and-swap, pull request; what is there already is left as it is.
 * @throws StaleError where somebody was faster: read again, plan again
 */
async function submitChange(
  forge: Forge,
  snapshot: DeploySnapshot,
  change: DeployChange,
  policy: MergePolicy,
): Promise<AppliedChange> {
  const text = textOf(snapshot, change);
  const head = snapshot.heads.get(change.branch) ?? null;
  const isThere = isApplied(head, change, snapshot) && !isStuck(head?.pullRequest ?? null, policy);
  const commit = isThere && head !== null ? head.commit : await writeBranch(forge, snapshot, change, head);
  const open = head?.pullRequest ?? null;
  if (open === null) {
    const pullRequest = await forge.openPullRequest({ ...text, head: change.branch, base: snapshot.branch });
    return { outcome: 'created', commit, pullRequest, merged: null };
  }
  if (isThere && (open.number === null || isSameText(open, text)))
    return { outcome: 'unchanged', commit, pullRequest: open, merged: null };
  const pullRequest = await forge.updatePullRequest(open.id, text);
  return { outcome: 'updated', commit, pullRequest, merged: null };
}

/**
 * Where branches must be up to date, GitHub's auto-merge waits for one that is behind, and nobody brings it forward. A pull
 * request that people merge is theirs to update: a new commit would take their approvals away.
 */
export function isStuck(open: OpenPullRequest | null, policy: MergePolicy): boolean {
  return policy === 'auto' && open?.mergeState === 'BEHIND';
}

/**
 * Between the branch and the text of its pull request somebody else may have moved the branch: then our text is about what is
 * no longer there. A forge that shows the head of before is only late.
 */
function requireOwn({ commit, pullRequest }: AppliedChange, before: HeadSnapshot | null): void {
  if (pullRequest.headCommit === commit || pullRequest.headCommit === before?.commit) return;
  throw new StaleError(`Another run moved the branch of ${pullRequest.url}.`);
}

/** As it is written: where a merge may take it for its message, with the trailers. */
function textOf(snapshot: DeploySnapshot, { text, message }: DeployChange): PullRequestText {
  const body = snapshot.messageFromBody ? withTrailers(text.body, message) : text.body;
  return { title: text.title, body };
}

/** Whoever wrote over the text of the run that took the branch, and then yields to it, leaves what the commit itself says. */
async function giveTextBack(forge: Forge, snapshot: DeploySnapshot, change: DeployChange): Promise<void> {
  const head = snapshot.heads.get(change.branch) ?? null;
  if (head?.pullRequest == null || head.message.trim() === change.message.trim()) return;
  if (!isSameText(head.pullRequest, textOf(snapshot, change))) return;
  const { headCommit, url } = await forge.updatePullRequest(head.pullRequest.id, commitText(head.message));
  if (headCommit !== head.commit) throw new StaleError(`Another run moved the branch of ${url}.`);
}

async function mergeChange(
  forge: Forge,
  snapshot: DeploySnapshot,
  change: DeployChange,
  { outcome, commit, pullRequest }: AppliedChange,
  policy: MergePolicy,
): Promise<string | null> {
  if (policy === 'review' || (outcome === 'unchanged' && pullRequest.autoMerge)) return null;
  const [headline = '', ...body] = change.message.trimEnd().split('\n');
  return forge.merge(pullRequest, {
    head: commit,
    method: mergeMethod(snapshot.mergeMethods),
    headline: pullRequest.number === null ? headline : `${headline} (#${pullRequest.number})`,
    body: body.join('\n').trim(),
  });
}

async function writeBranch(
  forge: Forge,
  snapshot: DeploySnapshot,
  change: DeployChange,
  head: HeadSnapshot | null,
): Promise<string> {
  const tree = await forge.createTree(snapshot.tree, change.files);
  const commit = await forge.createCommit({ message: change.message, tree, parents: [snapshot.commit] });
  await forge.updateBranch(change.branch, head?.commit ?? null, commit);
  return commit;
}

/** One commit that keeps its trailers and that `git revert` undoes without options: squash before rebase before merge. */
function mergeMethod(allowed: readonly MergeMethod[]): MergeMethod {
  return (['squash', 'rebase', 'merge'] as const).find((method) => allowed.includes(method)) ?? 'merge';
}

function isSameText(open: OpenPullRequest, text: PullRequestText): boolean {
  const normal = (one: string) => one.replaceAll('\r\n', '\n').trim();
  return normal(open.title) === normal(text.title) && normal(open.body) === normal(text.body);
}

/**
 * Reads, plans and writes until it holds: a stale write reads again, a failing forge is asked again, both with growing,
 * jittered pauses. Everything that `act` does can be done twice.
 */
async function converge<State, Result>(
  read: () => Promise<State>,
  act: (state: State) => Promise<Result>,
  ports: RetryPorts,
): Promise<Result> {
  const attempts = ports.attempts ?? 10;
  const failures = ports.failures ?? 3;
  let failed = 0;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await act(await read());
    } catch (error) {
      if (error instanceof InfrastructureError) failed += 1;
      else if (!(error instanceof StaleError)) throw error;
      if (failed >= failures) throw error;
      if (attempt >= attempts) {
        if (!(error instanceof StaleError)) throw error;
        throw new InfrastructureError(`Others kept changing the deploy repository: ${error.message}`, {
          cause: error,
          hint: `It was read and tried ${attempts} times; run it again.`,
        });
      }
      const base = error instanceof StaleError ? 100 : 1000;
      await ports.sleep(Math.round(base * 2 ** Math.min(attempt - 1, 6) * (0.5 + ports.random())));
    }
  }
}
