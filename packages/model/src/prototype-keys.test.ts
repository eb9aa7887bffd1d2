import { ConfigurationError } from '@passloop/core';
import { describe, expect, it } from 'vitest';
import { parseChecks, parseModelFile } from './load.ts';
import { formatLock, parseLock } from './lock.ts';
import { parseSignature } from './signature.ts';

/** Keys of which objects are made, in everything that is read strictly: a reader may drop them without a word. */

const lines = [
  'version: 1',
  'models:',
  '  - name: small',
  '    task: binary',
  '    columns: {key: [id], label: late}',
  '    data:',
  '      test:',
  '        path: test.csv',
  '        checks:',
  '          - {kind: not-null, column: late}',
  '    metrics:',
  '      waste: {kind: cost, costs: {"0": {"1": 1}, "1": {"0": 20}}}',
];

function refusal(read: () => unknown): ConfigurationError {
  try {
    read();
  } catch (error) {
    if (error instanceof ConfigurationError) return error;
    throw error;
  }
  throw new Error('it was read');
}

describe.each(['__proto__', 'constructor', 'prototype'])('%s', (key) => {
  it.each<[string, number, string]>([
    ['the file', 0, `${key}: {a: 1}`],
    ['a model', 3, `    ${key}: {path: a.csv}`],
    ['a dataset', 7, `        ${key}: true`],
    ['the datasets', 6, `      ${key}: {path: a.csv}`],
    ['the metrics', 11, `      ${key}: {kind: sql, sql: sum(late)}`],
    ['a check', 9, `          - {kind: not-null, column: late, ${key}: 1}`],
    ['a list in an unknown key', 3, `    more: [[{a: {${key}: 1}}]]`],
    ['quotes', 3, `    "${key}": 1`],
    ['an escape', 3, `    "\\x${key.charCodeAt(0).toString(16)}${key.slice(1)}": 1`],
    ['an anchor', 3, `    &name ${key}: 1`],
  ])('is refused with its line in %s', (_, at, text) => {
    const file = [...lines.slice(0, at), text, ...lines.slice(at)].join('\n');
    const error = refusal(() => parseModelFile(file, 'passloop.yaml'));
    expect(error.message).toBe(`passloop.yaml:${at + 1}: \`${key}\` can't be a key here.`);
    expect(error).toMatchObject({ file: 'passloop.yaml', line: at + 1 });
  });

  it('is refused with its line in checks of their own', () => {
    const check = `- kind: not-null\n  column: age\n  ${key}: {severity: warn}\n`;
    const message = (line: number) => `checks.yaml:${line}: \`${key}\` can't be a key here.`;
    expect(refusal(() => parseChecks(check, 'checks.yaml')).message).toBe(message(3));
    expect(refusal(() => parseChecks(`checks: []\n${key}: 1\n`, 'checks.yaml')).message).toBe(message(2));
  });

  it('is refused with its line in JSON', () => {
    const signature = (name: string) => `{\n  "inputs": [\n    {"name": "${key}",\n "${name}": 1}],\n "outputs": []}`;
    const escaped = `\\u00${key.charCodeAt(0).toString(16)}${key.slice(1)}`;
    for (const name of [key, escaped])
      expect(refusal(() => parseSignature(signature(name), 'signature.json')).message).toBe(
        `signature.json:4: \`${key}\` can't be a key here.`,
      );
    const lock = formatLock({ version: 1, datasets: [] }).replace('{', `{ "${key}": {"version": 1},`);
    expect(refusal(() => parseLock(lock, 'passloop.lock')).message).toBe(
      `passloop.lock:1: \`${key}\` can't be a key here.`,
    );
  });

  it('is a value like another one', () => {
    const file = lines.join('\n').replace('label: late', `label: ${key}`);
    expect(parseModelFile(file, 'passloop.yaml')[0]?.columns.label).toBe(key);
  });
});

it('takes what data calls a class or a column, but for the one that no object can hold', () => {
  const costs = (name: string) => lines.join('\n').replace('{"1": 1}', `{"${name}": 1}`);
  const [model] = parseModelFile(costs('constructor'), 'passloop.yaml');
  expect(model?.metrics.waste).toEqual({ kind: 'cost', costs: { '0': { constructor: 1 }, '1': { '0': 20 } } });
  expect(refusal(() => parseModelFile(costs('__proto__'), 'passloop.yaml')).line).toBe(12);
  const types = (name: string) => `- {kind: columns, types: {${name}: integer}}`;
  expect(refusal(() => parseChecks(types('__proto__'), 'c.yaml')).message).toContain("`__proto__` can't be a key");
});

it('ends on a text that is nested without end', () => {
  const deep = `{"a":`.repeat(50_000);
  const text = `${deep}{"__proto__": 1}${'}'.repeat(50_000)}`;
  expect(refusal(() => parseSignature(text, 'signature.json'))).toBeInstanceOf(ConfigurationError);
});
