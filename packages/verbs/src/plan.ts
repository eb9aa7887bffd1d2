import { ConfigurationError, jsonDigest } from '@passloop/core';
import type { KeyDocument, PlanDocument, PlannedModel, Policy } from '@passloop/documents';
import {
  fromRoot,
  type LoadedModel,
  loadModelsAt,
  lockFileName,
  modelFileName,
  policyDifferences,
  policyDigest,
  policyOf,
  underPolicy,
} from '@passloop/model';
import { trainingKey } from '@passloop/training';
import type { Context } from './context.ts';
import { policyFileDifferences } from './policy-files.ts';
import { openModelStore } from './store.ts';
import { blobAt, openWorkspace, type Workspace } from './workspace.ts';

export type PlanRequest = {
  /** The target branch or commit that the change is held to; without one, the change's own policy decides. */
  against?: string | undefined;
  ref?: string | undefined;
  /** Only these models. */
  models?: readonly string[] | undefined;
  /** The commit that the report is about: the one that is checked out, or the branch that it merges. */
  head?: string | undefined;
  /** `false`: the store isn't asked, by a job that may not read it; the plan then says `unknown`. */
  asksStore?: boolean | undefined;
};

/** A model of the change, with what decides about it. */
export type PlannedCheck = {
  planned: PlannedModel;
  /** The change's model under the target branch's policy: what is trained is its own, what judges is not. */
  model: LoadedModel;
  /** The model of the target branch, or null where it is new. */
  base: LoadedModel | null;
  /** The change has no such model any more. */
  isRemoved: boolean;
  key: KeyDocument | null;
  baseKey: KeyDocument | null;
};

export type CheckPlan = {
  workspace: Workspace;
  base: { ref: string; commit: string } | null;
  document: PlanDocument;
  checks: PlannedCheck[];
};

/** What a check would do: affected models, their keys and policies. Runs no code of the change and reads no data. */
export async function planCheck(context: Context, request: PlanRequest): Promise<CheckPlan> {
  const workspace = await openWorkspace(context, { ref: request.ref });
  if (request.head !== undefined) await requireHead(workspace, request.head, request.against);
  const base = await baseOf(context, workspace, request.against ?? defaultBase(context));
  const baseModels = base === null ? [] : await loadModelsAt(workspace.repository, base.commit);
  refuseUnknown(request.models, [...workspace.models, ...baseModels]);
  const isAsked = (model: LoadedModel) => request.models === undefined || request.models.includes(model.name);
  const checks: PlannedCheck[] = [];
  for (const model of workspace.models.filter(isAsked)) {
    const baseModel = baseModels.find((candidate) => candidate.name === model.name) ?? null;
    checks.push(await planModel(context, { workspace, base, asksStore: request.asksStore ?? true }, model, baseModel));
  }
  const left = new Set(workspace.models.map((model) => model.name));
  for (const model of baseModels.filter(isAsked)) if (!left.has(model.name)) checks.push(planRemoved(base, model));
  const document: PlanDocument = {
    schema: 'passloop/plan/v1',
    commit: workspace.commit,
    tree: workspace.tree,
    base,
    models: checks.map((check) => check.planned),
  };
  return { workspace, base, document, checks };
}

/** A check of nothing would pass: without a model, or with a name that is none, there is nothing to judge. */
function refuseUnknown(asked: readonly string[] | undefined, models: readonly LoadedModel[]): void {
  const names = [...new Set(models.map((model) => model.name))];
  if (names.length === 0) {
    throw new ConfigurationError(`No ${modelFileName} is in this commit, nor in the one that it is compared with.`, {
      hint: 'Write one (docs/model-file.md has a template) and commit it.',
    });
  }
  const unknown = (asked ?? []).find((name) => !names.includes(name));
  if (unknown !== undefined) {
    throw new ConfigurationError(`No model is named ${JSON.stringify(unknown)} (there is: ${names.join(', ')}).`);
  }
}

/** A model that the change takes away, or renames: with it go its gates, so the target branch has a say. */
function planRemoved(base: { ref: string; commit: string } | null, model: LoadedModel): PlannedCheck {
  const policy: Policy = {
    source: 'base',
    ref: base?.ref ?? null,
    digest: policyDigest(policyOf(model)),
    differences: [{ path: 'model', from: model.name, to: null, loosens: true }],
  };
  const reason = 'the change removes it';
  return {
    planned: { name: model.name, file: model.file, affected: true, reason, runKey: null, store: 'unknown', policy },
    model,
    base: model,
    isRemoved: true,
    key: null,
    baseKey: null,
  };
}

/**
 * The first parent is the target branch only where the merge is checked out: of a branch's own head it is the branch's last commit but one,
 * whose policy its author wrote.
 * @throws ConfigurationError where the commit is another one than the event is about
 */
async function requireHead(
  { repository, commit }: Workspace,
  head: string,
  against: string | undefined,
): Promise<void> {
  const mustMerge = against === 'HEAD^1';
  if (!mustMerge && commit === head) return;
  if (commit !== head && (await repository.resolve(`${commit}^2`)) === head) return;
  throw new ConfigurationError(
    mustMerge
      ? `The checked-out commit ${commit.slice(0, 12)} is not the merge of ${head.slice(0, 12)} with the target branch.`
      : `The checked-out commit ${commit.slice(0, 12)} is neither ${head.slice(0, 12)}, which this run is about, nor its merge.`,
    {
      hint: 'Let actions/checkout take the commit of the event (no `ref`), with `fetch-depth: 2` for a pull request and `fetch-depth: 0` for a merge queue.',
    },
  );
}

/** In a pull request's job the target branch; elsewhere none. */
function defaultBase(context: Context): string | undefined {
  const branch = context.env.GITHUB_BASE_REF;
  return branch === undefined || branch === '' ? undefined : `origin/${branch}`;
}

async function baseOf(
  context: Context,
  workspace: Workspace,
  against: string | undefined,
): Promise<{ ref: string; commit: string } | null> {
  if (against === undefined) return null;
  const commit = await workspace.repository.resolve(against);
  if (commit === null) {
    throw new ConfigurationError(`${JSON.stringify(against)} is no commit of this repository.`, {
      hint: 'Fetch the target branch first (checkout with fetch-depth: 0), or name another with --against.',
    });
  }
  return { ref: branchName(context, against), commit };
}

/** What people call the base: a job says it by its place before the merge, or by its commit. */
function branchName({ env }: Context, against: string): string {
  const isPlace = /^(HEAD\b|[0-9a-f]{40,64}$)/.test(against);
  const target = env.GITHUB_BASE_REF;
  if (isPlace && target !== undefined && target !== '') return target;
  return against.replace(/^(refs\/remotes\/)?origin\//, '');
}

async function planModel(
  context: Context,
  { workspace, base, asksStore }: Pick<CheckPlan, 'workspace' | 'base'> & { asksStore: boolean },
  head: LoadedModel,
  baseModel: LoadedModel | null,
): Promise<PlannedCheck> {
  const deciding = policyOf(baseModel ?? head);
  const policy: Policy = {
    source: baseModel === null ? 'head' : 'base',
    ref: base?.ref ?? null,
    digest: policyDigest(deciding),
    differences:
      baseModel === null || base === null
        ? []
        : [
            ...policyDifferences(deciding, policyOf(head)),
            ...(await policyFileDifferences(workspace, { base: baseModel, baseCommit: base.commit, head })),
          ],
  };
  const model: LoadedModel = { ...head, ...underPolicy(head, deciding) };
  const key = head.train === undefined ? null : await trainingKey(workspace.repository, workspace.commit, head);
  const baseKey =
    base === null || baseModel?.train === undefined
      ? null
      : await trainingKey(workspace.repository, base.commit, baseModel);
  const reason = await whyAffected(workspace, base, { head, baseModel, key, baseKey, policy });
  const store =
    key === null || reason === null || !asksStore
      ? 'unknown'
      : (await (await openModelStore(context, workspace.root, model)).findRun(key.runKey)) === null
        ? 'miss'
        : 'hit';
  return {
    planned: {
      name: head.name,
      file: head.file,
      affected: reason !== null,
      reason: reason ?? 'nothing that it depends on has changed',
      runKey: key?.runKey ?? null,
      store,
      policy,
    },
    model,
    base: baseModel,
    isRemoved: false,
    key,
    baseKey,
  };
}

type Sides = {
  head: LoadedModel;
  baseModel: LoadedModel | null;
  key: KeyDocument | null;
  baseKey: KeyDocument | null;
  policy: Policy;
};

/** Why a change concerns a model, or null where it doesn't: its key, data, package files, profiles or policy differ. */
async function whyAffected(
  workspace: Workspace,
  base: { commit: string } | null,
  sides: Sides,
): Promise<string | null> {
  const { head, baseModel, key, baseKey, policy } = sides;
  if (base === null) return 'there is no base to compare with';
  if (baseModel === null) return 'the model is new';
  if (key?.runKey !== baseKey?.runKey) return 'its run key differs';
  if (policy.differences.length > 0) return 'its policy differs';
  if (jsonDigest(plain(head.data)) !== jsonDigest(plain(baseModel.data))) return 'its datasets differ';
  if (jsonDigest(plain(head.package ?? null)) !== jsonDigest(plain(baseModel.package ?? null)))
    return 'its package section differs';
  for (const file of filesOf(head)) {
    const [left, right] = [await blobAt(workspace, workspace.commit, file), await blobAt(workspace, base.commit, file)];
    if (left !== right) return `${file} differs`;
  }
  return null;
}

function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

/** Files beside code and data on which a check depends. */
function filesOf(model: LoadedModel): string[] {
  const named = [
    lockFileName,
    model.package?.requirements,
    model.package?.signature,
    ...Object.values(model.data).flatMap((dataset) => [dataset.profile, dataset.path]),
  ];
  return [...new Set(named.filter((file) => file !== undefined))].map((file) => fromRoot(model, file));
}
