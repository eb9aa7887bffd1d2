import { execFile } from 'node:child_process';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { type TemporaryFolder, temporaryFolder } from '@passloop/core';
import { type CreatedRepository, type LocalGithub, startLocalGithub } from '@passloop/local-github';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { runWorkflow, type WorkflowRequest, type WorkflowRun } from './run-workflow.ts';
import { laySuite, type Suite } from './suite.ts';

/** The runner itself, on a workflow that only asks what it may: what later tests say of the shipped ones rests on this. */
const run = promisify(execFile);
let folder: TemporaryFolder;
let github: LocalGithub;
let repository: CreatedRepository;
let suite: Suite;
let sha: string;
let first: WorkflowRun;
const tokens: string[] = [];

const checkout = 'actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1';
const caller = `
on: push
permissions: {}
jobs:
  road:
    uses: passloop/passloop/.github/workflows/asks.yml@v1
    permissions: {contents: read, checks: write}
    secrets: {key: "\${{ secrets.PASSLOOP_KEY }}"}
`;
/** Each job prints what the API answers to its token. */
const ask = (method: string, route: string) => `node -e '
          fetch(process.env.GITHUB_API_URL + "/repos/acme/flights/${route}", {method: "${method}", headers: {authorization: "Bearer " + process.env.TOKEN}, body: process.env.BODY})
            .then(async (answer) => console.log("${route}: " + answer.status))'`;
const callee = `
on: {workflow_call: {secrets: {key: {required: true}}}}
permissions: {}
jobs:
  plan:
    runs-on: ubuntu-latest
    permissions: {contents: read}
    outputs: {models: "\${{ steps.plan.outputs.models }}"}
    steps:
      - uses: ${checkout}
        with: {persist-credentials: false}
      - id: plan
        run: |
          ls > left-behind && cat left-behind
          echo 'models=["one","two"]' >> "$GITHUB_OUTPUT"
          echo '### Two models' >> "$GITHUB_STEP_SUMMARY"
          ${ask('GET', 'contents/README.md')}
        env: {TOKEN: "\${{ github.token }}"}
  train:
    needs: plan
    name: train \${{ matrix.model }}
    runs-on: ubuntu-latest
    strategy: {matrix: {model: "\${{ fromJSON(needs.plan.outputs.models) }}"}}
    steps:
      - run: |
          echo "files: $(ls)" "key: '$KEY'" "environment: '$(env | grep -c ghs_)'"
          ${ask('GET', 'contents/README.md')}
        env: {TOKEN: "\${{ github.token }}", KEY: "\${{ secrets.key }}"}
  post:
    needs: train
    runs-on: ubuntu-latest
    environment: passloop
    permissions: {checks: write}
    steps:
      - uses: ${checkout}
        with: {persist-credentials: false}
        continue-on-error: true
      - run: |
          echo "key: '$KEY'"
          ${ask('POST', 'check-runs')}
          ${ask('POST', 'issues/1/comments')}
        env:
          TOKEN: \${{ github.token }}
          KEY: \${{ secrets.key }}
          BODY: '{"name":"passloop","head_sha":"\${{ github.sha }}"}'
  last:
    needs: post
    runs-on: ubuntu-latest
    steps:
      - uses: ${checkout}
`;

beforeAll(async () => {
  folder = await temporaryFolder('runner');
  github = await startLocalGithub({ root: path.join(folder.path, 'github') });
  repository = await github.createRepository({ owner: 'acme', name: 'flights', private: true });
  const team = await github.createToken({ login: 'ada' });
  const clone = path.join(folder.path, 'clone');
  await mkdir(clone);
  await writeFile(path.join(clone, 'README.md'), 'Flights\n');
  const git = async (...args: string[]) => (await run('git', ['-C', clone, ...args])).stdout.trim();
  await git('init', '-q', '-b', 'main');
  await git('add', '.');
  await git('-c', 'user.name=Ada', '-c', 'user.email=ada@example.com', 'commit', '-qm', 'Begin');
  await git('push', '-q', repository.cloneUrlWith(team), 'main');
  sha = await git('rev-parse', 'HEAD');
  suite = await laySuite(folder.path);
  await writeFile(path.join(suite.workflows, 'asks.yml'), callee);
  first = await runWorkflow(request(caller));
}, 300_000);

afterAll(async () => {
  await github?.[Symbol.asyncDispose]();
  await folder?.[Symbol.asyncDispose]();
});

function request(text: string): WorkflowRequest {
  return {
    suite,
    repository: 'acme/flights',
    workflow: { file: '.github/workflows/road.yml', text },
    event: 'push',
    payload: { ref: 'refs/heads/main', after: sha, repository: { default_branch: 'main' } },
    ref: 'refs/heads/main',
    sha,
    actor: 'ada',
    env: {
      GITHUB_API_URL: github.restUrl,
      // A host that the artifact client doesn't take for a GitHub Enterprise Server.
      GITHUB_SERVER_URL: github.url.replace('127.0.0.1', 'github.localhost'),
    },
    async token({ permissions }) {
      const token = await github.jobToken({ repository: 'acme/flights', event: 'push', permissions });
      tokens.push(token);
      return token;
    },
    secret: (job, name) => (job.environment === 'passloop' && name === 'key' ? 'the-key' : undefined),
  };
}

function job(name: string): WorkflowRun['jobs'][number] {
  const found = first.jobs.find((candidate) => candidate.name.endsWith(name));
  expect(found, first.log).toBeDefined();
  return found as WorkflowRun['jobs'][number];
}

it('runs every job in its order, matrix and all, and tells what each did', () => {
  const results = first.jobs.map(({ name, result }) => `${name}: ${result}`);
  expect(results[0], first.log).toBe('road / plan: success');
  expect(results.slice(1, 3).sort()).toEqual(['road / train one: success', 'road / train two: success']);
  expect(results.slice(3)).toEqual(['road / post: success', 'road / last: failure']);
  expect(first).toMatchObject({ conclusion: 'failure', exitCode: 1 });
  expect(job('plan').summary).toBe('### Two models\n');
});

it("gives a job what its YAML grants: the API answers each job's own token", () => {
  expect(job('plan').log).toContain('contents/README.md: 200');
  expect(job('train one').log).toMatch(/contents\/README.md: 40[34]/);
  expect(job('post').log).toContain('check-runs: 201');
  expect(job('post').log).toMatch(/comments: 40[34]/);
  expect(job('post').steps).toEqual([
    expect.stringMatching(/^actions\/checkout@\w+: failure$/),
    expect.stringMatching(/: success$/),
  ]);
  expect(job('post').log).toContain('Does the job have `contents: read`?');
});

it('gives a job a workspace of its own, which is empty until it checks out', () => {
  expect(job('plan').log).toContain('README.md');
  expect(job('train two').log).toContain('files:  ');
});

it('gives a secret to the job of its environment alone, and no token to an environment variable', () => {
  expect(job('post').log).toContain("key: 'the-key'");
  expect(job('train one').log).toContain("key: '' environment: '1'");
});

it('tells what came out of each job, and runs one of them again alone', async () => {
  expect(first.needs).toMatchObject({
    plan: { result: 'success', outputs: { models: '["one","two"]' } },
    last: { result: 'failure' },
  });

  const again = await runWorkflow({ ...request(caller), only: { job: 'train', needs: first.needs } });

  expect(again.jobs.map(({ name }) => name).sort()).toEqual(['road / train one', 'road / train two']);
  expect(again.conclusion).toBe('success');
});

it('has no token in its log', () => {
  expect(tokens.length).toBeGreaterThan(3);
  expect(tokens.filter((token) => first.log.includes(token))).toEqual([]);
});

it('refuses a checkout that leaves a token on disk', () => {
  expect(job('last').log).toContain('A job of this suite says `persist-credentials: false`');
});

it('leaves no workspace behind', async () => {
  const left = await readdir(suite.runner);
  expect(left.filter((name) => name !== 'tool_cache')).toEqual([]);
});
