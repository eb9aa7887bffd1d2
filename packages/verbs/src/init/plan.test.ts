import { expect, it } from 'vitest';
import { suiteWorkflowNames } from '../doctor/suite-workflow.ts';
import { readWorkflow } from '../doctor/workflow-file.ts';
import { type InitOptions, planInit } from './plan.ts';
import type { Survey } from './survey.ts';

const old = 'b'.repeat(40);
const template = (name: string) => `name: ${name}
on: {push: {branches: [$default-branch]}}
jobs:
  call:
    uses: acme/passloop/.github/workflows/${name}.yml@${old} # v0.1.0
    with: {ref: $default-branch}
`;

function survey(changed: Partial<Survey> = {}): Survey {
  return {
    folder: '',
    folderName: 'flights',
    name: 'acme/flights',
    isOnGithub: true,
    defaultBranch: 'trunk',
    files: [],
    texts: new Map(),
    datasets: [],
    tables: new Map(),
    python: null,
    lock: null,
    left: [],
    modelFiles: ['passloop.yaml'],
    workflows: [],
    ignored: '.passloop/out/\n/.passloop/store\n',
    owners: { file: 'CODEOWNERS', text: '/.github/ @a\n/.passloop/overrides/ @a\n' },
    templates: new Map(suiteWorkflowNames.map((name) => [name, template(name)])),
    ...changed,
  };
}
const options: InitOptions = { workflows: false, deploy: false, owners: null, release: null, imported: null };

it('writes the four workflows of a model repository, filled in', () => {
  const { files, decisions } = planInit(survey(), options);
  expect(files.map((file) => file.path)).toEqual(
    ['model-check', 'model-report', 'model-promote', 'model-rollback'].map((name) => `.github/workflows/${name}.yml`),
  );
  expect(files.every((file) => file.change === 'create')).toBe(true);
  expect(files[0]?.text).toBe(template('model-check').replaceAll('$default-branch', 'trunk'));
  expect(decisions).toEqual([]);
});

it('pins the release that was asked for, and drops the comment of the other one', () => {
  const release = 'c'.repeat(40);
  const { files } = planInit(survey(), { ...options, release });
  expect(files[0]?.text).toContain(`/model-check.yml@${release}\n`);
  expect(files[0]?.text).not.toContain('v0.1.0');
});

it('a deploy repository gets its two, and no model file', () => {
  const { files } = planInit(survey({ modelFiles: [], ignored: null }), { ...options, deploy: true });
  expect(files.map((file) => file.path)).toEqual([
    '.github/workflows/deploy-check.yml',
    '.github/workflows/deploy-chain.yml',
  ]);
});

it('only the workflows, where that was asked', () => {
  const { files } = planInit(survey({ modelFiles: [], ignored: null, owners: null }), { ...options, workflows: true });
  expect(files.every((file) => file.path.startsWith('.github/workflows/'))).toBe(true);
});

it('keeps a workflow that calls Passloop under any name, and one of the same name that does not', () => {
  const workflows = [
    readWorkflow('.github/workflows/ci.yml', template('model-check')),
    readWorkflow('.github/workflows/model-promote.yml', 'on: push\njobs: {}\n'),
  ];
  const { files, kept, decisions } = planInit(survey({ workflows }), options);
  expect(files.map((file) => file.path)).toEqual([
    '.github/workflows/model-report.yml',
    '.github/workflows/model-rollback.yml',
  ]);
  expect(kept).toContain('.github/workflows/ci.yml');
  expect(decisions).toEqual([expect.stringContaining('model-promote.yml is there and doesn')]);
});

it('keeps runs on ghcr.io only for a repository of github.com', () => {
  const text = (isOnGithub: boolean) =>
    planInit(survey({ modelFiles: [], isOnGithub }), options).files.find((file) => file.path === 'passloop.yaml')?.text;
  expect(text(true)).toMatch(/^ {4}store: \{oci: ghcr\.io\/acme\/flights-runs\}$/m);
  expect(text(false)).not.toMatch(/^ +store:/m);
});

it('a default branch with a strange name stays one YAML value', () => {
  const { files } = planInit(survey({ defaultBranch: 'a]: b #' }), options);
  expect(readWorkflow('w.yml', files[0]?.text ?? '').events.get('push')).toEqual({ branches: ['a]: b #'] });
});

it('says where overrides could not be committed, and who must be named', () => {
  const { decisions, files } = planInit(survey({ ignored: '.passloop/\n', owners: null }), options);
  expect(decisions.join('\n')).toMatch(/leaves out all of \.passloop\//);
  expect(decisions.join('\n')).toMatch(/--owners @OWNER\/TEAM/);
  expect(files.find((file) => file.path === '.gitignore')).toMatchObject({ change: 'append' });
});
