import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type TemporaryFolder, temporaryFolder } from '@passloop/core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { replaceText, type Team, teamOf } from '../world/team.ts';
import { createWorld, type World } from '../world/world.ts';
import type { ActionsWorld, FinishedRun } from './actions-world.ts';
import type { WorkflowEvent } from './events.ts';
import { startersWorld } from './starters.ts';
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
let changed: WorkflowEvent;
let candidate: Buffer;
let sealed: Buffer;
let plan: FinishedRun;
let reported: FinishedRun;
let keyless: FinishedRun;
const rows: string[][] = [];

const flights = 'acme/flights';
const deploy = 'acme/deploy';
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
  actions = await startersWorld(world, folder.path);
  pull = await proposed('fewer', 'max_iter: 2');
  keyless = await run('model-check', 'plan', pull, { weaken: { scope: 'packages', to: 'read' } });
  await promoted('60');
  await world.github.grantPackage('acme/flight-delay', deploy, 'read');
  await promoted('40');
  pull = await proposed('fewest', 'max_iter: 3');
  plan = await run('model-check', 'plan', pull);
  expect(plan.conclusion, plan.log).toBe('success');
  const trained = await run('model-check', 'train', pull, { needs: lost() });
  expect(trained.conclusion, trained.log).toBe('success');
  candidate = await contentOf(trained, 'passloop-candidate-flight-delay');
  // Sealed by a run of its own: what is kept in the store then is what a check's job finds there, or not.
  const stranger = await forkPull();
  const planned = await run('model-check', 'plan', stranger);
  const artifacts = [{ name: 'passloop-candidate-flight-delay', content: candidate }];
  const compared = await run('model-check', 'seal', stranger, { needs: trainedNeeds(planned), artifacts });
  sealed = await contentOf(compared, 'passloop-report-flight-delay');
  reported = await run('model-check', 'report', stranger, { needs: lost(planned) });
  expect(artifactNames(reported), reported.log).toContain('passloop-report');
  changed = await deployPull();
}, 400_000);

afterAll(async () => {
  await world?.[Symbol.asyncDispose]();
  await folder?.[Symbol.asyncDispose]();
});

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

type OneJob = NonNullable<Parameters<ActionsWorld['run']>[3]>;

function run(workflow: string, job: string, event: WorkflowEvent, only: Partial<OneJob> = {}): Promise<FinishedRun> {
  const repository = workflow.startsWith('deploy') ? deploy : flights;
  return actions.run(repository, file(workflow), event, { job, needs: {}, ...only });
}

async function proposed(branch: string, trees: string): Promise<WorkflowEvent> {
  const change = (clone: string) => replaceText(clone, 'params.yaml', /max_iter: \d+/, trees);
  const { number } = await team.propose({ branch, title: 'Fewer trees', change });
  return actions.events(flights).pullRequest(number);
}

/** Brings main with so many trees to production, by the command. */
async function promoted(trees: string): Promise<void> {
  const clone = world.flightsClone;
  await world.git(clone, 'checkout', '-q', '-f', 'main');
  const params = path.join(clone, 'params.yaml');
  await writeFile(params, (await readFile(params, 'utf8')).replace(/max_iter: \d+/, `max_iter: ${trees}`));
  await world.git(clone, 'commit', '-q', '--allow-empty', '-am', `Use ${trees} trees`);
  await world.git(clone, 'push', '-q', 'origin', 'main');
  const answer = await world.passloop(['promote'], { env: { GITHUB_ACTOR: 'ada' } });
  expect(answer.exitCode, answer.stdout + answer.stderr).toBe(0);
  await team.mergeDeployment();
}

/** Goes back by hand to the promotion before. */
async function deployPull(): Promise<WorkflowEvent> {
  const clone = world.deployClone;
  await world.git(clone, 'checkout', '-q', '-B', 'by-hand');
  await world.git(clone, 'revert', '--no-edit', 'HEAD');
  await world.git(clone, 'push', '-q', 'origin', 'HEAD:by-hand');
  await world.git(clone, 'checkout', '-q', 'main');
  const { number } = await world.deploy.openPull({ author: 'ada', title: 'Go back', head: 'by-hand', base: 'main' });
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

type Case = { workflow: string; job: string; scope: string; to?: 'read' } & {
  needs?: () => Needs;
  event?: () => Promise<WorkflowEvent>;
  artifacts?: () => { name: string; content: Buffer }[];
};

const skipped = { result: 'skipped', outputs: {} };
const promoteNeeds = (step = 'image'): Needs => {
  const models = JSON.stringify([{ name: 'flight-delay', environment: 'prod', needs: step, outcome: 'created' }]);
  const outputs = { models, train: '["flight-delay"]', image: models, promote: models, recipient: '' };
  return { plan: { result: 'success', outputs }, train: skipped, image: skipped, prove: skipped };
};
const trainedNeeds = (of = plan): Needs => ({ ...lost(of), train: { result: 'success', outputs: {} } });
const sealedNeeds = (): Needs => ({ ...trainedNeeds(), seal: { result: 'success', outputs: {} } });
const onMain = () => actions.events(flights).dispatch({ model: '', environment: '', to: '', reason: 'Late' });
const onDeploy = async () => actions.events(deploy).push(await world.git(world.deployClone, 'rev-parse', 'HEAD^'));
const onReport = async () => actions.events(flights).workflowRun(reported.handle);
const withCandidate = () => [{ name: 'passloop-candidate-flight-delay', content: candidate }];
const withReport = () => [{ name: 'passloop-report-flight-delay', content: sealed }];
const cases: Case[] = [
  { workflow: 'model-check', job: 'plan', scope: 'contents' },
  { workflow: 'model-check', job: 'plan', scope: 'packages' },
  { workflow: 'model-check', job: 'train', scope: 'contents', needs: () => trainedNeeds() },
  { workflow: 'model-check', job: 'seal', scope: 'contents', needs: () => trainedNeeds(), artifacts: withCandidate },
  { workflow: 'model-check', job: 'seal', scope: 'packages', needs: () => trainedNeeds(), artifacts: withCandidate },
  {
    workflow: 'model-check',
    job: 'seal',
    scope: 'packages',
    to: 'read',
    needs: () => trainedNeeds(),
    artifacts: withCandidate,
  },
  { workflow: 'model-check', job: 'report', scope: 'contents', needs: sealedNeeds, artifacts: withReport },
  { workflow: 'model-check', job: 'report', scope: 'pull-requests', needs: lost },
  { workflow: 'model-check', job: 'report', scope: 'pull-requests', to: 'read', needs: lost },
  { workflow: 'model-check', job: 'report', scope: 'checks', needs: lost },
  { workflow: 'model-check', job: 'report', scope: 'checks', to: 'read', needs: lost },
  { workflow: 'model-report', job: 'report', scope: 'actions', event: onReport },
  { workflow: 'model-report', job: 'report', scope: 'pull-requests', event: onReport },
  { workflow: 'model-report', job: 'report', scope: 'pull-requests', to: 'read', event: onReport },
  { workflow: 'model-report', job: 'report', scope: 'checks', event: onReport },
  { workflow: 'model-report', job: 'report', scope: 'checks', to: 'read', event: onReport },
  { workflow: 'model-promote', job: 'plan', scope: 'contents', event: onMain },
  { workflow: 'model-promote', job: 'plan', scope: 'packages', event: onMain },
  { workflow: 'model-promote', job: 'plan', scope: 'packages', to: 'read', event: onMain },
  { workflow: 'model-promote', job: 'train', scope: 'contents', event: onMain, needs: () => promoteNeeds() },
  { workflow: 'model-promote', job: 'image', scope: 'contents', event: onMain, needs: () => promoteNeeds() },
  { workflow: 'model-promote', job: 'image', scope: 'packages', event: onMain, needs: () => promoteNeeds() },
  { workflow: 'model-promote', job: 'prove', scope: 'contents', event: onMain, needs: () => promoteNeeds() },
  { workflow: 'model-promote', job: 'prove', scope: 'packages', event: onMain, needs: () => promoteNeeds() },
  { workflow: 'model-promote', job: 'promote', scope: 'contents', event: onMain, needs: () => promoteNeeds() },
  { workflow: 'model-promote', job: 'promote', scope: 'packages', event: onMain, needs: () => promoteNeeds() },
  { workflow: 'model-rollback', job: 'rollback', scope: 'contents', event: onMain },
  { workflow: 'model-rollback', job: 'rollback', scope: 'packages', event: onMain },
  { workflow: 'deploy-check', job: 'check', scope: 'contents', event: async () => changed },
  { workflow: 'deploy-check', job: 'check', scope: 'packages', event: async () => changed },
  { workflow: 'deploy-chain', job: 'chain', scope: 'contents', event: onDeploy },
];
const named = cases.map((one) => ({ ...one, has: one.to === undefined ? 'none' : one.to }));

it.each(named)('$workflow, $job, $scope: $has; says what is missing', async (one) => {
  const { workflow, job, scope, to = 'none' } = one;
  const event = one.event === undefined ? pull : await one.event();
  const needs = one.needs?.() ?? {};
  tell(one, await run(workflow, job, event, { needs, weaken: { scope, to }, artifacts: one.artifacts?.() ?? [] }));
}, 120_000);

it('model-promote, image, packages: read; says what is missing where there is a run to keep', async () => {
  await world.git(world.flightsClone, 'push', '-q', 'origin', `${pull.head.sha}:main`);
  const event = await onMain();
  const planned = await run('model-promote', 'plan', event);
  expect(planned.needs.plan?.outputs, planned.log).toMatchObject({ train: '["flight-delay"]' });
  const needs = { ...planned.needs, train: { result: 'success', outputs: {} } };
  const trained = await run('model-promote', 'train', event, { needs });
  const content = await contentOf(trained, 'passloop-candidate-flight-delay');
  const artifacts = [{ name: 'passloop-candidate-flight-delay', content }];
  const weaken = { scope: 'packages', to: 'read' } as const;
  const row: Case = { workflow: 'model-promote', job: 'image', scope: 'packages', to: 'read' };
  tell(row, await run('model-promote', 'image', event, { needs, artifacts, weaken }));
}, 120_000);

it('model-check, plan, packages: read; says what is missing where the store has no key yet', () => {
  tell({ workflow: 'model-check', job: 'plan', scope: 'packages', to: 'read' }, keyless);
});

function tell({ workflow, job, scope, to }: Case, ended: FinishedRun): void {
  const said = words(ended);
  // A report of a lost training fails by its verdict, whatever the token may: an action that could not finish says so.
  const finished = job === 'report' ? /output error=$/m.test(ended.log) : ended.conclusion === 'success';
  const effect = finished ? 'goes on' : 'fails';
  // The words of a failed checkout are those of this runner's stand-in.
  const checkout = scope === 'contents' && job !== 'report';
  const shown = checkout ? 'git is refused the repository, and `actions/checkout` fails.' : said;
  rows.push([workflow, job, to === undefined ? `no \`${scope}\`` : `\`${scope}: ${to}\``, effect, shown]);

  expect(said, ended.log).toContain(`${scope}: ${to === 'read' ? 'write' : levels[scope]}`);
}

/** What is refused first: reading a package, also where it is then written. */
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
  '<!-- Written by test/runner/permissions.itg.test.ts: `npm run test:only -- test/runner/permissions --update=all`. -->',
  '',
  'Each job of the workflows asks for the scopes that stand in its YAML, and for no other; with exactly these the whole road runs',
  '(`test/runner/road.itg.test.ts`), on private repositories with images and results in the registry of the forge. This is what a job',
  'says when one of them is taken away, or is left for reading only where the YAML has `write`. Each row was run.',
  '',
  '| workflow | job | its token has | the job | what it says |',
  '|---|---|---|---|---|',
];

it('is told in docs/permissions.md', async () => {
  const place = ([workflow = '', job = '']: string[]) => order.indexOf(`${workflow} ${job}`);
  const order = [...new Set(cases.map(({ workflow, job }) => `${workflow} ${job}`))];
  const sorted = rows.toSorted((one, other) => place(one) - place(other));
  const lines = sorted.map((cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`);
  await expect(`${[...heading, ...lines].join('\n')}\n`).toMatchFileSnapshot('../../docs/permissions.md');
});
