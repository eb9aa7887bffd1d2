/** One call that the server received. */
export type LoggedCall = {
  /** Also sent as X-GitHub-Request-Id. */
  requestId: string;
  time: string;
  kind: 'blob' | 'git' | 'graphql' | 'page' | 'registry' | 'rest' | 'twirp';
  method: string;
  /** With its query, as it was asked for. */
  path: string;
  /** GitHub's path template, such as `/repos/{owner}/{repo}/pulls`. */
  route: string;
  /** REST operation ids, GraphQL root fields, `git/upload-pack`, methods of the artifact service; more than one only for GraphQL. */
  operations: string[];
  writes: boolean;
  /** Who called; empty for nobody. */
  login: string;
  /** null while it runs, and for a connection that a fault dropped. */
  status: number | null;
  /** What kept it from being done. */
  refused: 'secondary rate limit' | null;
  /** The fault that was injected. */
  fault: string | null;
};

export type Counts = { total: number; reads: number; writes: number; byOperation: Record<string, number> };

/** Totals over a part of the log. Pages for people don't count. */
export function countCalls(log: LoggedCall[]): Counts {
  const counts: Counts = { total: 0, reads: 0, writes: 0, byOperation: {} };
  for (const call of log) {
    if (call.kind === 'page') continue;
    counts.total += 1;
    if (call.writes) counts.writes += 1;
    else counts.reads += 1;
    for (const operation of call.operations) {
      counts.byOperation[operation] = (counts.byOperation[operation] ?? 0) + 1;
    }
  }
  return counts;
}
