import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { silentProgress, type TemporaryFolder, temporaryFolder } from '@passloop/core';
import { type PromotionDocument, parseDocument } from '@passloop/documents';
import { chainDeploy } from '@passloop/verbs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { replaceText, type Team, teamOf } from '../world/team.ts';
import { createWorld, type World } from '../world/world.ts';

/**
 * A model goes through staging to prod by itself: trained once, built once, proven against what runs in each, and let into prod when staging
 * has run it for long enough and its agent says that it does well. The steps build on one another: one world, in order.
 */
let folder: TemporaryFolder;
let world: World;
let team: Team;

const status = 'continuous-delivery/flight-staging';

beforeAll(async () => {
  folder = await temporaryFolder('chain');
  const command = path.resolve(import.meta.dirname, '../../packages/cli/src/main.ts');
  world = await createWorld({ folder: folder.path, base: 'passloop-base:bookworm', command });
  team = teamOf(world);
  expect(world.docker, 'a Docker engine must answer').not.toBeNull();
  const apps = path.join(world.deployClone, 'apps/flight-delay');
  await cp(path.join(apps, 'prod'), path.join(apps, 'staging'), { recursive: true });
  await push(world.deployClone, 'Run flight-delay in staging');
  await replaceText(
    world.flightsClone,
    'passloop.yaml',
    /( {6}environments:\n)( {8}- name: prod\n)/,
    `$1        - name: staging
          merge: auto
          healthy: {soak: 30m, statuses: [${status}]}
          targets:
            - {kind: kustomize, file: apps/flight-delay/staging/kustomization.yaml, image: "${world.image}"}
$2          after: staging\n`,
  );
  const workflows = path.join(world.flightsClone, '.github/workflows');
  await mkdir(workflows, { recursive: true });
  const text = 'name: Promote\non:\n  workflow_dispatch:\n    inputs:\n      model: {required: true}\n';
  await writeFile(path.join(workflows, 'model-promote.yml'), text);
  await push(world.flightsClone, 'Go to prod by staging');
}, 300_000);

afterAll(async () => {
  await world?.[Symbol.asyncDispose]();
  await folder?.[Symbol.asyncDispose]();
});

async function push(clone: string, message: string): Promise<void> {
  await world.git(clone, 'add', '--all');
  await world.git(clone, 'commit', '-qm', message);
  await world.git(clone, 'push', '-q', 'origin', 'HEAD:main');
}

async function promote(exitCode: number): Promise<PromotionDocument> {
  const answer = await world.passloop(['promote', '--json', '-']);
  expect(answer.exitCode, answer.stdout + answer.stderr).toBe(exitCode);
  return parseDocument('promotion', answer.stdout, 'promotion.json');
}

/** What the deploy repository's workflow does on an event. */
async function chain(event: string, payload: object = {}): Promise<string[]> {
  const token = await world.github.createToken({
    login: 'passloop-bot',
    kind: 'installation',
    repositories: ['acme/flights'],
    permissions: { actions: 'write', metadata: 'read' },
  });
  const file = path.join(folder.path, 'event.json');
  await writeFile(file, JSON.stringify(payload));
  const context = {
    cwd: world.deployClone,
    env: {
      ...process.env,
      GITHUB_API_URL: world.github.restUrl,
      GITHUB_REPOSITORY: 'acme/deploy',
      GITHUB_TOKEN: world.tokens.deploy,
      GITHUB_EVENT_NAME: event,
      GITHUB_EVENT_PATH: file,
    },
    now: () => new Date(),
    progress: silentProgress,
    version: '0.0.0',
  };
  const { dispatched, verdict } = await chainDeploy(context, {}, async () => token);
  expect(verdict).toBe('pass');
  return dispatched.map(({ repository, model, workflow }) => `${workflow} of ${repository} for ${model}`);
}

const told = ['model-promote.yml of acme/flights for flight-delay'];

async function report(state: 'success' | 'failure'): Promise<void> {
  const sha = await world.git(world.deploy.directory, 'rev-parse', 'main');
  await world.deploy.setStatus({ sha, context: status, state });
}

it('lands in staging by itself, which starts the chain', async () => {
  const before = await world.git(world.deploy.directory, 'rev-parse', 'main');

  expect(await promote(0)).toMatchObject({ outcome: 'created', environment: 'staging', merged: true });

  await world.git(world.deployClone, 'pull', '-q', '--ff-only');
  expect(await chain('push', { before })).toEqual(told);
}, 300_000);

it('waits for the soak, and is asked again by the schedule', async () => {
  const waiting = await promote(5);
  expect(waiting).toMatchObject({ outcome: 'pending', environment: 'prod', pullRequest: null });
  expect(waiting.reason).toMatch(
    /^It waits for staging to be healthy: soak of 30m is over at \S+Z; status "continuous-delivery\/flight-staging" was not reported on/,
  );
  expect(await chain('schedule')).toEqual(told);
}, 60_000);

it('opens the pull request of prod when staging does well, with the same model and the same image', async () => {
  await replaceText(world.flightsClone, 'passloop.yaml', 'soak: 30m', 'soak: 1s');
  await push(world.flightsClone, 'Soak for a second');
  await report('failure');
  expect(await promote(1)).toMatchObject({
    outcome: 'blocked',
    environment: 'prod',
    reason: expect.stringMatching(/^staging is not healthy: status .* is failure on/),
  });

  await report('success');
  expect(await chain('status')).toEqual(told);
  const opened = await promote(0);

  expect(opened).toMatchObject({ outcome: 'created', environment: 'prod', merged: false });
  const show = async (ref: string, file: string) =>
    JSON.parse(await world.git(world.deploy.directory, 'show', `${ref}:${file}`));
  const staging = await show('main', '.passloop/staging/flight-delay.json');
  const prod = await show(opened.branch ?? '', '.passloop/prod/flight-delay.json');
  expect([prod.modelDigest, prod.image.digest]).toEqual([staging.modelDigest, staging.image.digest]);
  const [pull] = world.deploy.pullRequests().filter(({ state }) => state === 'open');
  expect(pull?.body).toMatch(/staging/);
}, 300_000);

it('says so where staging falls ill while the pull request is open, and goes on when it is well', async () => {
  await report('failure');
  expect(await promote(1)).toMatchObject({ outcome: 'blocked', environment: 'prod' });
  await report('success');
  expect(await promote(0)).toMatchObject({ outcome: 'unchanged', environment: 'prod' });
}, 60_000);

it('ends when both run it, and a status wakes nobody any more', async () => {
  await team.mergeDeployment();
  expect(await promote(0)).toMatchObject({ outcome: 'already-promoted' });
  expect(await chain('status')).toEqual([]);
  expect(await chain('schedule')).toEqual(told);
  const manifest = await readFile(path.join(world.deployClone, 'apps/flight-delay/prod/kustomization.yaml'), 'utf8');
  expect(manifest).toMatch(/digest: "?sha256:[0-9a-f]{64}/);
}, 60_000);
