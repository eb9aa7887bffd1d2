/**
 * Builds dist/: the command and, later, one entry per action, with shared chunks. Committed, so that a workflow runs exactly
 * what was reviewed. With --verify it builds two copies in two different folders and compares them with dist/, byte by byte.
 */
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { rolldown } from 'rolldown';
import { writeDuckdbLock } from './duckdb-lock.ts';

const root = path.resolve(import.meta.dirname, '..');

/** Folders that travel beside the bundle as they are, because something else than JavaScript reads them. */
const assets: { from: string; to: string; keep: (name: string) => boolean }[] = [
  {
    from: 'packages/packaging/src/runtime',
    to: 'runtime',
    keep: (name) => name === '' || /^(passloop_runtime(\/(?!__pycache__|.*\.pyc$).*)?|requirements\.lock)$/.test(name),
  },
  {
    from: 'packages/data/src/spark/job',
    to: 'job',
    keep: (name) => name === '' || /^\w+\.py$/.test(name),
  },
  {
    from: 'workflows-templates',
    to: 'workflows-templates',
    keep: (name) => name === '' || /^[\w-]+\.yml$/.test(name),
  },
];

function entries(source: string): Record<string, string> {
  const found: Record<string, string> = { passloop: path.join(source, 'packages/cli/src/main.ts') };
  // Run as a process of its own, found beside the chunks.
  found['draw-plot'] = path.join(source, 'packages/report/src/charts/draw-plot.ts');
  const actions = path.join(source, 'actions');
  for (const name of existsSync(actions) ? readdirSync(actions).sort() : []) {
    const main = path.join(actions, name, 'src/main.ts');
    if (existsSync(main)) found[name] = main;
  }
  return found;
}

async function build(source: string, output: string): Promise<void> {
  rmSync(output, { recursive: true, force: true });
  mkdirSync(output, { recursive: true });
  await using bundle = await rolldown({
    cwd: source,
    input: entries(source),
    platform: 'node',
    external: [/^@duckdb\//],
    logLevel: 'warn',
  });
  const { output: chunks } = await bundle.write({
    dir: output,
    format: 'esm',
    entryFileNames: '[name].mjs',
    // Chunks lie beside the entries, so that a file found from import.meta.url has one place.
    chunkFileNames: 'chunk-[name]-[hash].mjs',
    minify: true,
    banner: (chunk) => (chunk.isEntry && chunk.name === 'passloop' ? '#!/usr/bin/env node' : ''),
  });
  const modules = chunks.flatMap((chunk) => (chunk.type === 'chunk' ? chunk.moduleIds : []));
  writeFileSync(path.join(output, 'LICENSES.txt'), licences(modules));
  for (const asset of assets) {
    const from = path.join(source, asset.from);
    if (!existsSync(from)) continue;
    cpSync(from, path.join(output, asset.to), {
      recursive: true,
      filter: (file) => asset.keep(path.relative(from, file).split(path.sep).join('/')),
    });
  }
  writeFileSync(path.join(output, 'package.json'), `${JSON.stringify({ type: 'module' })}\n`);
  writeDuckdbLock(path.join(source, 'package-lock.json'), path.join(output, 'duckdb'));
}

/** Name, version and licence of every package whose code is in the bundle; a text that several share stands once. */
function licences(modules: readonly string[]): string {
  const packages = new Map<string, string>();
  for (const id of modules) {
    const [folder, name] = /^.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(id.split(path.sep).join('/')) ?? [];
    if (folder !== undefined && name !== undefined) packages.set(folder, name);
  }
  const byText = new Map<string, string[]>();
  for (const [folder, name] of packages) {
    const { version, license } = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8'));
    const files = readdirSync(folder).filter((file) => /^(licen[cs]e|copying|notice)([.-]|$)/i.test(file));
    const texts = files
      .sort()
      .map((file) => readFileSync(path.join(folder, file), 'utf8').replaceAll('\r\n', '\n').trim());
    const text =
      texts.length > 0 ? texts.join('\n\n') : `(The package has no licence file; its licence is ${license}.)`;
    byText.set(text, [...(byText.get(text) ?? []), `${name} ${version} (${license})`]);
  }
  const parts = [...byText].map(([text, names]) => `${[...new Set(names)].sort().join('\n')}\n\n${text}\n`).sort();
  const rule = `\n${'-'.repeat(80)}\n\n`;
  return `The files beside this one contain code of the following packages, under their licences.\n${rule}${parts.join(rule)}`;
}

function listing(folder: string): Map<string, string> {
  const files = new Map<string, string>();
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = path.join(entry.parentPath, entry.name);
    files.set(path.relative(folder, file), readFileSync(file, 'latin1'));
  }
  return files;
}

/** Builds a copy of the sources at another absolute path: a path that leaked into the bundle shows. */
async function buildCopy(name: string): Promise<Map<string, string>> {
  const copy = mkdtempSync(path.join(tmpdir(), `passloop-${name}-`));
  try {
    for (const folder of [
      'packages',
      'actions',
      'workflows-templates',
      'package.json',
      'package-lock.json',
      'tsconfig.json',
    ]) {
      const from = path.join(root, folder);
      if (existsSync(from))
        cpSync(from, path.join(copy, folder), { recursive: true, filter: (file) => !file.includes('node_modules') });
    }
    mkdirSync(path.join(copy, 'node_modules/@passloop'), { recursive: true });
    for (const dependency of readdirSync(path.join(root, 'node_modules'))) {
      if (dependency === '@passloop' || dependency.startsWith('.')) continue;
      symlinkSync(path.join(root, 'node_modules', dependency), path.join(copy, 'node_modules', dependency));
    }
    for (const name of readdirSync(path.join(copy, 'packages'))) {
      symlinkSync(path.join(copy, 'packages', name), path.join(copy, 'node_modules/@passloop', name));
    }
    await build(copy, path.join(copy, 'dist'));
    return listing(path.join(copy, 'dist'));
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

function differing(left: Map<string, string>, right: Map<string, string>): string[] {
  return [...new Set([...left.keys(), ...right.keys()])].filter((name) => left.get(name) !== right.get(name)).sort();
}

const { values } = parseArgs({
  options: { verify: { type: 'boolean', default: false }, out: { type: 'string' } },
});
if (values.verify) {
  const first = await buildCopy('build-one');
  const second = await buildCopy('a-second-build-elsewhere');
  const unstable = differing(first, second);
  const stale = differing(first, listing(path.join(root, 'dist')));
  if (unstable.length > 0) console.error(`Two builds differ: ${unstable.join(', ')}`);
  if (stale.length > 0)
    console.error(`dist/ is not what the sources give: ${stale.join(', ')}\nRun \`npm run build\` and commit dist/.`);
  if (unstable.length > 0 || stale.length > 0) process.exit(1);
  console.log(`dist/: ${first.size} files, two builds equal, current`);
} else {
  const output = values.out === undefined ? path.join(root, 'dist') : path.resolve(values.out);
  if (values.out !== undefined && existsSync(output)) throw new Error(`${output} is there already`);
  await build(root, output);
  const files = listing(output);
  const bytes = [...files.values()].reduce((sum, content) => sum + content.length, 0);
  console.log(`${output}: ${files.size} files, ${(bytes / 1e6).toFixed(1)} MB`);
}
