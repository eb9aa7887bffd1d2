import { appendFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type TemporaryFolder, temporaryFolder } from '@passloop/core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type PullRequest, replaceText, type Team, teamOf } from '../world/team.ts';
import { createWorld, type World } from '../world/world.ts';
import { type ActionsWorld, actionsWorld, type FinishedRun } from './actions-world.ts';
import { laySuite } from './suite.ts';

/** From a pull request to production by workflows alone, as GitHub would start them: one world, in order. */
let folder: TemporaryFolder;
let world: World;
let team: Team;
let actions: ActionsWorld;
let pull: PullRequest;
let first: string;

const flights = 'acme/flights';
const check = '.github/workflows/model-check.yml';
const promote = '.github/workflows/model-promote.yml';
const templates = path.resolve(import.meta.dirname, '../../workflows-templates');

beforeAll(async () => {
  folder = await temporaryFolder('workflows');
  world = await createWorld({ folder: path.join(folder.path, 'world'), base: 'passloop-base:bookworm' });
  expect(world.docker, 'a Docker engine must answer').not.toBeNull();
  team = teamOf(world);
  const permissions = { contents: 'write', pull_requests: 'write', metadata: 'read' } as const;
  const app = await world.github.createApp({
    slug: 'passloop',
    account: 'acme',
    repositories: ['acme/deploy'],
    permissions,
  });
  actions = actionsWorld(world, await laySuite(folder.path), {
    [flights]: {
      variables: { PASSLOOP_APP_CLIENT_ID: app.clientId },
      environments: { passloop: { secrets: { PASSLOOP_APP_PRIVATE_KEY: app.privateKey }, branches: ['main'] } },
    },
  });
  for (const file of [check, promote]) {
    const starter = await readFile(path.join(templates, path.basename(file)), 'utf8');
    await mkdir(path.join(world.flightsClone, path.dirname(file)), { recursive: true });
    await writeFile(path.join(world.flightsClone, file), starter.replaceAll('$default-branch', 'main'));
  }
  await world.git(world.flightsClone, 'add', '.');
  await world.git(world.flightsClone, 'commit', '-qm', 'Check and promote models');
  await world.git(world.flightsClone, 'push', '-q');
}, 300_000);

afterAll(async () => {
  await world?.[Symbol.asyncDispose]();
  await folder?.[Symbol.asyncDispose]();
});

/** Names and results, as the run's page lists them. */
function story(run: FinishedRun): string[] {
  for (const secret of actions.secrets()) expect(run.log.includes(secret), 'a secret in the log').toBe(false);
  return run.jobs.map(({ name, result }) => `${name}: ${result}`);
}

function job(run: FinishedRun, name: string): FinishedRun['jobs'][number] {
  const found = run.jobs.find((candidate) => candidate.name === `${name}`);
  expect(found, run.log).toBeDefined();
  return found as FinishedRun['jobs'][number];
}

it('a push of a model that nobody has trained: trains without a credential, proves the pushed image, opens the pull request', async () => {
  const before = await world.git(world.flightsClone, 'rev-parse', 'HEAD^');
  const run = await actions.run(flights, promote, await actions.events(flights).push(before));

  expect(story(run), run.log).toEqual([
    'promote / plan: success',
    'promote / train flight-delay: success',
    'promote / image flight-delay: success',
    'promote / prove flight-delay: success',
    'promote / promote flight-delay: success',
  ]);
  await team.mergeDeployment();
  first = await team.deployedDigest();

  // The deploy repository says that it moved: the same workflow, which now sees what production is.
  const told = await actions.run(flights, promote, await actions.events(flights).dispatch({ model: '' }));
  expect(story(told), told.log).toEqual(['promote / plan: success']);
}, 400_000);

it('a pull request that makes the model worse is trained, sealed and compared, and its report says so', async () => {
  pull = await team.propose({
    branch: 'deeper',
    title: 'Fewer trees',
    change: (clone) => replaceText(clone, 'params.yaml', 'max_iter: 60', 'max_iter: 2'),
  });
  const run = await actions.run(flights, check, await actions.events(flights).pullRequest(pull.number));

  expect(story(run), run.log).toEqual(
    expect.arrayContaining([
      'check / plan: success',
      'check / train flight-delay: success',
      'check / seal flight-delay: success',
    ]),
  );
  expect(job(run, 'check / seal flight-delay').summary).toMatch(/❌/);
  expect(
    run.handle
      .artifacts()
      .map(({ name }) => name)
      .sort(),
  ).toEqual(['passloop-candidate-flight-delay', 'passloop-report-flight-delay']);
}, 400_000);

it('a second push makes it better', async () => {
  const clone = world.flightsClone;
  await replaceText(clone, 'params.yaml', 'max_iter: 2', 'max_iter: 120');
  await replaceText(clone, 'params.yaml', 'max_depth: 3', 'max_depth: 6');
  await appendFile(path.join(clone, 'params.yaml'), '  - origin_late_3h\n  - destination_late_3h\n');
  await world.git(clone, 'commit', '-qam', 'Deeper trees');
  await world.git(clone, 'push', '-q', 'origin', 'HEAD:deeper');
  const run = await actions.run(flights, check, await actions.events(flights).pullRequest(pull.number, pull.head));

  expect(job(run, 'check / seal flight-delay').result, run.log).toBe('success');
  expect(job(run, 'check / seal flight-delay').summary).not.toMatch(/❌/);
  expect(job(run, 'check / seal flight-delay').log).toContain('pass: compared, 60,000 rows');
}, 400_000);

it('a merge queue finds run and proof in the store, and trains nothing', async () => {
  const group = await world.github.createMergeGroup({ repository: flights, pull: pull.number });
  const run = await actions.run(flights, check, actions.events(flights).mergeGroup(group));

  expect(job(run, 'check / plan').log).toContain('output models=[{"name":"flight-delay","stored":"proof"}]');
  expect(job(run, 'check / train flight-delay').log).not.toMatch(/▾ .*(?:stage|build the image|probe)/);
  expect(job(run, 'check / seal flight-delay').result).toBe('success');
  await group.remove();
}, 400_000);

it("a fork's pull request is trained with a token that reads, and leaves nothing in the store", async () => {
  const fork = await world.flights.fork({ owner: 'mallory' });
  const token = await world.github.createToken({ login: 'mallory', repositories: ['mallory/flights'] });
  const clone = world.flightsClone;
  await world.git(clone, 'checkout', '-q', '-B', 'stranger', 'origin/main');
  await replaceText(clone, 'params.yaml', 'learning_rate: 0.1', 'learning_rate: 0.11');
  await world.git(clone, 'commit', '-qam', 'Learn faster');
  await world.git(clone, 'push', '-q', fork.cloneUrlWith(token), 'HEAD:refs/heads/stranger');
  const { number } = await world.flights.openPull({
    author: 'mallory',
    title: 'Learn faster',
    head: 'mallory:stranger',
    base: 'main',
  });
  const event = await actions.events(flights).pullRequest(number);
  expect(event).toMatchObject({ isFork: true, actor: 'mallory' });

  const run = await actions.run(flights, check, event);
  expect(story(run), run.log).toEqual(
    expect.arrayContaining([
      'check / plan: success',
      'check / train flight-delay: success',
      'check / seal flight-delay: success',
    ]),
  );

  const again = await actions.run(flights, check, event, { job: 'plan', needs: {} });
  expect(job(again, 'check / plan').log).toContain('output models=[{"name":"flight-delay","stored":"none"}]');
}, 400_000);

it('a push of what was checked promotes without training', async () => {
  const before = await world.git(world.flightsClone, 'rev-parse', 'origin/main');
  expect(await team.merge(pull)).toMatchObject({ merged: true });
  const run = await actions.run(flights, promote, await actions.events(flights).push(before));

  expect(story(run), run.log).toEqual([
    'promote / plan: success',
    'promote / image flight-delay: success',
    'promote / prove flight-delay: success',
    'promote / promote flight-delay: success',
  ]);
  await team.mergeDeployment();
  expect(await team.deployedDigest()).not.toBe(first);
}, 400_000);

it('a push that changes no model promotes nothing', async () => {
  const before = await world.git(world.flightsClone, 'rev-parse', 'HEAD');
  await writeFile(path.join(world.flightsClone, 'README.md'), 'Flights.\n');
  await world.git(world.flightsClone, 'add', '.');
  await world.git(world.flightsClone, 'commit', '-qm', 'Describe the repository');
  await world.git(world.flightsClone, 'push', '-q');
  const run = await actions.run(flights, promote, await actions.events(flights).push(before));

  expect(run.conclusion, run.log).toBe('success');
  expect(run.needs.plan?.outputs).toMatchObject({ train: '[]', image: '[]', promote: '[]' });
}, 400_000);
