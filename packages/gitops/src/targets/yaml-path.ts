import { ConfigurationError, isDigest, plainText } from '@passloop/core';
import type { TargetOf } from '@passloop/model';
import { findAddress, type Located, placeName, placeOf, textAt } from '../address.ts';
import { editReference, readReference } from '../image-reference.ts';
import { lineOfDocument, type Manifest, type ManifestDocument, openManifest } from '../manifest.ts';
import { applyChanges, setScalar } from '../manifest-edit.ts';
import { addressText, type Carried, type TargetEditor } from '../target-kind.ts';

type YamlPathTarget = TargetOf<'yaml-path'>;

/** Any scalar of any YAML file: a digest alone, or a whole reference. */
export const yamlPath: TargetEditor<YamlPathTarget> = {
  read(text, target) {
    const at = scalarOf(openManifest(text, target.file), target);
    return target.writes === 'digest' ? readDigest(at) : readReference(at);
  },
  edit(text, target, image) {
    const manifest = openManifest(text, target.file);
    const at = scalarOf(manifest, target);
    if (target.writes === 'reference') return applyChanges(manifest, editReference(at, image));
    readDigest(at);
    return applyChanges(manifest, setScalar(at, image.digest));
  },
  value: (_, { digest }) => digest,
  address: ({ document, address }) => addressText({ document, address }),
};

function scalarOf(manifest: Manifest, { address, document }: YamlPathTarget): Located {
  return findAddress(manifest, address, document === undefined ? undefined : documentsNamed(manifest, document));
}

function documentsNamed(manifest: Manifest, wanted: string): ManifestDocument[] {
  const [kind, name] = wanted.split('/');
  const found = manifest.documents.filter((one) => one.kind === kind && (name === undefined || one.name === name));
  if (found.length > 0) return found;
  const listed = manifest.documents.map(
    (one) => `${one.kind ?? 'none'}/${one.name ?? ''} (line ${lineOfDocument(one)})`,
  );
  throw new ConfigurationError(`${manifest.file} holds no document ${wanted}.`, {
    file: manifest.file,
    hint: `It holds: ${plainText(listed.slice(0, 20).join(', '), 1000)}.`,
  });
}

/** A place for a digest holds one, or nothing yet: a promotion doesn't overwrite what it can't have written. */
function readDigest(at: Located): Carried {
  const text = textAt(at);
  if (text !== null && text !== '' && !isDigest(text)) {
    throw new ConfigurationError(`${placeName(at)} is ${JSON.stringify(plainText(text, 120))}, which is no digest.`, {
      ...placeOf(at),
      hint: 'Leave it empty for the first promotion, or say `writes: reference`.',
    });
  }
  const digest = text === '' ? null : text;
  return { value: digest, digest, tag: null, pulls: null };
}
