import { ConfigurationError } from './errors.ts';
import type { YamlPath, YamlSource } from './yaml.ts';

/** Of what objects are made: a reader that builds objects key by key drops the first without a word, or worse. */
const prototypeKeys: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);

/** No strict reader knows anything deeper: what is there is refused with what holds it. */
const deepest = 100;

/**
 * Where a value that was read has such a key; null where it has none.
 * @param isOfData whether the keys of a mapping are what data calls something, as a class: only `__proto__` can't be one
 */
export function prototypeKeyIn(value: unknown, isOfData: (path: YamlPath) => boolean = () => false): YamlPath | null {
  // Aliases share objects, which the readers have bounded: each is walked as often as it is written.
  function walk(node: unknown, path: YamlPath): YamlPath | null {
    if (typeof node !== 'object' || node === null || path.length > deepest) return null;
    const isList = Array.isArray(node);
    for (const [name, child] of Object.entries(node)) {
      const at = [...path, isList ? Number(name) : name];
      if (!isList && prototypeKeys.has(name) && (name === '__proto__' || !isOfData(path))) return at;
      const found = walk(child, at);
      if (found !== null) return found;
    }
    return null;
  }
  return walk(value, []);
}

/** @throws ConfigurationError with file and line where a file has such a key */
export function refusePrototypeKeys(
  { file, value, lineOf }: Pick<YamlSource, 'file' | 'value' | 'lineOf'>,
  isOfData?: (path: YamlPath) => boolean,
): void {
  const path = prototypeKeyIn(value, isOfData);
  if (path === null) return;
  const line = lineOf(path);
  throw new ConfigurationError(`${file}:${line}: \`${String(path.at(-1))}\` can't be a key here.`, {
    file,
    line,
    hint: 'Remove it, or give it another name.',
  });
}

/** As {@link refusePrototypeKeys}, of a JSON text and what was read of it. */
export function refuseJsonPrototypeKeys(file: string, text: string, value: unknown): void {
  refusePrototypeKeys({ file, value, lineOf: (path) => lineOfKey(text, String(path.at(-1))) });
}

function lineOfKey(json: string, key: string): number {
  for (const { index, 1: name } of json.matchAll(/("(?:[^"\\]|\\.)*")\s*:|"(?:[^"\\]|\\.)*"/g))
    if (name !== undefined && JSON.parse(name) === key) return json.slice(0, index).split('\n').length;
  return 1;
}
