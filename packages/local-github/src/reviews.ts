import { ApiError, unprocessable } from './api-error.ts';
import { accountOf, type Forge, nextId, now, type Repository } from './forge.ts';
import type { PullRequest, RepositoryState, Review } from './state.ts';
import type { Actor } from './tokens.ts';

/** The last opinion of each reviewer; comments are none, and a dismissed review counts no more. */
export function opinionsOf(state: RepositoryState, pull: PullRequest): Review[] {
  const latest = new Map<string, Review>();
  for (const review of state.reviews) {
    if (review.number !== pull.number || review.state === 'COMMENTED' || review.state === 'PENDING') continue;
    latest.set(review.author.toLowerCase(), review);
  }
  return [...latest.values()].filter(({ state: opinion }) => opinion !== 'DISMISSED');
}

/** @throws ApiError 422, in the words of the reviews API */
export function addReview(
  forge: Forge,
  repository: Repository,
  actor: Actor,
  pull: PullRequest,
  input: { event: 'APPROVE' | 'COMMENT' | 'REQUEST_CHANGES' | undefined; body: string; commit: string | undefined },
): Review {
  if (actor.kind === 'job' && input.event === 'APPROVE') {
    // GitHub's setting for this is off unless somebody switches it on
    throw reviewFailure('GitHub Actions is not permitted to approve pull requests.');
  }
  const own = actor.login.toLowerCase() === pull.author.toLowerCase();
  if (own && input.event === 'APPROVE') throw reviewFailure('Can not approve your own pull request');
  if (own && input.event === 'REQUEST_CHANGES') throw reviewFailure('Can not request changes on your own pull request');
  if (input.body === '' && (input.event === 'COMMENT' || input.event === 'REQUEST_CHANGES')) {
    throw unprocessable('Validation Failed: body is required');
  }
  accountOf(forge, actor.login);
  const states = { APPROVE: 'APPROVED', COMMENT: 'COMMENTED', REQUEST_CHANGES: 'CHANGES_REQUESTED' } as const;
  const review: Review = {
    id: nextId(forge),
    number: pull.number,
    author: actor.login,
    body: input.body,
    state: input.event === undefined ? 'PENDING' : states[input.event],
    commit: input.commit ?? pull.head.sha,
    submittedAt: now(forge),
  };
  repository.state.reviews.push(review);
  pull.updatedAt = review.submittedAt;
  return review;
}

function reviewFailure(message: string): ApiError {
  return new ApiError(422, 'Unprocessable Entity', { errors: [message] });
}
