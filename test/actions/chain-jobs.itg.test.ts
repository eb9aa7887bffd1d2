import path from 'node:path';
import { type TemporaryFolder, temporaryFolder } from '@passloop/core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type ChainedWorld, chainedWorld } from '../../packages/verbs/src/testing/chained-world.ts';
import { type Bundle, type BundleRun, layBundle, runBundle } from './run-bundle.ts';

/** What the built actions tell a workflow of a chain: a promotion that waits fails no job, and an event of the cluster rolls back. */
let folder: TemporaryFolder;
let world: ChainedWorld;
let bundle: Bundle;

beforeAll(async () => {
  folder = await temporaryFolder('chain-jobs');
  world = await chainedWorld(path.join(folder.path, 'world'));
  bundle = await layBundle(folder.path);
}, 120_000);

afterAll(async () => {
  await world?.[Symbol.asyncDispose]();
  await folder?.[Symbol.asyncDispose]();
});

function job(name: string, inputs: Record<string, string>): Promise<BundleRun> {
  return runBundle(bundle, name, {
    workspace: world.flightsClone,
    inputs: { token: world.tokens.job, 'deploy-token': world.tokens.deploy, ...inputs },
    env: {
      GITHUB_API_URL: world.github.restUrl,
      GITHUB_SERVER_URL: world.github.url,
      GITHUB_REPOSITORY: 'acme/flights',
      GITHUB_ACTOR: 'ada',
      PASSLOOP_DOCKER: '/nowhere/docker',
    },
  });
}

it('a plan that waits for staging is pending, fails no job and starts no other', async () => {
  await world.environments('staging, healthy: {soak: 30d}', 'prod, after: staging');
  await world.git(world.flightsClone, 'push', '-q', 'origin', 'HEAD:main');
  await world.land('staging', 'head');

  const planned = await job('plan-promotion', { 'argocd-token': 'argo-secret' });

  expect(planned.exitCode, planned.log).toBe(0);
  expect(planned.outputs).toMatchObject({ verdict: 'pending', train: '[]', image: '[]', promote: '[]', error: '' });
  expect(JSON.parse(planned.outputs.models ?? '')).toEqual([
    { name: 'flight-delay', environment: 'prod', needs: 'nothing', outcome: 'pending' },
  ]);
  expect(planned.summary).toMatch(/⏳.*pending: flight-delay in prod: It waits for staging to be healthy: soak of 30d/);
  expect(planned.log).toContain('::add-mask::argo-secret');

  const promoted = await job('promote-model', { environment: 'prod' });
  expect(promoted.exitCode, promoted.log).toBe(0);
  expect(promoted.outputs).toMatchObject({
    verdict: 'pending',
    outcome: 'pending',
    'pull-request': '',
    merged: 'false',
  });
}, 60_000);

it('a plan fails where staging is not healthy', async () => {
  await world.environments('staging, healthy: {statuses: [cd]}', 'prod, after: staging');
  await world.git(world.flightsClone, 'push', '-q', 'origin', 'HEAD:main');
  const sha = await world.git(world.deploy.directory, 'rev-parse', 'main');
  await world.deploy.setStatus({ sha, context: 'cd', state: 'failure' });

  const planned = await job('plan-promotion', {});

  expect(planned.exitCode).toBe(1);
  expect(planned.log).toMatch(/::error::blocked: flight-delay in prod: staging is not healthy: status "cd" is failure/);
}, 60_000);

it("an event's payload rolls back what runs, and another one changes nothing", async () => {
  await world.land('prod', 'first');
  const { image } = await world.land('prod', 'second');
  const event = (digest: string) =>
    JSON.stringify({ event: 'aborted', namespace: 'flight-delay', name: 'flight-delay', images: [`x@${digest}`] });

  const other = await job('rollback-model', { 'abort-event': event(`sha256:${'7'.repeat(64)}`), environment: 'prod' });
  expect(other.exitCode, other.log).toBe(0);
  expect(other.outputs).toMatchObject({ outcome: 'already-promoted', 'pull-request': '' });

  const done = await job('rollback-model', { 'abort-event': event(image.digest), environment: 'prod' });
  expect(done.exitCode, done.log).toBe(0);
  expect(done.outputs).toMatchObject({ outcome: 'created', 'pull-request': expect.stringMatching(/\/pull\/\d+$/) });
  expect(done.log).toMatch(/from second .* back to first/);
}, 60_000);
