import { canonicalJson, type Digest, isDigest, sha256Hex } from '@passloop/core';
import { ImageDocument, ImageKey, ProbeDocument, ScanDocument } from '@passloop/documents';
import { z } from 'zod';

/**
 * What a proof is of: an image, and the digest of all that it was asked (the evaluation rows, and what its answers were held
 * against).
 */
export type ProofKey = { imageKey: string; evaluation: Digest };

/** How an image answered once: its predictions lie beside it, as the entry's one file. */
export const StoredProof = z.object({
  schema: z.literal('passloop/stored-proof/v1'),
  evaluation: z.string().regex(/^sha256:[0-9a-f]{64}$/),
  image: ImageDocument,
  scan: ScanDocument,
  probe: ProbeDocument,
});
export type StoredProof = z.infer<typeof StoredProof>;

/** `pf1-<64 hex>`; null where the key is none. */
export function proofTag({ imageKey, evaluation }: ProofKey): string | null {
  if (!ImageKey.safeParse(imageKey).success || !isDigest(evaluation)) return null;
  return `pf1-${sha256Hex(canonicalJson({ schema: 'passloop/stored-proof/v1', imageKey, evaluation }))}`;
}

/** @returns the proof, or the sentence that says what is wrong with it */
export function parseStoredProof(text: string, key: ProofKey): StoredProof | string {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return 'its document is not JSON';
  }
  const result = StoredProof.safeParse(value);
  if (!result.success) {
    const issue = result.error.issues[0];
    return `its document is no proof (${issue?.path.join('.') || 'the whole'})`;
  }
  const { image, evaluation } = result.data;
  if (image.imageKey !== key.imageKey) return `its document is of ${image.imageKey}`;
  if (evaluation !== key.evaluation) return `its document is of the evaluation ${evaluation}`;
  return result.data;
}
