import { type Digest, sha256 } from '@passloop/core';
import type { ImageDocument } from '@passloop/documents';
import { fromRoot, type LoadedModel } from '@passloop/model';
import { imageKey, readRuntime, recipeVersion } from '@passloop/packaging';
import type { Workspace } from './workspace.ts';

/** What a commit says of the image of a model, before anything is built. */
export type ImageIdentity = Pick<
  ImageDocument,
  | 'model'
  | 'imageKey'
  | 'modelDigest'
  | 'signatureDigest'
  | 'serveLockDigest'
  | 'base'
  | 'platform'
  | 'runtime'
  | 'recipe'
>;

/** The image that a commit gives a model, without building it; null where the model isn't packaged. */
export async function imageIdentityOf(
  workspace: Workspace,
  model: LoadedModel,
  modelDigest: Digest,
): Promise<ImageIdentity | null> {
  const section = model.package;
  if (section === undefined) return null;
  const [lock, signature] = [
    await workspace.repository.readFile(workspace.commit, fromRoot(model, section.requirements)),
    await workspace.repository.readFile(workspace.commit, fromRoot(model, section.signature)),
  ];
  if (lock === null || signature === null) return null;
  const { version, digest } = await readRuntime();
  const digests = { modelDigest, serveLockDigest: sha256(lock), signatureDigest: sha256(signature) };
  return {
    model: model.name,
    imageKey: imageKey({ model: model.name, package: section, ...digests, runtime: { version, digest } }),
    ...digests,
    base: section.base,
    platform: section.platforms[0] ?? 'linux/amd64',
    runtime: version,
    recipe: recipeVersion,
  };
}

/** The key of the image that a commit gives a model; null where the model isn't packaged. */
export async function imageKeyOf(
  workspace: Workspace,
  model: LoadedModel,
  modelDigest: Digest,
): Promise<string | null> {
  return (await imageIdentityOf(workspace, model, modelDigest))?.imageKey ?? null;
}
