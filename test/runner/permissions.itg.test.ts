import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type TemporaryFolder, temporaryFolder } from '@passloop/core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { replaceText, type Team, teamOf } from '../world/team.ts';
import { createWorld, type World } from '../world/world.ts';
import { type ActionsWorld, actionsWorld, type FinishedRun } from './actions-world.ts';
import type { WorkflowEvent } from './events.ts';
import { laySuite } from './suite.ts';
import type { Needs } from './workflow-replay.ts';

/**
 * What each permission of each job is for: the job alone, with what its YAML grants, and again with one scope less. The repositories
 * are private, and images and results lie in the forge's own registry, so that `contents` and `packages` decide something.
 * The jobs with all of their scopes are walked by road.itg.test.ts.
 */
let folder: TemporaryFolder;
let world: World;
let team: Team;
let actions: ActionsWorld;
let pull: WorkflowEvent;
let main: WorkflowEvent;
let stranger: WorkflowEvent;
let changed: WorkflowEvent;
let trained: FinishedRun;
let candidate: Buffer;
let plan: FinishedRun;
let reported: FinishedRun;
const rows: string[][] = [];

const flights = 'acme/flights';
const deploy = 'acme/deploy';
const templates = path.resolve(import.meta.dirname, '../../workflows-templates');
const file = (name: string) => `.github/workflows/${name}.yml`;

beforeAll(async () => {
  folder = await temporaryFolder('permissions');
  world = await createWorld({
    folder: path.join(folder.path, 'world'),
    base: 'passloop-base:bookworm',
    private: true,
    forgeRegistry: true,
  });
  team = teamOf(world);
  const app = await world.github.createApp({
    slug: 'passloop',
    account: 'acme',
    repositories: [deploy, flights],
    permissions: { actions: 'write', contents: 'write', pull_requests: 'write', metadata: 'read' },
  });
  const settings = {
    variables: { PASSLOOP_APP_CLIENT_ID: app.clientId },
    environments: { passloop: { secrets: { PASSLOOP_APP_PRIVATE_KEY: app.privateKey }, branches: ['main'] } },
  };
  actions = actionsWorld(world, await laySuite(folder.path), { [flights]: settings, [deploy]: settings });
  await useStarters(world.flightsClone, ['model-check', 'model-promote', 'model-report', 'model-rollback']);
  await useStarters(world.deployClone, ['deploy-check', 'deploy-chain']);
  const change = (clone: string) => replaceText(clone, 'params.yaml', 'max_iter: 60', 'max_iter: 2');
  const { number } = await team.propose({ branch: 'fewer', title: 'Fewer trees', change });
  pull = await actions.events(flights).pullRequest(number);
  main = await actions.events(flights).dispatch({ model: '', environment: '', to: '', reason: 'Late' });
  plan = await actions.run(flights, file('model-check'), pull, { job: 'plan', needs: {} });
  expect(plan.conclusion, plan.log).toBe('success');
  trained = await actions.run(flights, file('model-check'), pull, { job: 'train', needs: lost() });
  expect(trained.conclusion, trained.log).toBe('success');
  candidate = await contentOf(trained, 'passloop-candidate-flight-delay');
  stranger = await forkPull();
  const planned = await actions.run(flights, file('model-check'), stranger, { job: 'plan', needs: {} });
  const needs = lost(planned);
  reported = await actions.run(flights, file('model-check'), stranger, { job: 'report', needs });
  expect(artifactNames(reported), reported.log).toContain('passloop-report');
  changed = await deployPull();
}, 300_000);

afterAll(async () => {
  await world?.[Symbol.asyncDispose]();
  await folder?.[Symbol.asyncDispose]();
});

async function useStarters(clone: string, names: string[]): Promise<void> {
  for (const name of names) {
    const starter = await readFile(path.join(templates, `${name}.yml`), 'utf8');
    await mkdir(path.join(clone, '.github/workflows'), { recursive: true });
    await writeFile(path.join(clone, file(name)), starter.replaceAll('$default-branch', 'main'));
  }
  await world.git(clone, 'add', '.');
  await world.git(clone, 'commit', '-qm', 'Use the workflows of Passloop');
  await world.git(clone, 'push', '-q');
}

function artifactNames(run: FinishedRun): string[] {
  return run.handle.artifacts().map(({ name }) => name);
}

async function contentOf(run: FinishedRun, name: string): Promise<Buffer> {
  const id = run.handle.artifacts().find((artifact) => artifact.name === name)?.id;
  const answer = await fetch(`${world.github.restUrl}/repos/${flights}/actions/artifacts/${id}/zip`, {
    headers: { authorization: `Bearer ${world.tokens.team}` },
  });
  expect(answer.status).toBe(200);
  return Buffer.from(await answer.arrayBuffer());
}

async function forkPull(): Promise<WorkflowEvent> {
  const fork = await world.flights.fork({ owner: 'mallory' });
  const token = await world.github.createToken({ login: 'mallory', repositories: ['mallory/flights'] });
  await world.git(world.flightsClone, 'push', '-q', fork.cloneUrlWith(token), 'HEAD:refs/heads/stranger');
  const request = { author: 'mallory', title: 'Fewer trees', head: 'mallory:stranger', base: 'main' };
  const { number } = await world.flights.openPull(request);
  return actions.events(flights).pullRequest(number);
}

async function deployPull(): Promise<WorkflowEvent> {
  const clone = world.deployClone;
  await world.git(clone, 'checkout', '-q', '-B', 'by-hand');
  await writeFile(path.join(clone, 'README.md'), 'What runs.\n');
  await world.git(clone, 'add', '.');
  await world.git(clone, 'commit', '-qm', 'Describe the repository');
  await world.git(clone, 'push', '-q', 'origin', 'HEAD:by-hand');
  const { number } = await world.deploy.openPull({ author: 'ada', title: 'Describe', head: 'by-hand', base: 'main' });
  return actions.events(deploy).pullRequest(number);
}

/** A check whose training was lost: its report says so, and is posted like any other. */
function lost(of = plan): Needs {
  const failed = { result: 'failure', outputs: {} };
  return { plan: of.needs.plan ?? { result: 'success', outputs: {} }, train: failed, seal: failed };
}

/** What a run tells a person of a missing right. */
function words(run: FinishedRun): string {
  const said = [...run.log.matchAll(/::(?:error|warning)[^:]*::(.*)/g)].map(([, text = '']) => text);
  // What the lost training of this test's check has to say is no matter of permissions.
  return said
    .filter((text) => !text.startsWith('Blocked: '))
    .join(' ')
    .replaceAll(world.github.url, 'https://github.com')
    .replaceAll(new URL(world.github.url).host, 'ghcr.io')
    .replace(/[0-9a-f]{40,64}/g, '…')
    .replace(/\s+/g, ' ')
    .trim();
}

type Case = { workflow: string; job: string; scope: string; needs?: () => Needs; event?: () => Promise<WorkflowEvent> };

const promoteNeeds = (): Needs => {
  const models = JSON.stringify([{ name: 'flight-delay', environment: 'prod', needs: 'image', outcome: 'created' }]);
  const outputs = { models, train: '["flight-delay"]', image: models, promote: models, recipient: '' };
  return { plan: { result: 'success', outputs }, train: skipped, image: skipped, prove: skipped };
};
const skipped = { result: 'skipped', outputs: {} };
const checkNeeds = () => ({ ...lost(), train: { result: 'success', outputs: {} } });
const onMain = async () => main;
const onDeploy = async () => actions.events(deploy).push(await world.git(world.deployClone, 'rev-parse', 'HEAD^'));
const onReport = async () => actions.events(flights).workflowRun(reported.handle);

it.each<Case>([
  { workflow: 'model-check', job: 'plan', scope: 'contents' },
  { workflow: 'model-check', job: 'plan', scope: 'packages' },
  { workflow: 'model-check', job: 'train', scope: 'contents', needs: checkNeeds },
  { workflow: 'model-check', job: 'seal', scope: 'contents', needs: checkNeeds },
  { workflow: 'model-check', job: 'seal', scope: 'packages', needs: checkNeeds },
  { workflow: 'model-check', job: 'report', scope: 'pull-requests', needs: lost },
  { workflow: 'model-check', job: 'report', scope: 'checks', needs: lost },
  { workflow: 'model-report', job: 'report', scope: 'actions', event: onReport },
  { workflow: 'model-report', job: 'report', scope: 'pull-requests', event: onReport },
  { workflow: 'model-report', job: 'report', scope: 'checks', event: onReport },
  { workflow: 'model-promote', job: 'plan', scope: 'contents', event: onMain },
  { workflow: 'model-promote', job: 'plan', scope: 'packages', event: onMain },
  { workflow: 'model-promote', job: 'train', scope: 'contents', event: onMain, needs: promoteNeeds },
  { workflow: 'model-promote', job: 'image', scope: 'contents', event: onMain, needs: promoteNeeds },
  { workflow: 'model-promote', job: 'image', scope: 'packages', event: onMain, needs: promoteNeeds },
  { workflow: 'model-promote', job: 'prove', scope: 'contents', event: onMain, needs: promoteNeeds },
  { workflow: 'model-promote', job: 'prove', scope: 'packages', event: onMain, needs: promoteNeeds },
  { workflow: 'model-promote', job: 'promote', scope: 'contents', event: onMain, needs: promoteNeeds },
  { workflow: 'model-promote', job: 'promote', scope: 'packages', event: onMain, needs: promoteNeeds },
  { workflow: 'model-rollback', job: 'rollback', scope: 'contents', event: onMain },
  { workflow: 'deploy-check', job: 'check', scope: 'contents', event: async () => changed },
  { workflow: 'deploy-chain', job: 'chain', scope: 'contents', event: onDeploy },
])('$workflow, $job: without `$scope` it says what is missing', async (one) => {
  const event = one.event === undefined ? pull : await one.event();
  const repository = one.workflow.startsWith('deploy') ? deploy : flights;
  const artifacts = one.job === 'seal' ? [{ name: 'passloop-candidate-flight-delay', content: candidate }] : [];
  const only = { job: one.job, needs: one.needs?.() ?? {}, without: one.scope, artifacts };
  const run = await actions.run(repository, file(one.workflow), event, only);
  const said = words(run);
  // A report of a lost training fails by its verdict, whatever the token may: an action that could not finish says so.
  const effect = /output error=$/m.test(run.log) ? 'goes on' : 'fails';
  // The words of a failed checkout are those of this runner's stand-in.
  const shown = one.scope === 'contents' ? 'git is refused the repository, and `actions/checkout` fails.' : said;
  rows.push([one.workflow, one.job, one.scope, effect, shown]);

  expect(said, run.log).toContain(`${one.scope}: ${levels[one.scope]}`);
}, 120_000);

/** Reading a package is refused first, also where it is then written. */
const levels: Record<string, string> = {
  actions: 'read',
  checks: 'write',
  contents: 'read',
  packages: 'read',
  'pull-requests': 'write',
};

const heading = [
  '# Permissions of jobs',
  '',
  '<!-- Written by test/runner/permissions.itg.test.ts: `npm run test:only -- -u test/runner/permissions`. -->',
  '',
  'Each job of the workflows asks for the scopes that stand in its YAML, and for no other. This is what a job says, on private',
  'repositories with images and results in the registry of the forge, when its token lacks one of them. Each row was run. `packages: read` is what is refused',
  'first; a job whose YAML has `packages: write` needs that.',
  '',
  'Not in the table, since they were not run: `contents` of `report`, and `packages` of `rollback` and of `deploy-check`, which matter',
  'only once something was promoted.',
  '',
  '| workflow | job | without | the job | what it says |',
  '|---|---|---|---|---|',
];

it('is told in docs/permissions.md', async () => {
  const lines = rows.map((cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`);
  await expect(`${[...heading, ...lines].join('\n')}\n`).toMatchFileSnapshot('../../docs/permissions.md');
});
