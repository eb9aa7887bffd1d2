import { expect, it } from 'vitest';
import { readWorkflow } from './workflow-file.ts';

it('reads callers, their grants, inputs and secrets', () => {
  const file = readWorkflow(
    'w.yml',
    `name: W
on: {push: {branches: [main]}}
permissions: read-all
jobs:
  a:
    uses: ./.github/workflows/model-check.yml
    secrets: inherit
  b:
    uses: acme/passloop/.github/workflows/model-promote.yaml@v1
    permissions: {contents: read}
    with: {runs-on: big, on: true}
    secrets: {app-private-key: "\${{ secrets.KEY }}"}
  c: {uses: acme/other/.github/workflows/model-check.yml.evil@v1}
  d: {runs-on: ubuntu-latest}
`,
  );
  expect(file.callers).toEqual([
    {
      workflow: 'model-check',
      job: 'a',
      line: 5,
      from: null,
      ref: null,
      granted: { state: 'all', level: 'read' },
      inputs: {},
      secrets: 'inherit',
    },
    {
      workflow: 'model-promote',
      job: 'b',
      line: 8,
      from: 'acme/passloop',
      ref: 'v1',
      granted: { state: 'declared', scopes: { contents: 'read' } },
      inputs: { 'runs-on': 'big', on: 'true' },
      secrets: ['KEY'],
    },
  ]);
  expect(file.events.get('push')).toEqual({ branches: ['main'] });
});

it.each([
  ['', 'is no workflow'],
  ['- a', 'is no workflow'],
  ['a: [', 'not valid YAML'],
  [`a: ${'&a [*a'.repeat(3)}`, 'not valid YAML'],
])('says what is wrong with %j, and throws nothing', (text, problem) => {
  expect(readWorkflow('w.yml', text).problem).toContain(problem);
});

it.each([
  'jobs: []',
  'jobs: {a: null}',
  'jobs: {__proto__: {uses: x}}',
  'on: 7\njobs: {a: {uses: [x]}}',
])('takes %j for a workflow without callers', (text) => {
  expect(readWorkflow('w.yml', text).callers).toEqual([]);
});
