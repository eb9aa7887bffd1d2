import { execFile } from 'node:child_process';
import { cp, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { type TemporaryFolder, temporaryFolder } from '@passloop/core';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { pinnedWorkflow } from './pinned-workflow.ts';

const run = promisify(execFile);
const root = path.resolve(import.meta.dirname, '..');
let folder: TemporaryFolder;
let head: string;
const people = ['-c', 'user.name=Ada', '-c', 'user.email=ada@example.com'];
const git = async (...args: string[]) =>
  (await run('git', [...people, ...args], { cwd: folder.path })).stdout.trimEnd();
const release = async (tag: string) =>
  (
    await run(process.execPath, [path.join(root, 'scripts/release-ref.ts'), '--tag', tag, '--in', folder.path])
  ).stdout.trim();

beforeEach(async () => {
  folder = await temporaryFolder('release');
  await git('init', '-q', '-b', 'main');
  await cp(path.join(root, '.github/workflows'), path.join(folder.path, '.github/workflows'), { recursive: true });
  await cp(path.join(root, 'workflows-templates'), path.join(folder.path, 'workflows-templates'), { recursive: true });
  await writeFile(path.join(folder.path, 'package.json'), '{"version": "1.2.3"}\n');
  await git('add', '.');
  await git('commit', '-qm', 'Begin');
  await git('tag', '-am', 'v1.2.3', 'v1.2.3');
  head = await git('rev-parse', 'HEAD');
});
afterEach(async () => folder[Symbol.asyncDispose]());

it('makes a child of the release in which everything is named by its commit', async () => {
  const commit = await release('v1.2.3');
  expect(await git('rev-parse', `${commit}^`)).toBe(head);
  const changed = (await git('diff', '--name-only', head, commit)).split('\n');
  expect(changed).toHaveLength(12);
  expect(changed.filter((name) => !/^(\.github\/workflows|workflows-templates)\/[a-z-]+\.yml$/.test(name))).toEqual([]);
  const check = await git('show', `${commit}:.github/workflows/model-check.yml`);
  expect(check).toContain(`        uses: passloop/passloop/actions/plan-check@${head} # v1.2.3\n`);
  const called = await git('show', `${commit}:workflows-templates/model-check.yml`);
  expect(called).toContain(`    uses: passloop/passloop/.github/workflows/model-check.yml@${head} # v1.2.3`);
  const all = await git('grep', '-hE', 'uses:|queue:', commit, '--', ...changed);
  expect(all.split('\n').filter((line) => !/uses: \S+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/.test(line))).toEqual([]);
});

it('changes no line but those', async () => {
  const commit = await release('v1.2.3');
  const diff = await git('diff', '--unified=0', head, commit);
  const lines = diff.split('\n').filter((line) => /^[-+](?![-+])/.test(line));
  expect(lines.length).toBeGreaterThan(40);
  expect(lines.filter((line) => !/^[-+]\s+(uses: |queue: max$)/.test(line))).toEqual([]);
});

it('makes the same commit again, and touches no work tree, index or ref', async () => {
  const before = [await git('status', '--porcelain'), await git('for-each-ref')];
  const commit = await release('v1.2.3');
  await git('config', 'user.name', 'Someone else');
  await git('config', 'commit.gpgSign', 'true');
  expect(await release('v1.2.3')).toBe(commit);
  expect([await git('status', '--porcelain'), await git('for-each-ref')]).toEqual(before);
});

it.each([
  ['a name that is no release', 'v1', /a release is named vX\.Y\.Z/],
  ['an option in place of a name', '--output=x', /argument is ambiguous|a release is named/],
  ['a tag that there isn’t', 'v9.9.9', /Command failed/],
])('refuses %s', async (_, tag, said) => {
  await expect(release(tag)).rejects.toThrow(said);
});

it('refuses a tag on a commit of another version', async () => {
  await git('tag', 'v1.2.4');
  await expect(release('v1.2.4')).rejects.toThrow('v1.2.4 is on a commit whose package.json says 1.2.3.');
});

it('refuses a tag without workflows', async () => {
  await git('rm', '-qr', '.github', 'workflows-templates');
  await writeFile(path.join(folder.path, 'package.json'), '{"version": "1.2.5"}\n');
  await mkdir(path.join(folder.path, 'x'));
  await git('commit', '-qam', 'Take them away');
  await git('tag', 'v1.2.5');
  await expect(release('v1.2.5')).rejects.toThrow('v1.2.5 has no workflows.');
});

it('leaves what is pinned, and what another repository has', () => {
  const lines = [
    '        uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1',
    '    uses: else/passloop/.github/workflows/x.yml@v1',
  ].join('\n');
  expect(pinnedWorkflow(lines, { repository: 'passloop/passloop', commit: 'c'.repeat(40), tag: 'v1.0.0' })).toBe(lines);
});

it('refuses a form of $/ that it does not know', () => {
  const text = '        uses: "$/actions/x"\n';
  expect(() => pinnedWorkflow(text, { repository: 'a/b', commit: 'c', tag: 'v1.0.0' })).toThrow('Not written out');
});
