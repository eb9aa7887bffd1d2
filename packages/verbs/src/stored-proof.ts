import { type Digest, jsonDigest } from '@passloop/core';
import type { RunDocument } from '@passloop/documents';
import type { LoadedModel } from '@passloop/model';
import type { ProofKey, Store } from '@passloop/record';
import { storedRun } from '@passloop/training';
import { scoringOf } from './candidate-part.ts';
import { imageKeyOf } from './image-key-of.ts';
import type { PlannedCheck } from './plan.ts';
import { lockAt, type Workspace } from './workspace.ts';

/**
 * What the store has of a commit's model: nothing that helps, its run, or all that a comparison needs (`proof`: the run, and where the
 * image predicts, how it answered). A key of a model that packages nothing needs no more than the run.
 */
export type Stored = 'none' | 'run' | 'proof';

export async function storedOf(workspace: Workspace, check: PlannedCheck, store: Store): Promise<Stored> {
  const { model, key } = check;
  if (key === null || check.isRemoved) return 'none';
  const found = await store.findRun(key.runKey);
  if (found === null) return 'none';
  if (model.evaluate === undefined || scoringOf(model) === 'stage') return 'proof';
  const { repository, commit } = workspace;
  const run = await storedRun({ repository, commit, model }, found.run);
  const proofKey = await proofKeyOf(workspace, model, run);
  return proofKey !== null && (await store.findProof(proofKey)) !== null ? 'proof' : 'run';
}

/**
 * Under which key the proof of a run's image is kept: the image, and all that decides how its answers look and are judged: the locked rows, the
 * columns that are key and label, and the stage's predictions that they were held against. Null where there is no image or no evaluation.
 */
export async function proofKeyOf(workspace: Workspace, model: LoadedModel, run: RunDocument): Promise<ProofKey | null> {
  const { evaluate } = model;
  const imageKey = await imageKeyOf(workspace, model, run.modelDigest);
  if (imageKey === null || evaluate === undefined) return null;
  const uri = model.data[evaluate.dataset]?.path;
  const lock = await lockAt(workspace.repository, workspace.commit, model);
  const rows: Digest | undefined = lock?.datasets.find((dataset) => dataset.uri === uri)?.digest;
  const stage = run.outputs.find((output) => output.path === evaluate.predictions)?.digest;
  if (rows === undefined || stage === undefined) return null;
  const { key, label } = model.columns;
  return { imageKey, evaluation: jsonDigest({ schema: 'evaluation/1', rows, key, label, stage }) };
}
