import { appendFile } from 'node:fs/promises';
import path from 'node:path';
import { type TemporaryFolder, temporaryFolder } from '@passloop/core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { jobStep } from '../world/job-step.ts';
import { replaceText, type Team, teamOf } from '../world/team.ts';
import { createWorld, type World } from '../world/world.ts';
import { type Bundle, type BundleRun, layBundle } from './run-bundle.ts';

/** From a commit to production and back by the built actions alone, as a job's steps, with a real engine, registry and forge. */
let folder: TemporaryFolder;
let world: World;
let team: Team;
let bundle: Bundle;
let first: { image: string; runKey: string };

beforeAll(async () => {
  folder = await temporaryFolder('actions-road');
  world = await createWorld({ folder: path.join(folder.path, 'world'), base: 'passloop-base:bookworm' });
  expect(world.docker, 'a Docker engine must answer').not.toBeNull();
  team = teamOf(world);
  bundle = await layBundle(folder.path);
}, 300_000);

afterAll(async () => {
  await world?.[Symbol.asyncDispose]();
  await folder?.[Symbol.asyncDispose]();
});

async function step(action: string, inputs: Record<string, string> = {}): Promise<BundleRun> {
  return jobStep(world, bundle, { action, workspace: world.flightsClone, inputs });
}

it('reproduce-training trains, finds the run by its key, and runs it again', async () => {
  const trained = await step('reproduce-training');
  expect(trained.exitCode, trained.log).toBe(0);
  expect(trained.outputs).toMatchObject({ verdict: 'pass', cache: 'miss', reproduction: '' });
  expect(trained.outputs['run-key']).toMatch(/^rk1-[0-9a-f]{64}$/);

  const found = await step('reproduce-training');
  expect(found.outputs).toMatchObject({ cache: 'hit', 'run-key': trained.outputs['run-key'] });
  expect(found.summary).toMatch(/^### ✅ The run was found by its key/);

  const again = await step('reproduce-training', { reproduce: 'true' });
  expect(again.exitCode, again.log).toBe(0);
  expect(again.outputs.reproduction).toMatch(/^(bitwise|functional)$/);
  first = { image: '', runKey: trained.outputs['run-key'] ?? '' };
}, 300_000);

it('package-model scans, builds, proves and pushes', async () => {
  const pushed = await step('package-model', { push: 'true' });
  expect(pushed.exitCode, pushed.log).toBe(0);
  expect(pushed.outputs.verdict).toMatch(/^(pass|warn)$/);
  expect(pushed.outputs.image).toBe(`${world.image}@${pushed.outputs.digest}`);
  expect(pushed.summary).toContain('| probe | verdict |');
  first.image = pushed.outputs.digest ?? '';
}, 300_000);

it('promote-model trains nothing, opens one pull request, and does nothing more the second time', async () => {
  await team.deployByHand(first.image);
  expect((await world.passloop(['adopt'])).exitCode).toBe(0);
  await team.mergeDeployment();

  await replaceText(world.flightsClone, 'params.yaml', 'max_iter: 60', 'max_iter: 120');
  await replaceText(world.flightsClone, 'params.yaml', 'max_depth: 3', 'max_depth: 6');
  await appendFile(path.join(world.flightsClone, 'params.yaml'), '  - origin_late_3h\n  - destination_late_3h\n');
  await world.git(world.flightsClone, 'commit', '-qam', 'Deeper trees');

  const unknown = await step('promote-model', { 'deploy-token': world.tokens.deploy });
  expect(unknown.exitCode).toBe(1);
  expect(unknown.outputs).toMatchObject({ verdict: 'fail', outcome: 'blocked', error: '' });
  expect(unknown.log).toMatch(/::error::blocked: .*has no run rk1-[0-9a-f]{64}\. Train it first/);
  expect((await step('reproduce-training')).outputs.cache).toBe('miss');

  const plan = await step('promote-model', { 'deploy-token': world.tokens.deploy, plan: 'true' });
  expect(plan.outputs['pull-request']).toBe('');
  const created = await step('promote-model', { 'deploy-token': world.tokens.deploy });
  expect(created.exitCode, created.log).toBe(0);
  expect(created.outputs).toMatchObject({ verdict: 'pass', outcome: 'created', merged: 'false' });
  expect(created.outputs['pull-request']).toMatch(/\/acme\/deploy\/pull\/\d+$/);
  expect(created.summary).toContain('```diff');

  const again = await step('promote-model', { 'deploy-token': world.tokens.deploy });
  expect(again.outputs).toMatchObject({ outcome: 'unchanged', 'pull-request': created.outputs['pull-request'] });
  await team.mergeDeployment();
  expect(await team.deployedDigest()).not.toBe(first.image);
}, 300_000);

it('a token that may not write names the permission that is missing', async () => {
  const refused = await step('rollback-model', { 'deploy-token': world.tokens.job, environment: 'prod' });
  expect(refused.exitCode).toBe(1);
  expect(refused.log).toMatch(/::error::.*contents: write/);
  expect(await team.deployedDigest()).not.toBe(first.image);
}, 60_000);

it('rollback-model brings the first image back, and the model that it left is refused', async () => {
  const back = await step('rollback-model', { 'deploy-token': world.tokens.deploy, reason: 'Too slow at night' });
  expect(back.exitCode, back.log).toBe(0);
  expect(back.outputs).toMatchObject({ verdict: 'pass', outcome: 'created' });
  await team.mergeDeployment();
  expect(await team.deployedDigest()).toBe(first.image);

  const held = await step('promote-model', { 'deploy-token': world.tokens.deploy });
  expect(held.exitCode).toBe(1);
  expect(held.outputs).toMatchObject({ verdict: 'fail', outcome: 'held' });
  expect(held.log).toMatch(/::error::held: .*passloop hold sha256:[0-9a-f]{64} --lift/);
}, 300_000);
