import { describe, expect, it } from 'vitest';
import { imageArgument, isLoopbackRegistry, parseImageName } from './image-name.ts';

const digest = `sha256:${'a'.repeat(64)}`;

describe('parseImageName', () => {
  it.each([
    ['python', 'docker.io', 'library/python', null, null],
    ['acme/flight:1.2', 'docker.io', 'acme/flight', '1.2', null],
    [`ghcr.io/acme/flight@${digest}`, 'ghcr.io', 'acme/flight', null, digest],
    [`python:3.11-slim@${digest}`, 'docker.io', 'library/python', '3.11-slim', digest],
    ['localhost:5000/a/b_c__d-e:T', 'localhost:5000', 'a/b_c__d-e', 'T', null],
    ['[::1]:5000/a', '[::1]:5000', 'a', null, null],
  ])('%s', (text, registry, repository, tag, found) => {
    expect(parseImageName(text)).toEqual({ registry, repository, tag, digest: found });
  });

  it.each([
    '',
    ' ',
    '--privileged',
    '-v',
    'a b',
    'a;id',
    'a$(id)',
    'a\n',
    'A',
    'ghcr.io/Acme/x',
    'a:',
    'a:-x',
    `a:${'x'.repeat(129)}`,
    'a@sha256:12',
    `a@${digest}@${digest}`,
    'a//b',
    '/a',
    'a/',
    '../a',
    'http://ghcr.io/a',
    `a${'/a'.repeat(300)}`,
  ])('refuses %j', (text) => {
    expect(() => parseImageName(text)).toThrow(/is not the name of an image/);
    expect(() => imageArgument(text)).toThrow(/is not the name of an image/);
  });

  it('takes an image id', () => {
    expect(imageArgument(digest)).toBe(digest);
  });
});

it.each([
  ['localhost:5000', true],
  ['127.0.0.1:5000', true],
  ['[::1]:5000', true],
  ['localhost.example.org', false],
  ['127.0.0.1.example.org', false],
  ['ghcr.io', false],
])('%s is on this machine: %s', (registry, expected) => {
  expect(isLoopbackRegistry(registry)).toBe(expected);
});
