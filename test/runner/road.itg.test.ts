import { appendFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type TemporaryFolder, temporaryFolder } from '@passloop/core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type PullRequest, replaceText, type Team, teamOf } from '../world/team.ts';
import { createWorld, type World } from '../world/world.ts';
import type { ActionsWorld, FinishedRun } from './actions-world.ts';
import { startersWorld } from './starters.ts';

/**
 * From a pull request to production by workflows alone, as GitHub would start them: one world, in order. Its repositories and
 * packages are private, so that each job shows to need no more than the scopes of its YAML; permissions.itg.test.ts takes them away.
 */
let folder: TemporaryFolder;
let world: World;
let team: Team;
let actions: ActionsWorld;
let pull: PullRequest;
let first: string;
let comment: number | undefined;

const flights = 'acme/flights';
const check = '.github/workflows/model-check.yml';
const promote = '.github/workflows/model-promote.yml';
const report = '.github/workflows/model-report.yml';
const rollback = '.github/workflows/model-rollback.yml';
const deploy = 'acme/deploy';
const deployCheck = '.github/workflows/deploy-check.yml';
const deployChain = '.github/workflows/deploy-chain.yml';
const manifest = 'apps/flight-delay/prod/kustomization.yaml';

beforeAll(async () => {
  folder = await temporaryFolder('workflows');
  world = await createWorld({
    folder: path.join(folder.path, 'world'),
    base: 'passloop-base:bookworm',
    private: true,
    forgeRegistry: true,
  });
  expect(world.docker, 'a Docker engine must answer').not.toBeNull();
  team = teamOf(world);
  actions = await startersWorld(world, folder.path);
}, 300_000);

afterAll(async () => {
  await world?.[Symbol.asyncDispose]();
  await folder?.[Symbol.asyncDispose]();
});

async function read<T>(route: string): Promise<T> {
  const answer = await fetch(`${world.github.restUrl}/repos/${route}`, {
    headers: { authorization: `Bearer ${world.tokens.team}` },
  });
  expect(answer.status, route).toBe(200);
  return (await answer.json()) as T;
}

/** Conclusions of the check runs named `passloop` on a commit, each with its title. */
async function checksOn(sha: string): Promise<string[]> {
  type CheckRuns = { check_runs: { conclusion: string; output: { title: string } }[] };
  const { check_runs: runs } = await read<CheckRuns>(`${flights}/commits/${sha}/check-runs?check_name=passloop`);
  return runs.map(({ conclusion, output }) => `${conclusion}: ${output.title}`);
}

async function commentsOn(number: number): Promise<{ id: number; body: string }[]> {
  return read(`${flights}/issues/${number}/comments`);
}

async function openDeployment(): Promise<{ number: number }> {
  const open = await read<{ number: number }[]>(`${deploy}/pulls?state=open`);
  expect(open).toHaveLength(1);
  return open[0] as { number: number };
}

async function closeDeployment(number: number): Promise<void> {
  const answer = await fetch(`${world.github.restUrl}/repos/${deploy}/pulls/${number}`, {
    method: 'PATCH',
    headers: { authorization: `Bearer ${world.tokens.team}` },
    body: JSON.stringify({ state: 'closed' }),
  });
  expect(answer.status).toBe(200);
}

function artifactsOf(run: FinishedRun): string[] {
  return run.handle
    .artifacts()
    .map(({ name }) => name)
    .sort();
}

/** What was asked of the forge to change, since a place in its log; a run's own artifacts aside. */
function writesSince(from: number): string[] {
  return world.github.log
    .slice(from)
    .filter(({ kind, writes }) => writes && kind !== 'twirp' && kind !== 'blob')
    .map(({ method, path: route, operations }) => `${method} ${route} ${operations.join(' ')}`);
}

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
  await world.flights.protectBranch('main', { requiredChecks: ['passloop'] });
  const run = await actions.run(flights, check, await actions.events(flights).pullRequest(pull.number));

  expect(story(run), run.log).toEqual([
    'check / plan: success',
    'check / train flight-delay: success',
    'check / seal flight-delay: success',
    'check / report: failure',
  ]);
  expect(job(run, 'check / seal flight-delay').summary).toMatch(/❌/);
  expect(artifactsOf(run)).toEqual([
    'passloop-candidate-flight-delay',
    'passloop-report',
    'passloop-report-flight-delay',
    'passloop-report.html',
  ]);
  const comments = await commentsOn(pull.number);
  expect(comments.map(({ body }) => body)).toEqual([expect.stringContaining('❌')]);
  comment = comments[0]?.id;
  await actions.keep('comment-blocked.md', comments[0]?.body ?? '');
  expect(await checksOn(pull.head)).toEqual([expect.stringMatching(/^failure: /)]);
  expect(await team.merge(pull)).toMatchObject({ merged: false, message: expect.stringContaining('passloop') });
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
  expect(job(run, 'check / seal flight-delay').log).toMatch(/(?:pass|warn): compared, 60,000 rows/);
  expect(job(run, 'check / report').result, run.log).toBe('success');
  const comments = await commentsOn(pull.number);
  expect(comments.map(({ id }) => id)).toEqual([comment]);
  expect(comments[0]?.body).not.toMatch(/❌/);
  const gates = (comments[0]?.body ?? '').split('\n').filter((line) => /^\| (?:ROC AUC|log loss)/.test(line));
  // Every gate on the model itself holds; how long a request takes only warns, and says what else this machine does.
  expect(gates.length).toBeGreaterThanOrEqual(2);
  for (const line of gates) expect(line).toMatch(/ ✅\s(?:better|non.inferior) \|$/);
  await actions.keep('comment-passed.md', comments[0]?.body ?? '');
  expect(await checksOn(await world.git(clone, 'rev-parse', 'HEAD'))).toEqual([expect.stringMatching(/^success: /)]);
}, 400_000);

it('a merge queue finds run and proof in the store, and trains nothing', async () => {
  const group = await world.github.createMergeGroup({ repository: flights, pull: pull.number });
  const from = world.github.log.length;
  const run = await actions.run(flights, check, actions.events(flights).mergeGroup(group));

  expect(job(run, 'check / plan').log).toContain('output models=[{"name":"flight-delay","stored":"proof"}]');
  expect(job(run, 'check / train flight-delay').log).not.toMatch(/▾ .*(?:stage|build the image|probe)/);
  expect(job(run, 'check / seal flight-delay').result).toBe('success');
  expect(job(run, 'check / report').result, run.log).toBe('success');
  expect(await checksOn(group.headSha)).toEqual([expect.stringMatching(/^success: /)]);
  expect((await commentsOn(pull.number)).map(({ id }) => id)).toEqual([comment]);
  expect(writesSince(from)).toEqual([expect.stringContaining('checks/create')]);
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

  const from = world.github.log.length;
  const run = await actions.run(flights, check, event);
  expect(story(run).slice(0, 3), run.log).toEqual([
    'check / plan: success',
    'check / train flight-delay: success',
    'check / seal flight-delay: success',
  ]);
  expect(artifactsOf(run)).toContain('passloop-report');
  expect(writesSince(from)).toEqual([]);
  expect(await checksOn(event.head.sha)).toEqual([]);
  expect(await commentsOn(number)).toEqual([]);

  const posted = await actions.run(flights, report, await actions.events(flights).workflowRun(run.handle));
  expect(story(posted), posted.log).toEqual(['report / report: success']);
  const passed = job(run, 'check / report').result === 'success';
  expect(await checksOn(event.head.sha)).toEqual([
    expect.stringMatching(passed ? /^neutral: Advisory: / : /^failure: Advisory: /),
  ]);
  const comments = await commentsOn(number);
  expect(comments.map(({ body }) => body)).toEqual([expect.stringContaining('**Advisory: ')]);
  await actions.keep('comment-fork.md', comments[0]?.body ?? '');

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
  const { number } = await openDeployment();
  const event = await actions.events(deploy).pullRequest(number);
  const stranger = await actions.run(deploy, deployCheck, event);
  expect(story(stranger), stranger.log).toEqual(['check / check: failure']);
  expect(job(stranger, 'check / check').log).toContain('Manage Actions access');

  await world.github.grantPackage('acme/flight-delay', deploy, 'read');
  const checked = await actions.run(deploy, deployCheck, event);
  expect(story(checked), checked.log).toEqual(['check / check: success']);
}, 400_000);

it('what is merged in the deploy repository starts the promotion of the model repository again', async () => {
  const before = await world.git(world.deployClone, 'rev-parse', 'HEAD');
  await team.mergeDeployment();
  expect(await team.deployedDigest()).not.toBe(first);
  const run = await actions.run(deploy, deployChain, await actions.events(deploy).push(before));

  expect(story(run), run.log).toEqual(['chain / chain: success']);
  expect(world.github.dispatches()).toMatchObject([
    { repository: flights, workflow: 'model-promote.yml', ref: 'main', inputs: { model: 'flight-delay' } },
  ]);
}, 400_000);

it('a manifest that was edited by hand fails the deploy check, on its line', async () => {
  const clone = world.deployClone;
  await world.git(clone, 'checkout', '-q', '-B', 'by-hand');
  await replaceText(clone, manifest, /sha256:[0-9a-f]{64}/, `sha256:${'0'.repeat(64)}`);
  await world.git(clone, 'commit', '-qam', 'Try another image');
  await world.git(clone, 'push', '-q', 'origin', 'HEAD:by-hand');
  await world.git(clone, 'checkout', '-q', 'main');
  const pullRequest = { author: 'ada', title: 'Try another image', head: 'by-hand', base: 'main' };
  const { number } = await world.deploy.openPull(pullRequest);
  const run = await actions.run(deploy, deployCheck, await actions.events(deploy).pullRequest(number));

  expect(story(run), run.log).toEqual(['check / check: failure']);
  expect(job(run, 'check / check').log).toContain(manifest);
  await closeDeployment(number);
}, 400_000);

it('a rollback that somebody asks for opens the pull request that returns to the first image', async () => {
  const inputs = { model: 'flight-delay', environment: '', to: '', reason: 'Late at night' };
  const run = await actions.run(flights, rollback, await actions.events(flights).dispatch(inputs));

  expect(story(run), run.log).toEqual(['rollback / rollback flight-delay: success']);
  const { number } = await openDeployment();
  const checked = await actions.run(deploy, deployCheck, await actions.events(deploy).pullRequest(number));
  expect(story(checked), checked.log).toEqual(['check / check: success']);
  expect((await team.mergeDeployment()).body).toContain('Late at night');
  expect(await team.deployedDigest()).toBe(first);
}, 400_000);

it('a push that changes no model promotes nothing', async () => {
  await world.flights.protectBranch('main', {});
  const before = await world.git(world.flightsClone, 'rev-parse', 'HEAD');
  await writeFile(path.join(world.flightsClone, 'README.md'), 'Flights.\n');
  await world.git(world.flightsClone, 'add', '.');
  await world.git(world.flightsClone, 'commit', '-qm', 'Describe the repository');
  await world.git(world.flightsClone, 'push', '-q');
  const run = await actions.run(flights, promote, await actions.events(flights).push(before));

  expect(run.conclusion, run.log).toBe('success');
  expect(run.needs.plan?.outputs).toMatchObject({ train: '[]', image: '[]', promote: '[]' });
}, 400_000);
