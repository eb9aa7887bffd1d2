import { ConfigurationError, type Digest, jsonDigest, sha256 } from '@passloop/core';
import { isWeight, parseDocument, type RecordDocument } from '@passloop/documents';

/** A record before it is deployed anywhere. */
export type CandidateRecord = Omit<RecordDocument, 'deployment'>;

/** A record as it is stored: its identity is the digest of its bytes. */
export type StoredRecord = { record: RecordDocument; digest: Digest };

/** Where a record lies, and so what it must be a record of. */
export type RecordPlace = { file: string; model: string; environment: string };

/**
 * Parses and verifies a record's text.
 * @throws ConfigurationError with the file, where it isn't one, or doesn't verify, or belongs elsewhere
 */
export function readRecord(text: string, place: RecordPlace): StoredRecord {
  const record = parseDocument('record', text, place.file);
  const problem = verifyRecord(record, place);
  if (problem !== null) {
    throw new ConfigurationError(`${place.file} does not verify: ${problem}`, {
      file: place.file,
      hint: 'Restore the last promotion commit of that file, or write a new first record with `passloop adopt`.',
    });
  }
  return { record, digest: sha256(text) };
}

/** What in a record contradicts itself or its place; null where nothing does. */
export function verifyRecord(record: RecordDocument, place: Pick<RecordPlace, 'model' | 'environment'>): string | null {
  const { deployment, image } = record;
  if (record.model !== place.model) return `it is the record of model ${record.model}.`;
  if (deployment.environment !== place.environment) return `it is a record of ${deployment.environment}.`;
  // The registry is asked by reference and the manifests carry the digest: one image under two names would be two images.
  if (!image.reference.endsWith(`@${image.digest}`)) return 'its image reference names another digest than the record.';
  const target = deployment.targets.find((one) => !isWeight(one) && one.value !== image.digest);
  if (target !== undefined) return `its target ${target.file} carries another image than the record.`;
  return promotionIdOf(record) === deployment.promotionId ? null : 'its promotion id is not that of its contents.';
}

/** The candidate as the record of one environment, which follows the record that is there. */
export function deployRecord(
  candidate: CandidateRecord,
  deployment: Omit<RecordDocument['deployment'], 'promotionId' | 'previous'>,
  previous: StoredRecord | null,
): RecordDocument {
  const record: RecordDocument = {
    ...candidate,
    deployment: {
      environment: deployment.environment,
      promotionId: sha256(''),
      cause: deployment.cause,
      targets: deployment.targets,
      previous:
        previous === null
          ? null
          : {
              record: previous.digest,
              modelDigest: previous.record.modelDigest,
              imageDigest: previous.record.image.digest,
              promotionId: previous.record.deployment.promotionId,
            },
      at: deployment.at,
    },
  };
  record.deployment.promotionId = promotionIdOf(record);
  return record;
}

/**
 * One promotion has one id however often it is tried: sha256 over the RFC 8785 JSON of environment, identity, model
 * digest, image digest and the id of the promotion that it follows. Not of the time, the gates or who asked for it.
 */
function promotionIdOf(record: RecordDocument): Digest {
  return jsonDigest({
    environment: record.deployment.environment,
    identity: record.identity,
    modelDigest: record.modelDigest,
    imageDigest: record.image.digest,
    previous: record.deployment.previous?.promotionId ?? null,
  });
}

/** The identity of a promotion: model digest and image digest. */
export function identityOf(record: Pick<RecordDocument, 'modelDigest' | 'image'>): string {
  return `${record.modelDigest} ${record.image.digest}`;
}

export function sameIdentity(
  left: Pick<RecordDocument, 'modelDigest' | 'image'>,
  right: Pick<RecordDocument, 'modelDigest' | 'image'>,
): boolean {
  return identityOf(left) === identityOf(right);
}
