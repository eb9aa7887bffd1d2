import { expect, it } from 'vitest';
import { jobsOf } from './workflow-jobs.ts';

const callee = `
on:
  workflow_call:
    inputs:
      environment: {type: string, default: passloop}
    secrets:
      app-private-key: {required: true}
permissions: {}
jobs:
  plan:
    permissions: {contents: read, packages: write}
    environment: \${{ inputs.environment }}
  train:
    permissions: {contents: read, packages: none}
  bare: {}
`;
const caller = `
on: pull_request
permissions: {}
jobs:
  check:
    uses: passloop/passloop/.github/workflows/callee.yml@v1
    permissions: {contents: read, packages: write}
    with: {environment: deploys}
    secrets: {app-private-key: "\${{ secrets.PASSLOOP_APP_KEY }}"}
  other:
    permissions: {issues: write}
    environment: {name: pages}
`;

it("tells each job's token, environment and secrets", () => {
  const jobs = jobsOf({ file: 'caller.yml', text: caller }, () => callee);

  const secrets = { 'app-private-key': 'PASSLOOP_APP_KEY' };
  expect(jobs).toEqual([
    {
      path: ['check', 'plan'],
      file: 'callee.yml',
      permissions: { contents: 'read', packages: 'write' },
      environment: 'deploys',
      secrets,
    },
    { path: ['check', 'train'], file: 'callee.yml', permissions: { contents: 'read' }, environment: null, secrets },
    { path: ['check', 'bare'], file: 'callee.yml', permissions: {}, environment: null, secrets },
    { path: ['other'], file: 'caller.yml', permissions: { issues: 'write' }, environment: 'pages', secrets: null },
  ]);
});

it("takes an input's default where the caller says nothing, and all secrets where it lets them through", () => {
  const text = caller.replace(/ {4}with: .*\n/, '').replace(/secrets: \{app.*/, 'secrets: inherit');

  const [plan] = jobsOf({ file: 'caller.yml', text }, () => callee);

  expect(plan).toMatchObject({ environment: 'passloop', secrets: null });
});

it('refuses what GitHub refuses: a called job that asks for more than its caller allows', () => {
  const text = caller.replace('packages: write', 'packages: read');

  expect(() => jobsOf({ file: 'caller.yml', text }, () => callee)).toThrow(
    "callee.yml: the nested job 'plan' is requesting 'packages: write', but is only allowed 'packages: read' by caller.yml.",
  );
});

it.each([
  [
    'no permissions at all',
    (text: string) => text.replace('permissions: {}\n', '').replace(/ {4}permissions: \{issues.*\n/, ''),
  ],
  [
    'every permission at once',
    (text: string) => text.replace('permissions: {issues: write}', 'permissions: write-all'),
  ],
  [
    'a secret made of several',
    (text: string) => text.replace('{{ secrets.PASSLOOP_APP_KEY }}', '{{ secrets.A || secrets.B }}'),
  ],
  ["someone else's workflow", (text: string) => text.replace('passloop/passloop', 'someone/passloop')],
])('refuses %s', (_, change) => {
  const text = change(caller);

  expect(text).not.toBe(caller);
  expect(() => jobsOf({ file: 'caller.yml', text }, () => callee)).toThrow();
});
