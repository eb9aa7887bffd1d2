import { expect, it } from 'vitest';
import { formatLock, lockedDataset, parseLock } from './lock.ts';
import { parseSignature } from './signature.ts';

const digest = `sha256:${'a'.repeat(64)}`;
const entry = (uri: string) => ({ uri, version: null, digest, bytes: 1, rows: 2 });

it('writes the same bytes whatever the order', () => {
  const text = formatLock({ version: 1, datasets: [entry('b'), entry('a')] });
  expect(text).toBe(formatLock({ version: 1, datasets: [entry('a'), entry('b')] }));
  expect(parseLock(text, 'passloop.lock').datasets.map((dataset) => dataset.uri)).toEqual(['a', 'b']);
});

it.each([
  ['a conflict marker', '<<<<<<< HEAD', /not JSON/],
  ['a twin', JSON.stringify({ version: 1, datasets: [entry('a'), entry('a')] }), /names "a" twice/],
  ['a path outside', JSON.stringify({ version: 1, datasets: [entry('../x')] }), /not a path inside/],
  [
    'a wrong digest',
    JSON.stringify({ version: 1, datasets: [{ ...entry('a'), digest: 'md5:1' }] }),
    /no sha256 digest/,
  ],
])('refuses %s', (_name, text, message) => {
  expect(() => parseLock(text, 'passloop.lock')).toThrow(message);
});

it('says how to lock what is not locked', () => {
  expect(() => lockedDataset(null, 'data/x.csv', 'passloop.yaml')).toThrow(
    /"data\/x\.csv" is not locked: there is no passloop\.lock/,
  );
});

it.each([
  ['{"inputs": [], "outputs": []}', /inputs/],
  ['{"inputs": [{"name":"a","datatype":"FLOAT"}], "outputs": [{"name":"s","datatype":"FP64"}]}', /datatype/],
  [
    '{"inputs": [{"name":"a","datatype":"FP64"},{"name":"a","datatype":"FP64"}], "outputs": [{"name":"s","datatype":"FP64"}]}',
    /name "a" twice/,
  ],
  ['{', /not JSON/],
])('signature %s is refused', (text, message) => {
  expect(() => parseSignature(text, 'signature.json')).toThrow(message);
});
