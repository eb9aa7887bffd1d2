import type { YamlPath } from '@passloop/core';

/** What a reader gets of a document, as plain data without shared parts; dates and binary of YAML 1.1 are marked texts. */
export type Reading = string | number | boolean | null | Reading[] | { [key: string]: Reading };

/** What an edit is meant to do to what readers get. */
export type MeantChange =
  | { kind: 'set'; path: YamlPath; value: Reading }
  | { kind: 'remove'; path: YamlPath }
  /** One more item at the end of the list at the path. */
  | { kind: 'append'; path: YamlPath; value: Reading };

/** @param value of `toJS`, bounded before: each alias becomes a copy of its own */
export function plainReading(value: unknown): Reading {
  if (Array.isArray(value)) return value.map(plainReading);
  if (value instanceof Date) return { '!!timestamp': Number.isNaN(value.getTime()) ? 'invalid' : value.toISOString() };
  if (value instanceof Uint8Array) return { '!!binary': Buffer.from(value).toString('base64') };
  if (value instanceof Set) return { '!!set': [...value].map(plainReading) };
  if (value instanceof Map) return { '!!map': [...value].map(plainReading) };
  if (typeof value === 'object' && value !== null) {
    const copy = emptyMap();
    for (const [key, child] of Object.entries(value)) copy[key] = plainReading(child);
    return copy;
  }
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value;
  return value === null || value === undefined ? null : `${typeof value} ${String(value)}`;
}

/** No prototype: a key `__proto__` is a key as any other. */
function emptyMap(): { [key: string]: Reading } {
  return Object.create(null) as { [key: string]: Reading };
}

/** Does to a reading what the edit is meant to do to the file. */
export function meant(reading: Reading, change: MeantChange): Reading {
  const [key, ...rest] = change.path;
  if (key === undefined) {
    if (change.kind === 'set') return change.value;
    if (change.kind === 'append' && Array.isArray(reading)) return [...reading, change.value];
    throw new RangeError('A change names no place in the document.');
  }
  const inner = { ...change, path: rest };
  if (Array.isArray(reading)) {
    const index = Number(key);
    if (change.kind === 'remove' && rest.length === 0) return reading.toSpliced(index, 1);
    return reading.with(index, meant(reading[index] ?? null, inner));
  }
  if (typeof reading !== 'object' || reading === null) throw new RangeError('A change leads through a scalar.');
  const copy = Object.assign(emptyMap(), reading);
  const name = String(key);
  if (change.kind === 'remove' && rest.length === 0) delete copy[name];
  else copy[name] = meant(copy[name] ?? null, inner);
  return copy;
}

/** Every path at which two readings differ; a path that one side lacks counts once, at its top. */
export function differingPaths(before: unknown, after: unknown, path: YamlPath = []): YamlPath[] {
  if (Object.is(before, after)) return [];
  if (Array.isArray(before) && Array.isArray(after)) {
    const length = Math.max(before.length, after.length);
    return Array.from({ length }, (_, index) => index).flatMap((index) =>
      index < before.length && index < after.length
        ? differingPaths(before[index], after[index], [...path, index])
        : [[...path, index]],
    );
  }
  if (isObject(before) && isObject(after)) {
    const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
    return [...keys].flatMap((key) =>
      Object.hasOwn(before, key) && Object.hasOwn(after, key)
        ? differingPaths(before[key], after[key], [...path, key])
        : [[...path, key]],
    );
  }
  return [path];
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
