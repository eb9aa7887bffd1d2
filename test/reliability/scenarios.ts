import { parseDocument } from '@passloop/documents';
import type { DeployEnvironment } from '@passloop/gitops';
import type { LocalGithub } from '@passloop/local-github';
import { expect } from 'vitest';
import {
  candidate,
  copiedRepository,
  deployRepository,
  git,
  image,
  manifest,
  noWait,
  promotionOf,
  pull,
  pushFiles,
  query,
  type RepositoryWorld,
} from '../../packages/github/src/testing/deploy-world.ts';
import { type DeployJob, type JobResult, jobAt, performJob } from './deploy-job.ts';

/** One way to change a deploy repository, and what must come of it. */
export type Scenario = {
  name: string;
  /** What production is before, one promotion after the other. */
  seed: readonly DeployJob[];
  /** What is changed by hand then, on the seed's clone. */
  byHand?: (clone: string) => Promise<void>;
  /** What waits in a pull request. */
  open?: DeployJob;
  /** Main takes a pull request only after a check, which doesn't come. */
  isProtected?: boolean;
  job: DeployJob;
  /** The requests of an undisturbed run. */
  calls: readonly string[];
  /** Of its pull request at the end. */
  state: 'open' | 'merged';
  /** Where the content is then. */
  branch: string;
  /** What must stand there. */
  expect: (show: (file: string) => Promise<string>) => Promise<void>;
};

const staging = 'apps/flight/staging/kustomization.yaml';
const chain: DeployEnvironment[] = [
  { name: 'staging', targets: [{ kind: 'kustomize', file: staging, image }] },
  { name: 'prod', targets: [{ kind: 'kustomize', file: manifest, image }] },
];
const by = { reason: 'precision fell', by: 'ada', at: '2026-11-22T10:10:00Z' };

function promotion(name: string, merge: 'review' | 'auto', environment = 'prod'): DeployJob {
  return {
    act: 'promote',
    query: query({ environments: chain }),
    merge,
    request: promotionOf(candidate(name), { environment }),
  };
}

function returning(merge: 'review' | 'auto'): DeployJob {
  const request = { ...by, environment: 'prod', to: { kind: 'previous' as const }, leave: candidate('b').modelDigest };
  return { act: 'rollback', query: query({ environments: chain }), merge, request };
}

function holding(action: 'hold' | 'lift', name: string): DeployJob {
  const request = { ...by, action, environment: null, modelDigest: candidate(name).modelDigest };
  return { act: 'hold', query: query({ environments: chain }), merge: 'auto', request };
}

const adopting: DeployJob = {
  act: 'adopt',
  query: query({ environments: chain }),
  merge: 'review',
  request: {
    environment: 'prod',
    modelDigest: candidate('a').modelDigest,
    version: 'a',
    repository: image,
    imageDigest: candidate('a').image.digest,
    known: {},
    at: by.at,
  },
};

const writing = ['git/create-tree', 'git/create-commit', 'updateRefs'];
const opening = ['repository', ...writing, 'createPullRequest'];
const replacing = ['repository', ...writing, 'updatePullRequest'];
// A rollback also reads how the older commits left the manifests.
const looking = 'repository';
// Whether a pull request that was opened a moment ago can be merged isn't known yet: auto-merge is asked for first.
const merging = ['enablePullRequestAutoMerge', 'mergePullRequest'];

/** The record and the manifest of an environment carry one candidate, together. */
function runs(name: string, file = manifest, environment = 'prod'): Scenario['expect'] {
  return async (show) => {
    const path = `.passloop/${environment}/flight-delay.json`;
    const { digest } = candidate(name).image;
    expect(parseDocument('record', await show(path), path).image.digest).toBe(digest);
    expect(await show(file)).toContain(`digest: ${digest} `);
  };
}

export const scenarios: readonly Scenario[] = [
  {
    name: 'a first promotion',
    seed: [],
    job: promotion('a', 'review'),
    calls: opening,
    state: 'open',
    branch: 'promote/flight-delay/prod',
    expect: runs('a'),
  },
  {
    name: 'a promotion that supersedes the open one',
    seed: [promotion('a', 'auto')],
    open: promotion('b', 'review'),
    job: promotion('c', 'review'),
    calls: replacing,
    state: 'open',
    branch: 'promote/flight-delay/prod',
    expect: runs('c'),
  },
  {
    name: 'a promotion that merges (`merge: auto`)',
    seed: [promotion('a', 'auto')],
    job: promotion('b', 'auto'),
    calls: [...opening, ...merging],
    state: 'merged',
    branch: 'main',
    expect: runs('b'),
  },
  {
    name: 'a promotion that merges once a check passes',
    seed: [promotion('a', 'auto')],
    isProtected: true,
    job: promotion('b', 'auto'),
    calls: [...opening, 'enablePullRequestAutoMerge'],
    state: 'open',
    branch: 'promote/flight-delay/prod',
    expect: runs('b'),
  },
  {
    name: 'a promotion that supersedes and merges',
    seed: [promotion('a', 'auto')],
    open: promotion('b', 'review'),
    job: promotion('c', 'auto'),
    calls: [...replacing, 'mergePullRequest'],
    state: 'merged',
    branch: 'main',
    expect: runs('c'),
  },
  {
    name: 'a step of the chain, from staging to prod',
    seed: [promotion('a', 'auto', 'staging'), promotion('a', 'auto'), promotion('b', 'auto', 'staging')],
    job: promotion('b', 'review'),
    calls: opening,
    state: 'open',
    branch: 'promote/flight-delay/prod',
    async expect(show) {
      await runs('b')(show);
      await runs('b', staging, 'staging')(show);
    },
  },
  {
    name: 'a rollback',
    seed: [promotion('a', 'auto'), promotion('b', 'auto')],
    job: returning('review'),
    calls: [looking, ...opening],
    state: 'open',
    branch: 'promote/flight-delay/prod',
    async expect(show) {
      await runs('a')(show);
      expect(await show(holdOf('b'))).toContain('precision fell');
    },
  },
  {
    name: 'a rollback that supersedes a promotion and merges',
    seed: [promotion('a', 'auto'), promotion('b', 'auto')],
    open: promotion('c', 'review'),
    job: returning('auto'),
    calls: [looking, ...replacing, 'mergePullRequest'],
    state: 'merged',
    branch: 'main',
    async expect(show) {
      await runs('a')(show);
      expect(await show(holdOf('b'))).toContain('precision fell');
    },
  },
  {
    name: 'a hold',
    seed: [promotion('a', 'auto')],
    job: holding('hold', 'z'),
    calls: [...opening, ...merging],
    state: 'merged',
    branch: 'main',
    async expect(show) {
      await runs('a')(show);
      expect(await show(holdOf('z'))).toContain('precision fell');
    },
  },
  {
    name: 'the lift of a hold',
    seed: [promotion('a', 'auto'), promotion('b', 'auto'), returning('auto')],
    job: holding('lift', 'b'),
    calls: [...opening, ...merging],
    state: 'merged',
    branch: 'main',
    async expect(show) {
      await runs('a')(show);
      await expect(show(holdOf('b'))).rejects.toThrow(/does not exist|exists on disk, but not in/);
    },
  },
  {
    name: 'the adoption of what runs',
    seed: [],
    byHand: async (clone) => {
      const text = `images:\n  - name: ${image}\n    digest: ${candidate('a').image.digest} # by hand\n`;
      await pushFiles(clone, { [manifest]: text }, 'Deploy by hand');
    },
    job: adopting,
    calls: opening,
    state: 'open',
    branch: 'promote/flight-delay/prod',
    expect: runs('a'),
  },
];

function holdOf(name: string): string {
  return `.passloop/holds/flight-delay/${candidate(name).modelDigest.replace(':', '-')}.json`;
}

/** Deploy repositories that are all alike. */
export type Worlds = {
  fresh(): Promise<RepositoryWorld>;
  /** One that holds what another one does. */
  copyOf(world: RepositoryWorld): Promise<RepositoryWorld>;
};

export async function scenarioWorlds(server: LocalGithub, folder: string, scenario: Scenario): Promise<Worlds> {
  const { seed: earlier, byHand, open, isProtected } = scenario;
  const seed = await deployRepository(server, folder, 'deploy', { autoMerge: true });
  for (const job of earlier) await perform(job, seed);
  await pull(seed.clone);
  await byHand?.(seed.clone);
  if (isProtected) await seed.repository.protectBranch('main', { requiredChecks: ['deploy-check'] });
  if (open !== undefined) await perform(open, seed);
  // Few files are copied faster than many.
  await git(seed.repository.directory, 'repack', '-adq');
  let count = 0;
  const copyOf = (world: RepositoryWorld) => {
    count += 1;
    return copiedRepository(world, `deploy-${count}`);
  };
  return { copyOf, fresh: () => copyOf(seed) };
}

export function placeOf({ repository, token, server }: RepositoryWorld) {
  return { repository: `${repository.owner}/${repository.name}`, token, baseUrl: server.restUrl };
}

function perform(job: DeployJob, world: RepositoryWorld) {
  return performJob(job, placeOf(world), noWait);
}

/**
 * All that a repository holds: every reference, with what it points to, and every pull request. The server's clock stands still,
 * so two repositories in which the same was done have the same object ids.
 */
export type Left = { refs: string; pulls: string };

export async function leftIn({ repository }: RepositoryWorld): Promise<Left> {
  const refs = await git(repository.directory, 'for-each-ref', '--format=%(refname) %(objectname) %(tree)');
  const pulls = repository.pullRequests().map(({ id: _, ...pull }) => pull);
  return { refs, pulls: JSON.stringify(pulls, null, 1).replaceAll(repository.name, 'deploy') };
}

/** What undisturbed runs leave: one for each of the times, and checked by hand-written expectations. */
export async function undisturbed(
  server: LocalGithub,
  worlds: Worlds,
  scenario: Scenario,
  times: readonly string[],
): Promise<{ before: Left; after: Left[]; result: JobResult }> {
  const before = await leftIn(await worlds.fresh());
  const after: Left[] = [];
  const results: JobResult[] = [];
  for (const at of times) {
    const world = await worlds.fresh();
    const from = server.log.length;
    results.push(await performJob(jobAt(scenario.job, at), placeOf(world), noWait));
    expect(server.log.slice(from).map(({ operations }) => operations.join())).toEqual(scenario.calls);
    const pulls = world.repository.pullRequests().slice(scenario.seed.length);
    expect(pulls.map(({ state, mergedAt }) => [state, mergedAt !== null])).toEqual([
      scenario.state === 'open' ? ['open', false] : ['closed', true],
    ]);
    await scenario.expect((file) => world.show(file, scenario.branch));
    after.push(await leftIn(world));
  }
  const [result] = results;
  if (result === undefined) throw new Error('There is no time to run at.');
  return { before, after, result };
}
