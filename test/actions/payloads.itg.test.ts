import { execFile } from 'node:child_process';
import { cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import webhookExamples from '@octokit/webhooks-examples';
import { type TemporaryFolder, temporaryFolder } from '@passloop/core';
import { type LocalGithub, startLocalGithub } from '@passloop/local-github';
import { load } from 'js-yaml';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { type Bundle, layBundle, runBundle } from './run-bundle.ts';

/**
 * Every action on payloads of GitHub's own: of the events that it is made for, of those that it isn't, and on files that are no payload.
 * Whatever comes, it ends with a verdict or with a sentence that a person understands.
 */
const run = promisify(execFile);
const examples = webhookExamples as unknown as { name: string; examples: Record<string, unknown>[] }[];
const actionsFolder = path.resolve(import.meta.dirname, '../../actions');
const actions = await readdir(actionsFolder);

let folder: TemporaryFolder;
let github: LocalGithub;
let bundle: Bundle;
let workspace: string;
let token: string;

type Case = { title: string; event: string; payload: string };
const cases: Case[] = [
  ...examplesOf('pull_request', 'opened', 'synchronize', 'closed'),
  ...examplesOf('merge_group', 'checks_requested'),
  ...examplesOf('workflow_run', 'completed', 'requested'),
  ...examplesOf('push'),
  ...examplesOf('workflow_dispatch'),
  ...examplesOf('status'),
  ...examplesOf('deployment_status'),
  ...examplesOf('issue_comment', 'created'),
  ...examplesOf('release', 'published'),
  ...examplesOf('delete'),
  { title: 'schedule', event: 'schedule', payload: JSON.stringify({ schedule: '17 * * * *' }) },
  { title: 'pull_request without a pull request', event: 'pull_request', payload: '{"number":1}' },
  { title: 'workflow_run of nothing', event: 'workflow_run', payload: '{"workflow_run":null}' },
  { title: 'push that is a list', event: 'push', payload: '[]' },
  { title: 'merge_group that is no JSON', event: 'merge_group', payload: '{"merge_group":' },
];

function examplesOf(event: string, ...wanted: string[]): Case[] {
  const all = examples.find(({ name }) => name === event)?.examples ?? [];
  const chosen = wanted.length === 0 ? all.slice(0, 1) : wanted.map((one) => all.find(({ action }) => action === one));
  return chosen.map((payload, index) => {
    if (payload === undefined) throw new Error(`GitHub's examples have no ${event} ${wanted[index]}`);
    return { title: [event, payload.action].filter(Boolean).join(' '), event, payload: JSON.stringify(payload) };
  });
}

beforeAll(async () => {
  folder = await temporaryFolder('payloads');
  github = await startLocalGithub({ root: path.join(folder.path, 'github') });
  await github.createRepository({ owner: 'Codertocat', name: 'Hello-World' });
  token = await github.jobToken({
    repository: 'Codertocat/Hello-World',
    event: 'push',
    permissions: { contents: 'read' },
  });
  bundle = await layBundle(folder.path);
  workspace = path.join(folder.path, 'workspace');
  const example = path.resolve(import.meta.dirname, '../../examples/flight-delay');
  await mkdir(workspace);
  // No data and no model: what an action would compute isn't the question here, and nothing listens at the store's port.
  for (const name of ['passloop.yaml', 'params.yaml', 'flight_delay']) {
    await cp(path.join(example, name), path.join(workspace, name), { recursive: true });
  }
  const file = path.join(workspace, 'passloop.yaml');
  const text = await readFile(file, 'utf8');
  const moved = text
    .replaceAll('ghcr.io/', 'localhost:1/')
    .replace('{directory: .passloop/store}', '{oci: localhost:1/acme/runs}');
  await writeFile(file, moved);
  const identity = ['-c', 'user.name=Ada', '-c', 'user.email=ada@example.com'];
  const git = (...args: string[]) => run('git', ['-C', workspace, ...identity, ...args]);
  await git('init', '-q', '-b', 'main');
  await git('add', '.');
  await git('commit', '-qm', 'Begin');
  await git('commit', '-q', '--allow-empty', '-m', 'Go on');
}, 300_000);

afterAll(async () => {
  await github?.[Symbol.asyncDispose]();
  await folder?.[Symbol.asyncDispose]();
});

/** A value for every input that has to be given; secrets are a token that may nothing. */
async function neededInputs(action: string): Promise<Record<string, string>> {
  const { inputs } = load(await readFile(path.join(actionsFolder, action, 'action.yml'), 'utf8')) as {
    inputs: Record<string, { required?: boolean; default?: string }>;
  };
  const given: Record<string, string> = {};
  for (const [name, input] of Object.entries(inputs)) {
    if (/token/.test(name) && (input.required || /github\.token/.test(input.default ?? ''))) given[name] = token;
    else if (input.default !== undefined) given[name] = input.default;
    else if (input.required) given[name] = name === 'model' ? 'no-such-model' : 'main';
  }
  return given;
}

describe.concurrent.each(actions)('%s', (action) => {
  it('ends in words, whatever the event', async ({ expect }) => {
    const inputs = await neededInputs(action);
    const crashed: string[] = [];
    for (const { title, event, payload } of cases) {
      const eventFile = path.join(folder.path, `${action}.json`);
      await writeFile(eventFile, payload);
      const env = {
        GITHUB_EVENT_NAME: event,
        GITHUB_EVENT_PATH: eventFile,
        GITHUB_REPOSITORY: 'Codertocat/Hello-World',
        GITHUB_API_URL: github.restUrl,
        GITHUB_SERVER_URL: github.url.replace('127.0.0.1', 'github.localhost'),
        GITHUB_RUN_ID: '1',
        GITHUB_ACTOR: 'ada',
        DOCKER_HOST: 'unix:///nowhere/docker.sock',
      };
      const answer = await runBundle(bundle, action, { workspace, inputs, env });
      const problem = crashOf(answer);
      if (problem !== null) crashed.push(`${title}: ${problem}`);
    }
    expect(crashed).toEqual([]);
  }, 300_000);
});

/** What makes an answer a crash instead of words; null for words. */
function crashOf(answer: { exitCode: number | null; log: string; outputs: Record<string, string> }): string | null {
  if (answer.exitCode === 0) return answer.outputs.verdict === '' ? 'no verdict' : null;
  if (answer.exitCode !== 1) return `exit code ${answer.exitCode}: ${answer.log.slice(-500)}`;
  const sentence = /^::error[^\n]*?::(.*)$/m.exec(answer.log)?.[1];
  if (sentence === undefined) return `failed without a sentence: ${answer.log.slice(-500)}`;
  if (answer.outputs.verdict !== 'fail') return `failed with the verdict ${answer.outputs.verdict}`;
  const machine =
    /\b(?:undefined|null|NaN|\[object Object\]|(?:Type|Reference|Syntax|Range|Zod)Error)\b|^\s+at .+:\d+/m;
  return sentence.length < 20 || machine.test(sentence) ? `no words for a person: ${sentence}` : null;
}
