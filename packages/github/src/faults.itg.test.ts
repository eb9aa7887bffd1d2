import path from 'node:path';
import { temporaryFolder } from '@passloop/core';
import { parseDocument } from '@passloop/documents';
import { promote, type RetryPorts, rollback } from '@passloop/gitops';
import { type Fault, startLocalGithub } from '@passloop/local-github';
import { expect, it } from 'vitest';
import {
  candidate,
  copiedRepository,
  deployRepository,
  git,
  manifest,
  mortal,
  noWait,
  promotionOf,
  query,
} from './deploy-fixture.ts';

type World = Awaited<ReturnType<typeof copiedRepository>>;
type Merge = 'review' | 'auto';
type Scenario = {
  name: string;
  /** What is there before; production is the last of them. */
  production: string[];
  /** A candidate in an open pull request. */
  open: string | null;
  merge: Merge;
  act: (world: World, ports: RetryPorts) => Promise<{ outcome: string }>;
  /** Whose image the branch (or, merged, main) carries at the end. */
  result: string;
};

function promoting(name: string, merge: Merge): Scenario['act'] {
  return (world, ports) => promote(world.forge, query(), promotionOf(candidate(name)), { merge, ports });
}

function rollingBack(merge: Merge): Scenario['act'] {
  const request = {
    environment: 'prod',
    to: { kind: 'previous' as const },
    leave: candidate('b').modelDigest,
    reason: 'it is bad',
    by: 'ada',
    at: '2026-11-22T12:00:00Z',
  };
  return (world, ports) => rollback(world.forge, query(), request, { merge, ports, hasImage: async () => true });
}

const scenarios: Scenario[] = [
  {
    name: 'a first promotion',
    production: [],
    open: null,
    merge: 'review',
    act: promoting('a', 'review'),
    result: 'a',
  },
  {
    name: 'a promotion that supersedes',
    production: ['a'],
    open: 'b',
    merge: 'review',
    act: promoting('c', 'review'),
    result: 'c',
  },
  {
    name: 'a promotion that merges',
    production: ['a'],
    open: null,
    merge: 'auto',
    act: promoting('b', 'auto'),
    result: 'b',
  },
  { name: 'a rollback', production: ['a', 'b'], open: null, merge: 'review', act: rollingBack('review'), result: 'a' },
  {
    name: 'a rollback that supersedes and merges',
    production: ['a', 'b'],
    open: 'c',
    merge: 'auto',
    act: rollingBack('auto'),
    result: 'a',
  },
];

/** One pull request, the open one reused, with the whole right content where it belongs. */
async function expectResult(world: World, scenario: Scenario): Promise<void> {
  const pulls = world.repository.pullRequests();
  expect(pulls).toHaveLength(1);
  const last = pulls.at(-1);
  expect(last?.state).toBe(scenario.merge === 'auto' ? 'closed' : 'open');
  expect(last?.mergedAt !== null).toBe(scenario.merge === 'auto');
  const ref = scenario.merge === 'auto' ? 'main' : 'promote/flight-delay/prod';
  const record = parseDocument('record', await world.show('.passloop/prod/flight-delay.json', ref), 'record');
  const digest = candidate(scenario.result).image.digest;
  expect(record.image.digest).toBe(digest);
  expect(await world.show(manifest, ref)).toContain(`digest: ${digest} `);
  expect(last?.title).toContain(record.version);
  // One commit a promotion, on the commit that production was.
  const commits = await git(world.repository.directory, 'log', '--format=%(trailers:key=Promotion-Id,valueonly)', ref);
  const ids = commits.split('\n').filter((line) => line !== '');
  expect(ids[0]).toBe(record.deployment.promotionId);
  expect(new Set(ids).size).toBe(ids.length);
  expect(ids).toHaveLength(scenario.production.length + 1);
}

const unavailable = { status: 502, body: { message: 'Server Error' } };
/** Where it is a death, the process starts anew; else the same one goes on by itself. */
const faults: { name: string; fault: Fault; isDeath: boolean }[] = [
  { name: 'dies before the call', fault: 'drop-before', isDeath: true },
  { name: 'dies after the call took effect', fault: 'drop-after', isDeath: true },
  { name: 'gets a 502 and nothing was done', fault: unavailable, isDeath: false },
  { name: 'gets a 502 though it was done', fault: { ...unavailable, after: true }, isDeath: false },
];

it.each(scenarios)('$name gives one pull request with the right content wherever it is killed and run again', {
  timeout: 240_000,
}, async (scenario) => {
  await using folder = await temporaryFolder('faults');
  await using server = await startLocalGithub({ root: path.join(folder.path, 'root'), rateLimit: 1_000_000 });
  const seed = await deployRepository(server, folder.path, 'seed');
  for (const name of scenario.production) await promoting(name, 'auto')(seed, noWait);
  const fresh = async (name: string) => {
    const world = await copiedRepository(server, name, seed.repository.directory);
    if (scenario.open !== null) await promoting(scenario.open, 'review')(world, noWait);
    return world;
  };
  const clean = await fresh('clean');
  const from = server.log.length;
  await scenario.act(clean, noWait);
  const calls = server.log.slice(from).map(({ operations }) => operations.join());
  expect(calls).toEqual([
    'repository',
    // A rollback looks at the commit that it returns to.
    ...(scenario.name.startsWith('a rollback') ? ['repository'] : []),
    'git/create-tree',
    'git/create-commit',
    'updateRefs',
    ...(scenario.open === null ? ['createPullRequest'] : ['updatePullRequest']),
    // Whether a pull request that was opened a moment ago can be merged isn't known yet: auto-merge is asked for first.
    ...(scenario.merge === 'auto' && scenario.open === null ? ['enablePullRequestAutoMerge'] : []),
    ...(scenario.merge === 'auto' ? ['mergePullRequest'] : []),
  ]);
  await expectResult(clean, scenario);

  for (let nth = 1; nth <= calls.length; nth += 1) {
    for (const { name, fault, isDeath } of faults) {
      const world = await fresh(`point-${nth}-${faults.findIndex((one) => one.name === name)}`);
      const handle = server.inject({ match: { nth }, fault });
      if (isDeath) await expect(scenario.act(world, mortal), name).rejects.toThrow();
      await scenario.act(world, noWait);
      expect(handle.fired, `${calls[nth - 1]} ${name}`).toBe(1);
      handle.remove();
      await expectResult(world, scenario);
    }
  }
});
