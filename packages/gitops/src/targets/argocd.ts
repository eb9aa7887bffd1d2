import { ConfigurationError, plainText } from '@passloop/core';
import type { TargetOf } from '@passloop/model';
import {
  childOf,
  descend,
  findBelow,
  itemsOf,
  itemWhere,
  type Located,
  lineOf,
  nearest,
  placeName,
  placeOf,
  rootOf,
  textAt,
} from '../address.ts';
import { editHelmImage, editImageScalar, readHelmImage, readImageScalar } from '../helm-image.ts';
import { parseReference, withImage } from '../image-reference.ts';
import { type Manifest, openManifest, selectDocument } from '../manifest.ts';
import { applyChanges, type Change, setScalar } from '../manifest-edit.ts';
import { addressText, type Carried, type TargetEditor, type TargetImage } from '../target-kind.ts';

type ArgocdTarget = TargetOf<'argocd'>;

const kinds = [{ group: 'argoproj.io', kind: 'Application' }];

/** An image of an Argo CD Application, in one of the three places where it may override one. */
export const argocd: TargetEditor<ArgocdTarget> = {
  read(text, target) {
    const manifest = openManifest(text, target.file);
    if (target.image !== undefined) return readKustomizeImage(kustomizeImage(manifest, target, target.image));
    if (target.parameter !== undefined)
      return readImageScalar(parameterValue(manifest, target, target.parameter), target.parameter);
    return readHelmImage(helmValue(manifest, target));
  },
  edit(text, target, image) {
    const manifest = openManifest(text, target.file);
    if (target.image !== undefined) {
      return applyChanges(manifest, editKustomizeImage(kustomizeImage(manifest, target, target.image), image));
    }
    if (target.parameter !== undefined) {
      const parameter = parameterValue(manifest, target, target.parameter);
      return applyChanges(manifest, ...editParameter(parameter, target.parameter, image));
    }
    return applyChanges(manifest, ...editHelmImage(helmValue(manifest, target), image));
  },
  value: (_, { digest }) => digest,
  address: ({ name, image, parameter, address }) => addressText({ name, image, parameter, address }),
};

/** The sources of an Application: `spec.source`, or each of `spec.sources`. */
function sourcesOf(manifest: Manifest, { name }: ArgocdTarget): { root: Located; sources: Located[] } {
  const root = rootOf(selectDocument(manifest, { kinds, name }));
  const sources = descend(root, 'spec', 'sources');
  const source = descend(root, 'spec', 'source');
  return { root, sources: [...(sources === null ? [] : itemsOf(sources)), ...(source === null ? [] : [source])] };
}

/** `[old=]repository[:tag][@digest]`: the string of `kustomize edit set image`. */
function kustomizeImage(manifest: Manifest, target: ArgocdTarget, image: string): Located {
  const { root, sources } = sourcesOf(manifest, target);
  const items = sources.flatMap((source) => {
    const images = descend(source, 'kustomize', 'images');
    return images === null ? [] : itemsOf(images);
  });
  const found = items.filter((item) => overrideOf(item).name === image);
  const names = items.map((item) => overrideOf(item).name);
  return one(found, root, `kustomize image ${image}`, names, `Add it to spec.source.kustomize.images: - ${image}`);
}

function overrideOf(at: Located): { old: string | null; reference: string; name: string | null } {
  const text = textAt(at) ?? '';
  const equals = text.indexOf('=');
  const old = equals < 0 ? null : text.slice(0, equals);
  const reference = text.slice(equals + 1);
  return { old, reference, name: old ?? parseReference(reference)?.repository ?? null };
}

function readKustomizeImage(at: Located): Carried {
  const reference = parsedOverride(at);
  const { digest, tag } = reference;
  return { value: digest, digest, tag, pulls: reference.repository };
}

function editKustomizeImage(at: Located, image: TargetImage): Change {
  const { old } = overrideOf(at);
  // kustomize takes a digest or a tag here, and with both it writes both.
  const pinned = withImage({ ...parsedOverride(at), tag: null }, image);
  return setScalar(at, old === null ? pinned : `${old}=${pinned}`);
}

function parsedOverride(at: Located) {
  const { reference } = overrideOf(at);
  const parsed = parseReference(reference);
  if (parsed !== null && parsed.scheme === '') return parsed;
  throw new ConfigurationError(`${placeName(at)} is ${JSON.stringify(plainText(reference, 120))}, which is no image.`, {
    ...placeOf(at),
    hint: 'Write it as [name=]repository[:tag][@digest].',
  });
}

function parameterValue(manifest: Manifest, target: ArgocdTarget, parameter: string): Located {
  const { root, sources } = sourcesOf(manifest, target);
  const lists = sources.flatMap((source) => descend(source, 'helm', 'parameters') ?? []);
  const found = lists.flatMap((list) => itemWhere(list, 'name', parameter) ?? []);
  const names = lists.flatMap(itemsOf).map((item) => textAt(childOf(item, 'name')));
  const hint = `Add it to spec.source.helm.parameters: - {name: ${parameter}, value: ""}`;
  const entry = one(found, root, `Helm parameter ${parameter}`, names, hint);
  const value = childOf(entry, 'value');
  if (value !== null) return value;
  throw new ConfigurationError(`${placeName(entry)} has no value.`, { ...placeOf(entry), hint: 'Add `value: ""`.' });
}

/** A digest, and the tag beside it where there is one. */
function editParameter(at: Located, parameter: string, image: TargetImage): Change[] {
  const changes = [editImageScalar(at, parameter, image)];
  const list = at.parent?.parent ?? null;
  if (list === null || image.tag === null || !/digest$/i.test(parameter)) return changes;
  const beside = itemWhere(list, 'name', parameter.replace(/digest$/i, 'tag'));
  const tag = beside === null ? null : childOf(beside, 'value');
  return tag === null ? changes : [...changes, setScalar(tag, image.tag)];
}

function helmValue(manifest: Manifest, target: ArgocdTarget): Located {
  const { root, sources } = sourcesOf(manifest, target);
  const values = sources.flatMap((source) => descend(source, 'helm', 'valuesObject') ?? []);
  const isText = sources.some((source) => descend(source, 'helm', 'values') !== null);
  const hint = isText
    ? '`helm.values` is one text, in which nothing can be addressed: write it as `helm.valuesObject`.'
    : 'It has no spec.source.helm.valuesObject.';
  return findBelow(one(values, root, 'helm.valuesObject', [], hint), target.address ?? 'image');
}

function one(
  found: readonly Located[],
  root: Located,
  what: string,
  names: readonly (string | null)[],
  missing: string,
): Located {
  const [first, second] = found;
  if (first === undefined) {
    const near = nearest(
      what.split(' ').at(-1) ?? '',
      names.flatMap((name) => name ?? []),
    ).slice(0, 10);
    throw new ConfigurationError(`${placeName(root)} has no ${plainText(what)}.`, {
      ...placeOf(root),
      hint: near.length === 0 ? missing : `It has: ${plainText(near.join(', '), 500)}.`,
    });
  }
  if (second === undefined) return first;
  const lines = found.map((at) => `line ${lineOf(at)}`).join(', ');
  throw new ConfigurationError(`${placeName(root)} has ${found.length} of ${plainText(what)}: ${lines}.`, {
    ...placeOf(second),
    hint: 'Keep one of them: which of the sources wins is an accident.',
  });
}
