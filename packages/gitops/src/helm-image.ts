import { ConfigurationError, isDigest, plainText } from '@passloop/core';
import { isMap } from 'yaml';
import { childOf, type Located, placeName, placeOf, textAt } from './address.ts';
import { editReference, readReference } from './image-reference.ts';
import { type Change, setScalar } from './manifest-edit.ts';
import type { Carried, TargetImage } from './target-kind.ts';

/**
 * An image in the values of a chart: a map of `registry`, `repository`, `tag` and `digest` as charts know it, or a scalar. What
 * stands there says what the chart reads; nothing is added to it.
 */
export function readHelmImage(at: Located): Carried {
  if (!isMap(at.node)) return readImageScalar(at, String(at.path.at(-1)));
  const { digest, tag, registry, repository } = partsOf(at);
  const [name, pinned] = splitTag(textAt(tag));
  const found = digestOf(digest) ?? pinned;
  const path = textAt(repository);
  const host = textAt(registry);
  return {
    value: found,
    digest: found,
    tag: name,
    pulls: path === null || path === '' ? null : host === null || host === '' ? path : `${host}/${path}`,
  };
}

/** Tag and digest together: a tag of the image before beside the new digest would tell a lie. */
export function editHelmImage(at: Located, image: TargetImage): Change[] {
  if (!isMap(at.node)) return [editImageScalar(at, String(at.path.at(-1)), image)];
  const { digest, tag } = partsOf(at);
  if (digest !== null) {
    digestOf(digest);
    const changes = [setScalar(digest, image.digest)];
    if (tag !== null && image.tag !== null) changes.push(setScalar(tag, image.tag));
    return changes;
  }
  if (tag !== null) return [setScalar(tag, pinnedTag(textAt(tag), image))];
  throw new ConfigurationError(`${placeName(at)} has neither tag nor digest.`, {
    ...placeOf(at),
    hint: 'Add `digest: ""` where the chart reads one, else `tag: ""`: only the chart knows which it renders.',
  });
}

/**
 * A scalar that holds the image or a part of it: by its name a digest or a tag, else by what stands there, else a reference.
 * @param name the key of a value, or the name of a parameter: `image.tag`
 */
export function readImageScalar(at: Located, name: string): Carried {
  const form = formOf(name, textAt(at));
  if (form === 'reference') return readReference(at);
  const [tag, digest] = form === 'digest' ? [null, digestOf(at)] : splitTag(textAt(at));
  return { value: digest, digest, tag, pulls: null };
}

export function editImageScalar(at: Located, name: string, image: TargetImage): Change {
  const form = formOf(name, textAt(at));
  if (form === 'reference') return editReference(at, image);
  if (form === 'tag') return setScalar(at, pinnedTag(textAt(at), image));
  digestOf(at);
  return setScalar(at, image.digest);
}

function formOf(name: string, value: string | null): 'digest' | 'reference' | 'tag' {
  if (/digest$/i.test(name)) return 'digest';
  if (/tag$/i.test(name)) return 'tag';
  return value !== null && isDigest(value) ? 'digest' : 'reference';
}

/** `TAG@sha256:…`, which every chart that writes `repository:tag` renders into a valid reference. */
function pinnedTag(current: string | null, image: TargetImage): string {
  const [name, digest] = splitTag(current);
  if (image.tag !== null) return `${image.tag}@${image.digest}`;
  // Without a known tag, one that says the same as the digest: nothing pulls by it.
  const own = digest === image.digest && name !== null ? name : `sha256-${image.digest.slice(7, 19)}`;
  return `${own}@${image.digest}`;
}

function splitTag(text: string | null): [tag: string | null, digest: string | null] {
  if (text === null || text === '') return [null, null];
  const at = text.indexOf('@');
  if (at < 0 || !isDigest(text.slice(at + 1))) return [text, null];
  return [text.slice(0, at) || null, text.slice(at + 1)];
}

/** @throws ConfigurationError where it holds something else */
function digestOf(at: Located | null): string | null {
  const text = textAt(at);
  if (at === null || text === null || text === '') return null;
  if (isDigest(text)) return text;
  throw new ConfigurationError(`${placeName(at)} is ${JSON.stringify(plainText(text, 120))}, which is no digest.`, {
    ...placeOf(at),
    hint: 'Write sha256:<64 hex>, or leave it empty.',
  });
}

function partsOf(at: Located) {
  return {
    digest: childOf(at, 'digest'),
    tag: childOf(at, 'tag'),
    registry: childOf(at, 'registry'),
    repository: childOf(at, 'repository'),
  };
}
