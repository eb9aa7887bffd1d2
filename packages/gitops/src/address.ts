import { ConfigurationError, plainText, type YamlPath } from '@passloop/core';
import { formatAddress, parseAddress, type Step } from '@passloop/model';
import { distance } from 'fastest-levenshtein';
import { isAlias, isMap, isScalar, isSeq, type ParsedNode, type Scalar, type YAMLMap } from 'yaml';
import { fieldsOf, lineOfDocument, type Manifest, type ManifestDocument } from './manifest.ts';
import type { Reading } from './manifest-reading.ts';
import { lineAt } from './yaml-edit.ts';

type Ranged = { range: [number, number, number] };
export type MapPair = { key: Scalar & Ranged; value: ParsedNode | null };

/** A node at its place in a document. */
export type Located = {
  document: ManifestDocument;
  path: YamlPath;
  node: ParsedNode | null;
  /** The map or list that holds it; null for the root. */
  parent: Located | null;
  /** Which pair or item of it. */
  position: number;
};

export function rootOf(document: ManifestDocument): Located {
  return { document, path: [], node: document.contents, parent: null, position: 0 };
}

/**
 * What a key of a map holds; null where the map hasn't the key, or `at` is empty.
 * @throws ConfigurationError where `at` is no map, an alias, or takes the key from a merge
 */
export function childOf(at: Located, key: string): Located | null {
  const { node } = at;
  if (isEmpty(node)) return null;
  if (!isMap(node)) throw wrongShape(at, 'a map');
  const pairs = pairsOf(node);
  const position = pairs.findIndex((pair) => isScalar(pair.key) && keyName(pair.key) === key);
  if (position < 0) {
    if (!Object.hasOwn(fieldsOf(readingAt(at)), key)) return null;
    throw new ConfigurationError(`${placeName(at)} takes ${plainText(key)} from a merge key, which can't be edited.`, {
      ...placeOf(at),
      hint: 'Write the entry out, without `<<`.',
    });
  }
  return {
    document: at.document,
    path: [...at.path, key],
    node: pairs[position]?.value ?? null,
    parent: at,
    position,
  };
}

/** The items of a list; none of what is empty. @throws ConfigurationError where it is no list */
export function itemsOf(at: Located): Located[] {
  const { node } = at;
  if (isEmpty(node)) return [];
  if (!isSeq(node)) throw wrongShape(at, 'a list');
  return node.items.map((item, position) => ({
    document: at.document,
    path: [...at.path, position],
    node: item as ParsedNode,
    parent: at,
    position,
  }));
}

/** Follows keys as far as they are there; null where one isn't. */
export function descend(at: Located, ...keys: string[]): Located | null {
  let current: Located | null = at;
  for (const key of keys) current = current === null ? null : childOf(current, key);
  return current;
}

/** The item of a list whose key says so. @throws ConfigurationError where several do */
export function itemWhere(at: Located, key: string, value: string): Located | null {
  const found = itemsOf(at).filter((item) => {
    const fields = fieldsOf(readingAt(item));
    return Object.hasOwn(fields, key) && String(fields[key]) === value;
  });
  const [first, second] = found;
  if (second === undefined) return first ?? null;
  const lines = found.map((item) => `line ${lineOf(item)}`).join(', ');
  throw new ConfigurationError(
    `${placeName(at)} has ${found.length} entries whose ${plainText(key)} is ${plainText(value)}: ${lines}.`,
    { ...placeOf(second), hint: 'Keep one of them: which of them wins is an accident.' },
  );
}

/** The path as YAML 1.1 reads the keys: `on` is `true` there. */
export function olderPathOf(at: Located): YamlPath {
  return olderPlace(at).path;
}

function olderPlace({ document, parent, position, path }: Located): { path: YamlPath; node: unknown } {
  if (parent === null) return { path: [], node: document.older()?.contents };
  const above = olderPlace(parent);
  if (isMap(above.node)) {
    const pair = above.node.items[position];
    return { path: [...above.path, keyName(pair?.key)], node: pair?.value };
  }
  const node = isSeq(above.node) ? above.node.items[position] : undefined;
  return { path: [...above.path, path.at(-1) ?? position], node };
}

/** What readers get there. */
export function readingAt(at: Located): Reading {
  let current: Reading = at.document.reading;
  for (const key of at.path) {
    if (Array.isArray(current)) current = current[Number(key)] ?? null;
    else current = fieldsOf(current)[String(key)] ?? null;
  }
  return current;
}

/**
 * The text there; null for nothing.
 * @throws ConfigurationError for anything else: a tag that reads as a number is another tag by the time it is used
 */
export function textAt(at: Located | null): string | null {
  if (at === null || isEmpty(at.node)) return null;
  if (isScalar(at.node) && typeof at.node.value === 'string') return at.node.value;
  throw new ConfigurationError(`${placeName(at)} must be a string.`, {
    ...placeOf(at),
    hint: 'Put it in quotes; a number is refused, and an alias is not followed.',
  });
}

/**
 * The node at an address, in the one document that has it.
 * @throws ConfigurationError with the nearest addresses where it is missing, or with the lines where it is ambiguous
 */
export function findAddress(
  manifest: Manifest,
  address: string,
  documents: readonly ManifestDocument[] = manifest.documents,
): Located {
  const steps = parseAddress(address);
  const found = documents.flatMap((document) => locate(rootOf(document), steps) ?? []);
  const [first, second] = found;
  if (first === undefined) throw missing(manifest, address, documents);
  if (second === undefined) return first;
  const lines = found.map((at) => `line ${lineOf(at)}`).join(', ');
  throw new ConfigurationError(`${manifest.file} has ${plainText(address)} in several documents: ${lines}.`, {
    file: manifest.file,
    line: lineOf(second),
    hint: 'Say which document is meant, as Kind/name.',
  });
}

/** The node below `at` at an address. @throws ConfigurationError with the nearest addresses where it is missing */
export function findBelow(at: Located, address: string): Located {
  const found = locate(at, parseAddress(address));
  if (found !== null) return found;
  const below = addressesOf(at).map((one) => one.slice(at.path.length));
  throw missingAmong(placeName(at), placeOf(at), address, below.map(formatAddress));
}

function locate(from: Located, steps: readonly Step[]): Located | null {
  let at: Located | null = from;
  for (const step of steps) {
    if (at === null) return null;
    if ('key' in step) at = isMap(at.node) || isAlias(at.node) ? childOf(at, step.key) : null;
    else if (!isSeq(at.node) && !isAlias(at.node)) at = null;
    else if ('index' in step) at = itemsOf(at)[step.index] ?? null;
    else at = itemWhere(at, step.where.key, step.where.value);
  }
  return at;
}

function missing(manifest: Manifest, address: string, documents: readonly ManifestDocument[]): ConfigurationError {
  const all = documents.flatMap((document) => addressesOf(rootOf(document)).map(formatAddress));
  const [first] = documents;
  const place = { file: manifest.file, line: first === undefined ? 1 : lineOfDocument(first) };
  return missingAmong(manifest.file, place, address, all);
}

function missingAmong(
  where: string,
  place: { file: string; line: number },
  address: string,
  all: readonly string[],
): ConfigurationError {
  const near = nearest(address, all).slice(0, 5);
  return new ConfigurationError(`${where} has no ${plainText(address)}.`, {
    ...place,
    hint: near.length === 0 ? 'It holds nothing there.' : `Nearest: ${near.map((one) => plainText(one)).join(', ')}.`,
  });
}

/** Each text once, the most similar first. */
export function nearest(wanted: string, texts: readonly string[]): string[] {
  return [...new Set(texts)]
    .map((text) => ({ text, far: distance(wanted, text) }))
    .sort((left, right) => left.far - right.far || (left.text < right.text ? -1 : 1))
    .map(({ text }) => text);
}

const maxAddresses = 4000;

/** The addresses of all scalars, items of lists by name where that tells them apart. */
function addressesOf(root: Located): Step[][] {
  const found: Step[][] = [];
  function walk(reading: Reading, steps: Step[]): void {
    if (found.length >= maxAddresses) return;
    if (Array.isArray(reading)) {
      const names = reading.map((item) => fieldsOf(item).name);
      for (const [index, item] of reading.entries()) {
        const name = names[index];
        const isNamed = typeof name === 'string' && names.indexOf(name) === names.lastIndexOf(name);
        walk(item, [...steps, isNamed ? { where: { key: 'name', value: name } } : { index }]);
      }
    } else if (typeof reading === 'object' && reading !== null) {
      for (const [key, value] of Object.entries(reading)) walk(value, [...steps, { key }]);
    } else {
      found.push(steps);
    }
  }
  walk(
    readingAt(root),
    root.path.map((key) => (typeof key === 'number' ? { index: key } : { key })),
  );
  return found;
}

export function lineOf(at: Located): number {
  return lineAt(at.document.manifest.text, offsetOf(at));
}

function offsetOf(at: Located): number {
  const pair = pairOf(at);
  if (pair !== null) return pair.key.range[0];
  return at.node?.range?.[0] ?? (at.parent === null ? 0 : offsetOf(at.parent));
}

/** For errors. */
export function placeOf(at: Located): { file: string; line: number } {
  return { file: at.document.manifest.file, line: lineOf(at) };
}

/** `file: a.b[0]`, or the file alone for the root. */
export function placeName(at: Located): string {
  const { file } = at.document.manifest;
  const address = formatAddress(at.path.map((key) => (typeof key === 'number' ? { index: key } : { key })));
  return address === '' ? file : `${file}: ${plainText(address)}`;
}

/** The pair that holds the node; null where a list does, or nothing. */
export function pairOf(at: Located): MapPair | null {
  const parent = at.parent?.node;
  return isMap(parent) ? (pairsOf(parent)[at.position] ?? null) : null;
}

export function pairsOf(map: YAMLMap.Parsed): MapPair[] {
  return map.items as unknown as MapPair[];
}

export function isEmpty(node: ParsedNode | null): boolean {
  return node === null || (isScalar(node) && node.value === null);
}

/** A key as readers name it. */
function keyName(key: unknown): string {
  if (!isScalar(key)) return '';
  if (typeof key.value === 'symbol') return '<<';
  return key.value === null ? '' : String(key.value);
}

function wrongShape(at: Located, wanted: string): ConfigurationError {
  return new ConfigurationError(`${placeName(at)} must be ${wanted}.`, {
    ...placeOf(at),
    hint: isAlias(at.node) ? 'An alias there is not followed: write it out.' : undefined,
  });
}
