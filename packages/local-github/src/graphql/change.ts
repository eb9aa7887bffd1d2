import { ApiError } from '../api-error.ts';
import { type Repository, writing } from '../forge.ts';
import { settlePulls } from '../merge-pull.ts';
import type { PermissionName, PullRequest } from '../state.ts';
import { actorNode } from './actors.ts';
import { type Context, need } from './context.ts';
import { pullOfId } from './lookup.ts';
import { pullNode } from './pull-nodes.ts';

/** A mutation's arguments: one input, with an id that comes back. */
export type Input<T> = { input: T & { clientMutationId?: string | null } };

/** Runs a write alone in its repository, lets pull requests follow, and answers with the mutation's id. */
export async function change<T extends object>(
  context: Context,
  repository: Repository,
  anyOf: PermissionName[],
  input: { clientMutationId?: string | null },
  work: () => Promise<T>,
) {
  need(context, repository, anyOf, 'write');
  if (repository.state.archived) throw new ApiError(403, 'Repository was archived so is read-only.');
  const result = await writing(context.forge, repository, async () => {
    const made = await work().catch((error: unknown) => {
      throw inWords(error);
    });
    await settlePulls(context.forge, repository, context.actor);
    return made;
  });
  return { clientMutationId: input.clientMutationId ?? null, ...result };
}

/** GraphQL gives the reason itself, as a sentence, where REST says "Validation Failed" and lists it. */
function inWords(error: unknown): unknown {
  const [first] = error instanceof ApiError ? (error.errors ?? []) : [];
  if (first === undefined) return error;
  if (typeof first === 'string') return new ApiError(422, first);
  const message = first.message ?? `${first.field} is ${first.code === 'invalid' ? 'invalid' : 'missing'}`;
  return new ApiError(422, first.message === undefined ? message : message.charAt(0).toUpperCase() + message.slice(1));
}

/** The same for a mutation of one pull request, which answers with it. */
export async function pullChange(
  context: Context,
  anyOf: PermissionName[],
  input: { pullRequestId: string; clientMutationId?: string | null },
  work: (repository: Repository, pull: PullRequest) => Promise<unknown>,
) {
  const { repository, pull } = pullOfId(context, input.pullRequestId);
  return change(context, repository, anyOf, input, async () => {
    await work(repository, pull);
    return {
      actor: actorNode(context.forge, context.actor.login),
      pullRequest: () => pullNode(context, repository, pull),
    };
  });
}
