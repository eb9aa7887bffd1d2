import { execFileSync } from 'node:child_process';
import { chmod, mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { temporaryFolder } from './files.ts';
import { openGitRepository } from './git.ts';

const env = { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '' };

it('reads commits, never the work tree', async () => {
  await using folder = await temporaryFolder('git-test');
  const git = (...args: string[]) =>
    execFileSync('git', ['-C', folder.path, '-c', 'user.name=t', '-c', 'user.email=t@example.com', ...args], {
      encoding: 'utf8',
    }).trim();
  git('init', '-q', '-b', 'main');
  await mkdir(path.join(folder.path, 'sub dir'));
  await writeFile(path.join(folder.path, 'sub dir/ä.py'), 'print(1)\r\n');
  await writeFile(path.join(folder.path, 'run.sh'), '#!/bin/sh\n');
  await chmod(path.join(folder.path, 'run.sh'), 0o755);
  git('add', '.');
  git('commit', '-qm', 'one');
  const first = git('rev-parse', 'HEAD');
  await writeFile(path.join(folder.path, 'run.sh'), 'changed, not committed');
  git('commit', '-q', '--allow-empty', '-m', 'two');

  const repository = await openGitRepository(path.join(folder.path, 'sub dir'), env);

  expect(await repository.resolve('HEAD~1')).toBe(first);
  expect(await repository.resolve('--all')).toBeNull();
  expect(await repository.resolve('nothing')).toBeNull();
  const files = await repository.listFiles(first);
  expect(files.map((file) => [file.path, file.mode])).toEqual([
    ['run.sh', '100755'],
    ['sub dir/ä.py', '100644'],
  ]);
  expect((await repository.listFiles(first, 'sub dir')).map((file) => file.path)).toEqual(['sub dir/ä.py']);
  expect((await repository.readFile(first, 'run.sh'))?.toString()).toBe('#!/bin/sh\n');
  expect(await repository.readFile(first, 'none')).toBeNull();
  const blobs = await repository.readBlobs(files.map((file) => file.oid));
  expect(blobs.get(files[1]?.oid ?? '')?.toString()).toBe('print(1)\r\n');
  expect(await repository.isAncestor(first, 'HEAD')).toBe(true);
  expect(await repository.isAncestor('HEAD', first)).toBe(false);
});

it('tells a file that is lost from one that is absent', async () => {
  await using folder = await temporaryFolder('git-test');
  const git = (...args: string[]) =>
    execFileSync('git', ['-C', folder.path, '-c', 'user.name=t', '-c', 'user.email=t@example.com', ...args], {
      encoding: 'utf8',
    }).trim();
  git('init', '-q', '-b', 'main');
  await mkdir(path.join(folder.path, 'a'));
  await writeFile(path.join(folder.path, 'a/rules.yaml'), 'gates: []\n');
  git('add', '.');
  git('commit', '-qm', 'one');
  const repository = await openGitRepository(folder.path, env);
  const commit = git('rev-parse', 'HEAD');
  expect(await repository.readFile(commit, 'a')).toBeNull();
  expect(await repository.readFile(commit, 'a/rules.yaml/x')).toBeNull();

  const oid = git('rev-parse', 'HEAD:a/rules.yaml');
  await rm(path.join(folder.path, '.git/objects', oid.slice(0, 2), oid.slice(2)));

  await expect(repository.readFile(commit, 'a/rules.yaml')).rejects.toThrow(/cannot read a\/rules\.yaml/);
  await expect(repository.readFile('0'.repeat(40), 'a/rules.yaml')).rejects.toThrow(/git ls-tree failed/);
});

it('names the setting where the checkout belongs to another user', async () => {
  await using folder = await temporaryFolder('git-test');
  execFileSync('git', ['init', '-q', folder.path]);
  await expect(openGitRepository(folder.path, { ...env, GIT_TEST_ASSUME_DIFFERENT_OWNER: '1' })).rejects.toMatchObject({
    code: 'configuration',
    message: expect.stringContaining('belongs to another user'),
    hint: expect.stringContaining(`safe.directory '${folder.path}'`),
  });
});

it('says so where there is no repository', async () => {
  await using folder = await temporaryFolder('git-test');
  await expect(openGitRepository(folder.path, { ...env, GIT_CEILING_DIRECTORIES: '/' })).rejects.toThrow(
    /not inside a git repository/,
  );
});
