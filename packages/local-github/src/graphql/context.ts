import { ApiError } from '../api-error.ts';
import type { Forge, Repository } from '../forge.ts';
import type { RateLimitState } from '../rate-limit.ts';
import type { Level, PermissionName } from '../state.ts';
import { type Actor, hasPermission, notAccessible } from '../tokens.ts';

/** What every resolver gets beside its object and arguments. */
export type Context = {
  forge: Forge;
  actor: Actor;
  rateLimit: RateLimitState;
  /** No test merge was made yet, so that nobody knows whether a pull request can be merged. */
  isUntested: boolean;
};

/** @throws ApiError of type FORBIDDEN */
export function need(context: Context, repository: Repository, anyOf: PermissionName[], level: Level): void {
  if (anyOf.some((name) => hasPermission(context.actor, repository, name, level))) return;
  throw new ApiError(403, notAccessible(context.actor), { type: 'FORBIDDEN' });
}

export function unresolved(type: string, id: string): ApiError {
  return new ApiError(404, `Could not resolve to a ${type} with the global id of '${id}'`, { type: 'NOT_FOUND' });
}
