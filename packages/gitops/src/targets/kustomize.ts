import type { TargetOf } from '@passloop/model';
import { editImageDigest, readImage } from '../kustomization.ts';
import type { TargetEditor } from '../target-kind.ts';

export const kustomize: TargetEditor<TargetOf<'kustomize'>> = {
  read(text, { image, file }) {
    const { digest, tag, newName } = readImage(text, image, file);
    return { value: digest, digest, tag, pulls: newName ?? image };
  },
  edit: (text, { image, file }, { digest }) => editImageDigest(text, { image, digest }, file).text,
  value: (_, { digest }) => digest,
  address: ({ image }) => image,
};
