import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { beforeAll, expect, it } from 'vitest';

/**
 * Every job of every user downloads the repository at the commit that a workflow names, as `git archive` makes it. What
 * only we need is kept out by export-ignore in .gitattributes; what runs must be in.
 */

const root = path.resolve(import.meta.dirname, '..');
const limitBytes = 12 * 1000 * 1000;
const ours = /^(?:(?:packages|test|bench|examples|docs|scripts|\.ci)\/|actions\/[^/]+\/src\/)/;

let archive: Buffer;
let archived: string[];
let committed: string[];

function git(...args: string[]): Buffer {
  return execFileSync('git', args, { cwd: root, maxBuffer: 1 << 30 });
}

beforeAll(() => {
  archive = git('archive', '--format=tar', 'HEAD');
  archived = execFileSync('tar', ['-tf', '-'], { input: archive, encoding: 'utf8', maxBuffer: 1 << 26 })
    .split('\n')
    .filter((name) => name !== '' && !name.endsWith('/'));
  committed = git('ls-tree', '-r', '-z', '--name-only', 'HEAD').toString('utf8').split('\0').filter(Boolean);
});

it('stays small, uncompressed', () => {
  console.log(`archive: ${archived.length} files, ${(archive.length / 1e6).toFixed(1)} of ${limitBytes / 1e6} MB`);
  expect(archive.length).toBeLessThan(limitBytes);
});

it('has nothing that only we need', () => {
  expect(committed.filter((name) => ours.test(name)).length).toBeGreaterThan(100);
  expect(archived.filter((name) => ours.test(name))).toEqual([]);
});

it('has everything else that is committed', () => {
  expect(archived.sort()).toEqual(committed.filter((name) => !ours.test(name)).sort());
  expect(archived).toEqual(expect.arrayContaining(['LICENSE', 'NOTICE', 'README.md', 'package.json']));
  expect(archived.some((name) => name.startsWith('.github/workflows/'))).toBe(true);
});

it('has what others call and start from', () => {
  for (const name of [
    'model-check',
    'model-report',
    'model-promote',
    'model-rollback',
    'deploy-check',
    'deploy-chain',
  ]) {
    expect(archived).toContain(`.github/workflows/${name}.yml`);
    expect(archived).toContain(`workflows-templates/${name}.yml`);
    const workflow = execFileSync('git', ['show', `HEAD:.github/workflows/${name}.yml`], {
      cwd: root,
      encoding: 'utf8',
    });
    const used = [...workflow.matchAll(/uses: \$\/(actions\/[\w-]+)$/gm)].map((match) => `${match[1]}/action.yml`);
    expect(used.length).toBeGreaterThan(0);
    expect(archived).toEqual(expect.arrayContaining(used));
  }
});

it('has the built bundle', () => {
  expect(archived).toEqual(expect.arrayContaining(['dist/passloop.mjs', 'dist/package.json']));
  expect(archived.some((name) => name.startsWith('dist/runtime/passloop_runtime/'))).toBe(true);
  for (const file of archived.filter((name) => /^actions\/[^/]+\/action\.yml$/.test(name)))
    expect(archived).toContain(`dist/${file.split('/')[1]}.mjs`);
});
