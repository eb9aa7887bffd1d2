import type { LoggedCall } from './call-log.ts';

/** Limits of each caller over a minute, beside the hourly ones (docs.github.com, "Rate limits for the REST API"). */
export type SecondaryLimits = {
  /** REST: a read costs 1, a write 5; GraphQL: a query 1, a mutation 5. Counted apart. */
  restPoints: number;
  graphqlPoints: number;
  /** Requests that make something which people are told of: pull requests, comments, reviews. */
  content: number;
};

/** GitHub's own numbers. */
export const githubSecondaryLimits: SecondaryLimits = { restPoints: 900, graphqlPoints: 2000, content: 80 };

const contents =
  /^(?:createPullRequest|updatePullRequest|addComment|pulls\/create|pulls\/update|issues\/create-comment)$/;
const windowMs = 60_000;

type Taken = { at: number; rest: number; graphql: number; content: number };

export function pointsOf(call: LoggedCall): Omit<Taken, 'at'> {
  const points = call.writes ? 5 : 1;
  return {
    rest: call.kind === 'rest' ? points : 0,
    graphql: call.kind === 'graphql' ? points : 0,
    content: call.operations.some((operation) => contents.test(operation)) ? 1 : 0,
  };
}

/** Counts a call; where that is too much, it isn't done, and the seconds until there is room again are the answer. */
export function createSecondaryLimits(
  limits: SecondaryLimits,
  clock: () => Date,
): (call: LoggedCall, caller: string) => number | null {
  const windows = new Map<string, Taken[]>();
  return (call, caller) => {
    const now = clock().getTime();
    const taken = (windows.get(caller) ?? []).filter(({ at }) => at > now - windowMs);
    windows.set(caller, taken);
    const own = { at: now, ...pointsOf(call) };
    const sum = (column: 'rest' | 'graphql' | 'content') =>
      taken.reduce((total, one) => total + one[column], own[column]);
    const isOver =
      sum('rest') > limits.restPoints || sum('graphql') > limits.graphqlPoints || sum('content') > limits.content;
    if (!isOver) {
      taken.push(own);
      return null;
    }
    return Math.max(1, Math.ceil(((taken[0]?.at ?? now) + windowMs - now) / 1000));
  };
}
