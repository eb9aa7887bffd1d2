import { mkdir, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { runOrThrow, silentProgress, type TemporaryFolder, temporaryFolder } from '@passloop/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startRegistry } from '../../../test/fixtures/registry.ts';
import type { Context } from './context.ts';
import { openImageRegistry, openModelStore } from './store.ts';

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

describe("the forge's registry", () => {
  // bcrypt of "correct horse", made by Python's bcrypt.
  const htpasswd = 'passloop:$2b$04$QQbmyQTVAOWm96x2PkHfuO0JYcSoHMbsAWgMgDwt72JAghRYiGzoC';
  const digest = `sha256:${'0'.repeat(64)}`;

  it("gets the job's token where PASSLOOP_CONTAINER_REGISTRY names it, and no other registry does", async () => {
    await using registry = await startRegistry({ htpasswd });
    const ask = async (named: string | undefined) => {
      const job = { GITHUB_TOKEN: 'correct horse', GITHUB_ACTOR: 'passloop', PASSLOOP_CONTAINER_REGISTRY: named };
      const context = {
        cwd: root,
        env: { ...env, ...job },
        now: () => new Date(0),
        progress: silentProgress,
        version: '',
      };
      return (await openImageRegistry(context, `${registry.address}/acme/flight`)).manifestExists(digest);
    };
    expect(await ask(registry.address)).toBe(false);
    await expect(ask(undefined)).rejects.toMatchObject({ code: expect.stringMatching(/configuration|infrastructure/) });
    await expect(ask('ghcr.io')).rejects.toMatchObject({ code: expect.any(String) });
    await expect(ask('https://ghcr.io/x')).rejects.toThrow(/PASSLOOP_CONTAINER_REGISTRY|no repository/);
  });
});
