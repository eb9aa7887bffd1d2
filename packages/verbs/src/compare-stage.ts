import path from 'node:path';
import { fromDecimal, PassloopError, plainText, shortDigest } from '@passloop/core';
import type { ComparisonDocument, Outcome, ProbeDocument, ProductionPointer, RunDocument } from '@passloop/documents';
import { allGates, type CompareRequest, compareModels, decideOutcome, evidenceOfTables } from '@passloop/evaluation';
import type { LoadedModel, Signature } from '@passloop/model';
import { unpairedGates } from '@passloop/model';
import { type Engine, type Scores, scoreByImage, writePredictions } from '@passloop/packaging';
import type { Store } from '@passloop/record';
import type { Table, TableSession } from '@passloop/tables';
import { measureImages } from './compare-images.ts';
import type { Context } from './context.ts';
import type { GatePolicy } from './gate-policy.ts';
import { productionImage, signatureColumns } from './production-image.ts';

/** What is in production, as the comparison needs it. */
export type Production = Pick<
  ProductionPointer,
  'modelDigest' | 'imageDigest' | 'imageReference' | 'imageBytes' | 'runKey' | 'at' | 'evaluatedOn' | 'history' | 'held'
>;

export type CompareStage = {
  context: Context;
  session: TableSession;
  store: Store;
  /** `stage`: both sides are compared by their stages' predictions, because no engine answers or the model file says so. */
  scoredBy: 'image' | 'stage';
  /** Asked for only where production's image must score rows, or be timed. */
  engine: () => Promise<Engine>;
  model: LoadedModel;
  environment: string | null;
  signature: Signature | null;
  dataset: { table: Table; digest: string };
  /** `imageDigest`: null where no image was built; an image that no registry has yet is named by its id. */
  candidate: {
    modelDigest: string;
    imageDigest: string | null;
    /** What the engine starts; null where the image isn't here. */
    image: string | null;
    predictions: string;
    /** What its run wrote into `evaluate.metrics`. */
    metrics: RunDocument['metrics'];
  };
  production: Production | null;
  /** Why nothing is known of production, where that is not simply because there is none. */
  productionProblem: string | null;
  probe: ProbeDocument | null;
  imageBytes: number | null;
  policy: GatePolicy;
  /** Folder for what is fetched and scored. */
  folder: string;
};

/** The outcome first, then, where it needs rows, both models' predictions on the same ones. */
export async function compareStage(stage: CompareStage): Promise<ComparisonDocument> {
  const { model, production } = stage;
  const { scoredBy } = stage;
  const outcome: Outcome =
    stage.productionProblem !== null
      ? 'not-comparable'
      : decideOutcome({
          candidate: stage.candidate,
          production,
          held: new Set(production?.held ?? []),
          history: new Set((production?.history ?? []).map((entry) => entry.modelDigest)),
        });
  const base = {
    ...stage.policy,
    candidate: { digest: stage.candidate.modelDigest, scoredBy },
    production: production === null ? null : { digest: production.modelDigest, scoredBy },
    scalars: await measureImages(stage, outcome),
    resampling: { resamples: model.evaluate?.resamples ?? 2000, seed: model.evaluate?.seed ?? 7, level: 0.95 },
  };
  if (outcome === 'not-comparable') {
    // Nobody knows how the candidate stands: that is no pass, and no evidence against it either.
    return {
      ...compareModels({ ...base, outcome, reason: stage.productionProblem, frame: null }),
      verdict: 'inconclusive',
    };
  }
  if (outcome === 'held') {
    return compareModels({
      ...base,
      outcome,
      reason: `Model ${shortDigest(stage.candidate.modelDigest)} is held in production. \`passloop status\` tells by whom and why.`,
      frame: null,
    });
  }
  if (outcome === 'unchanged' || outcome === 'same-model')
    return compareModels({ ...base, outcome, reason: null, frame: null });
  try {
    const unpaired = await unpairedNumbers(stage);
    const isAlone = outcome === 'first' || model.evaluate?.baseline === 'metrics';
    const predictions = isAlone ? null : await productionPredictions(stage);
    return compareModels({ ...base, outcome, reason: null, unpaired, frame: await frameOf(stage, base, predictions) });
  } catch (error) {
    // What production or the candidate predicted cannot be joined with the rows: said, and never a pass.
    if (!(error instanceof PassloopError) || outcome === 'first') throw error;
    const reason = plainText(`${error.message}${error.hint === null ? '' : ` ${error.hint}`}`, 2000);
    // One goes back because production is broken. That it cannot be scored any more must not stop that.
    const frame = outcome === 'rollback' ? await candidateFrame(stage, base) : null;
    if (frame !== null) {
      return compareModels({ ...base, outcome, reason: `Production could not be scored: ${reason}`, frame });
    }
    return compareModels({ ...base, outcome: 'not-comparable', reason, frame: null });
  }
}

/** The numbers of what is compared by metrics files here: the candidate's from its run, production's from the run that made it. */
async function unpairedNumbers(stage: CompareStage): Promise<CompareRequest['unpaired']> {
  const { model, policy, production, store, candidate } = stage;
  const asked = new Set(allGates(policy).map(({ metric }) => metric));
  const gates = [...unpairedGates(model)].filter(([metric]) => asked.has(metric));
  if (gates.length === 0) return {};
  const source = model.evaluate?.metrics ?? 'metrics file';
  const numberIn = (metrics: RunDocument['metrics'], name: string) => {
    const found = metrics.find((metric) => metric.name === name);
    return found === undefined ? null : fromDecimal(found.value);
  };
  let before: RunDocument['metrics'] = [];
  if (production !== null) {
    if (production.runKey === null) throw noPredictions('the run that made it is not known');
    before = (await store.restoreRun(production.runKey, path.join(stage.folder, 'production-run'))).metrics;
  }
  return Object.fromEntries(
    gates.map(([gate, { name, candidate: from }]) => [
      gate,
      {
        production: numberIn(before, name),
        candidate: from === 'rows' ? ('rows' as const) : numberIn(candidate.metrics, name),
        name,
        source,
      },
    ]),
  );
}

/** The candidate's rows alone; null where these can't be had either. */
async function candidateFrame(stage: CompareStage, asked: Asked): Promise<CompareRequest['frame']> {
  try {
    return await frameOf(stage, asked, null);
  } catch (error) {
    if (error instanceof PassloopError) return null;
    throw error;
  }
}

type Asked = Pick<CompareRequest, 'gates' | 'environments' | 'resampling'>;

async function frameOf(stage: CompareStage, asked: Asked, production: Table | null): Promise<CompareRequest['frame']> {
  const { session, model, dataset } = stage;
  const candidate = await session.open({
    uri: path.basename(stage.candidate.predictions),
    root: path.dirname(stage.candidate.predictions),
    name: "the candidate's predictions",
  });
  return evidenceOfTables({
    session,
    task: model.task,
    columns: model.columns,
    gates: allGates(asked),
    resampling: asked.resampling,
    declared: model.metrics,
    dataset: dataset.table,
    production,
    candidate,
  });
}

/**
 * Production's predictions on these rows: the ones that were stored when it was promoted, if they were made on the same
 * dataset; else its image scores the rows now. By stage, those of the run that made it.
 */
async function productionPredictions(stage: CompareStage): Promise<Table> {
  const { session, store, model, production, environment, context } = stage;
  if (production === null || environment === null) throw new Error('production was asked for, and there is none');
  const open = (file: string) =>
    session.open({ uri: path.basename(file), root: path.dirname(file), name: "production's predictions" });
  const folder = path.join(stage.folder, 'production');
  if (stage.scoredBy === 'stage') {
    if (production.runKey === null || model.evaluate === undefined)
      throw noPredictions('the run that made it is not known');
    const { predictions } = model.evaluate;
    await store.restoreRun(production.runKey, folder);
    return open(path.join(folder, predictions));
  }
  if (production.evaluatedOn === stage.dataset.digest) {
    const stored = await store.restorePredictions(model.name, environment, folder);
    if (stored !== null) return open(stored.file);
  }
  if (stage.signature === null) throw noPredictions('there is no signature to ask it with');
  context.progress.phase("score by production's image");
  const key = model.columns.key;
  const scores = await scoreByProduction(stage, production, stage.signature).catch((error: unknown) => {
    if (!(error instanceof PassloopError)) throw error;
    // Two images are asked in a check: a reader must not look for the candidate's fault.
    const { code, hint } = error;
    const message = `Production's image did not score these rows: ${error.message}`;
    const other =
      'If what the model is asked has changed for good, `evaluate.baseline: metrics` compares numbers, unpaired.';
    throw new PassloopError(code, message, { hint: hint ?? other, cause: error });
  });
  const file = path.join(folder, 'predictions.parquet');
  await writePredictions(session, stage.dataset.table, {
    key,
    signature: stage.signature,
    predictions: scores.columns,
    file,
  });
  return open(file);
}

async function scoreByProduction(stage: CompareStage, production: Production, signature: Signature): Promise<Scores> {
  const { context, model } = stage;
  const engine = await stage.engine();
  await productionImage(engine, production, context.progress);
  return scoreByImage({
    engine,
    image: production.imageReference,
    model: model.name,
    signature,
    columns: await signatureColumns(stage, signature),
    withheld: [model.columns.label],
    progress: context.progress,
  });
}

function noPredictions(why: string): PassloopError {
  return new PassloopError('infrastructure', `Production's predictions cannot be had: ${why}.`);
}
