import { ConfigurationError, codeSpan, escapeMarkdown, plainText, shortDigest } from '@passloop/core';
import type { RollbackDocument } from '@passloop/documents';
import { performChange, type Refusal } from './apply-change.ts';
import { commitMessage, promotionTrailers } from './commit-message.ts';
import type { DeployChange } from './deploy-change.ts';
import { type DeployQuery, type DeployState, deployState, environmentOf, readRequest } from './deploy-state.ts';
import { editsOf, type PlannedFile } from './edits.ts';
import type { DeploySnapshot, FileAt, Forge, HeadSnapshot, OpenBranchRequest, ReadRequest } from './forge.ts';
import { openedAs } from './opened.ts';
import { recordPath, rollbackBranch } from './paths.ts';
import { fieldsOf } from './promote.ts';
import { refusalDocument } from './promotion-document.ts';
import { pullRequestText } from './pull-request-text.ts';
import { isLanded } from './record-change.ts';
import { imageGone, prepareRollback, type RollbackOptions, sideOf } from './rollback.ts';
import type { RollbackPlan, RollbackRequest } from './rollback-plan.ts';

/** One model of several that go back together. */
export type GroupMember = { query: DeployQuery; request: RollbackRequest };

type GroupPlan = {
  kind: 'change';
  change: DeployChange;
  plans: readonly RollbackPlan[];
  /** Models that have nothing to go back from, and why. */
  stay: readonly string[];
  waits: string | null;
};

type GroupState = { snapshot: DeploySnapshot };

/** What several models' environments are read with, at one commit and in one call. */
export function groupRequest(queries: readonly DeployQuery[], environment: string): ReadRequest {
  const requests = queries.map(readRequest);
  const [first] = requests;
  if (first === undefined) throw new ConfigurationError('No model is named.');
  const unique = <T>(items: readonly T[], key: (item: T) => string) => [
    ...new Map(items.map((item) => [key(item), item])).values(),
  ];
  const text = (item: string) => item;
  const group = rollbackBranch(
    environment,
    queries.map(({ model }) => model),
  );
  return {
    branch: first.branch,
    files: unique(
      requests.flatMap(({ files }) => files),
      text,
    ),
    folders: unique(
      requests.flatMap(({ folders }) => folders),
      ({ path }) => path,
    ),
    histories: unique(
      requests.flatMap(({ histories }) => histories),
      ({ path }) => path,
    ),
    heads: unique([...requests.flatMap(({ heads }) => heads), group], text),
    closed: unique(
      requests.flatMap(({ closed }) => closed),
      text,
    ),
    open: together(requests.flatMap(({ open }) => open ?? [])),
  };
}

/** One look into each folder of branches, for the files of all. */
function together(requests: readonly OpenBranchRequest[]): OpenBranchRequest[] {
  const folders = Map.groupBy(requests, ({ folder }) => folder);
  return [...folders].map(([folder, parts]) => ({ folder, files: [...new Set(parts.flatMap(({ files }) => files))] }));
}

/**
 * Brings several models of one environment back in one commit and one pull request: all records, manifests and holds, or nothing. A model that has
 * nothing to go back from stays; one that may not go back stops them all. Can be killed anywhere and run again.
 * @throws ConfigurationError, InfrastructureError
 */
export async function rollbackTogether(
  forge: Forge,
  environment: string,
  members: readonly GroupMember[],
  options: RollbackOptions,
): Promise<RollbackDocument> {
  const request = groupRequest(
    members.map(({ query }) => query),
    environment,
  );
  const hasImage = cachedAnswers(options.hasImage);
  let seen: string | null = null;
  const performed = await performChange<GroupState, GroupPlan>(forge, {
    read: async () => ({ snapshot: await forge.read(request) }),
    async plan({ snapshot }) {
      const states = members.map(({ query }) => deployState(forge.repository, query, snapshot));
      const fields = JSON.stringify(states.map((state) => fieldsOf(environmentOf(state, environment))));
      const plan = await planTogether(forge, snapshot, environment, members);
      if (plan.kind === 'refused' && plan.outcome === 'already-promoted') return plan;
      if (seen !== null && seen !== fields) return movedMeanwhile(environment);
      seen = fields;
      if (plan.kind === 'refused') return plan;
      for (const { to } of plan.plans) if (!(await hasImage(to.record.image.reference))) return imageGone(to);
      return plan;
    },
    hasLanded: ({ snapshot }, { plans }) =>
      plans.every(({ record }) => {
        const query = members.find((member) => member.query.model === record.model)?.query;
        if (query === undefined) return false;
        return isLanded(environmentOf(deployState(forge.repository, query, snapshot), environment), record);
      }),
    merge: ({ waits }) => (waits === null ? options.merge : 'review'),
    ports: options.ports,
  });
  const models = members.map(({ query }) => query.model);
  if (performed.applied === null) return groupDocument(models, environment, performed.plan);
  const { applied, plan } = performed;
  return {
    ...groupDocument(models, environment, plan),
    outcome: applied.outcome,
    reason: groupReason(plan),
    commit: applied.commit,
    ...openedAs(applied.pullRequest, plan.change.text, applied.merged !== null),
    merged: applied.merged !== null,
  };
}

/** What a rollback of several models would write, or why it doesn't. */
export async function planTogether(
  forge: Forge,
  snapshot: DeploySnapshot,
  environment: string,
  members: readonly GroupMember[],
): Promise<GroupPlan | Refusal> {
  const branch = rollbackBranch(
    environment,
    members.map(({ query }) => query.model),
  );
  const plans: RollbackPlan[] = [];
  const stay: string[] = [];
  let current = snapshot;
  for (const { query, request } of members) {
    const state = withHead(deployState(forge.repository, query, current), snapshot.heads.get(branch) ?? null);
    const plan = await prepareRollback(forge, state, request);
    if (plan.kind === 'refused' && plan.outcome === 'already-promoted') stay.push(`${query.model}: ${plan.reason}`);
    else if (plan.kind === 'refused') return { ...plan, reason: `${query.model}: ${plan.reason}` };
    else {
      plans.push(plan);
      // Manifests may be shared: the next model edits what this one leaves.
      current = overlaid(current, plan.change.files);
    }
  }
  if (plans.length === 0) return { kind: 'refused', outcome: 'already-promoted', reason: stay.join(' ') };
  const waits = plans.find((plan) => plan.waits !== null)?.waits ?? null;
  const change = groupChange(branch, environment, plans, filesOf(snapshot, plans), members);
  return { kind: 'change', change, plans, stay, waits };
}

/** What a group document says of a plan or a refusal. */
export function groupDocument(
  models: readonly string[],
  environment: string,
  plan: GroupPlan | Refusal,
): RollbackDocument {
  const nothing = { schema: 'passloop/rollback/v1' as const, from: null, to: null, hold: null };
  if (plan.kind === 'refused')
    return { ...refusalDocument(models[0] ?? '', environment, plan), ...nothing, models: [] };
  const listed = plan.plans.map(({ record, recordDigest, from, to, hold }) => ({
    model: record.model,
    promotionId: record.deployment.promotionId,
    recordDigest,
    from: sideOf(from.record),
    to: sideOf(to.record),
    hold,
  }));
  const [first] = listed;
  const base = refusalDocument(first?.model ?? '', environment, {
    outcome: 'unchanged',
    reason: 'A plan: nothing was written.',
  });
  return {
    ...base,
    ...nothing,
    ...first,
    change: 'rollback',
    branch: plan.change.branch,
    edits: editsOf(plan.change.files),
    models: listed,
  };
}

function groupReason({ stay, waits }: GroupPlan): string | null {
  const said = [...(waits === null ? [] : [waits]), ...stay];
  return said.length === 0 ? null : plainText(said.join(' '), 4000);
}

function movedMeanwhile(environment: string): Refusal {
  return {
    kind: 'refused',
    outcome: 'conflict',
    reason: `${environment} moved meanwhile: look at \`passloop status\`, and roll back what is still to be left.`,
  };
}

/** The group's branch in place of the model's own, with this model's files only: an attempt that goes on keeps its time. */
function withHead(state: DeployState, head: HeadSnapshot | null): DeployState {
  return {
    ...state,
    environments: state.environments.map((environment) => {
      const own = recordPath(state.model, environment.name);
      const files = new Map([...(head?.files ?? [])].filter(([path]) => path === own));
      return { ...environment, head: head === null ? null : { ...head, files } };
    }),
  };
}

function overlaid(snapshot: DeploySnapshot, changed: readonly PlannedFile[]): DeploySnapshot {
  const files = new Map(snapshot.files);
  for (const { path, content, mode } of changed) {
    // Of a blob that nobody wrote yet there is no id; it equals none.
    const file: FileAt | null = content === null ? null : { path, text: content, mode, blob: '' };
    if (files.has(path)) files.set(path, file);
  }
  return { ...snapshot, files };
}

function filesOf(snapshot: DeploySnapshot, plans: readonly RollbackPlan[]): PlannedFile[] {
  const files = new Map<string, PlannedFile>();
  for (const file of plans.flatMap(({ change }) => change.files)) {
    const before = snapshot.files.get(file.path)?.text ?? file.before;
    files.set(file.path, { ...file, before: files.get(file.path)?.before ?? before });
  }
  return [...files.values()].sort((left, right) => (left.path < right.path ? -1 : 1));
}

function groupChange(
  branch: string,
  environment: string,
  plans: readonly RollbackPlan[],
  files: readonly PlannedFile[],
  members: readonly GroupMember[],
): DeployChange {
  const reason = members[0]?.request.reason ?? '';
  const title = `rollback(${plans.length} models → ${environment})`;
  const moves = plans.map(({ record, from }) => `${record.model}: ${from.record.version} back to ${record.version}`);
  const trailers = plans.flatMap(({ record, from }) => promotionTrailers(record, from.record.deployment.promotionId));
  const rows = plans.map(
    ({ record, from, hold }) =>
      `| ${escapeMarkdown(record.model)} | ${escapeMarkdown(from.record.version)} ${codeSpan(shortDigest(from.record.image.digest))} | ${escapeMarkdown(record.version)} ${codeSpan(shortDigest(record.image.digest))} | ${hold === null ? 'nothing' : codeSpan(hold)} |`,
  );
  const notes = plans.flatMap(({ record, notes: said }) =>
    said.map((note) => `**Look at** ${escapeMarkdown(record.model)}: ${escapeMarkdown(note, 1500)}`),
  );
  const parts = [
    `**${plans.length} models** go back together in **${escapeMarkdown(environment)}**, each to a record that ran there before. Nothing is trained or built; the records verify and their images are in their registries.`,
    ['| model | from | back to | held by |', '|---|---|---|---|', ...rows].join('\n'),
    [
      `**Why** ${escapeMarkdown(reason, 1000)}`,
      ...notes.slice(0, 50),
      '**To undo it** revert this commit: images, records and holds go together.',
    ].join('\n'),
  ];
  return {
    branch,
    files,
    message: commitMessage(`${title}: ${moves.join(', ')}`, [reason, ...moves], trailers),
    text: pullRequestText(`${title}: ${moves.join(', ')}`, parts, null),
  };
}

function cachedAnswers(ask: (reference: string) => Promise<boolean>): (reference: string) => Promise<boolean> {
  const present = new Set<string>();
  return async (reference) => {
    if (present.has(reference)) return true;
    if (!(await ask(reference))) return false;
    present.add(reference);
    return true;
  };
}
