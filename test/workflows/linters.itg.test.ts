import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { temporaryFolder } from '@passloop/core';
import { expect, it } from 'vitest';
import { lint } from './linters.ts';

/** What two linters of other people say of every workflow, template and action. An accepted finding has its reason on its line. */
const root = path.resolve(import.meta.dirname, '../..');
const pedantic = ['--offline', '--no-progress', '--persona', 'pedantic', '--format', 'plain'];

async function filesIn(folder: string, pattern: RegExp): Promise<string[]> {
  const names = await readdir(path.join(root, folder), { recursive: true });
  return names
    .filter((name) => pattern.test(name))
    .map((name) => path.join(folder, name))
    .sort();
}

async function workflows(): Promise<string[]> {
  return [...(await filesIn('.github/workflows', /\.yml$/)), ...(await filesIn('workflows-templates', /\.yml$/))];
}

it('satisfies actionlint', async () => {
  const files = await workflows();
  expect(files.length).toBeGreaterThan(12);
  const { exitCode, output } = await lint('actionlint', ['-no-color', '-oneline', ...files]);
  expect(output).toBe('');
  expect(exitCode).toBe(0);
});

it('satisfies zizmor, whose every accepted finding says why', async () => {
  const files = [...(await workflows()), ...(await filesIn('actions', /\/action\.yml$/))];
  const { exitCode, output } = await lint('zizmor', [...pedantic, ...files]);
  expect(output).toMatch(/No findings to report/);
  expect(exitCode).toBe(0);
  for (const file of files) {
    for (const line of (await readFile(path.join(root, file), 'utf8')).split('\n')) {
      if (line.includes('zizmor:')) expect(line, file).toMatch(/# zizmor: ignore\[[\w-]+\] \w.{15,}$/);
    }
  }
});

it.each([
  ['actionlint', 'a step that there isn’t', 'steps.plan.outputs.head', 'steps.plann.outputs.head', 'plann'],
  ['zizmor', 'a token that writes everything', 'permissions: {}', 'permissions: write-all', 'excessive-permissions'],
  ['zizmor', 'an action that can be moved', /checkout@\w+/, 'checkout@v7', 'unpinned-uses'],
  [
    'zizmor',
    'a stranger’s text in a command',
    /uses: \$\S+/,
    `run: echo \${{ github.head_ref }}`,
    'template-injection',
  ],
] as const)('%s catches %s', async (program, _, from, to, said) => {
  await using folder = await temporaryFolder('linted');
  const text = await readFile(path.join(root, '.github/workflows/model-check.yml'), 'utf8');
  const planted = text.replace(from, () => to);
  expect(planted).not.toBe(text);
  await mkdir(path.join(folder.path, '.github/workflows'), { recursive: true });
  const file = path.join(folder.path, '.github/workflows/model-check.yml');
  await writeFile(file, planted);
  const args = program === 'zizmor' ? [...pedantic, file] : ['-no-color', '-oneline', file];
  const { exitCode, output } = await lint(program, args, folder.path);
  expect(exitCode).not.toBe(0);
  expect(output).toContain(said);
});
