import { expect, it } from 'vitest';
import { jobVariables, runnerCopy } from './workflow-copy.ts';

const tokenInputs = (action: string) => (action === 'actions/train-candidate' ? [] : ['token']);
const copy = (text: string) => runnerCopy(text, tokenInputs, (id) => jobVariables(['check', id]));
const sha = '3d3c42e5aac5ba805825da76410c181273ba90b1';

it("gives each step its job's own token, and names the suite under test", () => {
  const text = `# Why this workflow is safe.
on: workflow_call
jobs:
  plan:
    permissions: {contents: read} # to read the code
    steps:
      - uses: actions/checkout@${sha} # v7.0.1
        with: {persist-credentials: false}
      - id: plan
        uses: $/actions/plan-check
        with:
          key: \${{ secrets.app-private-key }}
          plan: \${{ needs.plan.outputs.plan }}
      - uses: $/actions/train-candidate
  report-all:
    if: \${{ !cancelled() }}
    steps:
      - uses: passloop/passloop/actions/post-report@v1
        with: {token: "\${{ github.token }}"}
      - run: node -p 1
        env: {GH_TOKEN: "\${{ secrets.GITHUB_TOKEN }}"}
`;

  expect(copy(text)).toBe(`# Why this workflow is safe.
on: workflow_call
jobs:
  plan:
    permissions: { contents: read } # to read the code
    steps:
      - uses: actions/checkout@${sha} # v7.0.1
        with: { persist-credentials: false, token: "\${{ vars.TOKEN__CHECK__PLAN }}" }
      - id: plan
        uses: passloop/passloop/actions/plan-check@suite
        with:
          key: \${{ vars.SECRET__CHECK__PLAN__APP_PRIVATE_KEY }}
          plan: \${{ needs.plan.outputs.plan }}
          token: \${{ vars.TOKEN__CHECK__PLAN }}
      - uses: passloop/passloop/actions/train-candidate@suite
  report-all:
    if: \${{ !cancelled() }}
    steps:
      - uses: passloop/passloop/actions/post-report@suite
        with: { token: "\${{ vars.TOKEN__CHECK__REPORT_ALL }}" }
      - run: node -p 1
        env: { GH_TOKEN: "\${{ vars.TOKEN__CHECK__REPORT_ALL }}" }
`);
});

it('calls the reusable workflow of the suite under test, with no secret on the way', () => {
  const text = `jobs:
  check:
    uses: passloop/passloop/.github/workflows/model-promote.yml@v1
    secrets: {app-private-key: "\${{ secrets.KEY }}"}
`;

  expect(copy(text)).toBe(`jobs:
  check:
    uses: passloop/passloop/.github/workflows/model-promote.yml@suite
`);
});

it('leaves out what the runner does nothing with, and may not know', () => {
  const text = `concurrency: {group: one, queue: max}
jobs:
  check:
    concurrency: {group: two, queue: max}
    runs-on: ubuntu-latest
`;

  expect(copy(text)).toBe(`jobs:
  check:
    runs-on: ubuntu-latest
`);
});

it.each([
  ['an action by a tag', 'steps: [{uses: actions/checkout@v7}]'],
  ["someone else's action", `steps: [{uses: someone/thing@${sha}}]`],
  ['an action of the work tree', 'steps: [{uses: ./actions/plan-check}]'],
  ['all secrets at once', `steps: [{run: x, env: {ALL: "\${{ toJSON(secrets) }}"}}]`],
  ['a secret by a computed name', `steps: [{run: x, env: {ONE: "\${{ secrets[matrix.name] }}"}}]`],
  ['the whole context of the run', `steps: [{run: x, env: {ALL: "\${{ toJSON(github) }}"}}]`],
])('refuses %s', (_, job) => {
  expect(() => copy(`jobs: {plan: {${job}}}`)).toThrow();
});
