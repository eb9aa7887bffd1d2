import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import webhookExamples from '@octokit/webhooks-examples';
import { type TemporaryFolder, temporaryFolder } from '@passloop/core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parseDocument } from 'yaml';
import { runWorkflow } from './run-workflow.ts';
import { laySuite, type Suite } from './suite.ts';

/**
 * Which events start the job of deploy-chain.yml, by its own condition and its starter, on payloads that GitHub sent. The job's steps are left
 * out: what they do is tested where they are, and here it counts only whether they would begin.
 */
type Payload = Record<string, unknown>;
const documented = webhookExamples as unknown as { name: string; examples: Payload[] }[];

let folder: TemporaryFolder;
let suite: Suite;
let starter: string;

beforeAll(async () => {
  folder = await temporaryFolder('chain');
  suite = await laySuite(folder.path);
  starter = await readFile(path.resolve(import.meta.dirname, '../../workflows-templates/deploy-chain.yml'), 'utf8');
  const file = path.join(suite.workflows, 'deploy-chain.yml');
  const workflow = parseDocument(await readFile(file, 'utf8'));
  workflow.setIn(['jobs', 'chain', 'steps'], workflow.createNode([{ run: 'echo begun' }]));
  await writeFile(file, workflow.toString({ lineWidth: 0 }));
});
afterAll(() => folder?.[Symbol.asyncDispose]());

async function isStarted(event: string, payload: Payload): Promise<boolean> {
  const run = await runWorkflow({
    suite,
    repository: 'acme/deploy',
    workflow: { file: '.github/workflows/deploy-chain.yml', text: starter.replaceAll('$default-branch', 'main') },
    event,
    payload,
    ref: 'refs/heads/main',
    sha: '0123456789abcdef0123456789abcdef01234567',
    actor: 'ada',
    token: async () => 'none',
    secret: () => undefined,
    env: {},
  });
  // Skipped or not, the run itself is well.
  expect(run.conclusion, run.log).toBe('success');
  const results = Object.values(run.needs).map(({ result }) => result);
  const begun = run.log.includes('begun');
  expect(results, run.log).toEqual([begun ? 'success' : 'skipped']);
  return begun;
}

/** A payload of GitHub's own documentation, whose commit is on `master`, the default branch. */
function sent(event: 'status' | 'deployment_status', changed: Payload = {}): Payload {
  const [example] = documented.find(({ name }) => name === event)?.examples ?? [];
  if (example === undefined) throw new Error(`There is no example of ${event}.`);
  return { ...example, ...changed };
}

const branches = (...names: string[]) => names.map((name) => ({ name, protected: false }));
const branchesOf = (count: number) => branches(...Array.from({ length: count }, (_, index) => `promote/${index}`));
const deployment = (state: string, environment: string) => ({
  deployment_status: { state, environment },
  deployment: { environment, ref: 'main' },
});

it.each<[string, string, Payload]>([
  ['a push', 'push', { repository: { default_branch: 'master' } }],
  ['its schedule', 'schedule', { schedule: '23 * * * *' }],
  ['a status of success on the default branch', 'status', sent('status')],
  ['a status of a commit on more branches than the list holds', 'status', sent('status', { branches: branchesOf(10) })],
  ['a deployment that succeeded', 'deployment_status', sent('deployment_status')],
])('starts on %s', async (_, event, payload) => {
  expect(await isStarted(event, payload)).toBe(true);
});

it.each<[string, string, Payload]>([
  ['a status that is pending', 'status', sent('status', { state: 'pending' })],
  ['a status that failed', 'status', sent('status', { state: 'failure' })],
  [
    'the status of the head of a pull request',
    'status',
    sent('status', { branches: branches('promote/flight-delay') }),
  ],
  [
    'the status of a branch whose name holds that of the default one',
    'status',
    sent('status', { branches: branches('master-2') }),
  ],
  ['the status of a commit on no branch, as in a fork', 'status', sent('status', { branches: [] })],
  ['a deployment that goes on', 'deployment_status', sent('deployment_status', deployment('in_progress', 'prod'))],
  ['a deployment that failed', 'deployment_status', sent('deployment_status', deployment('failure', 'prod'))],
  [
    'a deployment that its own environment made',
    'deployment_status',
    sent('deployment_status', deployment('success', 'passloop')),
  ],
])('does not start on %s', async (_, event, payload) => {
  expect(await isStarted(event, payload)).toBe(false);
});
