import type { ConfigurationError } from '@passloop/core';
import { expect, it } from 'vitest';
import { FirstImage, Graph } from './graph.ts';
import { parseModelFile } from './load.ts';

function modelFile(deploy: string): string {
  return `version: 1
models:
  - name: flight
    task: binary
    columns: {key: [id], label: late}
    data: {test: {path: test.parquet}}
    deploy:
${deploy}`;
}

function errorOf(deploy: string): ConfigurationError {
  try {
    parseModelFile(modelFile(deploy), 'passloop.yaml');
  } catch (error) {
    return error as ConfigurationError;
  }
  throw new Error('was accepted');
}

it('needs no environments while its manifests are still to be written', () => {
  const [model] = parseModelFile(
    modelFile('      repository: acme/deploy\n      graph: {kind: plain, folder: ./apps/flight/}\n'),
    'passloop.yaml',
  );
  expect(model?.deploy).toEqual({
    repository: 'acme/deploy',
    environments: [],
    graph: {
      kind: 'plain',
      folder: 'apps/flight',
      replicas: 2,
      resources: { requests: { cpu: '250m', memory: '512Mi' }, limits: { memory: '1Gi' } },
    },
  });
});

it.each([
  ['      repository: acme/deploy\n', 7, /deploy: needs `environments`, or a `graph`/],
  [
    '      repository: acme/deploy\n      graph:\n        kind: plain\n        folder: apps\n        replica: 3\n',
    12,
    /unknown key `replica`/,
  ],
  ['      repository: acme/deploy\n      graph:\n        kind: kubernetes\n', 10, /deploy\.graph\.kind/],
  ['      repository: acme/deploy\n      graph: {kind: plain}\n', 9, /deploy\.graph\.folder: is missing/],
  ['      repository: acme/deploy\n      graph: {kind: rollout, folder: apps}\n', 9, /prometheus: is missing/],
  ['      repository: acme/deploy\n      graph: {kind: plain, folder: ../apps}\n', 9, /without "\.\."/],
  [
    '      repository: acme/deploy\n      graph: {kind: seldon-v1, folder: apps, canary: 10, ab: 50}\n',
    9,
    /at most one of canary, shadow, ab and router/,
  ],
])('says what is wrong, and on which line: %#', (deploy, line, message) => {
  const error = errorOf(deploy);
  expect(error.message).toMatch(message);
  expect(error.line).toBe(line);
});

it('names the key that was meant', () => {
  const deploy = '      repository: acme/deploy\n      graph: {kind: plain, folder: apps, replica: 3}\n';
  expect(errorOf(deploy).hint).toBe('Did you mean `replicas`?');
});

it.each([
  ['0'.repeat(64), false],
  ['a'.repeat(64), false],
  ['e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855', false],
  ['0123456789abcdef'.repeat(4), true],
])('takes no placeholder for a digest: %s', (hex, taken) => {
  expect(FirstImage.safeParse({ repository: 'ghcr.io/acme/flight', digest: `sha256:${hex}` }).success).toBe(taken);
});

it('keeps what a query could break out of away from an address', () => {
  const graph = { kind: 'rollout', folder: 'apps', prometheus: 'http://prometheus:9090' };
  expect(Graph.safeParse(graph).success).toBe(true);
  for (const prometheus of ['http://p:9090/?q={{args.x}}', 'javascript:alert(1)', 'http://p\n9090', 'http://']) {
    expect(Graph.safeParse({ ...graph, prometheus }).success, prometheus).toBe(false);
  }
});
