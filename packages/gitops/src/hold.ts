import { ConfigurationError, codeSpan, escapeMarkdown, isDigest, shortDigest } from '@passloop/core';
import { formatDocument, type HoldDocument } from '@passloop/documents';
import { type MergePolicy, performChange, type Refusal, type RetryPorts } from './apply-change.ts';
import { commitMessage } from './commit-message.ts';
import { type DeployChange, fileEditor } from './deploy-change.ts';
import { type DeployQuery, type DeployState, deployState, readRequest, versionsIn } from './deploy-state.ts';
import type { Forge, OpenPullRequest } from './forge.ts';
import { type Hold, holdDocument } from './holds.ts';
import { type Opened, openedAs } from './opened.ts';
import { holdBranch, holdPath, liftPath } from './paths.ts';
import { pullRequestText } from './pull-request-text.ts';
import { openRecord } from './record-change.ts';
import { closedBody } from './refused-promotion.ts';

export type HoldRequest = {
  action: 'hold' | 'lift';
  modelDigest: string;
  /** Null: in every environment. */
  environment: string | null;
  reason: string;
  by: string;
  /** ISO 8601, UTC. */
  at: string;
};

export type HoldPlan = { kind: 'change'; change: DeployChange; hold: HoldDocument | null };

/** What `passloop hold` did. `hold` is null where it was lifted. */
export type HoldResult = Opened & {
  outcome: 'created' | 'updated' | 'unchanged' | 'blocked';
  hold: HoldDocument | null;
  reason: string | null;
  commit: string | null;
  branch: string | null;
  merged: boolean;
};

/** The commit that writes a hold, or takes all holds of a model digest away, those that follow from history included. */
export function planHold(state: DeployState, request: HoldRequest): HoldPlan | Refusal {
  if (!isDigest(request.modelDigest)) {
    throw new ConfigurationError(`${JSON.stringify(request.modelDigest.slice(0, 100))} is no model digest.`, {
      hint: 'A hold names the model by its digest, sha256:<64 hex>; `passloop status` lists them.',
    });
  }
  const { environment } = request;
  if (environment !== null && !state.environments.some(({ name }) => name === environment)) {
    throw new ConfigurationError(`There is no environment ${JSON.stringify(environment.slice(0, 80))}.`, {
      hint: `${state.model} is deployed to: ${state.environments.map(({ name }) => name).join(', ')}.`,
    });
  }
  return request.action === 'hold' ? placeHold(state, request) : liftHolds(state, request);
}

function placeHold(state: DeployState, request: HoldRequest): HoldPlan | Refusal {
  const { modelDigest, environment } = request;
  const path = holdPath(state.model, modelDigest);
  const existing = allHolds(state).find((hold) => hold.file === path && hold.document !== null)?.document ?? null;
  const covers = existing !== null && existing.imageDigest === null;
  if (covers && (existing.environment === null || existing.environment === environment)) {
    return { kind: 'refused', outcome: 'already-promoted', reason: `${path} holds it already: ${existing.reason}` };
  }
  const begun = begunAt(state, path, modelDigest);
  const hold = holdDocument(
    {
      model: state.model,
      modelDigest,
      imageDigest: null,
      runKey: runKeyOf(state, modelDigest),
      environment,
      by: request.by,
      reason: request.reason,
      at: begun ?? request.at,
    },
    existing,
  );
  const editor = fileEditor(state.snapshot);
  editor.write(path, formatDocument('hold', hold));
  const where = hold.environment ?? 'every environment';
  const headline = `hold(${state.model}): refuse ${shortDigest(modelDigest)} in ${where}`;
  const body = [
    `Model ${codeSpan(modelDigest)} of **${escapeMarkdown(state.model)}** isn't promoted to ${escapeMarkdown(where)} while ${codeSpan(path)} is there.`,
    `**Why** ${escapeMarkdown(request.reason, 1000)}\n**Who** ${escapeMarkdown(request.by)}\n**To lift it** revert this commit, or \`passloop hold ${modelDigest} --lift\`.`,
  ];
  return { kind: 'change', hold, change: changeOf(state, editor.files(), headline, request, body) };
}

/** The open pull requests that would bring the model into an environment where it is held. */
function openPromotions(state: DeployState, { modelDigest, environment }: HoldRequest): OpenPullRequest[] {
  return state.environments
    .filter(({ name }) => environment === null || name === environment)
    .filter((one) => openRecord(one)?.modelDigest === modelDigest)
    .flatMap(({ head }) => head?.pullRequest ?? []);
}

/**
 * A hold keeps new promotions out; one that waits in its pull request, perhaps to merge by itself, is closed. Its text says why, and that nobody
 * refused it: after the hold is lifted the promotion is opened again.
 */
async function closePromotions(
  forge: Forge,
  state: DeployState,
  request: HoldRequest,
  hold: string,
): Promise<string | null> {
  const open = openPromotions(state, request);
  for (const { id, title, body } of open) {
    const why = `**Closed**: model ${codeSpan(shortDigest(request.modelDigest))} is held by ${codeSpan(hold)}. ${escapeMarkdown(request.reason, 1000)}`;
    await forge.closePullRequest(id, { title, body: closedBody(body, why) });
  }
  if (open.length === 0) return null;
  const branches = open.filter(({ number }) => number === null).map(({ id }) => id);
  // Nothing can be closed where there are no pull requests.
  if (branches.length > 0) return `Delete what would promote it: ${branches.join(', ')}`;
  return `Closed what would have promoted it: ${open.map(({ url }) => url).join(', ')}`;
}

/** The run that made the model, where one of the environments ran it. */
function runKeyOf(state: DeployState, modelDigest: string): string | null {
  const versions = state.environments.flatMap((environment) => versionsIn(environment));
  return versions.find(({ record }) => record.modelDigest === modelDigest)?.record.runKey ?? null;
}

/** An attempt that continues an earlier one keeps its time, and so its bytes. */
function begunAt(state: DeployState, path: string, modelDigest: string): string | null {
  const text = state.snapshot.heads.get(holdBranch(state.model, modelDigest))?.files.get(path)?.text;
  const found = text == null ? null : /"at": "([0-9TZ:.-]{1,40})"/.exec(text);
  return found?.[1] ?? null;
}

function liftHolds(state: DeployState, request: HoldRequest): HoldPlan | Refusal {
  const { modelDigest } = request;
  const holds = allHolds(state).filter((hold) => hold.modelDigest === modelDigest);
  if (holds.length === 0) {
    return { kind: 'refused', outcome: 'already-promoted', reason: `Nothing holds ${modelDigest}.` };
  }
  const editor = fileEditor(state.snapshot);
  for (const hold of holds) {
    if (hold.source === 'file') editor.remove(hold.file);
    else if (hold.record !== null) editor.write(liftPath(state.model, hold.record), liftText(hold, request));
  }
  const headline = `hold(${state.model}): lift ${shortDigest(modelDigest)}`;
  const body = [
    `Model ${codeSpan(modelDigest)} of **${escapeMarkdown(state.model)}** may be promoted again. It was held: ${holds.map((hold) => escapeMarkdown(hold.reason)).join(' ')}`,
    `**Why** ${escapeMarkdown(request.reason, 1000)}\n**Who** ${escapeMarkdown(request.by)}`,
  ];
  return { kind: 'change', hold: null, change: changeOf(state, editor.files(), headline, request, body) };
}

/** Only the file's name counts; what it says is for people. The same lift gives the same bytes, whenever it is tried. */
function liftText(hold: Hold, request: HoldRequest): string {
  const lift = {
    modelDigest: hold.modelDigest,
    record: hold.record,
    revertedIn: hold.commit,
    by: request.by,
    reason: request.reason,
  };
  return `${JSON.stringify(lift, null, 2)}\n`;
}

function changeOf(
  state: DeployState,
  files: DeployChange['files'],
  headline: string,
  request: HoldRequest,
  body: readonly string[],
): DeployChange {
  return {
    branch: holdBranch(state.model, request.modelDigest),
    files,
    message: commitMessage(headline, [request.reason], [{ token: 'Model-Digest', value: request.modelDigest }]),
    text: pullRequestText(headline, body, null),
  };
}

function allHolds(state: DeployState): Hold[] {
  const holds = new Map<string, Hold>();
  for (const hold of [...state.holds, ...state.environments.flatMap((environment) => environment.holds)]) {
    holds.set(JSON.stringify([hold.file, hold.source, hold.record]), hold);
  }
  return [...holds.values()];
}

/**
 * Writes or lifts a hold; writing one also closes the open pull request that would promote the model. Can be killed anywhere and run again.
 * @throws ConfigurationError, InfrastructureError
 */
export async function hold(
  forge: Forge,
  query: DeployQuery,
  request: HoldRequest,
  options: { merge: MergePolicy; ports: RetryPorts },
): Promise<HoldResult> {
  const wanted = readRequest(query);
  const heads = [...wanted.heads, holdBranch(query.model, request.modelDigest)];
  const performed = await performChange<DeployState, HoldPlan>(forge, {
    read: async () => deployState(forge.repository, query, await forge.read({ ...wanted, heads })),
    plan: async (state) => planHold(state, request),
    hasLanded: (state) => planHold(state, request).kind === 'refused',
    merge: options.merge,
    ports: options.ports,
  });
  const path = holdPath(query.model, request.modelDigest);
  const closed = request.action === 'hold' ? await closePromotions(forge, performed.state, request, path) : null;
  if (performed.applied === null) {
    const { outcome, reason } = performed.plan;
    const isThere = outcome === 'already-promoted';
    return {
      outcome: isThere ? 'unchanged' : 'blocked',
      hold: null,
      reason: closed === null ? reason : `${reason} ${closed}`,
      commit: null,
      branch: null,
      pullRequest: null,
      merged: false,
    };
  }
  const { plan, applied } = performed;
  return {
    outcome: applied.outcome,
    hold: plan.hold,
    reason: closed,
    commit: applied.commit,
    branch: plan.change.branch,
    ...openedAs(applied.pullRequest, plan.change.text, applied.merged !== null),
    merged: applied.merged !== null,
  };
}
