import {
  ConfigurationError,
  type Digest,
  InfrastructureError,
  lastLine,
  type Progress,
  plainText,
} from '@passloop/core';
import type { ImageDocument } from '@passloop/documents';
import { z } from 'zod';
import { type Engine, parseJson } from './engine.ts';
import { inspectImage, pullImage, registryHint } from './image-facts.ts';
import { isLoopbackRegistry, parseImageName } from './image-name.ts';
import { imageLabels } from './recipe.ts';

/** A manifest in a registry: its digest, and that of the configuration it names (the engine's image id). */
export type PushedManifest = { reference: string; digest: Digest; configDigest: Digest };

const Entry = z.object({
  Descriptor: z.object({
    digest: z.string().regex(/^sha256:[0-9a-f]{64}$/),
    platform: z.object({ os: z.string(), architecture: z.string() }).nullish(),
  }),
  SchemaV2Manifest: z.object({ config: z.object({ digest: z.string() }) }).nullish(),
  OCIManifest: z.object({ config: z.object({ digest: z.string() }) }).nullish(),
});

/**
 * What a registry has under a tag; no layer is fetched.
 * @returns null where it has nothing there
 * @throws InfrastructureError where it refuses or doesn't answer
 */
export async function findManifest(engine: Engine, image: string, platform: string): Promise<PushedManifest | null> {
  const name = parseImageName(image);
  const insecure = isLoopbackRegistry(name.registry) ? ['--insecure'] : [];
  const args = ['manifest', 'inspect', '--verbose', ...insecure, image];
  const result = await engine.attempt(args, { timeoutMs: 60_000 });
  if (!result.ok) {
    const reason = lastLine(Buffer.from(result.stderr));
    if (/no such manifest|manifest unknown|name unknown|not found/i.test(reason)) return null;
    throw new InfrastructureError(`The registry did not say what it has under ${image}: ${plainText(reason, 400)}`, {
      hint: registryHint(reason),
    });
  }
  const answer = parseJson(result.stdout);
  const entries = z.array(Entry).safeParse(Array.isArray(answer) ? answer : [answer]);
  const [os, architecture] = platform.split('/');
  const entry = entries.data?.find(
    ({ Descriptor: { platform: found } }) => !found || (found.os === os && found.architecture === architecture),
  );
  const configDigest = entry?.SchemaV2Manifest?.config.digest ?? entry?.OCIManifest?.config.digest;
  if (entry === undefined || configDigest === undefined) {
    throw new InfrastructureError(`${image} is in the registry, and holds no image for ${platform}.`);
  }
  const repository = image.replace(/(?<=\/[^/]*|^[^/]*):[^/]*$/, '').replace(/@.*$/, '');
  return { reference: `${repository}@${entry.Descriptor.digest}`, digest: entry.Descriptor.digest, configDigest };
}

/**
 * Pushes an image under its key (`repository:ik1-…`). Where the registry has the key already, nothing is pushed and the answer is
 * the registry's image, since that is what others deploy.
 * @returns the document with `reference` and `digest` as the registry tells them
 */
export async function pushImage(
  engine: Engine,
  image: ImageDocument,
  repository: string,
  progress: Progress,
): Promise<ImageDocument> {
  if (parseImageName(repository).tag !== null || repository.includes('@')) {
    throw new ConfigurationError(`${repository} must be a repository, without tag or digest.`);
  }
  const target = `${repository}:${image.imageKey}`;
  const existing = await findManifest(engine, target, image.platform);
  if (existing !== null) return adopted(engine, image, existing, 'hit', progress);

  progress.phase(`push ${plainText(target)}`);
  await engine.run(['image', 'tag', image.imageId, target]);
  const timeoutMs = 60 * 60_000;
  const result = await engine.follow(['push', target], { timeoutMs });
  if (result.timedOut) throw new InfrastructureError(`docker push did not finish within ${timeoutMs / 1000} s.`);
  if (result.exitCode !== 0) {
    const reason = lastLine(result.stderr) || lastLine(result.stdout);
    throw new InfrastructureError(`docker push ${target} failed: ${plainText(reason, 400)}`, {
      hint: registryHint(reason),
    });
  }
  progress.done();
  const pushed = await findManifest(engine, target, image.platform);
  if (pushed === null) throw new InfrastructureError(`${target} was pushed, and the registry does not have it.`);
  return adopted(engine, image, pushed, image.cache, progress);
}

/** The registry's word wins: another push of the same key may have been first, or come in between. */
async function adopted(
  engine: Engine,
  image: ImageDocument,
  manifest: PushedManifest,
  cache: ImageDocument['cache'],
  progress: Progress,
): Promise<ImageDocument> {
  const pushed = { ...image, reference: manifest.reference, digest: manifest.digest, cache };
  if (manifest.configDigest === image.imageId || manifest.digest === image.imageId) return pushed;
  const facts =
    (await inspectImage(engine, manifest.reference)) ??
    (await pullImage(engine, manifest.reference, image.platform, progress));
  if (facts === null || facts.labels[imageLabels.imageKey] !== image.imageKey) {
    throw new InfrastructureError(
      `${manifest.reference} stands under the tag of ${image.imageKey}, and isn't that image.`,
      {
        hint: 'Someone pushed another image under this tag. Delete the tag, and push again.',
      },
    );
  }
  return { ...pushed, imageId: facts.id, bytes: facts.bytes };
}
