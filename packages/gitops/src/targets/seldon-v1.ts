import { ConfigurationError, plainText } from '@passloop/core';
import type { TargetOf } from '@passloop/model';
import {
  childOf,
  descend,
  itemsOf,
  itemWhere,
  type Located,
  lineOf,
  nearest,
  placeName,
  placeOf,
  readingAt,
  rootOf,
  textAt,
} from '../address.ts';
import { findContainer } from '../container-image.ts';
import { editReference, readReference } from '../image-reference.ts';
import { fieldsOf, type Manifest, openManifest, selectDocument } from '../manifest.ts';
import { applyChanges } from '../manifest-edit.ts';
import type { Reading } from '../manifest-reading.ts';
import { addressText, type TargetEditor } from '../target-kind.ts';

type SeldonV1Target = TargetOf<'seldon-v1'>;

const kinds = [{ group: 'machinelearning.seldon.io', kind: 'SeldonDeployment' }];

/** The image of a graph's container in a SeldonDeployment. The operator joins the two by name. */
export const seldonV1: TargetEditor<SeldonV1Target> = {
  read: (text, target) => readReference(imageOf(openManifest(text, target.file), target).image),
  edit(text, target, image) {
    const manifest = openManifest(text, target.file);
    return applyChanges(manifest, editReference(imageOf(manifest, target).image, image));
  },
  value: (_, { digest }) => digest,
  address: ({ name, predictor, container }) => addressText({ name, predictor, container }) || 'container',
  warnings(text, target) {
    const { predictor, container } = imageOf(openManifest(text, target.file), target);
    const name = textAt(childOf(container, 'name'));
    const units = unitsOf(fieldsOf(readingAt(predictor)).graph);
    if (name === null || units.includes(name)) return [];
    return [
      `${target.file}:${lineOf(container)}: no unit of the graph is named ${plainText(name)}, so Seldon doesn't run that container as one; the graph has ${plainText(units.join(', ')) || 'none'}.`,
    ];
  },
};

function imageOf(
  manifest: Manifest,
  target: SeldonV1Target,
): { predictor: Located; container: Located; image: Located } {
  const predictor = predictorOf(manifest, target);
  const specs = childOf(predictor, 'componentSpecs');
  const pods = specs === null ? [] : itemsOf(specs).flatMap((one) => childOf(one, 'spec') ?? []);
  if (pods.length === 0) {
    throw new ConfigurationError(`${placeName(predictor)} has no componentSpecs.`, {
      ...placeOf(predictor),
      hint: 'A prepackaged server (modelUri) runs an image of Seldon, which no promotion replaces.',
    });
  }
  const container = findContainer(pods, target);
  const image = childOf(container, 'image');
  if (image !== null) return { predictor, container, image };
  throw new ConfigurationError(`${placeName(container)} has no image.`, {
    ...placeOf(container),
    hint: 'Write `image: repository` there; a promotion adds the digest.',
  });
}

function predictorOf(manifest: Manifest, target: SeldonV1Target): Located {
  const root = rootOf(selectDocument(manifest, { kinds, name: target.name }));
  const list = descend(root, 'spec', 'predictors');
  const predictors = list === null ? [] : itemsOf(list);
  const found =
    target.predictor === undefined || list === null ? predictors : [itemWhere(list, 'name', target.predictor)];
  const [first, second] = found;
  if (first != null && second === undefined) return first;
  const names = predictors.map((one) => String(fieldsOf(readingAt(one)).name));
  const listed = plainText(nearest(target.predictor ?? '', names).join(', '), 500) || 'none';
  throw new ConfigurationError(
    target.predictor === undefined
      ? `${placeName(root)} has ${predictors.length} predictors.`
      : `${placeName(root)} has no predictor named ${target.predictor}.`,
    { ...placeOf(second ?? root), hint: `Say which by \`predictor\`: ${listed}.` },
  );
}

/** The names of the units of a graph. */
function unitsOf(graph: Reading | undefined): string[] {
  const { name, children } = fieldsOf(graph);
  const below = Array.isArray(children) ? children.flatMap(unitsOf) : [];
  return typeof name === 'string' ? [name, ...below] : below;
}
