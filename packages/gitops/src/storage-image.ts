import { ConfigurationError, plainText } from '@passloop/core';
import { type Located, placeName, placeOf, textAt } from './address.ts';
import { editReference, readReference, referenceAt } from './image-reference.ts';
import type { Change } from './manifest-edit.ts';
import type { Carried, TargetImage } from './target-kind.ts';

/** A `storageUri` that names an image: `oci://` or `oci+native://`. */
export function readStorage(at: Located): Carried {
  requireImage(at);
  return readReference(at);
}

export function editStorage(at: Located, image: TargetImage): Change {
  requireImage(at);
  return editReference(at, image);
}

export function requireImage(at: Located): void {
  const text = textAt(at) ?? '';
  if (/^oci(?:\+native)?:\/\//.test(text) && referenceAt(at) !== null) return;
  throw new ConfigurationError(`${placeName(at)} is ${JSON.stringify(plainText(text, 120))}, which names no image.`, {
    ...placeOf(at),
    hint: 'Only a model in an image has a digest: write oci://repository, without the digest for the first time.',
  });
}
