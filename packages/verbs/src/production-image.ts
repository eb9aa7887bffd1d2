import { ConfigurationError, InfrastructureError, type Progress } from '@passloop/core';
import { type Signature, tensorColumn } from '@passloop/model';
import {
  type Column,
  type Engine,
  type ImageFacts,
  inspectImage,
  pullImage,
  readTableColumns,
} from '@passloop/packaging';
import type { CompareStage, Production } from './compare-stage.ts';

/**
 * Production's image in the engine: pulled by its digest where it isn't there yet.
 * @throws InfrastructureError where it can't be had
 * @throws ConfigurationError for a record, written by hand, that names it by a tag: that may be another image by now
 */
export async function productionImage(
  engine: Engine,
  { imageReference, imageDigest }: Pick<Production, 'imageReference' | 'imageDigest'>,
  progress: Progress,
): Promise<ImageFacts> {
  if (!imageReference.endsWith(`@${imageDigest}`)) {
    throw new ConfigurationError(
      `Production's record names the image ${imageReference}, and its digest ${imageDigest}.`,
      {
        hint: 'A record names the image as name@sha256:… with that digest: `passloop adopt` writes it so.',
      },
    );
  }
  const facts =
    (await inspectImage(engine, imageReference)) ??
    (await pullImage(engine, imageReference, engine.platform, progress));
  if (facts !== null) return facts;
  throw new InfrastructureError(`Production's image ${imageReference} is not in its registry.`, {
    hint: 'Was it deleted? What runs could not be started again either.',
  });
}

/** The evaluation rows, as far as the signature reads them. */
export function signatureColumns({ session, dataset, model }: CompareStage, signature: Signature): Promise<Column[]> {
  const columns = [...new Set(signature.inputs.map(tensorColumn))];
  return readTableColumns(session, dataset.table, { columns, key: model.columns.key });
}
