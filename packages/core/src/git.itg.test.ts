import { execFileSync } from 'node:child_process';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
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

it('says so where there is no repository', async () => {
  await using folder = await temporaryFolder('git-test');
  await expect(openGitRepository(folder.path, { ...env, GIT_CEILING_DIRECTORIES: '/' })).rejects.toThrow(
    /not inside a git repository/,
  );
});
