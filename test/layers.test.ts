import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';

/** The floors of the house, lowest first. Imports go down only, and the four domains don't import one another. */
const floors = [
  ['core', 'statistics', 'local-github'],
  ['documents'],
  ['model', 'tables', 'record'],
  ['report', 'gitops'],
  ['data', 'training', 'evaluation', 'packaging', 'github'],
  ['verbs'],
  ['cli', 'actions'],
];
/** Same-floor imports that the house allows. */
const neighbours = new Set(['tables -> model']);
/** The outside world, and who alone may touch it: everyone else gets it as an argument. */
const outside: { what: string; pattern: RegExp; packages: string[]; files: string[] }[] = [
  {
    what: 'Octokit or a runner',
    pattern: /(?:\bfrom|\bimport\s*\()\s*['"`](?:@actions\/|octokit\b|@octokit\/)/,
    packages: ['github', 'local-github', 'actions'],
    files: [],
  },
  {
    what: 'an environment variable',
    pattern: /\bprocess\s*(?:\.\s*env\b|\[\s*['"`]env)|\benv\b[^;]*\}\s*=\s*process\b|\bfrom '(?:node:)?process'/,
    packages: ['cli', 'actions', 'local-github'],
    // The last one holds the text of a program that runs apart, as Docker's credential helper.
    files: ['packages/github/src/action/actions-runner.ts', 'packages/packaging/src/registry-login.ts'],
  },
  {
    what: 'the time of day',
    pattern: /\bDate\.now\b|\bnew Date\(\s*\)|\bDate\(\s*\)/,
    packages: ['cli', 'actions', 'local-github'],
    // The face of an action, and adapters whose other side counts in it: a gRPC deadline, the engine's start of a container.
    files: [
      'packages/github/src/action/actions-runner.ts',
      'packages/packaging/src/oip-grpc.ts',
      'packages/packaging/src/start.ts',
    ],
  },
];

type Edge = { from: string; to: string; file: string };
type Source = { file: string; text: string };

const root = path.resolve(import.meta.dirname, '..');

function floorOf(name: string): number {
  return floors.findIndex((floor) => floor.includes(name));
}

function sources(folder: string): Source[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter(
      (name) =>
        name.endsWith('.ts') && !name.endsWith('.test.ts') && !/(^|\/)(node_modules|fixtures|testing)\//.test(name),
    )
    .map((name) => path.join(folder, name))
    .filter((file) => statSync(file).isFile())
    .map((file) => ({ file, text: readFileSync(file, 'utf8') }));
}

function specifiers(text: string): string[] {
  const code = text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');
  return [...code.matchAll(/(?:\bfrom\s*|\bimport\s*\(\s*|\bimport\s+)(['"`])([^'"`\n]+)\1/g)].map(
    (match) => match[2] ?? '',
  );
}

function edgesOf(name: string, list: readonly Source[]): Edge[] {
  return list.flatMap((source) =>
    specifiers(source.text)
      .filter((specifier) => specifier.startsWith('@passloop/'))
      .map((specifier) => ({ from: name, to: specifier.split('/')[1] ?? '', file: source.file })),
  );
}

function wrongEdges(edges: readonly Edge[]): string[] {
  return edges
    .filter((edge) => edge.from !== edge.to)
    .filter(
      (edge) =>
        floorOf(edge.to) < 0 ||
        !(floorOf(edge.to) < floorOf(edge.from) || neighbours.has(`${edge.from} -> ${edge.to}`)),
    )
    .map((edge) => `${edge.from} -> ${edge.to} (${path.relative(root, edge.file)})`);
}

function circles(edges: readonly Edge[]): string[] {
  const next = new Map<string, Set<string>>();
  for (const edge of edges) {
    if (edge.from !== edge.to) next.set(edge.from, (next.get(edge.from) ?? new Set()).add(edge.to));
  }
  const found: string[] = [];
  function walk(name: string, trail: string[]): void {
    if (trail.includes(name)) {
      found.push([...trail.slice(trail.indexOf(name)), name].join(' -> '));
      return;
    }
    for (const child of next.get(name) ?? []) walk(child, [...trail, name]);
  }
  for (const name of next.keys()) walk(name, []);
  return found;
}

const packages = readdirSync(path.join(root, 'packages')).map((name) => ({
  name,
  list: sources(path.join(root, 'packages', name, 'src')),
}));
const edges = packages.flatMap((entry) => edgesOf(entry.name, entry.list));

it('every package has its floor', () => {
  expect(packages.map((entry) => entry.name).filter((name) => floorOf(name) < 0)).toEqual([]);
});

it('imports go down only, without circles', () => {
  const seen = [...new Set(edges.map((edge) => `${edge.from} -> ${edge.to}`))].sort();
  console.log(`layers: ${seen.length} edges\n${seen.join('\n')}`);
  expect(seen.length).toBeGreaterThan(20);
  expect(wrongEdges(edges)).toEqual([]);
  expect([...neighbours].filter((edge) => !seen.includes(edge))).toEqual([]);
  expect(circles(edges)).toEqual([]);
});

it('no package reaches into another by a relative path', () => {
  const reaching = packages.flatMap((entry) =>
    entry.list.flatMap((source) =>
      specifiers(source.text)
        .filter((specifier) => specifier.startsWith('.'))
        .filter(
          (specifier) =>
            !path
              .resolve(path.dirname(source.file), specifier)
              .startsWith(path.join(root, 'packages', entry.name) + path.sep),
        )
        .map((specifier) => `${path.relative(root, source.file)}: ${specifier}`),
    ),
  );
  expect(reaching).toEqual([]);
});

function touches(pattern: RegExp, source: Source): boolean {
  return pattern.test(source.text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, ''));
}

it.each(outside)('only an outer floor sees $what', ({ pattern, packages: allowed, files }) => {
  const seen = packages
    .filter((entry) => !allowed.includes(entry.name))
    .flatMap((entry) => entry.list)
    .filter((source) => touches(pattern, source))
    .map((source) => path.relative(root, source.file));
  // An exception that nobody needs any more would let the next one through.
  expect(seen.sort()).toEqual(files.sort());
});

it.each([
  [0, "import { Octokit } from 'octokit';"],
  [0, "const { Octokit } = await import('octokit');"],
  [0, "import * as core from '@actions/core';"],
  [1, 'const token = process.env.GITHUB_TOKEN;'],
  [1, "const token = process['env'].GITHUB_TOKEN;"],
  [1, 'const { env } = process;'],
  [1, "import { env } from 'node:process';"],
  [2, 'const at = Date.now();'],
  [2, 'const clock = Date.now;'],
  [2, 'const at = new Date();'],
])('would notice it planted (%i): %s', (index, text) => {
  expect(touches(outside[index]?.pattern ?? /^$/, { file: 'planted.ts', text })).toBe(true);
});

it('what ships uses nothing that is made for tests', () => {
  const wrong = packages.flatMap((entry) =>
    entry.list
      .filter((source) => !/fixture\.ts$/.test(source.file))
      .filter((source) => specifiers(source.text).some((name) => /(^|\/)(testing|fixtures)\/|fixture\.ts$/.test(name)))
      .map((source) => path.relative(root, source.file)),
  );
  expect(wrong).toEqual([]);
});

it('would notice a planted upward import and a planted circle', () => {
  const upward = edgesOf('core', [{ file: 'planted.ts', text: "import { x } from '@passloop/verbs';" }]);
  expect(wrongEdges(upward)).toHaveLength(1);
  const sideways = edgesOf('data', [{ file: 'planted.ts', text: "export * from '@passloop/training';" }]);
  expect(wrongEdges(sideways)).toHaveLength(1);
  const circle = [
    ...edges,
    ...edgesOf('core', [{ file: 'planted.ts', text: "const m = await import('@passloop/model');" }]),
  ];
  expect(circles(circle).length).toBeGreaterThan(0);
});
