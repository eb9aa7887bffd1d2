import path from 'node:path';
import {
  ConfigurationError,
  InfrastructureError,
  insidePath,
  removeFolder,
  shortDigest,
  type Verdict,
  worstVerdict,
} from '@passloop/core';
import type { ImageDocument, ProductionPointer, ProofDocument, RunDocument } from '@passloop/documents';
import type { LoadedModel } from '@passloop/model';
import { imageLabels, pullImage } from '@passloop/packaging';
import type { Store } from '@passloop/record';
import type { Context } from './context.ts';
import { environmentNamed } from './deploy-repository.ts';
import { readHandOverKey } from './hand-over.ts';
import { imageKeyOf } from './image-key-of.ts';
import { engineOf, packageFolder } from './image-stage.ts';
import { outFolder } from './out-folder.ts';
import { scanFiles } from './package-scan.ts';
import {
  evaluationOf,
  measureCandidate,
  objection,
  refusedScan,
  unsoundData,
  validatedData,
} from './promotion-proof.ts';
import { type ProofFolder, proofFolder } from './proof-folder.ts';
import { runUrl } from './recorded-run.ts';
import { runStage } from './run-stage.ts';
import { openModelStore } from './store.ts';
import { openWorkspace, selectModel, type Workspace } from './workspace.ts';

export type ProveRequest = {
  model?: string | undefined;
  /** The commit to prove; HEAD by default. */
  ref?: string | undefined;
  /** The environment whose production it is held against; production by default. */
  environment?: string | undefined;
  out?: string | undefined;
};

/** `folder` holds the proof's documents and nothing else: no row is in it. */
export type ProofResult = { proof: ProofDocument; folder: string };

/**
 * Proves the pushed image of a commit's model against production as the store knows it, and writes what a promotion then takes:
 * documents, no rows. It trains nothing, builds nothing and pushes nothing; the deploy repository isn't read.
 * @throws ConfigurationError where the store has no run or no pushed image of this commit
 */
export async function prove(context: Context, request: ProveRequest): Promise<ProofResult> {
  const workspace = await openWorkspace(context, { ref: request.ref });
  const model = selectModel(workspace.models, request.model);
  evaluationOf(model);
  const environment = environmentNamed(model, request.environment).name;
  const store = await openModelStore(context, workspace.root, model);
  const out = outFolder(workspace.root, model.name, request.out);
  const place = path.join(out.folder, 'proof');
  await removeFolder(place);
  const documents = proofFolder(place);
  const reports = await validatedData(context, { workspace, model }, { ...out, write: documents.write });
  const run = await runStage(context, { workspace, model, store, outputs: out.outputs, train: false });
  const image = await pushedImage(workspace, model, store, run);
  const production = await store.readPointer(model.name, environment);
  await documents.write('run', run);
  await documents.write('image', image);
  const subject = { context, workspace, model, store, run, image, environment, production };
  const unsound = unsoundData(reports);
  const { verdict, reason } =
    unsound === null
      ? await measure(subject, out, documents)
      : { verdict: worstVerdict(reports.map((report) => report.verdict)), reason: unsound };
  const key = await readHandOverKey(store);
  const proof = await documents.close(
    {
      model: model.name,
      environment,
      commit: workspace.commit,
      runKey: run.runKey,
      modelDigest: run.modelDigest,
      imageKey: image.imageKey,
      imageDigest: image.digest,
      production:
        production === null
          ? null
          : {
              record: production.record,
              modelDigest: production.modelDigest,
              imageDigest: production.imageDigest,
            },
      verdict,
      reason,
      run: runUrl(context),
    },
    key?.identity ?? null,
  );
  return { proof, folder: place };
}

type PushedImage = ImageDocument & { reference: string; digest: string };

/** The image that the store knows under the key of this commit. */
async function pushedImage(
  workspace: Workspace,
  model: LoadedModel,
  store: Store,
  run: RunDocument,
): Promise<PushedImage> {
  const key = await imageKeyOf(workspace, model, run.modelDigest);
  const image = key === null ? null : await store.findImage(key);
  const { reference, digest } = image ?? {};
  if (image === null || reference == null || digest == null) {
    throw new ConfigurationError(
      `The ${store.description} has no pushed image of ${model.name} (${key ?? 'it is not packaged'}).`,
      { hint: 'Push it first: `passloop package push`, or the action package-model with `push: true`.' },
    );
  }
  return { ...image, reference, digest };
}

type Subject = {
  context: Context;
  workspace: Workspace;
  model: LoadedModel;
  store: Store;
  run: RunDocument;
  image: PushedImage;
  environment: string;
  production: ProductionPointer | null;
};

async function measure(
  subject: Subject,
  out: ReturnType<typeof outFolder>,
  documents: ProofFolder,
): Promise<{ verdict: Verdict; reason: string | null }> {
  const { context, workspace, model, image } = subject;
  const section = await packageFolder(workspace, model, out.outputs);
  const file = await insidePath(section.root, section.package.model, 'package.model');
  const scan = await scanFiles([{ path: section.package.model, file }], section.package.allow);
  await documents.write('scan', scan);
  if (scan.verdict !== 'pass') return { verdict: 'fail', reason: refusedScan };
  await using engine = await engineOf(context);
  const facts = await pullImage(engine, image.reference, image.platform, context.progress);
  if (facts === null) {
    throw new InfrastructureError(`${image.reference} is not in its registry.`, {
      hint: 'The store knows it, so it was pushed once: was it deleted? Push it again (package-model with `push: true`).',
    });
  }
  if (facts.labels[imageLabels.imageKey] !== image.imageKey) {
    throw new InfrastructureError(`${image.reference} is not the image of ${shortDigest(subject.run.modelDigest)}.`, {
      hint: `Its label ${imageLabels.imageKey} names another key than ${image.imageKey}. Delete that tag, and push again.`,
    });
  }
  const measured = await measureCandidate({
    ...subject,
    engine,
    section,
    started: image.reference,
    out: { ...out, write: documents.write },
  });
  const reason = objection(measured.probe, measured.comparison);
  const parts = [measured.probe.verdict, measured.comparison?.verdict ?? 'fail'];
  return { verdict: worstVerdict(parts), reason };
}
