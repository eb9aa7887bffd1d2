import { mkdir, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { runOrThrow, silentProgress, type TemporaryFolder, temporaryFolder } from '@passloop/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Context } from './context.ts';
import { openModelStore } from './store.ts';

const env = { PATH: process.env.PATH ?? '', HOME: '/nonexistent', GIT_CONFIG_NOSYSTEM: '1' };
let folder: TemporaryFolder;
let root: string;

beforeEach(async () => {
  folder = await temporaryFolder('verbs-store');
  root = path.join(folder.path, 'repository');
  await mkdir(root);
  await git('init', '--quiet', '--initial-branch', 'main');
});
afterEach(() => folder[Symbol.asyncDispose]());

async function git(...args: string[]): Promise<void> {
  await runOrThrow({
    argv: ['git', '-C', root, '-c', 'user.name=Ada', '-c', 'user.email=ada@example.org', ...args],
    env,
  });
}
async function entry(place: string): Promise<void> {
  await mkdir(path.join(root, place, 'tags'), { recursive: true });
  await writeFile(path.join(root, place, 'tags', 'rk1-1.json'), '{}');
}
async function open(directory = '.passloop/store') {
  await git('add', '--all');
  await git('commit', '--quiet', '--allow-empty', '--message', 'x');
  const context: Context = { cwd: root, env, now: () => new Date(), progress: silentProgress, version: '0.0.0' };
  return openModelStore(context, root, { store: { directory } });
}

describe('a store that came with the checkout is refused', () => {
  it.each<[string, () => Promise<unknown>, RegExp]>([
    ['as files', () => entry('.passloop/store'), /holds committed files, such as \.passloop\/store\/tags\/rk1-1\.json/],
    ['in other case', () => entry('.Passloop/STORE'), /holds committed files, such as \.Passloop\/STORE/],
    [
      'behind a link to its parent',
      async () => {
        await entry('docs/store');
        await symlink('docs', path.join(root, '.passloop'));
      },
      /\.passloop\/store is reached through \.passloop, which is committed as a link or a submodule\./,
    ],
    [
      'as a link',
      async () => {
        await entry('docs/store');
        await mkdir(path.join(root, '.passloop'));
        await symlink('../docs/store', path.join(root, '.passloop/store'));
      },
      /holds committed files, such as \.passloop\/store\./,
    ],
    [
      'in a submodule',
      async () => {
        await mkdir(path.join(root, '.passloop'));
        await git('update-index', '--add', '--cacheinfo', `160000,${'1'.repeat(40)},.passloop`);
      },
      /reached through \.passloop/,
    ],
  ])('%s', async (_title, change, message) => {
    await change();
    await expect(open()).rejects.toThrow(message);
  });
});

it('other committed files beside the store, and a store outside of the repository, are fine', async () => {
  await mkdir(path.join(root, '.passloop/overrides'), { recursive: true });
  await writeFile(path.join(root, '.passloop/overrides/x.yaml'), '{}');
  await entry('.passloop/store-of-old');
  expect((await open()).description).toBe(`directory ${root}/.passloop/store`);
  expect((await open('../store')).description).toBe(`directory ${folder.path}/store`);
});
