import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import {
  type GitRepository,
  openGitRepository,
  runOrThrow,
  type TemporaryFolder,
  temporaryFolder,
} from '@passloop/core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { overridesAt } from './overrides.ts';

const env = { PATH: process.env.PATH ?? '', GIT_CONFIG_GLOBAL: '/dev/null' };
let folder: TemporaryFolder;
let repository: GitRepository;

async function git(...args: string[]): Promise<void> {
  const identity = ['-c', 'user.name=Ada', '-c', 'user.email=ada@example.com'];
  await runOrThrow({ argv: ['git', ...identity, ...args], cwd: folder.path, env });
}

beforeAll(async () => {
  folder = await temporaryFolder('overrides');
  await git('init', '-q', '-b', 'main');
  repository = await openGitRepository(folder.path, env);
});
afterAll(() => folder?.[Symbol.asyncDispose]());

/** The exceptions of a commit in which these are the files. */
async function read(files: Record<string, string>) {
  const place = path.join(folder.path, '.passloop/overrides');
  await rm(place, { recursive: true, force: true });
  await mkdir(place, { recursive: true });
  for (const [name, text] of Object.entries(files)) await writeFile(path.join(place, name), text);
  await git('add', '-A');
  await git('commit', '-q', '--allow-empty', '-m', 'Exceptions');
  return await overridesAt(repository, 'HEAD', '2026-11-26');
}

it('holds through its last day, and is over after it', async () => {
  const rest = 'gate: gates.roc_auc\nreason: known\n';
  const found = await read({
    'a.yaml': `${rest}until: 2026-11-26\n`,
    'b.yml': `${rest}until: "2026-11-25"\nmodel: churn\n`,
    'README.md': 'No exception.\n',
  });

  expect(found.map(({ file, model, until, isOver }) => [file, model, until, isOver])).toEqual([
    ['.passloop/overrides/a.yaml', undefined, '2026-11-26', false],
    ['.passloop/overrides/b.yml', 'churn', '2026-11-25', true],
  ]);
});

it.each([
  ['until: 2026-02-30', 'must be a day such as 2026-12-31'],
  ['until: someday', 'must be a day such as 2026-12-31'],
  ['until: 2026-12-31\nmodle: churn', 'Unrecognized key: "modle"'],
  ['until: 2026-12-31\nmodel: Churn', 'model '],
])('refuses a file with %s, and says what one has', async (line, message) => {
  await expect(read({ 'a.yaml': `gate: gates.roc_auc\nreason: known\n${line}\n` })).rejects.toMatchObject({
    code: 'configuration',
    message: expect.stringContaining(message),
    hint: expect.stringContaining('An override has `gate`, `reason` and `until`'),
  });
});

it('refuses a key of which objects are made', async () => {
  const rest = 'gate: gates.roc_auc\nreason: known\nuntil: 2026-12-31\n';
  await expect(read({ 'a.yaml': `${rest}__proto__: {until: 2999-01-01}\n` })).rejects.toMatchObject({
    message: ".passloop/overrides/a.yaml:4: `__proto__` can't be a key here.",
    line: 4,
  });
});
