import { ConfigurationError, plainText } from '@passloop/core';
import type { TargetOf } from '@passloop/model';
import {
  descend,
  itemsOf,
  itemWhere,
  type Located,
  nearest,
  placeName,
  placeOf,
  readingAt,
  rootOf,
} from '../address.ts';
import { fieldsOf, type Manifest, openManifest, selectDocument } from '../manifest.ts';
import { applyChanges } from '../manifest-edit.ts';
import { editStorage, readStorage } from '../storage-image.ts';
import { addressText, type TargetEditor } from '../target-kind.ts';
import { editWeights, shareOf, weightsOf } from '../traffic-weights.ts';

type SeldonV2Target = TargetOf<'seldon-v2'>;

const group = 'mlops.seldon.io';

/** The storageUri of a Model, or the weight of one candidate of an Experiment. */
export const seldonV2: TargetEditor<SeldonV2Target> = {
  read(text, target) {
    const manifest = openManifest(text, target.file);
    if (target.experiment === undefined) return readStorage(storageOf(manifest, target));
    const { entries, chosen } = candidateOf(manifest, target);
    const share = shareOf(weightsOf(entries), chosen);
    return { value: share === null ? null : `${target.candidate}=${share}`, digest: null, tag: null, pulls: null };
  },
  edit(text, target, image) {
    const manifest = openManifest(text, target.file);
    if (target.experiment === undefined) return applyChanges(manifest, editStorage(storageOf(manifest, target), image));
    const { entries, chosen } = candidateOf(manifest, target);
    return applyChanges(manifest, ...editWeights(weightsOf(entries), chosen, target.weight ?? 0));
  },
  value: ({ candidate, weight }, { digest }) => (candidate === undefined ? digest : `${candidate}=${weight}`),
  address: ({ name, experiment, candidate }) => addressText({ name, experiment, candidate }) || 'storageUri',
};

function storageOf(manifest: Manifest, { name }: SeldonV2Target): Located {
  const root = rootOf(selectDocument(manifest, { kinds: [{ group, kind: 'Model' }], name }));
  const uri = descend(root, 'spec', 'storageUri');
  if (uri !== null) return uri;
  throw new ConfigurationError(`${placeName(root)} has no spec.storageUri.`, {
    ...placeOf(root),
    hint: 'Write `storageUri: oci://repository` there.',
  });
}

function candidateOf(
  manifest: Manifest,
  { experiment, candidate = '' }: SeldonV2Target,
): { entries: Located[]; chosen: Located } {
  const root = rootOf(selectDocument(manifest, { kinds: [{ group, kind: 'Experiment' }], name: experiment }));
  const list = descend(root, 'spec', 'candidates');
  const entries = list === null ? [] : itemsOf(list);
  const chosen = list === null ? null : itemWhere(list, 'name', candidate);
  if (chosen !== null) return { entries, chosen };
  const names = entries.map((entry) => String(fieldsOf(readingAt(entry)).name));
  throw new ConfigurationError(`${placeName(root)} has no candidate ${candidate}.`, {
    ...placeOf(root),
    hint: `It has: ${plainText(nearest(candidate, names).join(', '), 500) || 'none'}.`,
  });
}
