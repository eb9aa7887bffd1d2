import { type Digest, jsonDigest } from '@passloop/core';
import type { RecordDocument } from '@passloop/documents';

export function promotionIdOf(record: RecordDocument, previous: Digest | null): Digest {
  return jsonDigest({
    environment: record.deployment.environment,
    identity: record.identity,
    modelDigest: record.modelDigest,
    imageDigest: record.image.digest,
    previous,
  });
}
