import { ConfigurationError, isDigest, plainText } from '@passloop/core';
import { isMap, isScalar, isSeq } from 'yaml';
import { childOf, itemsOf, type Located, lineOf, nearest, placeOf, readingAt, rootOf, textAt } from './address.ts';
import { fieldsOf, type Manifest, onlyDocument, openManifest } from './manifest.ts';
import { applyChanges, type Change, insertKey, remove, replacePair, setScalar } from './manifest-edit.ts';
import { isFlowScalar } from './yaml-edit.ts';

/**
 * The `images` entry of a kustomization (kustomize.config.k8s.io: `name`, `newName`, `newTag`, `digest`, `tagSuffix`).
 * kustomize writes `name:tag@digest` when both are set, so an entry keeps one of them.
 */
export type KustomizeImage = { digest: string | null; tag: string | null; newName: string | null };

/** @throws ConfigurationError with file, line, and the names which the file does have */
export function readImage(text: string, image: string, file = 'kustomization.yaml'): KustomizeImage {
  return imageOf(imageEntry(kustomizationImages(openManifest(text, file), image), image));
}

/**
 * Sets the digest of one image and removes its tag; not one byte beside them changes. A tag without a digest becomes the
 * digest in its place; an entry with neither gets a line below its name.
 * @param digest `sha256:<64 hex>`
 * @returns the new text, and what stood there
 * @throws ConfigurationError where the entry is missing, ambiguous, or written in a way that can't be edited alone
 */
export function editImageDigest(
  text: string,
  { image, digest }: { image: string; digest: string },
  file = 'kustomization.yaml',
): { text: string; before: KustomizeImage } {
  requireDigest(digest);
  const manifest = openManifest(text, file);
  const entry = imageEntry(kustomizationImages(manifest, image), image);
  const before = imageOf(entry);
  return { text: applyChanges(manifest, ...imageChanges(entry, digest)), before };
}

export function requireDigest(digest: string): void {
  if (isDigest(digest)) return;
  throw new ConfigurationError(`${JSON.stringify(plainText(digest))} is no digest.`, {
    hint: 'Name the image by digest, sha256:<64 hex>: a tag can be moved to another image.',
  });
}

/** The changes that leave an entry with the digest alone. */
export function imageChanges(entry: Located, digest: string): Change[] {
  const written = childOf(entry, 'digest');
  const tag = childOf(entry, 'newTag');
  if (written === null && tag === null) return [insertKey(entry, 'digest', digest, 'name')];
  if (tag === null) return [setScalar(written as Located, digest)];
  if (written === null) return [replacePair(tag, 'digest', digest)];
  // The pair that stays is the first of the map when one of them is: a removed line never carries the entry's dash.
  if (tag.position !== 0) return [setScalar(written, digest), remove(tag)];
  return [remove(written), replacePair(tag, 'digest', digest)];
}

export function imageOf(entry: Located): KustomizeImage {
  return {
    digest: textAt(childOf(entry, 'digest')),
    tag: textAt(childOf(entry, 'newTag')),
    newName: textAt(childOf(entry, 'newName')),
  };
}

function kustomizationImages(manifest: Manifest, image: string): Located {
  const document = onlyDocument(manifest);
  const { file } = manifest;
  const { kind } = document;
  if (kind !== null && kind !== 'Kustomization' && kind !== 'Component') {
    throw new ConfigurationError(`${file} is a ${plainText(kind)}, not a Kustomization.`, { file });
  }
  const images = childOf(rootOf(document), 'images');
  if (images === null) throw missingImage(file, image, []);
  return images;
}

/** The entry of a kustomize `images` list by its name. @throws ConfigurationError where it is missing or ambiguous */
export function imageEntry(images: Located, image: string): Located {
  const { file } = images.document.manifest;
  if (isScalar(images.node) && images.node.value === null) throw missingImage(file, image, []);
  if (!isSeq(images.node)) {
    throw new ConfigurationError(`${file}: \`images\` must be a list.`, {
      ...placeOf(images),
      hint: 'An alias there is not followed.',
    });
  }
  const entries = itemsOf(images).filter((item) => isMap(item.node));
  const names = entries.map((entry) => fieldsOf(readingAt(entry)).name);
  const found = entries.filter((entry, index) => {
    if (names[index] !== image) return false;
    return (
      isMap(entry.node) &&
      entry.node.items.some((pair) => isScalar(pair.key) && pair.key.value === 'name' && isFlowScalar(pair.value))
    );
  });
  const [entry, second] = found;
  if (entry === undefined) {
    throw missingImage(
      file,
      image,
      names.flatMap((name) => (name === undefined ? [] : [String(name)])),
    );
  }
  if (second !== undefined) {
    const lines = found.map((one) => `line ${lineOf(one)}`).join(', ');
    throw new ConfigurationError(`${file} has ${found.length} images entries named ${image}: ${lines}.`, {
      ...placeOf(second),
      hint: 'Keep one of them: which of them wins is an accident.',
    });
  }
  return entry;
}

function missingImage(file: string, image: string, names: readonly string[]): ConfigurationError {
  const listed = nearest(
    image,
    names.map((name) => plainText(name, 128)),
  );
  const [near] = listed;
  return new ConfigurationError(
    near === undefined
      ? `${file} has no images entry named ${image}; it has none at all.`
      : `${file} has no images entry named ${image}. It has: ${listed.slice(0, 20).join(', ')}.`,
    {
      file,
      hint:
        near === undefined
          ? `Add it:\nimages:\n  - name: ${image}`
          : `Did you mean ${near}? \`image\` of the target must equal the entry's \`name\`.`,
    },
  );
}
