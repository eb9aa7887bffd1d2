import type { TargetOf } from '@passloop/model';
import { findAddress } from '../address.ts';
import { editHelmImage, readHelmImage } from '../helm-image.ts';
import { openManifest } from '../manifest.ts';
import { applyChanges } from '../manifest-edit.ts';
import type { TargetEditor } from '../target-kind.ts';

/** Values of a chart: tag and digest are written together, the repository stays. */
export const helmValues: TargetEditor<TargetOf<'helm-values'>> = {
  read: (text, { file, address }) => readHelmImage(findAddress(openManifest(text, file), address)),
  edit(text, { file, address }, image) {
    const manifest = openManifest(text, file);
    return applyChanges(manifest, ...editHelmImage(findAddress(manifest, address), image));
  },
  value: (_, { digest }) => digest,
  address: ({ address }) => address,
};
