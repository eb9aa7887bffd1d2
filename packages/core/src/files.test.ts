import { chmod, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { insidePath, isInsidePath, readTextIfExists, temporaryFolder, writeFileAtomic } from './files.ts';
import { runOrThrow } from './process.ts';

it.each([
  '',
  '..',
  '../x',
  'a/../../x',
  '/etc/passwd',
  'C:/x',
  'a\\b',
  'a\u0000b',
  'a\nb',
])('%j leads outside', (relative) => {
  expect(isInsidePath(relative)).toBe(false);
});

it.each(['a', 'a/b', './a', 'a/../b', '..a', 'a..b/c'])('%j stays inside', (relative) => {
  expect(isInsidePath(relative)).toBe(true);
});

it('does not follow a link out of the root, nor a folder that is one', async () => {
  await using folder = await temporaryFolder('files-test');
  const root = path.join(folder.path, 'root');
  await mkdir(root);
  await symlink(folder.path, path.join(root, 'up'));
  await symlink('/etc/passwd', path.join(root, 'passwd'));

  await expect(insidePath(root, 'up/new-file', 'data.path')).rejects.toThrow(/data\.path is "up\/new-file"/);
  await expect(insidePath(root, 'passwd', 'data.path')).rejects.toThrow(/not a path inside/);
  expect(await insidePath(root, 'new/deep/file', 'data.path')).toMatch(/root\/new\/deep\/file$/);
});

it('writes a file whole and leaves nothing half-written behind', async () => {
  await using folder = await temporaryFolder('files-test');
  const file = path.join(folder.path, 'a/b.json');
  await writeFileAtomic(file, 'one');
  await writeFileAtomic(file, 'two');
  expect(await readFile(file, 'utf8')).toBe('two');
  await mkdir(path.join(folder.path, 'taken'));
  await writeFile(path.join(folder.path, 'taken/x'), '');
  await expect(writeFileAtomic(path.join(folder.path, 'taken'), 'three')).rejects.toThrow();
  expect((await readdir(folder.path)).sort()).toEqual(['a', 'taken']);
  expect(await readTextIfExists(path.join(folder.path, 'none'))).toBeNull();
});

it('removes folders that their maker closed, as a user who is not root', async () => {
  await using folder = await temporaryFolder('files-test');
  await chmod(folder.path, 0o777);
  const script = `
    import { mkdir, chmod, writeFile } from 'node:fs/promises';
    import { temporaryFolder } from ${JSON.stringify(new URL('./files.ts', import.meta.url).pathname)};
    if (process.getuid() === 0) process.setuid(65534);
    {
      await using work = await temporaryFolder('closed', ${JSON.stringify(folder.path)});
      await mkdir(work.path + '/a/b', { recursive: true });
      await writeFile(work.path + '/a/b/c', 'x');
      await chmod(work.path + '/a/b', 0o000);
      await chmod(work.path + '/a', 0o555);
    }
  `;
  await runOrThrow({ argv: [process.execPath, '--input-type=module', '-e', script], env: {} });
  expect(await readdir(folder.path)).toEqual([]);
});
