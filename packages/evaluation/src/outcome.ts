import type { Outcome } from '@passloop/documents';

/** `imageDigest` is null where no image was made: then the model alone tells. */
export type Identity = { modelDigest: string; imageDigest: string | null };

export type OutcomeQuestion = {
  candidate: Identity;
  /** What runs in production now; null where nothing does. */
  production: Identity | null;
  /** Model digests that a hold refuses, from files and from history. */
  held: ReadonlySet<string>;
  /** Models that were in production before and whose records verify. */
  history: ReadonlySet<string>;
};

/** What kind of change this is, decided before any metric is looked at (the order matters: a hold outweighs a history). */
export function decideOutcome(question: OutcomeQuestion): Exclude<Outcome, 'not-comparable'> {
  const { candidate, production } = question;
  if (production !== null && production.modelDigest === candidate.modelDigest) {
    const sameImage = candidate.imageDigest === null || production.imageDigest === candidate.imageDigest;
    return sameImage ? 'unchanged' : 'same-model';
  }
  if (question.held.has(candidate.modelDigest)) return 'held';
  if (question.history.has(candidate.modelDigest)) return 'rollback';
  return production === null ? 'first' : 'compared';
}
