import { ConfigurationError } from '@passloop/core';
import type { TargetOf } from '@passloop/model';
import { descend, type Located, placeName, placeOf, rootOf } from '../address.ts';
import { imageChanges, imageEntry, imageOf, requireDigest } from '../kustomization.ts';
import { type Manifest, openManifest, selectDocument } from '../manifest.ts';
import { applyChanges } from '../manifest-edit.ts';
import { addressText, type TargetEditor } from '../target-kind.ts';

type FluxKustomizationTarget = TargetOf<'flux-kustomization'>;

const kinds = [{ group: 'kustomize.toolkit.fluxcd.io', kind: 'Kustomization' }];

/** An entry of `spec.images` of a Flux Kustomization: as in a kustomization, the digest stays alone. */
export const fluxKustomization: TargetEditor<FluxKustomizationTarget> = {
  read(text, target) {
    const { digest, tag, newName } = imageOf(entryOf(openManifest(text, target.file), target));
    return { value: digest, digest, tag, pulls: newName ?? target.image };
  },
  edit(text, target, { digest }) {
    requireDigest(digest);
    const manifest = openManifest(text, target.file);
    const entry = entryOf(manifest, target);
    const before = imageOf(entry);
    if (before.digest === digest && before.tag === null) return text;
    return applyChanges(manifest, ...imageChanges(entry, digest));
  },
  value: (_, { digest }) => digest,
  address: ({ name, image }) => addressText({ name, image }),
};

function entryOf(manifest: Manifest, { name, image }: FluxKustomizationTarget): Located {
  const root = rootOf(selectDocument(manifest, { kinds, name }));
  const images = descend(root, 'spec', 'images');
  if (images !== null) return imageEntry(images, image);
  throw new ConfigurationError(`${placeName(root)} has no spec.images.`, {
    ...placeOf(root),
    hint: `Add it:\nspec:\n  images:\n    - name: ${image}`,
  });
}
