import type { ProductionPointer, RunDocument } from '@passloop/documents';
import { type LoadedModel, productionEnvironment } from '@passloop/model';
import type { Store } from '@passloop/record';
import { type Evaluation, type PartContext, type Scored, scoredByStage } from './candidate-part.ts';
import { notReached, type Parts, withMissing } from './check-parts.ts';
import { compareStage } from './compare-stage.ts';
import type { Context } from './context.ts';
import { checkPolicy } from './gate-policy.ts';

/** Production, as the store knows it for the environment that counts. */
export type KnownProduction = {
  environment: string | null;
  pointer: ProductionPointer | null;
  /** Why what is known doesn't count. */
  problem: string | null;
};

/** What the store knows of production; knowledge that is too old is as good as none. */
export async function readProduction(context: Context, store: Store, model: LoadedModel): Promise<KnownProduction> {
  const environment = productionEnvironment(model)?.name ?? null;
  const nothing = { environment, pointer: null, problem: null };
  if (environment === null || model.deploy === undefined) return nothing;
  const pointer = await store.readPointer(model.name, environment);
  if (pointer === null) return nothing;
  const hours = (context.now().getTime() - Date.parse(pointer.at)) / 3_600_000;
  const limit = ageInHours(model.evaluate?.maxAge ?? '30d');
  if (hours <= limit) return { environment, pointer, problem: null };
  return {
    environment,
    pointer,
    problem: `What is known of production is ${Math.round(hours / 24)} days old (allowed: ${model.evaluate?.maxAge}): run \`passloop promote\` on the default branch, which refreshes it.`,
  };
}

function ageInHours(age: string): number {
  return Number(age.slice(0, -1)) * (age.endsWith('d') ? 24 : 1);
}

/** A model that is held has nothing to prove: no image is built for it, and nothing is scored. */
export function isHeld(known: KnownProduction, run: RunDocument): boolean {
  return known.problem === null && known.pointer?.held.includes(run.modelDigest) === true;
}

export async function heldPart(part: PartContext, parts: Parts, request: Omit<Comparison, 'scored'>): Promise<Parts> {
  const compared = await comparePart(part, parts, { ...request, scored: scoredByStage(request.evaluation) });
  return withMissing(compared, notReached(['image'], 'the model is held'));
}

export type Comparison = {
  store: Store;
  known: KnownProduction;
  run: RunDocument;
  evaluation: Evaluation;
  scored: Scored;
};

/** Holds a candidate's predictions against production's. */
export async function comparePart(part: PartContext, parts: Parts, request: Comparison): Promise<Parts> {
  const { context, session, engine, check, out } = part;
  const { store, known, run, evaluation, scored } = request;
  const { image } = parts;
  // A key that the store does not know is an image that production cannot have: its own id says that it is another one.
  const imageDigest = image === null ? null : ((await store.findImage(image.imageKey))?.digest ?? image.imageId);
  const comparison = await compareStage({
    context,
    session,
    store,
    model: check.model,
    environment: known.environment,
    production: known.pointer,
    productionProblem: known.problem,
    policy: checkPolicy(check.model),
    scoredBy: scored.scoredBy,
    engine: () => engine.open(),
    signature: scored.signature,
    dataset: evaluation.dataset,
    candidate: {
      modelDigest: run.modelDigest,
      imageDigest,
      image: scored.image,
      predictions: scored.predictions,
      metrics: run.metrics,
    },
    probe: parts.probe,
    imageBytes: image?.bytes ?? null,
    folder: out.folder,
  });
  await out.write('comparison', comparison);
  return { ...parts, comparison, outcome: comparison.outcome };
}
