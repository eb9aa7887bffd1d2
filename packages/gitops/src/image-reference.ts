import { ConfigurationError, isDigest, plainText } from '@passloop/core';
import { type Located, placeName, placeOf, textAt } from './address.ts';
import { type Change, setScalar } from './manifest-edit.ts';
import type { Carried, TargetImage } from './target-kind.ts';

/** `[scheme]repository[:tag][@digest]`, such as `oci://ghcr.io/acme/flight@sha256:…`. */
export type ImageReference = { scheme: string; repository: string; tag: string | null; digest: string | null };

export function parseReference(text: string): ImageReference | null {
  if (text.length > 1024) return null;
  const found =
    /^((?:oci|oci\+native|docker):\/\/)?((?:[a-zA-Z0-9.-]+(?::\d{1,5})?\/)?[a-zA-Z0-9._/-]+)(?::(\w[\w.-]{0,127}))?(?:@(\S+))?$/.exec(
      text,
    );
  if (found === null) return null;
  const [, scheme = '', repository = '', tag, digest] = found;
  if (digest !== undefined && !isDigest(digest)) return null;
  return { scheme, repository, tag: tag ?? null, digest: digest ?? null };
}

/** With the image in it, at the repository that stands there: a mirror stays a mirror. A tag stays only beside a digest, as the new one's. */
export function withImage(reference: ImageReference, image: TargetImage): string {
  const tag = reference.tag !== null && reference.digest !== null ? image.tag : null;
  return `${reference.scheme}${reference.repository}${tag === null ? '' : `:${tag}`}@${image.digest}`;
}

/** @throws ConfigurationError where the scalar is no image reference */
export function referenceAt(at: Located): ImageReference | null {
  const text = textAt(at);
  if (text === null || text === '') return null;
  const reference = parseReference(text);
  if (reference !== null) return reference;
  throw new ConfigurationError(
    `${placeName(at)} is ${JSON.stringify(plainText(text, 120))}, which is no image reference.`,
    {
      ...placeOf(at),
      hint: 'It should read repository, repository:tag or repository@sha256:…, with oci:// in front of a storageUri.',
    },
  );
}

export function readReference(at: Located): Carried {
  const reference = referenceAt(at);
  return {
    value: reference?.digest ?? null,
    digest: reference?.digest ?? null,
    tag: reference?.tag ?? null,
    pulls: reference?.repository ?? null,
  };
}

export function editReference(at: Located, image: TargetImage): Change {
  return setScalar(at, referenceText(at, image));
}

/**
 * What shall stand there.
 * @throws ConfigurationError where nothing stands there, and the image's repository isn't known
 */
export function referenceText(at: Located, image: TargetImage): string {
  const reference = referenceAt(at);
  if (reference !== null) {
    // The same image by another tag of it: a tag that isn't known here says nothing wrong.
    const isThere = reference.digest === image.digest;
    const isRight = reference.tag === null || image.tag === null || reference.tag === image.tag;
    return isThere && isRight ? (textAt(at) ?? '') : withImage(reference, image);
  }
  if (image.repository !== null) return `${image.repository}@${image.digest}`;
  throw new ConfigurationError(`${placeName(at)} is empty, and the image's repository isn't known.`, {
    ...placeOf(at),
    hint: 'Write the repository there once, or give the whole reference name@sha256:….',
  });
}
