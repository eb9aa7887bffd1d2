import path from 'node:path';
import { ConfigurationError, PassloopError } from '@passloop/core';
import type {
  Change,
  ComparedMetric,
  ComparedSlice,
  ComparisonDocument,
  ImageDocument,
  ProbeDocument,
  PromotionDocument,
  RunDocument,
} from '@passloop/documents';
import {
  type DeployState,
  decide,
  type EnvironmentState,
  editsOf,
  type Forge,
  nextEnvironment,
  planPromotion,
  promote as promoteTo,
  readDeployState,
  rollback as rollBack,
} from '@passloop/gitops';
import { type Environment, type LoadedModel, loadModelsAt, overridesAt, productionEnvironment } from '@passloop/model';
import { pushImage } from '@passloop/packaging';
import type { CandidateRecord, Store } from '@passloop/record';
import { openTables } from '@passloop/tables';
import { explainKeys, trainingKey } from '@passloop/training';
import { compareStage } from './compare-stage.ts';
import { type Context, timestamp } from './context.ts';
import { lockedFiles } from './data-stage.ts';
import { actor, deployQuery, environmentNamed, openDeployRepository, retryPorts } from './deploy-repository.ts';
import { imageKeyOf } from './image-key-of.ts';
import { buildModelImage, engineOf, packageFolder, proveImage } from './image-stage.ts';
import { outFolder } from './out-folder.ts';
import { pointerOf, refreshPointer } from './production-pointer.ts';
import { revertedCommits } from './revert.ts';
import { hasImage } from './rollback.ts';
import { runStage } from './run-stage.ts';
import { openModelStore } from './store.ts';
import { openWorkspace, selectModel, type Workspace } from './workspace.ts';

export type PromoteRequest = {
  model?: string | undefined;
  /** The commit to promote; HEAD by default. */
  ref?: string | undefined;
  /** By default the first environment, in the model file's order, that runs something else. */
  environment?: string | undefined;
  /** Print the edits as diffs, write nothing. */
  plan?: boolean | undefined;
  out?: string | undefined;
};

type Promotion = {
  context: Context;
  workspace: Workspace;
  model: LoadedModel;
  store: Store;
  forge: Forge;
  state: DeployState;
  environment: EnvironmentState;
  declared: Environment;
  request: PromoteRequest;
};

/**
 * Brings the default branch's model to its next environment. The key of HEAD decides before any metric: what runs already
 * stays, what is held stays out, what ran before comes back without training, what the store has is compared and promoted,
 * and only what nobody knows is trained.
 */
export async function promote(context: Context, request: PromoteRequest): Promise<PromotionDocument> {
  const workspace = await openWorkspace(context, { ref: request.ref });
  const model = selectModel(workspace.models, request.model);
  const { query, repository } = deployQuery(workspace, model);
  const forge = openDeployRepository(context, repository);
  const store = await openModelStore(context, workspace.root, model);
  context.progress.phase(`read ${repository}`);
  const state = await readDeployState(forge, query);
  const key = model.train === undefined ? null : await trainingKey(workspace.repository, workspace.commit, model);
  const known = key === null ? null : await store.findRun(key.runKey);
  const candidate = {
    runKey: key?.runKey ?? null,
    imageKey: known === null ? null : await imageKeyOf(workspace, model, known.run.modelDigest),
    modelDigest: known?.run.modelDigest ?? null,
    imageDigest: null,
    inStore: known !== null,
  };
  const environment =
    request.environment === undefined
      ? (nextEnvironment(state.environments, candidate) ?? state.environments.at(-1))
      : state.environments.find((one) => one.name === environmentNamed(model, request.environment).name);
  if (environment === undefined)
    throw new ConfigurationError(`${model.name} is deployed nowhere.`, { file: model.file });
  await refreshPointer(context, { workspace, model, store, state });
  const promotion: Promotion = {
    context,
    workspace,
    model,
    store,
    forge,
    state,
    environment,
    declared: environmentNamed(model, environment.name),
    request,
  };
  const decision = decide(environment, candidate);
  switch (decision.kind) {
    case 'already-promoted':
      return refused(promotion, 'already-promoted', `${environment.name} runs the model of this commit already.`);
    case 'held':
      return refused(
        promotion,
        'held',
        `Model ${decision.hold.modelDigest} is held: ${decision.hold.reason} Lift it with \`passloop hold ${decision.hold.modelDigest} --lift\`.`,
      );
    case 'blocked':
      return refused(promotion, 'blocked', decision.reason);
    case 'rollback':
      return returnTo(
        promotion,
        { kind: 'named', name: decision.to.digest },
        `The default branch is back at ${decision.to.record.version} (${workspace.commit.slice(0, 12)}).`,
      );
    case 'train': {
      const before = await beforeReverted(promotion);
      if (before !== null) return before;
      break;
    }
    default:
      break;
  }
  return promoteCandidate(promotion);
}

/**
 * A revert whose tree nobody has trained, since other changes came between: production goes back at once to the record before
 * what was reverted; the new tree is an ordinary candidate of the next run.
 */
async function beforeReverted(promotion: Promotion): Promise<PromotionDocument | null> {
  const { workspace, environment } = promotion;
  const production = environment.production?.record ?? null;
  if (production?.source == null) return null;
  const reverted = await revertedCommits(
    workspace.repository,
    await knownCommit(workspace, production.source.commit),
    workspace.commit,
  );
  if (reverted.length === 0) return null;
  const commits: string[] = [];
  for (const version of environment.history.flatMap((entry) => entry.version ?? [])) {
    const source = version.record.source?.commit;
    if (source === undefined) continue;
    for (const commit of reverted) if (await carries(workspace, source, commit)) commits.push(source);
  }
  if (!commits.includes(production.source.commit)) return null;
  const document = await returnTo(
    promotion,
    { kind: 'before', commits: [...new Set(commits)] },
    `${reverted.map((commit) => commit.slice(0, 12)).join(', ')} was reverted; the new tree trains as an ordinary candidate.`,
  );
  return document.outcome === 'already-promoted' ? null : document;
}

async function knownCommit(workspace: Workspace, commit: string): Promise<string | null> {
  return workspace.repository.resolve(commit);
}

/** True where a record's source commit contains a commit. */
async function carries(workspace: Workspace, source: string, commit: string): Promise<boolean> {
  if ((await workspace.repository.resolve(source)) === null || (await workspace.repository.resolve(commit)) === null)
    return false;
  return workspace.repository.isAncestor(commit, source);
}

async function returnTo(
  promotion: Promotion,
  to: Parameters<typeof rollBack>[2]['to'],
  reason: string,
): Promise<PromotionDocument> {
  const { context, forge, environment, declared, model } = promotion;
  const { query } = deployQuery(promotion.workspace, model);
  context.progress.phase(`bring ${environment.name} back`);
  if (promotion.request.plan === true) return refused(promotion, 'unchanged', `A plan: ${reason}`);
  const document = await rollBack(
    forge,
    query,
    {
      environment: environment.name,
      to,
      leave: environment.production?.digest ?? null,
      reason,
      by: actor(context),
      at: timestamp(context),
    },
    {
      merge: declared.rollback?.merge ?? declared.merge,
      ports: retryPorts,
      hasImage: (reference) => hasImage(context, reference),
    },
  );
  const { from: _from, to: _to, hold: _hold, ...rest } = document;
  return { ...rest, schema: 'passloop/promotion/v1' };
}

async function promoteCandidate(promotion: Promotion): Promise<PromotionDocument> {
  const { context, workspace, model, store, state, environment, forge, declared, request } = promotion;
  const out = outFolder(workspace.root, model.name, request.out);
  const run = await runStage(context, { workspace, model, store, outputs: out.outputs });
  await out.write('run', run);
  const decided = decide(environment, {
    runKey: run.runKey,
    imageKey: null,
    modelDigest: run.modelDigest,
    imageDigest: null,
    inStore: true,
  });
  if (decided.kind === 'held')
    return refused(promotion, 'held', `Model ${run.modelDigest} is held: ${decided.hold.reason}`);
  const { image, probe, comparison } = await proveCandidate(promotion, run, out.folder, out.outputs);
  if (image === null)
    return refused(promotion, 'blocked', 'The model file was refused by the scan: `passloop package scan` shows why.');
  if (probe !== null) await out.write('probe', probe);
  if (probe?.verdict === 'fail') {
    const failed = probe.checks.filter((check) => check.verdict === 'fail').map((check) => check.id);
    return refused(
      promotion,
      'blocked',
      `The image failed its probe: ${failed.join(', ') || 'its predictions differ from the evaluated ones'}.`,
    );
  }
  if (comparison !== null) await out.write('comparison', comparison);
  if (comparison !== null && (comparison.verdict === 'fail' || comparison.verdict === 'inconclusive')) {
    return refused(promotion, 'blocked', blockedReason(comparison));
  }
  const candidate = await candidateRecord(promotion, run, image, comparison);
  const evidence = { comparison, changes: await changesSince(promotion), facts: facts(run, probe) };
  const asked = { environment: environment.name, candidate, evidence, at: timestamp(context) };
  if (request.plan === true) {
    const plan = planPromotion(state, asked);
    if (plan.kind === 'refused') return refused(promotion, plan.outcome, plan.reason);
    return {
      ...refused(promotion, 'unchanged', 'A plan: nothing was written.'),
      change: plan.what,
      edits: editsOf(plan.change.files),
      branch: plan.change.branch,
    };
  }
  context.progress.phase(`promote to ${environment.name}`);
  const { query } = deployQuery(workspace, model);
  return promoteTo(forge, query, asked, {
    merge: declared.merge,
    ports: retryPorts,
    decidedOn: environment,
    isNewer: async (other) => {
      const commit = await workspace.repository.resolve(other.commit);
      return commit !== null && workspace.repository.isAncestor(workspace.commit, commit);
    },
  });
}

type Proven = { image: ImageDocument | null; probe: ProbeDocument | null; comparison: ComparisonDocument | null };

/** Image by its key (taken or built), pushed, started by digest without network, scored, and held against production now. */
async function proveCandidate(
  promotion: Promotion,
  run: RunDocument,
  folder: string,
  outputs: string,
): Promise<Proven> {
  const { context, workspace, model, store, environment, state } = promotion;
  const engine = await engineOf(context);
  const section = await packageFolder(workspace, model, outputs);
  const built = await buildModelImage(
    context,
    engine,
    model,
    section,
    async (key) => (await store.findImage(key))?.reference ?? null,
  );
  if (built.image === null) return { image: null, probe: null, comparison: null };
  const image =
    built.image.reference === null
      ? await pushImage(engine, built.image, section.package.repository, context.progress)
      : built.image;
  await store.saveImage(image);
  if (model.evaluate === undefined) return { image, probe: null, comparison: null };
  await using session = await openTables();
  const files = await lockedFiles(workspace, model, model.evaluate.dataset);
  const dataset = await session.open({ uri: files.uri, root: files.root, name: files.uri });
  const predictionsFile = path.join(outputs, model.evaluate.predictions);
  const stage = await session.open({
    uri: path.basename(predictionsFile),
    root: path.dirname(predictionsFile),
    name: model.evaluate.predictions,
  });
  const file = path.join(folder, 'image-predictions.parquet');
  const proof = await proveImage(context, engine, session, {
    image: image.imageId,
    model,
    signature: section.signature,
    dataset,
    stage,
    file,
  });
  if (proof.probe.verdict === 'fail') return { image, probe: proof.probe, comparison: null };
  const isLast = productionEnvironment(model)?.name === environment.name;
  const comparison = await compareStage({
    context,
    session,
    store,
    engine,
    model,
    environment: environment.name,
    signature: section.signature,
    dataset: { table: dataset, digest: files.digest },
    candidate: { modelDigest: run.modelDigest, imageDigest: image.digest, predictions: proof.predictions },
    production: pointerOf(context, state, environment, await store.readPointer(model.name, environment.name)),
    productionProblem: null,
    probe: proof.probe,
    imageBytes: image.bytes,
    inconclusive: isLast ? 'block' : 'warn',
    folder,
  });
  return { image, probe: proof.probe, comparison };
}

async function candidateRecord(
  promotion: Promotion,
  run: RunDocument,
  image: ImageDocument,
  comparison: ComparisonDocument | null,
): Promise<CandidateRecord> {
  const { context, workspace, model, state } = promotion;
  if (image.reference === null || image.digest === null)
    throw new PassloopError('infrastructure', 'The image has no digest in its registry.');
  const key = await trainingKey(workspace.repository, workspace.commit, model);
  const overrides = await overridesAt(workspace.repository, workspace.commit, timestamp(context).slice(0, 10));
  const evaluation = model.evaluate;
  const predictions = run.outputs.find((output) => output.path === evaluation?.predictions)?.digest ?? null;
  return {
    schema: 'passloop/record/v1',
    identity: state.identity,
    model: model.name,
    version: await versionOf(workspace),
    modelDigest: run.modelDigest,
    image: { reference: image.reference, digest: image.digest, imageKey: image.imageKey, bytes: image.bytes },
    runKey: run.runKey,
    source: {
      repository: workspace.name,
      commit: workspace.commit,
      tree: workspace.tree,
      ref: workspace.ref,
      run: runUrl(context),
    },
    data: run.data,
    params: run.params,
    seeds: run.seeds,
    environment: run.environment,
    code: key.stages.flatMap((stage) => stage.inputs.code.map(({ path: file, digest }) => ({ path: file, digest }))),
    metrics: run.metrics,
    evaluation:
      evaluation === undefined || comparison === null || comparison.evaluationDigest === null
        ? null
        : { dataset: evaluation.dataset, rows: comparison.rows, evaluationDigest: comparison.evaluationDigest },
    predictionsDigest: predictions,
    gates: judged(comparison).map((metric) => ({
      metric: metric.name,
      slice: 'slice' in metric ? `${metric.slice.column}=${metric.slice.value}` : null,
      verdict: metric.gate,
      value: metric.candidate,
      delta: metric.delta,
      interval: metric.interval,
    })),
    overrides,
    comparedWith:
      comparison?.production?.digest == null
        ? null
        : { modelDigest: comparison.production.digest, outcome: comparison.outcome, verdict: comparison.verdict },
    reproduction: run.reproduction,
    trust: run.trust,
  };
}

/** `2026.11.22-3f9c1ab`: the commit's day and its name. */
export async function versionOf(workspace: Workspace): Promise<string> {
  const day = (
    await workspace.repository.run(['show', '-s', '--format=%cd', '--date=format-local:%Y.%m.%d', workspace.commit])
  ).trim();
  return `${day}-${workspace.commit.slice(0, 7)}`;
}

function runUrl(context: Context): string | null {
  const { GITHUB_SERVER_URL: server, GITHUB_REPOSITORY: repository, GITHUB_RUN_ID: id } = context.env;
  return server === undefined || repository === undefined || id === undefined
    ? null
    : `${server}/${repository}/actions/runs/${id}`;
}

/** What differs from the run of production's record, where its commit is here. */
async function changesSince(promotion: Promotion): Promise<Change[]> {
  const { workspace, environment, model } = promotion;
  const commit = environment.production?.record.source?.commit;
  if (commit === undefined || (await workspace.repository.resolve(commit)) === null) return [];
  try {
    const before = (await loadModelsAt(workspace.repository, commit)).find((one) => one.name === model.name);
    if (before === undefined) return [];
    return explainKeys(
      await trainingKey(workspace.repository, commit, before),
      await trainingKey(workspace.repository, workspace.commit, model),
    );
  } catch (error) {
    // The older commit may not be readable by this version: what changed is then not said, and nothing depends on it.
    if (error instanceof PassloopError) return [];
    throw error;
  }
}

function facts(run: RunDocument, probe: ProbeDocument | null): string[] {
  const said = [run.cache === 'hit' ? 'trained once, found by its key' : 'trained for this promotion'];
  if (run.reproduction !== null) said.push(`reproduced: ${run.reproduction.level}`);
  if (probe !== null) said.push('image probed');
  if (probe?.predictions?.verdict === 'pass') said.push('image predicts what the stage predicted');
  return said;
}

function judged(comparison: ComparisonDocument | null): (ComparedMetric | ComparedSlice)[] {
  return comparison === null ? [] : [...comparison.metrics, ...comparison.slices];
}

function blockedReason(comparison: ComparisonDocument): string {
  const worst = judged(comparison).filter((metric) => metric.gate === 'fail' || metric.gate === 'inconclusive');
  const said = worst.slice(0, 5).map((metric) => {
    const where = 'slice' in metric ? ` on ${metric.slice.column} = ${metric.slice.value}` : '';
    const interval = metric.interval === null ? '' : ` (${metric.interval[0]} … ${metric.interval[1]})`;
    return `${metric.name}${where} is ${metric.verdict}: ${metric.delta ?? metric.candidate ?? metric.reason ?? ''}${interval}`;
  });
  return said.length === 0 ? (comparison.reason ?? `The comparison is ${comparison.verdict}.`) : `${said.join('; ')}.`;
}

function refused(promotion: Promotion, outcome: PromotionDocument['outcome'], reason: string): PromotionDocument {
  return {
    schema: 'passloop/promotion/v1',
    outcome,
    model: promotion.model.name,
    environment: promotion.environment.name,
    change: null,
    reason,
    promotionId: null,
    recordDigest: null,
    branch: null,
    commit: null,
    pullRequest: null,
    merged: false,
    edits: [],
  };
}
