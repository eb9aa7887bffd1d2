import { setTimeout } from 'node:timers/promises';
import { parseDocument } from '@passloop/documents';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parse } from 'yaml';
import {
  candidate,
  type DeployWorld,
  deployWorld,
  git,
  image,
  manifest,
  promotionOf,
  query,
} from '../../packages/github/src/testing/deploy-world.ts';
import { type DeployJob, type JobResult, performJob } from './deploy-job.ts';
import { type Promoter, type PromoterPool, promoterPool } from './promoter-pool.ts';
import { placeOf } from './scenarios.ts';

const processes = 10;
const promoters = 50;
let pool: PromoterPool;

beforeAll(async () => {
  pool = await promoterPool(0);
});
afterAll(async () => {
  await pool[Symbol.asyncDispose]();
});

/** All jobs at once, dealt out to processes; each has the retries that the command has. */
async function race(world: DeployWorld, jobs: readonly DeployJob[]): Promise<JobResult[]> {
  const crowd: Promoter[] = await Promise.all(Array.from({ length: processes }, () => pool.take()));
  const running = jobs.map((job, index) => {
    const promoter = crowd[index % crowd.length];
    if (promoter === undefined) throw new Error('There are no processes.');
    // Fifty callers at once are more than a busy machine serves in the time that GitHub has.
    return promoter.run(job, { ...placeOf(world), timeoutMs: 120_000 }).done;
  });
  const results = await Promise.all(running);
  for (const promoter of crowd) pool.give(promoter);
  return results;
}

/** Commits of main after the first one, oldest first, with the paths that each changed and the lines in the manifest. */
async function landed(world: DeployWorld) {
  const log = await git(world.repository.directory, 'log', '--first-parent', '--reverse', '--format=%H %P', 'main');
  const commits = log.trim().split('\n').slice(1);
  return Promise.all(
    commits.map(async (line) => {
      const [commit = '', parent = '', ...more] = line.split(' ');
      expect(more, 'squashed').toEqual([]);
      const names = await git(world.repository.directory, 'diff', '--name-only', parent, commit);
      const paths = names.trim().split('\n');
      const patch = await git(world.repository.directory, 'diff', '--unified=0', parent, commit, '--', manifest);
      return { commit, paths, patch: patch.split('\n').filter((one) => /^[-+](?![-+])/.test(one)) };
    }),
  );
}

it('fifty models in one file, from ten processes: every one lands, in some order, and moves its own line alone', async () => {
  const models = Array.from({ length: promoters }, (_, index) => `model-${index}`);
  const lines = models.map((model) => `  - {name: ghcr.io/acme/${model}, newTag: v0} # kept\n`).join('');
  await using world = await deployWorld({ files: { [manifest]: `images:\n${lines}` }, rateLimit: 1_000_000 });

  const results = await race(
    world,
    models.map((model) => {
      const identity = `acme/models#${model}`;
      const targets = [{ kind: 'kustomize' as const, file: manifest, image: `ghcr.io/acme/${model}` }];
      return {
        act: 'promote',
        query: query({ model, identity, environments: [{ name: 'prod', targets }] }),
        request: promotionOf(candidate(model, { model, identity })),
        merge: 'auto',
      };
    }),
  );

  expect(results.map(({ outcome, merged }) => [outcome, merged])).toEqual(models.map(() => ['created', true]));
  const text = await world.show(manifest);
  expect((parse(text) as { images: object[] }).images).toEqual(
    models.map((model) => ({ name: `ghcr.io/acme/${model}`, digest: candidate(model).image.digest })),
  );
  // The history of main is the serial order: each commit is one whole promotion on top of the one before it.
  const order = await landed(world);
  const moved = order.map(({ paths, patch }) => {
    const model = models.find((one) => paths.includes(`.passloop/prod/${one}.json`)) ?? '';
    expect(paths).toEqual([`.passloop/prod/${model}.json`, manifest]);
    const line = `  - {name: ghcr.io/acme/${model}, `;
    expect(patch).toEqual([`-${line}newTag: v0} # kept`, `+${line}digest: ${candidate(model).image.digest}} # kept`]);
    return model;
  });
  expect([...moved].sort()).toEqual([...models].sort());
  expect(world.repository.pullRequests()).toHaveLength(promoters);
  console.log(`one file: ${world.server.counts().total} calls for ${promoters} promotions`);
});

it('fifty candidates of one model, from ten processes: the newest has the pull request, and its own text in it', async () => {
  await using world = await deployWorld({ rateLimit: 1_000_000 });
  const names = Array.from({ length: promoters }, (_, index) => `c${index}`);
  const order = names.map((name) => candidate(name).source?.commit ?? '');

  const results = await race(
    world,
    shuffled(names).map((name) => ({
      act: 'promote',
      query: query(),
      request: promotionOf(candidate(name)),
      merge: 'review',
      order,
    })),
  );

  const outcomes = new Set(results.map(({ outcome }) => outcome));
  expect([...outcomes].filter((one) => !['created', 'updated', 'superseded'].includes(one))).toEqual([]);
  const newest = candidate(names.at(-1) ?? '');
  const branch = 'promote/flight-delay/prod';
  const record = parseDocument('record', await world.show('.passloop/prod/flight-delay.json', branch), 'record');
  expect(record.version).toBe(newest.version);
  expect(await world.show(manifest, branch)).toContain(newest.image.digest);
  const [pull, ...more] = world.repository.pullRequests();
  expect(more).toEqual([]);
  expect(pull?.title).toContain(newest.version);
  expect(pull?.body).toContain(record.deployment.promotionId);
});

it('fifty candidates of one model that merge by themselves: production only goes forward, to the newest', async () => {
  await using world = await deployWorld({ rateLimit: 1_000_000 });
  const names = Array.from({ length: promoters }, (_, index) => `c${index}`);
  const order = names.map((name) => candidate(name).source?.commit ?? '');
  const job = (name: string): DeployJob => ({
    act: 'promote',
    query: query(),
    request: promotionOf(candidate(name)),
    merge: 'auto',
    order,
  });

  // A conflict says: compare with what runs now, and promote again. So does each of them, until it knows.
  const open = new Set(shuffled(names));
  const last = new Map<string, JobResult>();
  while (open.size > 0) {
    const round = [...open];
    const results = await race(world, round.map(job));
    for (const [index, result] of results.entries()) {
      const name = round[index] ?? '';
      last.set(name, result);
      if (result.outcome !== 'conflict') open.delete(name);
    }
  }

  const newest = names.at(-1) ?? '';
  expect(last.get(newest)).toMatchObject({ merged: true });
  expect(await world.show(manifest)).toContain(candidate(newest).image.digest);
  const commits = await landed(world);
  const versions = await Promise.all(
    commits.map(async ({ commit }) => {
      const file = '.passloop/prod/flight-delay.json';
      const { version, deployment } = parseDocument('record', await world.show(file, commit), file);
      expect(await world.show(manifest, commit)).toContain(deployment.targets[0]?.value ?? 'a target');
      return names.findIndex((name) => candidate(name).version === version);
    }),
  );
  expect(versions).toEqual([...versions].sort((left, right) => left - right));
  expect(new Set(versions).size).toBe(versions.length);
  for (const [name, { outcome, merged }] of last) {
    expect([name, merged || outcome === 'superseded']).toEqual([name, true]);
  }
  expect(image).toBe(candidate(newest).image.reference.split('@')[0]);
});

it('twenty promoters wait for the limits of a minute as long as they are asked to, and every promotion lands', async () => {
  // A minute of the server lasts a second.
  const [begin, pace] = [performance.now(), 60];
  const clock = () => new Date(Date.parse('2026-11-22T10:00:00Z') + Math.round((performance.now() - begin) * pace));
  const models = Array.from({ length: 20 }, (_, index) => `model-${index}`);
  const lines = models.map((model) => `  - {name: ghcr.io/acme/${model}, newTag: v0}\n`).join('');
  await using world = await deployWorld({
    files: { [manifest]: `images:\n${lines}` },
    rateLimit: 1_000_000,
    clock,
    secondaryLimits: { restPoints: 60, graphqlPoints: 120, content: 6 },
  });
  const waits: number[] = [];
  const sleep = async (milliseconds: number) => {
    waits.push(milliseconds);
    await setTimeout(milliseconds / pace);
  };

  const results = await Promise.all(
    models.map((model) => {
      const identity = `acme/models#${model}`;
      const targets = [{ kind: 'kustomize' as const, file: manifest, image: `ghcr.io/acme/${model}` }];
      const job: DeployJob = {
        act: 'promote',
        query: query({ model, identity, environments: [{ name: 'prod', targets }] }),
        request: promotionOf(candidate(model, { model, identity })),
        merge: 'review',
      };
      const place = { ...placeOf(world), timeoutMs: 120_000, maxWaitMs: Number.POSITIVE_INFINITY };
      return performJob(job, place, { sleep, random: Math.random });
    }),
  );

  expect(results.map(({ outcome }) => outcome)).toEqual(models.map(() => 'created'));
  const pulls = world.repository.pullRequests().map(({ title }) => title);
  for (const model of models) expect(pulls.filter((title) => title.startsWith(`promote(${model} `))).toHaveLength(1);
  // Each refusal was waited for once, and the call was sent again, not the whole promotion.
  const refused = world.server.log.filter((call) => call.refused !== null);
  expect(refused.length).toBeGreaterThan(0);
  expect(waits).toHaveLength(refused.length);
  expect(world.server.counts().total - refused.length).toBe(models.length * 5 + pushes(world));
});

/** Calls of git itself, with which the fixture begins. */
function pushes(world: DeployWorld): number {
  return world.server.log.filter(({ kind }) => kind === 'git').length;
}

/** Always the same disorder. */
function shuffled<T>(items: readonly T[]): T[] {
  const mixed = [...items];
  let state = 11;
  for (let last = mixed.length - 1; last > 0; last -= 1) {
    state = (state * 48_271) % 2_147_483_647;
    const other = state % (last + 1);
    [mixed[last], mixed[other]] = [mixed[other] as T, mixed[last] as T];
  }
  return mixed;
}
