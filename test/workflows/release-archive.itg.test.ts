import { execFile } from 'node:child_process';
import { chmod, copyFile, cp, mkdtemp, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { type TemporaryFolder, temporaryFolder } from '@passloop/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Ended, git, releaseStep } from './release-step.ts';

/** What is drafted: the archive of this repository's own bundle, and the call that drafts it. */
const run = promisify(execFile);
const root = path.resolve(import.meta.dirname, '../..');
let folder: TemporaryFolder;

beforeAll(async () => {
  folder = await temporaryFolder('release');
});
afterAll(() => folder?.[Symbol.asyncDispose]());

const emptyFolder = () => mkdtemp(path.join(folder.path, 'place-'));
const step = (name: string, cwd: string, env: Record<string, string>) =>
  releaseStep('attest', name, { cwd, folder: folder.path, env });

describe('the archive', () => {
  let bundle: string;

  beforeAll(async () => {
    bundle = await emptyFolder();
    await git(bundle, 'init', '-q', '-b', 'main');
    await cp(path.join(root, 'dist'), path.join(bundle, 'dist'), { recursive: true });
    await copyFile(path.join(root, '.gitattributes'), path.join(bundle, '.gitattributes'));
    await git(bundle, 'add', '.');
    await git(bundle, 'commit', '-qm', 'Release');
  });

  /** Another clone on another machine: its zone, its language, who may read its files. */
  async function pack(env: Record<string, string>): Promise<Ended & { temp: string }> {
    const clone = path.join(await emptyFolder(), 'clone');
    await git(folder.path, 'clone', '-q', bundle, clone);
    const temp = await emptyFolder();
    return { ...(await step('Pack the committed bundle', clone, { RUNNER_TEMP: temp, ...env })), temp };
  }

  it('has the same bytes each time, the sum that stands beside it, and less than 12 MB', async () => {
    const one = await pack({ TZ: 'Asia/Tokyo' });
    const other = await pack({ TZ: 'America/Lima', LC_ALL: 'C' });
    expect([one.code, other.code], one.log + other.log).toEqual([0, 0]);
    const file = (place: { temp: string }) => path.join(place.temp, 'passloop-dist.tar.gz');
    expect((await readFile(file(one))).equals(await readFile(file(other)))).toBe(true);
    // No name and no time is in it, which the next second would change.
    expect([...(await readFile(file(one))).subarray(3, 8)]).toEqual([0, 0, 0, 0, 0]);
    expect((await stat(file(one))).size).toBeLessThan(12 * 1024 * 1024);
    expect((await readdir(one.temp)).sort()).toEqual(['SHA256SUMS', 'passloop-dist.tar.gz']);
    const checked = await run('sha256sum', ['--check', '--strict', 'SHA256SUMS'], { cwd: one.temp });
    expect(checked.stdout).toBe('passloop-dist.tar.gz: OK\n');
    await writeFile(file(other), 'other bytes');
    await expect(run('sha256sum', ['--check', 'SHA256SUMS'], { cwd: other.temp })).rejects.toThrow(/did NOT match/);

    await run('tar', ['-xzf', file(one)], { cwd: one.temp });
    const names = (await readdir(path.join(one.temp, 'dist'), { recursive: true })).sort();
    expect(names).toEqual((await readdir(path.join(root, 'dist'), { recursive: true })).sort());
    expect(await readFile(path.join(one.temp, 'dist/passloop.mjs'))).toEqual(
      await readFile(path.join(root, 'dist/passloop.mjs')),
    );
  });

  it('is none where the commit has no bundle', async () => {
    const clone = await emptyFolder();
    await git(clone, 'init', '-q', '-b', 'main');
    await git(clone, 'commit', '-q', '--allow-empty', '-m', 'Release');
    const { code, log } = await step('Pack the committed bundle', clone, {
      RUNNER_TEMP: await emptyFolder(),
    });
    expect(log).toMatch(/dist/);
    expect(code).not.toBe(0);
  });
});

describe('the draft', () => {
  /** The client of GitHub speaks to no server but by TLS: what it is called with is written down, a line an argument. */
  async function draft(tag: string): Promise<string[]> {
    const place = await emptyFolder();
    const calls = path.join(place, 'calls');
    await writeFile(path.join(place, 'gh'), `#!/bin/sh\nprintf '%s\\0' "$@" > "${calls}"\n`);
    await chmod(path.join(place, 'gh'), 0o755);
    const { code, log } = await step('Draft the release', place, {
      PATH: `${place}:${process.env.PATH}`,
      GH_TOKEN: 'none',
      TAG: tag,
      GITHUB_REPOSITORY: 'passloop/passloop',
      GITHUB_SHA: '0123456789abcdef0123456789abcdef01234567',
      RUNNER_TEMP: '/runner temp',
    });
    expect(code, log).toBe(0);
    expect((await readdir(place)).sort()).toEqual(['calls', 'gh']);
    return (await readFile(calls, 'utf8')).split('\0').slice(0, -1);
  }

  it('is a draft of the tag that is there, with the archive and its sum', async () => {
    const argv = await draft('v1.2.3');
    expect(argv).toEqual([
      ...['release', 'create', 'v1.2.3', '--verify-tag', '--draft', '--title', 'v1.2.3', '--notes'],
      'See [CHANGELOG.md](https://github.com/passloop/passloop/blob/v1.2.3/CHANGELOG.md). Pin `0123456789abcdef0123456789abcdef01234567`.',
      ...['/runner temp/passloop-dist.tar.gz', '/runner temp/SHA256SUMS'],
    ]);
  });

  it('runs nothing that a tag says', async () => {
    expect((await draft('v1.2.3$(touch x)`touch y`\n;touch z'))[2]).toBe('v1.2.3$(touch x)`touch y`\n;touch z');
  });
});
