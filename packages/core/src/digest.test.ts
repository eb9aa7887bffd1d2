import { execFileSync } from 'node:child_process';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { dirHash1, fileDigest, folderEntries, pathDigest, sha256 } from './digest.ts';
import { temporaryFolder } from './files.ts';

it('hashes a folder as sha256sum and sort would (dirHash1)', async () => {
  await using folder = await temporaryFolder('digest-test');
  await mkdir(path.join(folder.path, 'b'));
  await writeFile(path.join(folder.path, 'b/x y.txt'), 'one');
  await writeFile(path.join(folder.path, 'B'), 'two');
  await writeFile(path.join(folder.path, 'ä'), 'three');

  const digest = dirHash1(await folderEntries(folder.path));

  const expected = execFileSync(
    'bash',
    ['-c', 'find . -type f | cut -c3- | LC_ALL=C sort | xargs -d "\\n" sha256sum | sha256sum | cut -d" " -f1'],
    { cwd: folder.path, encoding: 'utf8' },
  ).trim();
  expect(digest).toBe(`sha256:${expected}`);
  expect(await pathDigest(folder.path)).toBe(digest);
});

it('gives a file the digest of its bytes', async () => {
  await using folder = await temporaryFolder('digest-test');
  const file = path.join(folder.path, 'f');
  await writeFile(file, 'abc');
  expect(await fileDigest(file)).toBe('sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  expect(await pathDigest(file)).toBe(sha256('abc'));
});

it('refuses links and names that would forge another listing', async () => {
  await using folder = await temporaryFolder('digest-test');
  await symlink('/etc/passwd', path.join(folder.path, 'link'));
  await expect(pathDigest(folder.path)).rejects.toThrow(/symbolic link/);
  expect(() => dirHash1([{ path: 'a\nb', digest: sha256('') }])).toThrow(/newline/);
});
