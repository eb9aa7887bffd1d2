export type RateLimitState = { limit: number; remaining: number; used: number; reset: number };

/** REST and GraphQL are counted apart. */
export type RateLimitResource = 'core' | 'graphql';

export type RateLimits = {
  peek: (resource: RateLimitResource, caller: string) => RateLimitState;
  /** Counts one call; undefined when none was left. */
  take: (resource: RateLimitResource, caller: string) => RateLimitState | undefined;
  /** Leaves the caller none until the window's end, or for so many seconds. */
  exhaust: (resource: RateLimitResource, caller: string, seconds?: number) => RateLimitState;
};

/** Counts the calls of each caller in windows of an hour, as GitHub's primary limits do. */
export function createRateLimits(limit: number, clock: () => Date): RateLimits {
  const windows = new Map<string, { used: number; reset: number }>();

  const windowOf = (resource: RateLimitResource, caller: string) => {
    const key = `${resource} ${caller}`;
    const seconds = Math.floor(clock().getTime() / 1000);
    const known = windows.get(key);
    if (known !== undefined && known.reset > seconds) return known;
    const fresh = { used: 0, reset: seconds + 3600 };
    windows.set(key, fresh);
    return fresh;
  };
  const stateOf = ({ used, reset }: { used: number; reset: number }): RateLimitState => ({
    limit,
    remaining: Math.max(limit - used, 0),
    used,
    reset,
  });
  return {
    peek: (resource, caller) => stateOf(windowOf(resource, caller)),
    take: (resource, caller) => {
      const window = windowOf(resource, caller);
      if (window.used >= limit) return undefined;
      window.used += 1;
      return stateOf(window);
    },
    exhaust: (resource, caller, seconds) => {
      const window = windowOf(resource, caller);
      window.used = limit;
      if (seconds !== undefined) window.reset = Math.floor(clock().getTime() / 1000) + seconds;
      return stateOf(window);
    },
  };
}

export function rateLimitHeaders(state: RateLimitState, resource: RateLimitResource): Record<string, string> {
  return {
    'X-RateLimit-Limit': String(state.limit),
    'X-RateLimit-Remaining': String(state.remaining),
    'X-RateLimit-Used': String(state.used),
    'X-RateLimit-Reset': String(state.reset),
    'X-RateLimit-Resource': resource,
  };
}
