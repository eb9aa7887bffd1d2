import type { LoggedCall } from './call-log.ts';

/** Which calls a fault meets; all that is given must fit. */
export type FaultMatch = {
  method?: string;
  /** GitHub's path template. */
  route?: string;
  /** A REST operation id, a GraphQL root field such as `updateRefs`, or `git/receive-pack`. */
  operation?: string;
  /** `read` or `write`. */
  access?: 'read' | 'write';
  /** Only calls with this token. */
  token?: string;
  /** Only the n-th call that fits, from 1; without it the next `times` calls. */
  nth?: number;
};

/**
 * What happens to a call:
 * `drop-before`: the connection dies and nothing was done; `drop-after`: it dies after the work was done.
 * `timeout`: no answer ever, nothing done; `timeout-after`: no answer ever, though the work was done.
 * `lag`: a read is answered as things were before the last write; a pull request's mergeability is not known yet.
 * `token-expired`: from this call on, its token has ended, for every kind of call; calls without one are not met.
 * A rate limit: nothing done; `primary` holds for the caller until its reset, `secondary` meets this call alone.
 * A status: that answer instead of the work, or with `after` instead of the answer to the work.
 */
export type Fault =
  | 'drop-after'
  | 'drop-before'
  | 'lag'
  | 'timeout'
  | 'timeout-after'
  | 'token-expired'
  | LimitFault
  | StatusFault;

/** Default 403. `seconds`: until the reset (default: of the hour's window), or `retry-after` (default 60). */
export type LimitFault = { rateLimit: 'primary' | 'secondary'; status?: 403 | 429; seconds?: number };

export type StatusFault = { status: number; body?: unknown; headers?: Record<string, string>; after?: boolean };

export type InjectedFault = {
  match?: FaultMatch;
  fault: Fault;
  /** How many calls it meets when `nth` is not given; default 1. */
  times?: number;
};

/** A fault that waits for its calls. */
export type FaultHandle = {
  /** How many calls it met. */
  readonly fired: number;
  /** Resolves when it has happened to the first call that it met: what comes after the work, when the work is done. */
  readonly happened: Promise<void>;
  remove: () => void;
};

type Waiting = InjectedFault & { seen: number; fired: number; happened: PromiseWithResolvers<void> };

export type Faults = {
  inject: (fault: InjectedFault) => FaultHandle;
  /** The fault that meets this call; each call counts for every fault that fits it. */
  take: (call: LoggedCall, token: string | undefined) => Fault | undefined;
  /** Says that the fault which met this call has happened. */
  happened: (call: LoggedCall) => void;
  /** Whether a fault of this kind is still to come. */
  awaits: (fault: Fault) => boolean;
  clear: () => void;
};

function fits(match: FaultMatch | undefined, call: LoggedCall, token: string | undefined): boolean {
  if (match === undefined) return true;
  if (match.token !== undefined && match.token !== token) return false;
  if (match.method !== undefined && match.method.toUpperCase() !== call.method) return false;
  if (match.route !== undefined && match.route !== call.route) return false;
  if (match.operation !== undefined && !call.operations.includes(match.operation)) return false;
  return match.access === undefined || (match.access === 'write') === call.writes;
}

export function createFaults(initial: InjectedFault[] = []): Faults {
  let waiting: Waiting[] = [];
  const met = new WeakMap<LoggedCall, Waiting>();
  const inject = (fault: InjectedFault): FaultHandle => {
    const one: Waiting = { ...fault, seen: 0, fired: 0, happened: Promise.withResolvers() };
    waiting.push(one);
    return {
      get fired() {
        return one.fired;
      },
      happened: one.happened.promise,
      remove: () => {
        waiting = waiting.filter((other) => other !== one);
      },
    };
  };
  for (const fault of initial) inject(fault);
  return {
    inject,
    take: (call, token) => {
      let taken: Fault | undefined;
      for (const one of waiting) {
        if (!fits(one.match, call, token) || (one.fault === 'lag' && call.writes)) continue;
        if (one.fault === 'token-expired' && token === undefined) continue;
        one.seen += 1;
        const nth = one.match?.nth;
        const isDue = nth === undefined ? one.fired < (one.times ?? 1) : one.seen === nth;
        if (!isDue || taken !== undefined) continue;
        one.fired += 1;
        taken = one.fault;
        met.set(call, one);
      }
      return taken;
    },
    happened: (call) => met.get(call)?.happened.resolve(),
    awaits: (fault) =>
      waiting.some((one) => {
        const nth = one.match?.nth;
        const isDue = nth === undefined ? one.fired < (one.times ?? 1) : one.seen < nth;
        return one.fault === fault && isDue;
      }),
    clear: () => {
      waiting = [];
    },
  };
}

/** How a fault reads in the log. */
export function faultName(fault: Fault): string {
  if (typeof fault === 'string') return fault;
  if ('rateLimit' in fault) return `${fault.rateLimit} rate limit`;
  return `${fault.status}${fault.after === true ? ' after' : ''}`;
}
