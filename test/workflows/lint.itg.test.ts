// biome-ignore-all lint/suspicious/noTemplateCurlyInString: expressions of GitHub Actions are what is planted.
import { execFile } from 'node:child_process';
import { cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { temporaryFolder } from '@passloop/core';
import { beforeAll, describe, expect, it } from 'vitest';
import { pinnedWorkflow } from '../../scripts/pinned-workflow.ts';
import { actionlintSays, type Linters, linters, zizmorSays } from './linters.ts';

/** The workflows, the templates and the actions as two linters of GitHub Actions see them. */
const root = path.resolve(import.meta.dirname, '../..');
let programs: Linters;

beforeAll(async () => {
  programs = await linters();
});

async function yamlFiles(folder: string): Promise<string[]> {
  const names = await readdir(path.join(root, folder));
  return names.filter((name) => name.endsWith('.yml')).map((name) => `${folder}/${name}`);
}

/** A repository of its own: templates call the workflows beside them, so that a linter can look at both sides of the call. */
async function lintWorld(change: (file: string, text: string) => string) {
  const world = await temporaryFolder('lint');
  await promisify(execFile)('git', ['init', '--quiet', world.path]);
  await mkdir(path.join(world.path, '.github/workflows'), { recursive: true });
  for (const name of ['actions', '.github/actionlint.yaml'])
    await cp(path.join(root, name), path.join(world.path, name), { recursive: true });
  // That each bundle is there is asked elsewhere; a linter asks only for a file.
  await mkdir(path.join(world.path, 'dist'));
  for (const name of await readdir(path.join(root, 'actions')))
    await writeFile(path.join(world.path, 'dist', `${name}.mjs`), '');
  const files: string[] = [];
  for (const file of [...(await yamlFiles('.github/workflows')), ...(await yamlFiles('workflows-templates'))]) {
    const text = change(file, await readFile(path.join(root, file), 'utf8'));
    const isTemplate = file.startsWith('workflows-templates/');
    const name = isTemplate ? `.github/workflows/call-${path.basename(file)}` : file;
    const own = text.replaceAll(/passloop\/passloop\/(\.github\/workflows\/[\w-]+\.yml)@v1/g, '$/$1');
    await writeFile(path.join(world.path, name), isTemplate ? own.replaceAll('$default-branch', 'main') : text);
    files.push(name);
  }
  return { path: world.path, files, [Symbol.asyncDispose]: () => world[Symbol.asyncDispose]() };
}

async function actionlintOf(change: (file: string, text: string) => string): Promise<string> {
  await using world = await lintWorld(change);
  return await actionlintSays(programs, world.path, world.files);
}

describe('actionlint', () => {
  it('finds nothing, in the workflows and in their callers', async () => {
    expect(await actionlintOf((_, text) => text)).toBe('');
  });

  it.each([
    ['model-check.yml', 'stored: ${{ matrix.model.stored }}', 'stores: x', /input "stores" is not defined/],
    [
      'model-check.yml',
      'needs.plan.outputs.recipient',
      'needs.plan.outputs.recipients',
      /property "recipients" is not defined/,
    ],
    ['model-rollback.yml', 'queue: max', 'queue: most', /"most"/],
  ])('finds what is planted in %s: %s', async (name, from, to, says) => {
    const change = (file: string, text: string) =>
      file === `.github/workflows/${name}` ? text.replace(from, () => to) : text;
    expect(await actionlintOf(change)).toMatch(says);
  });

  it('finds an input of a template that its workflow has not', async () => {
    const change = (file: string, text: string) =>
      file === 'workflows-templates/model-promote.yml' ? text.replace('      model: ${{', '      modell: ${{') : text;
    expect(await actionlintOf(change)).toMatch(/input "modell" is not defined/);
  });
});

describe('a release whose actions are written out', () => {
  const release = {
    repository: 'passloop/passloop',
    commit: '0123456789abcdef0123456789abcdef01234567',
    tag: 'v1.2.3',
  };
  const pinned = (_: string, text: string) => pinnedWorkflow(text, release);

  it('is a workflow to both linters', async () => {
    await using world = await lintWorld(pinned);
    const shipped = world.files.filter((file) => !path.basename(file).startsWith('.'));
    expect(await actionlintSays(programs, world.path, shipped)).toBe('');
    expect(await zizmorSays(programs, world.path, shipped)).toBe('');
  });
});

describe('zizmor', () => {
  it('finds nothing that no comment explains', async () => {
    const files = ['.github', 'actions', ...(await yamlFiles('workflows-templates'))];
    expect(await zizmorSays(programs, root, files)).toBe('');
  });

  it.each([
    [/@[0-9a-f]{40}/, '@v7', 'unpinned-uses'],
    [/packages: write #.*/, 'packages: write', 'undocumented-permissions'],
    ['permissions: {}', 'permissions: write-all', 'excessive-permissions'],
    ['$/actions/plan-check', './actions/plan-check', 'self-repository'],
  ])('finds %s made %s', async (from, to, rule) => {
    await using folder = await temporaryFolder('lint');
    const text = await readFile(path.join(root, '.github/workflows/model-check.yml'), 'utf8');
    const changed = text.replace(from, () => to);
    expect(changed).not.toBe(text);
    const file = path.join(folder.path, 'model-check.yml');
    await writeFile(file, changed);
    expect(await zizmorSays(programs, folder.path, [file])).toContain(rule);
  });
});
