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
const neighbours = new Set(['record -> model', 'tables -> model', 'local-github -> core']);
/** What only the outermost floors may touch: the outside world is handed to the domain as arguments. */
const outermost = new Set(['verbs', 'cli', 'actions', 'github', 'local-github']);

/** Adapters whose other side counts in wall-clock time: a gRPC deadline, the engine's start of a container. */
const clocked = ['packages/packaging/src/oip-grpc.ts', 'packages/packaging/src/start.ts'];

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
  return [...code.matchAll(/(?:\bfrom\s*|\bimport\s*\(\s*|\bimport\s+)(['"])([^'"\n]+)\1/g)].map(
    (match) => match[2] ?? '',
  );
}

function edgesOf(name: string, list: readonly Source[]): Edge[] {
  return list.flatMap((source) =>
    specifiers(source.text)
      .filter((specifier) => specifier.startsWith('@passloop/'))
      .map((specifier) => ({ from: name, to: specifier.slice('@passloop/'.length), file: source.file })),
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

it('the domain sees no Octokit, no runner, no environment variable and no clock', () => {
  const forbidden = /from '(@actions\/|octokit|@octokit\/)|\bprocess\.env\b|\bDate\.now\(|\bnew Date\(\)/;
  const wrong = packages
    .filter((entry) => !outermost.has(entry.name))
    .flatMap((entry) => entry.list)
    .filter((source) => forbidden.test(source.text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/\/\/.*$/gm, '')))
    .map((source) => path.relative(root, source.file))
    .filter((file) => !clocked.includes(file));
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
