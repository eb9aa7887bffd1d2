import { plainText } from '@passloop/core';
import { durationMs, type HealthyWhen } from '@passloop/model';
import {
  failed,
  type HttpAnswer,
  healthy,
  judgeArgocd,
  judgeHttp,
  judgePrometheus,
  pending,
} from './health-answers.ts';
import type { BranchCommit, Landing } from './landing.ts';

/** What a token needs to read of a deploy repository where an environment is asked for these, in the words of an App's permissions. */
export function healthPermissions({ statuses, deployment }: HealthyWhen): Record<string, 'read'> {
  const permissions: Record<string, 'read'> = {};
  // The checks of an App's own and the statuses of agents are one list to GitHub, behind two permissions.
  if (statuses !== undefined) Object.assign(permissions, { statuses: 'read', checks: 'read' });
  if (deployment !== undefined) permissions.deployments = 'read';
  return permissions;
}

/** What one source said of an environment's health. */
export type Observation = { what: string; state: 'healthy' | 'pending' | 'failed'; detail: string };

export type Health = { state: 'healthy' } | { state: 'pending' | 'failed'; reason: string };

/**
 * One failure fails it, one thing that isn't known yet leaves it pending, and where nothing was observed at all nothing is known:
 * healthy takes at least one observation, and every one of them good.
 */
export function healthOf(observations: readonly Observation[]): Health {
  for (const state of ['failed', 'pending'] as const) {
    const found = observations.filter((one) => one.state === state);
    if (found.length > 0) return { state, reason: found.map(({ what, detail }) => `${what} ${detail}`).join('; ') };
  }
  return observations.length === 0 ? { state: 'pending', reason: 'nothing was observed' } : { state: 'healthy' };
}

/** What was reported on a commit of the deploy repository: a commit status, or a check run. */
export type CommitReport = { commit: string; name: string; state: Observation['state']; said: string };

/** A GitHub deployment with its newest status, newest first. */
export type DeploymentReport = { commit: string; state: Observation['state']; said: string };

/** What a forge knows of a deploy repository beside its files. Its methods raise the typed errors of core. */
export type CommitReports = {
  /** Commits of the branch from this one, newest first, as far back as one answer reaches. */
  commits(head: string): Promise<BranchCommit[]>;
  /** The newest report of each of these names on each of these commits. */
  reports(commits: readonly string[], names: readonly string[]): Promise<CommitReport[]>;
  deployments(environment: string): Promise<DeploymentReport[]>;
};

/** `bytes`: how much of the body is wanted; none of it with 0. */
export type HealthRequest = { url: string; headers: Record<string, string>; bytes: number };

const textBytes = 1 << 20;
/** A large Application lists each of its resources. */
const applicationBytes = 16 << 20;

export type HealthPorts = {
  now(): Date;
  forge: Pick<CommitReports, 'reports' | 'deployments'>;
  /** Asks an address; never throws. Bounded in time and in the bytes that are read, and it follows no redirect to another host. */
  ask(request: HealthRequest): Promise<HttpAnswer>;
  /** Sent to the addresses of the model file alone. */
  tokens: { argocd: string | undefined; prometheus: string | undefined };
};

/** The newest commits of a busy branch, and the landing itself: reports are looked for on these. */
const mostCommits = 20;

/** Asks every source that the model file names. @throws as the forge's methods */
export async function observe(when: HealthyWhen, landing: Landing, ports: HealthPorts): Promise<Observation[]> {
  const observations: Observation[] = [];
  if (when.soak !== undefined) observations.push(judgeSoak(when.soak, landing, ports.now()));
  if (when.statuses !== undefined) {
    const commits = [...new Set([...landing.since.slice(0, mostCommits - 1), landing.commit])];
    const reports = await ports.forge.reports(commits, when.statuses);
    observations.push(...when.statuses.map((name) => judgeReports(name, commits, reports)));
  }
  if (when.deployment !== undefined) {
    observations.push(judgeDeployments(when.deployment, landing, await ports.forge.deployments(when.deployment)));
  }
  const asked: Promise<Observation>[] = [];
  if (when.argocd !== undefined) asked.push(askArgocd(when.argocd, landing, ports));
  for (const check of when.http ?? []) {
    const request = { url: check.url, headers: {}, bytes: check.contains === undefined ? 0 : textBytes };
    asked.push(ports.ask(request).then((answer) => judgeHttp(check, answer)));
  }
  for (const check of when.prometheus ?? []) asked.push(askPrometheus(check, ports));
  return [...observations, ...(await Promise.all(asked))];
}

export function judgeSoak(soak: string, landing: Landing, now: Date): Observation {
  const what = `soak of ${soak}`;
  const landed = Date.parse(landing.at);
  const over = landed + durationMs(soak);
  if (!Number.isFinite(landed)) return pending(what, "can't be told: no time of the landing is known");
  if (now.getTime() >= over) return healthy(what, 'is over');
  return pending(what, `is over at ${new Date(over).toISOString().replace('.000Z', 'Z')}`);
}

/** The newest commit on which the name came to an end decides: one that is being rolled out says nothing yet. */
export function judgeReports(name: string, commits: readonly string[], reports: readonly CommitReport[]): Observation {
  const what = `status ${JSON.stringify(plainText(name, 120))}`;
  let open: CommitReport | null = null;
  for (const commit of commits) {
    const found = reports.filter((one) => one.commit === commit && one.name === name);
    const worst = found.find(({ state }) => state === 'failed') ?? found.find(({ state }) => state === 'pending');
    if (worst?.state === 'failed') return failed(what, `is ${worst.said} on ${commit.slice(0, 12)}`);
    if (worst === undefined && found.length > 0)
      return healthy(what, `is ${found[0]?.said ?? ''} on ${commit.slice(0, 12)}`);
    open ??= worst ?? null;
  }
  const landing = commits.at(-1)?.slice(0, 12) ?? '';
  return pending(
    what,
    open === null ? `was not reported on ${landing} or since` : `is ${open.said} on ${open.commit.slice(0, 12)}`,
  );
}

function judgeDeployments(
  environment: string,
  landing: Landing,
  deployments: readonly DeploymentReport[],
): Observation {
  const what = `deployment to ${JSON.stringify(plainText(environment, 120))}`;
  const since = new Set([...landing.since, landing.commit]);
  const ours = deployments.filter(({ commit }) => since.has(commit));
  const ended = ours.find(({ state }) => state !== 'pending');
  const [newest] = ours;
  if (ended !== undefined) return { what, state: ended.state, detail: `is ${ended.said}` };
  return pending(
    what,
    newest === undefined ? `was not made of ${landing.commit.slice(0, 12)} or since` : `is ${newest.said}`,
  );
}

async function askArgocd(
  check: NonNullable<HealthyWhen['argocd']>,
  landing: Landing,
  { ask, tokens }: HealthPorts,
): Promise<Observation> {
  const url = endpoint(check.server, `api/v1/applications/${encodeURIComponent(check.application)}`);
  if (check.namespace !== undefined) url.searchParams.set('appNamespace', check.namespace);
  return judgeArgocd(
    check,
    await ask({ url: url.href, headers: bearer(tokens.argocd), bytes: applicationBytes }),
    landing,
  );
}

async function askPrometheus(
  check: NonNullable<HealthyWhen['prometheus']>[number],
  { ask, tokens }: HealthPorts,
): Promise<Observation> {
  const url = endpoint(check.server, 'api/v1/query');
  url.searchParams.set('query', check.query);
  return judgePrometheus(check, await ask({ url: url.href, headers: bearer(tokens.prometheus), bytes: textBytes }));
}

/** Below the server's own path: both are often served behind a prefix. */
function endpoint(server: string, path: string): URL {
  const url = new URL(server);
  url.pathname = `${url.pathname.replace(/\/+$/, '')}/${path}`;
  return url;
}

function bearer(token: string | undefined): Record<string, string> {
  return token === undefined || token === '' ? {} : { authorization: `Bearer ${token}` };
}
