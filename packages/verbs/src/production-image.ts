import { InfrastructureError, type Progress } from '@passloop/core';
import { type Signature, tensorColumn } from '@passloop/model';
import {
  type Column,
  type Engine,
  type ImageFacts,
  inspectImage,
  pullImage,
  readTableColumns,
} from '@passloop/packaging';
import type { CompareStage } from './compare-stage.ts';

/** Production's image in the engine: pulled by its digest where it isn't there yet. @throws InfrastructureError where it can't be had */
export async function productionImage(engine: Engine, reference: string, progress: Progress): Promise<ImageFacts> {
  const facts =
    (await inspectImage(engine, reference)) ?? (await pullImage(engine, reference, engine.platform, progress));
  if (facts !== null) return facts;
  throw new InfrastructureError(`Production's image ${reference} is not in its registry.`, {
    hint: 'Was it deleted? What runs could not be started again either.',
  });
}

/** The evaluation rows, as far as the signature reads them. */
export function signatureColumns({ session, dataset, model }: CompareStage, signature: Signature): Promise<Column[]> {
  const columns = [...new Set(signature.inputs.map(tensorColumn))];
  return readTableColumns(session, dataset.table, { columns, key: model.columns.key });
}
