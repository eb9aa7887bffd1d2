import { type Digest, jsonDigest } from '@passloop/core';
import type { RecordDocument } from '@passloop/documents';

/**
 * One promotion has one id however often it is tried: sha256 over the RFC 8785 JSON of environment, identity, model
 * digest, image digest and the id of the promotion that it follows. Not of the time, the gates or who asked for it.
 */
export function promotionIdOf(record: RecordDocument, previous: Digest | null): Digest {
  return jsonDigest({
    environment: record.deployment.environment,
    identity: record.identity,
    modelDigest: record.modelDigest,
    imageDigest: record.image.digest,
    previous,
  });
}
