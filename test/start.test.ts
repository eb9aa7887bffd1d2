import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { type TemporaryFolder, temporaryFolder } from '@passloop/core';
import { afterAll, beforeAll, expect, it } from 'vitest';

/**
 * What a command loads before it works, of a bundle built here: time depends on the machine, the files that are read don't.
 * `node bench/start.ts` has the milliseconds.
 */

const root = path.resolve(import.meta.dirname, '..');
let folder: TemporaryFolder;
let bundle: string;

beforeAll(async () => {
  folder = await temporaryFolder('start-test');
  bundle = path.join(folder.path, 'dist');
  execFileSync(process.execPath, [path.join(root, 'scripts/build.ts'), '--out', bundle]);
});

afterAll(async () => {
  await folder?.[Symbol.asyncDispose]();
});

/** Files that an import of `entry` reads at once, without those that are imported on demand. */
function loadedWith(entry: string): { files: string[]; bytes: number; packages: string[] } {
  const files = [entry];
  const packages = new Set<string>();
  let bytes = 0;
  for (const name of files) {
    const text = readFileSync(path.join(bundle, name), 'utf8');
    bytes += text.length;
    for (const [, found = ''] of text.matchAll(/\b(?:from|import)\s*"([@\w./:-]+)"/g)) {
      if (!found.startsWith('./')) packages.add(found);
      else if (!files.includes(found.slice(2))) files.push(found.slice(2));
    }
  }
  return { files, bytes, packages: [...packages].filter((name) => !name.startsWith('node:')) };
}

function chunkOf(verb: string): string {
  const asked = new RegExp(`import\\(["'\`]\\./(chunk-${verb}-[\\w-]{8}\\.mjs)`);
  // The list of verbs lies in the entry, or in a chunk that the actions share with it.
  const found = loadedWith('passloop.mjs')
    .files.map((name) => asked.exec(readFileSync(path.join(bundle, name), 'utf8'))?.[1])
    .find((name) => name !== undefined);
  if (found === undefined) throw new Error(`${verb} is not loaded on demand`);
  return found;
}

it('help and version load the face alone', () => {
  const { files, bytes, packages } = loadedWith('passloop.mjs');
  console.log(`start: ${files.length} files, ${(bytes / 1e3).toFixed(0)} kB`);
  expect(packages).toEqual([]);
  expect(bytes).toBeLessThan(150_000);
});

it.each([
  ['package-scan', 200_000],
  ['train', 500_000],
  ['edit', 400_000],
  ['status', 500_000],
])('%s loads no more than it needs', (verb, limit) => {
  const { bytes, packages, files } = loadedWith(chunkOf(verb));
  console.log(`${verb}: ${files.length} files, ${(bytes / 1e3).toFixed(0)} kB`);
  expect(packages).toEqual([]);
  expect(bytes).toBeLessThan(limit);
});

it('draws charts for the page alone: no verb loads what draws them before it makes one', () => {
  const chunks = readdirSync(bundle).filter((name) => name.endsWith('.mjs'));
  const drawing = chunks.filter((name) =>
    readFileSync(path.join(bundle, name), 'utf8').includes('schema/vega/v6.json'),
  );
  expect(drawing.length).toBeGreaterThan(0);
  // The page itself, and the program that draws what a team specified.
  const loading = chunks.filter((name) => loadedWith(name).files.some((file) => drawing.includes(file)));
  expect(loading.filter((name) => !drawing.includes(name)).map((name) => name.replace(/-[\w-]{8}\.mjs$/, ''))).toEqual([
    'chunk-page',
    'draw-plot.mjs',
  ]);
});

it('draws what a team specified by a program beside the bundle, which may read the bundle alone', () => {
  const page = readdirSync(bundle).find((name) => name.startsWith('chunk-page-')) ?? '';
  expect(readFileSync(path.join(bundle, page), 'utf8')).toContain('./draw-plot.mjs');
  const spec = { data: { values: [{ a: 1 }] }, mark: 'bar', encoding: { x: { field: 'a', type: 'quantitative' } } };
  const allowed = [`--allow-fs-read=${bundle}`, `--allow-fs-read=${path.join(bundle, '*')}`];
  const said = execFileSync(process.execPath, ['--permission', ...allowed, path.join(bundle, 'draw-plot.mjs')], {
    encoding: 'utf8',
    env: {},
    input: JSON.stringify([JSON.stringify(spec), '{']),
  });
  const [drawn, refused] = said
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(drawn.svg).toMatch(/^<svg /);
  expect(refused.reason).toMatch(/JSON/);
});

it('carries the licence of every package that it contains', () => {
  const licences = readFileSync(path.join(bundle, 'LICENSES.txt'), 'utf8');
  for (const name of [
    'commander',
    'zod',
    'octokit',
    '@grpc/grpc-js',
    'docker-cli-js',
    'js-yaml',
    'yaml',
    'vega',
    'vega-lite',
  ])
    expect(licences).toMatch(new RegExp(`^${name} \\d+\\.\\S+ \\(.+\\)$`, 'm'));
  expect(licences).toContain('Permission is hereby granted, free of charge');
  expect(licences).not.toContain(root);
});

it('runs where only Node is: nothing outside of it is missed before a table is opened', () => {
  const model = path.join(folder.path, 'model.pkl');
  execFileSync('bash', ['-c', `printf '\\x80\\x04N.' > "$0"`, model]);
  const run = (...args: string[]) =>
    execFileSync(process.execPath, [path.join(bundle, 'passloop.mjs'), ...args], {
      encoding: 'utf8',
      cwd: folder.path,
    });
  expect(run('--help')).toContain('Usage: passloop');
  expect(run('package', 'scan', model)).toMatch(/^pass: 1 file/);
});
