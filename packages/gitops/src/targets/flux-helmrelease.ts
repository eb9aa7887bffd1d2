import { ConfigurationError } from '@passloop/core';
import type { TargetOf } from '@passloop/model';
import { descend, findBelow, type Located, placeName, placeOf, rootOf } from '../address.ts';
import { editHelmImage, readHelmImage } from '../helm-image.ts';
import { type Manifest, openManifest, selectDocument } from '../manifest.ts';
import { applyChanges } from '../manifest-edit.ts';
import { addressText, type TargetEditor } from '../target-kind.ts';

type FluxHelmreleaseTarget = TargetOf<'flux-helmrelease'>;

const kinds = [{ group: 'helm.toolkit.fluxcd.io', kind: 'HelmRelease' }];

/** An image in `spec.values` of a Flux HelmRelease. */
export const fluxHelmrelease: TargetEditor<FluxHelmreleaseTarget> = {
  read: (text, target) => readHelmImage(imageValue(openManifest(text, target.file), target)),
  edit(text, target, image) {
    const manifest = openManifest(text, target.file);
    return applyChanges(manifest, ...editHelmImage(imageValue(manifest, target), image));
  },
  value: (_, { digest }) => digest,
  address: ({ name, address }) => addressText({ name, address }),
};

function imageValue(manifest: Manifest, { name, address }: FluxHelmreleaseTarget): Located {
  const root = rootOf(selectDocument(manifest, { kinds, name }));
  const values = descend(root, 'spec', 'values');
  if (values !== null) return findBelow(values, address);
  throw new ConfigurationError(`${placeName(root)} has no spec.values.`, {
    ...placeOf(root),
    hint: 'Values out of a ConfigMap (valuesFrom) are edited there, with kind yaml-path.',
  });
}
