import { appendFile, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type TemporaryFolder, temporaryFolder } from '@passloop/core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { eventsOf } from '../runner/events.ts';
import { beginRun, type EventRun } from '../world/event-run.ts';
import { jobStep } from '../world/job-step.ts';
import { replaceText, type Team, teamOf } from '../world/team.ts';
import { createWorld, type World } from '../world/world.ts';
import { type Bundle, type BundleRun, layBundle } from './run-bundle.ts';

/**
 * A promotion as the jobs of one workflow run do it, by the built actions alone: plan, train, image, prove, promote; then the deploy
 * repository's two. Only some jobs reach an engine or DuckDB: the others are given neither.
 */
let folder: TemporaryFolder;
let world: World;
let team: Team;
let bundle: Bundle;
let run: EventRun;
let token = '';

const workflow = 'name: Promote\non:\n  workflow_dispatch:\n    inputs:\n      model: {required: true}\n';

beforeAll(async () => {
  folder = await temporaryFolder('promotion-jobs');
  world = await createWorld({ folder: path.join(folder.path, 'world'), base: 'passloop-base:bookworm' });
  expect(world.docker, 'a Docker engine must answer').not.toBeNull();
  team = teamOf(world);
  bundle = await layBundle(folder.path);
  const workflows = path.join(world.flightsClone, '.github/workflows');
  await mkdir(workflows, { recursive: true });
  await writeFile(path.join(workflows, 'model-promote.yml'), workflow);
  await push('Promote by a workflow');
  token = await world.github.createToken({
    login: 'passloop-bot',
    kind: 'installation',
    repositories: ['acme/flights'],
    permissions: { actions: 'write', metadata: 'read' },
  });
  await newRun();
}, 300_000);

afterAll(async () => {
  await world?.[Symbol.asyncDispose]();
  await folder?.[Symbol.asyncDispose]();
});

async function push(message: string): Promise<void> {
  await world.git(world.flightsClone, 'add', '--all');
  await world.git(world.flightsClone, 'commit', '-qm', message);
  await world.git(world.flightsClone, 'push', '-q', 'origin', 'HEAD:main');
}

async function newRun(): Promise<void> {
  const event = await eventsOf(world.github, world.tokens.team, 'acme/flights').dispatch({});
  run = await beginRun(world, folder.path, 'model-promote.yml', event);
}

type Job = { inputs?: Record<string, string>; engine?: boolean; duckdb?: boolean; env?: Record<string, string> };

async function job(
  action: string,
  { inputs = {}, engine = false, duckdb = false, env = {} }: Job = {},
): Promise<BundleRun> {
  const place = duckdb ? bundle : { ...bundle, toolCache: path.join(folder.path, 'empty') };
  const isDeploy = action.endsWith('-deploy');
  return jobStep(world, place, {
    action,
    workspace: isDeploy ? world.deployClone : world.flightsClone,
    inputs: { token: world.tokens.job, ...inputs },
    ...(isDeploy ? {} : { of: { run, job: 'promote' } }),
    env: {
      ...(isDeploy ? { GITHUB_REPOSITORY: 'acme/deploy' } : {}),
      ...(engine ? {} : { PASSLOOP_DOCKER: '/nowhere/docker' }),
      ...(duckdb ? {} : { npm_config_registry: 'http://127.0.0.1:1/' }),
      ...env,
    },
  });
}

const deploy = () => ({ 'deploy-token': world.tokens.deploy });

async function plan(): Promise<Record<string, unknown>> {
  const planned = await job('plan-promotion', { inputs: deploy() });
  expect(planned.exitCode, planned.log).toBe(0);
  const list = (name: string) => JSON.parse(planned.outputs[name] ?? '') as unknown;
  return { models: list('models'), train: list('train'), image: list('image'), promote: list('promote') };
}

async function proveAndPush(): Promise<BundleRun> {
  const pushed = await job('package-model', { inputs: { push: 'true', prove: 'false' }, engine: true });
  expect(pushed.exitCode, pushed.log).toBe(0);
  expect(pushed.outputs.digest).toMatch(/^sha256:/);
  const proof = await job('prove-model', { inputs: { environment: 'prod' }, engine: true, duckdb: true });
  expect(proof.exitCode, proof.log).toBe(0);
  return proof;
}

it('an unknown key is planned, trained, built, proven and promoted, each by its job', async () => {
  const name = 'flight-delay';
  const entry = { name, environment: 'prod', needs: 'train', outcome: 'pending' };
  expect(await plan()).toEqual({ models: [entry], train: [name], image: [entry], promote: [entry] });

  // Stands for the two jobs that train and seal.
  expect((await job('reproduce-training')).outputs.cache).toBe('miss');
  expect(await plan()).toMatchObject({ models: [{ needs: 'image' }], train: [], image: [{ name }] });

  const early = await job('promote-model', { inputs: { ...deploy(), environment: 'prod', proof: 'true' } });
  expect(early.exitCode).toBe(1);
  expect(early.log).toMatch(/::error::blocked: .*There is no proof of flight-delay in prod/);

  await proveAndPush();
  const promoted = await job('promote-model', { inputs: { ...deploy(), environment: 'prod', proof: 'true' } });
  expect(promoted.exitCode, promoted.log).toBe(0);
  expect(promoted.outputs).toMatchObject({ verdict: 'pass', outcome: 'created', merged: 'false' });
  expect(await plan()).toMatchObject({ models: [{ needs: 'nothing', outcome: 'unchanged' }], promote: [] });
}, 300_000);

it('check-deploy passes its pull request, and chain-deploy tells the model repository that it was merged', async () => {
  await world.git(world.deployClone, 'fetch', '-q', 'origin');
  const before = await world.git(world.deployClone, 'rev-parse', 'origin/main');
  await world.git(world.deployClone, 'checkout', '-q', '-f', '--detach', 'origin/main');
  await world.git(world.deployClone, 'merge', '-q', '--no-ff', '-m', 'Merge', 'origin/promote/flight-delay/prod');
  const checked = await job('check-deploy', { env: { GITHUB_HEAD_REF: 'promote/flight-delay/prod' } });
  expect(checked.exitCode, checked.log).toBe(0);
  expect(checked.summary).toMatch(/promotion of flight-delay in prod/);

  await world.git(world.deployClone, 'checkout', '-q', '-f', 'main');
  await team.mergeDeployment();
  await world.git(world.deployClone, 'fetch', '-q', 'origin');
  const event = path.join(folder.path, 'event.json');
  await writeFile(event, JSON.stringify({ before }));
  const chained = await job('chain-deploy', {
    inputs: { 'token-for-models': token, token: world.tokens.deploy },
    env: { GITHUB_EVENT_NAME: 'push', GITHUB_EVENT_PATH: event },
  });
  expect(chained.exitCode, chained.log).toBe(0);
  expect(JSON.parse(chained.outputs.dispatched ?? '')).toEqual([
    { repository: 'acme/flights', model: 'flight-delay', workflow: 'model-promote.yml', ref: 'main' },
  ]);
  expect(world.github.dispatches()).toEqual([
    expect.objectContaining({ workflow: 'model-promote.yml', ref: 'main', inputs: { model: 'flight-delay' } }),
  ]);
  expect(await plan()).toMatchObject({ models: [{ needs: 'nothing', outcome: 'already-promoted' }] });
}, 120_000);

it('check-deploy fails a manifest that was edited by hand, on its line', async () => {
  await world.git(world.deployClone, 'checkout', '-q', '-f', '--detach', 'origin/main');
  const manifest = 'apps/flight-delay/prod/kustomization.yaml';
  await replaceText(world.deployClone, manifest, 'sha256:', 'sha256:0');
  await replaceText(world.deployClone, manifest, /(sha256:0[0-9a-f]{63})[0-9a-f]/, '$1');
  await world.git(world.deployClone, 'commit', '-qam', 'Hotfix');
  const checked = await job('check-deploy', { inputs: { against: 'HEAD^' } });
  expect(checked.exitCode).toBe(1);
  expect(checked.outputs).toMatchObject({ verdict: 'fail', error: '' });
  const place = String.raw`apps/flight-delay/prod/kustomization\.yaml`;
  const said = checked.log.split('\n').filter((line) => line.includes(manifest));
  expect(said).toEqual([
    expect.stringMatching(`^FAIL ${place}:\\d+: `),
    expect.stringMatching(`^::error title=passloop%3A unrecorded-edit,file=${place},line=\\d+::`),
  ]);
  expect(checked.log.match(/^::error/gm)).toHaveLength(1);
}, 60_000);

it('chain-deploy reports a repository that its token does not reach', async () => {
  const blind = await world.github.createToken({
    login: 'passloop-bot',
    kind: 'installation',
    repositories: ['acme/deploy'],
    permissions: { actions: 'write', metadata: 'read' },
  });
  const chained = await job('chain-deploy', { inputs: { 'token-for-models': blind, token: world.tokens.deploy } });
  expect(chained.exitCode).toBe(1);
  expect(chained.outputs.dispatched).toBe('[]');
  expect(chained.log).toMatch(/^::error::0 models were told, 1 could not be: acme\/flights/m);
  expect(chained.log.match(/^FAIL {2}acme\/flights \(/gm)).toHaveLength(1);
}, 60_000);

it('a proof is superseded where production moved between the two jobs', async () => {
  await replaceText(world.flightsClone, 'params.yaml', 'max_iter: 60', 'max_iter: 120');
  await replaceText(world.flightsClone, 'params.yaml', 'max_depth: 3', 'max_depth: 6');
  await appendFile(path.join(world.flightsClone, 'params.yaml'), '  - origin_late_3h\n  - destination_late_3h\n');
  await push('Deeper trees');
  await newRun();
  expect(await plan()).toMatchObject({ models: [{ needs: 'train' }] });
  expect((await job('reproduce-training')).outputs.cache).toBe('miss');
  const proof = await proveAndPush();
  expect(proof.summary).toMatch(/against production/);

  // Somebody records a change by hand meanwhile.
  await world.git(world.deployClone, 'checkout', '-q', '-f', '-B', 'main', 'origin/main');
  const manifest = 'apps/flight-delay/prod/kustomization.yaml';
  await replaceText(world.deployClone, manifest, /sha256:[0-9a-f]{64}/, proof.outputs.image ?? '');
  await world.git(world.deployClone, 'commit', '-qam', 'By hand');
  await world.git(world.deployClone, 'push', '-q', 'origin', 'HEAD:main');
  expect((await world.passloop(['adopt', '--model-digest', `sha256:${'7'.repeat(64)}`])).exitCode).toBe(0);
  await team.mergeDeployment();

  const from = world.github.log.length;
  const late = await job('promote-model', { inputs: { ...deploy(), environment: 'prod', proof: 'true' } });
  expect(late.exitCode, late.log).toBe(0);
  expect(late.outputs).toMatchObject({ outcome: 'superseded', 'pull-request': '' });
  expect(world.github.counts(from)).toMatchObject({ writes: 0 });
}, 300_000);
