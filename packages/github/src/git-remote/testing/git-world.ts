import { chmod, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { temporaryFolder } from '@passloop/core';
import type { Forge } from '@passloop/gitops';
import { git, manifest, pushFiles } from '../../testing/deploy-world.ts';
import { type GitForgeOptions, gitForge } from '../git-forge.ts';
import { gitRemote } from '../git-url.ts';

export type GitWorld = AsyncDisposable & {
  folder: string;
  /** The remote: a bare repository. */
  bare: string;
  url: string;
  /** A clone of a person who may push. */
  clone: string;
  /** Another one each time, with a clone of its own: another process. */
  forge(options?: Partial<GitForgeOptions>): Forge;
  /** git in the bare repository. */
  inBare(...args: string[]): Promise<string>;
  show(file: string, ref?: string): Promise<string>;
  /** A hook of the remote's. */
  hook(name: string, script: string): Promise<void>;
};

/** What git of a test may see: no configuration of this machine. */
export function gitEnvironment(home: string): Record<string, string> {
  return {
    PATH: process.env.PATH ?? '',
    HOME: home,
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
  };
}

const kustomization = `# what prod runs\nimages:\n  - name: ghcr.io/acme/flight   # kept\n    newTag: v0 # the first\n`;

/** A deploy repository as a bare repository in a folder, with one kustomization for prod. */
export async function gitWorld(files: Record<string, string> = { [manifest]: kustomization }): Promise<GitWorld> {
  const folder = await temporaryFolder('git-world');
  const bare = path.join(folder.path, 'deploy.git');
  const clone = path.join(folder.path, 'clone');
  await mkdir(bare);
  await git(bare, 'init', '--quiet', '--bare', '-b', 'main');
  await git(folder.path, 'clone', '--quiet', bare, clone);
  await pushFiles(clone, files, 'Start');
  const url = `file://${bare}`;
  const inBare = (...args: string[]) => git(bare, ...args);
  return {
    folder: folder.path,
    bare,
    url,
    clone,
    forge: (options = {}) =>
      gitForge({ remote: gitRemote(url, 'operator'), env: gitEnvironment(folder.path), ...options }),
    inBare,
    show: (file, ref = 'main') => inBare('show', `${ref}:${file}`),
    async hook(name, script) {
      await mkdir(path.join(bare, 'hooks'), { recursive: true });
      await writeFile(path.join(bare, 'hooks', name), `#!/bin/sh\n${script}\n`);
      await chmod(path.join(bare, 'hooks', name), 0o755);
    },
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
}
