import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmod, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
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

it('hashes blobs as sha256sum does, whatever their size and content, and refuses what is no blob', async () => {
  await using folder = await temporaryFolder('git-test');
  const git = (...args: string[]) =>
    execFileSync('git', ['-C', folder.path, '-c', 'user.name=t', '-c', 'user.email=t@example.com', ...args], {
      encoding: 'utf8',
    }).trim();
  git('init', '-q', '-b', 'main');
  const forged = `\n${'0'.repeat(40)} blob 3\nabc\n`;
  const contents = ['', '\n', forged, 'x'.repeat(300_000), randomBytes(5_000_000)];
  for (const [index, content] of contents.entries()) await writeFile(path.join(folder.path, `f${index}`), content);
  for (let index = 0; index < 1200; index += 1) await writeFile(path.join(folder.path, `many-${index}`), `${index}\n`);
  git('add', '.');
  git('commit', '-qm', 'one');
  const repository = await openGitRepository(folder.path, env);
  const files = await repository.listFiles(git('rev-parse', 'HEAD'));

  const digests = await repository.hashBlobs(files.map((file) => file.oid));
  const blobs = await repository.readBlobs(files.map((file) => file.oid));

  const sums = execFileSync('sh', ['-c', 'sha256sum f? many-*'], { cwd: folder.path, encoding: 'utf8' });
  const expected = sums
    .trim()
    .split('\n')
    .map((line) => [line.slice(66), `sha256:${line.slice(0, 64)}`]);
  expect(expected).toHaveLength(1205);
  expect(files.map((file) => [file.path, digests.get(file.oid)]).sort()).toEqual(expected.sort());
  for (const file of files) {
    expect(blobs.get(file.oid)?.equals(await readFile(path.join(folder.path, file.path)))).toBe(true);
  }
  await expect(repository.hashBlobs(['0'.repeat(40)])).rejects.toThrow(/git object 0{40} is missing, not a file/);
  await expect(repository.readBlobs([git('rev-parse', 'HEAD')])).rejects.toThrow(/is commit, not a file/);
});
