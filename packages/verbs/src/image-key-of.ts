import { sha256 } from '@passloop/core';
import { fromRoot, type LoadedModel } from '@passloop/model';
import { imageKey, readRuntime } from '@passloop/packaging';
import type { Workspace } from './workspace.ts';

/** The key of the image that a commit gives a model, without building it; null where the model isn't packaged. */
export async function imageKeyOf(
  workspace: Workspace,
  model: LoadedModel,
  modelDigest: string,
): Promise<string | null> {
  const section = model.package;
  if (section === undefined) return null;
  const [lock, signature] = [
    await workspace.repository.readFile(workspace.commit, fromRoot(model, section.requirements)),
    await workspace.repository.readFile(workspace.commit, fromRoot(model, section.signature)),
  ];
  if (lock === null || signature === null) return null;
  const { version, digest } = await readRuntime();
  return imageKey({
    model: model.name,
    modelDigest,
    package: section,
    serveLockDigest: sha256(lock),
    signatureDigest: sha256(signature),
    runtime: { version, digest },
  });
}
