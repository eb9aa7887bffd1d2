import { canonicalJson, type Digest, sha256Hex } from '@passloop/core';
import type { Package } from '@passloop/model';
import { installer, recipeVersion } from './recipe.ts';

/** All that determines an image. What is not here must not enter one. */
export type ImageKeyParts = {
  /** Name of the model: it is in the paths under which the image answers. */
  model: string;
  modelDigest: Digest;
  package: Package;
  serveLockDigest: Digest;
  signatureDigest: Digest;
  runtime: { version: string; digest: Digest };
};

/** `ik1-<64 hex>`: sha256 over the RFC 8785 form of the parts and of the recipe's version. */
export function imageKey(parts: ImageKeyParts): string {
  const { base, platforms, ...section } = parts.package;
  const canonical = canonicalJson({
    schema: 'ik1',
    model: parts.model,
    modelDigest: parts.modelDigest,
    package: section,
    base,
    platforms,
    serveLock: parts.serveLockDigest,
    signature: parts.signatureDigest,
    runtime: parts.runtime,
    recipe: { version: recipeVersion, installer: installer.hashes },
  });
  return `ik1-${sha256Hex(canonical)}`;
}
