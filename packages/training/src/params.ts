import { ConfigurationError, canonicalJson, parseYaml, plainText, sha256, type YamlSource } from '@passloop/core';
import type { NamedValue } from '@passloop/documents';
import { isAlias, isMap, isScalar, isSeq, type Node, parseDocument } from 'yaml';

/**
 * The declared part of a params file. The key covers its values, and the stage gets a file with these values and nothing
 * else: what a stage could read is exactly what its key says. Comments, order, quoting and undeclared keys reach neither.
 */
export type Param =
  | { kind: 'map'; entries: [string, Param][] }
  | { kind: 'list'; items: Param[] }
  | { kind: 'scalar'; type: 'integer' | 'float' | 'string' | 'boolean' | 'null'; value: string };

const maxName = 256;
const maxText = 1000;
const maxDepth = 40;

/**
 * Reads a params file (YAML 1.2 core schema, or JSON, which is a part of it).
 * Numbers keep every digit and their type: `8` and `8.0` are two values to Python, so they are two to the key.
 * @throws ConfigurationError with file and line
 */
export function readParams(text: string, file: string): Param {
  if (!/\.(ya?ml|json)$/i.test(file)) {
    throw new ConfigurationError(`${file} is no params file that can be read: .yaml, .yml or .json.`, { file });
  }
  // Bounds size, depth and aliases before anything is built; the second parser keeps how a number was written.
  const source = parseYaml(text, file);
  const document = parseDocument(text, { version: '1.2', schema: 'core', intAsBigInt: true, uniqueKeys: true });
  const error = document.errors[0];
  if (error !== undefined) {
    throw new ConfigurationError(`${file} is not valid YAML: ${plainText(error.message)}`, {
      file,
      line: error.linePos?.[0].line,
    });
  }

  function read(node: unknown, path: (string | number)[]): Param {
    if (path.length > maxDepth) throw at(source, path.slice(0, 3), 'is nested too deeply, or holds itself');
    if (isAlias(node)) return read(node.resolve(document), path);
    if (node === null || node === undefined) return { kind: 'scalar', type: 'null', value: 'null' };
    if (isSeq(node)) return { kind: 'list', items: node.items.map((item, index) => read(item, [...path, index])) };
    if (isMap(node)) {
      const entries = node.items.map((pair): [string, Param] => {
        const name = isScalar(pair.key) ? pair.key.value : null;
        if (typeof name !== 'string' || name === '<<')
          throw at(source, path, 'a key must be text, and none is merged in');
        return [name, read(pair.value, [...path, name])];
      });
      entries.sort(([left], [right]) => (left < right ? -1 : left > right ? 1 : 0));
      return { kind: 'map', entries };
    }
    if (!isScalar(node)) throw at(source, path, 'is no value');
    return scalar(node.value, path, source);
  }

  const param = read(document.contents as Node | null, []);
  if (canonicalJson(plainValue(param)) !== canonicalJson(source.value)) {
    throw new ConfigurationError(`${file} can be read in two ways; write its values plainly.`, { file });
  }
  return param;
}

function scalar(value: unknown, path: (string | number)[], source: YamlSource): Param {
  if (value === null) return { kind: 'scalar', type: 'null', value: 'null' };
  if (typeof value === 'boolean') return { kind: 'scalar', type: 'boolean', value: String(value) };
  if (typeof value === 'bigint') return { kind: 'scalar', type: 'integer', value: value.toString() };
  if (typeof value === 'string') return { kind: 'scalar', type: 'string', value };
  if (typeof value !== 'number') throw at(source, path, 'is no text, number, boolean or null');
  if (!Number.isFinite(value)) throw at(source, path, 'is not a finite number');
  const digits = Object.is(value, -0) ? '-0' : String(value);
  return { kind: 'scalar', type: 'float', value: /^-?\d+$/.test(digits) ? `${digits}.0` : digits };
}

function plainValue(param: Param): unknown {
  if (param.kind === 'list') return param.items.map(plainValue);
  if (param.kind === 'map') return Object.fromEntries(param.entries.map(([name, value]) => [name, plainValue(value)]));
  if (param.type === 'string') return param.value;
  if (param.type === 'null') return null;
  if (param.type === 'boolean') return param.value === 'true';
  return Number(param.value);
}

function at(source: YamlSource, path: (string | number)[], message: string): ConfigurationError {
  const line = source.lineOf(path);
  return new ConfigurationError(`${source.file}:${line}: ${plainText(path.join('.')) || 'the file'} ${message}.`, {
    file: source.file,
    line,
  });
}

/**
 * The declared keys alone. A key is a dotted path: `fit`, `fit.max_depth`.
 * @returns the name of the first declared key that the file doesn't have, or the selection
 */
export function selectParams(
  param: Param,
  keys: readonly string[],
): { missing: string; known: string[] } | { selected: Param } {
  let selected: Param = { kind: 'map', entries: [] };
  for (const key of keys) {
    const steps = key.split('.');
    let value: Param | undefined = param;
    for (const step of steps) {
      if (value.kind !== 'map') value = undefined;
      value = value?.kind === 'map' ? value.entries.find(([name]) => name === step)?.[1] : undefined;
      if (value === undefined) break;
    }
    if (value === undefined) {
      return { missing: key, known: param.kind === 'map' ? param.entries.map(([name]) => name) : [] };
    }
    selected = withParam(selected, steps, value);
  }
  return { selected };
}

function withParam(target: Param, steps: readonly string[], value: Param): Param {
  const [step, ...rest] = steps;
  if (step === undefined) return value;
  const entries = target.kind === 'map' ? target.entries : [];
  const present = entries.find(([name]) => name === step)?.[1];
  // A whole subtree that is declared beside one of its leaves stays whole.
  const next = withParam(present ?? { kind: 'map', entries: [] }, rest, value);
  const others = entries.filter(([name]) => name !== step);
  const merged: [string, Param][] = [...others, [step, present === undefined ? next : mergeParams(present, next)]];
  return { kind: 'map', entries: merged.sort(([left], [right]) => (left < right ? -1 : left > right ? 1 : 0)) };
}

function mergeParams(left: Param, right: Param): Param {
  if (left.kind !== 'map' || right.kind !== 'map') return right;
  const names = [...new Set([...left.entries, ...right.entries].map(([name]) => name))].sort();
  return {
    kind: 'map',
    entries: names.map((name): [string, Param] => {
      const one = left.entries.find(([key]) => key === name)?.[1];
      const other = right.entries.find(([key]) => key === name)?.[1];
      return [name, one !== undefined && other !== undefined ? mergeParams(one, other) : ((one ?? other) as Param)];
    }),
  };
}

/**
 * Every leaf as `a.b[0]` -> text. Two different files never give the same list: a string that looks like another kind of
 * value is quoted, a `.` or `[` in a name is escaped, an empty map or list is a leaf, a long string is its digest.
 */
export function flattenParams(param: Param): NamedValue[] {
  const leaves: NamedValue[] = [];
  function walk(value: Param, name: string): void {
    if (value.kind === 'map' && value.entries.length > 0) {
      for (const [key, child] of value.entries)
        walk(child, name === '' ? escapeName(key) : `${name}.${escapeName(key)}`);
    } else if (value.kind === 'list' && value.items.length > 0) {
      for (const [index, child] of value.items.entries()) walk(child, `${name}[${index}]`);
    } else {
      if (name.length > maxName)
        throw new ConfigurationError(`A param's name is longer than ${maxName} characters: ${plainText(name, 80)}.`);
      const text = value.kind === 'map' ? '{}' : value.kind === 'list' ? '[]' : scalarText(value);
      leaves.push({ name, value: text });
    }
  }
  walk(param, '');
  return leaves.sort((left, right) => (left.name < right.name ? -1 : left.name > right.name ? 1 : 0));
}

function escapeName(name: string): string {
  return name === '' ? '""' : name.replace(/[\\.["]/g, (character) => `\\${character}`);
}

function scalarText(param: Extract<Param, { kind: 'scalar' }>): string {
  if (param.type !== 'string') return param.value;
  if (param.value.length > maxText) return `${sha256(param.value)} (${param.value.length} characters)`;
  const ambiguous = /^(?:|-?\d+(?:\.\d+)?(?:e[+-]?\d+)?|true|false|null|\{\}|\[\]|sha256:.*|".*)$/is.test(param.value);
  return ambiguous ? JSON.stringify(param.value) : param.value;
}

/**
 * The file that the stage reads: JSON, which is YAML too, written so that YAML 1.1 readers (PyYAML) see the same types:
 * every string quoted, a float always with a point.
 */
export function formatParams(param: Param): string {
  return `${render(param, '')}\n`;
}

function render(param: Param, indent: string): string {
  const inner = `${indent}  `;
  if (param.kind === 'list') {
    if (param.items.length === 0) return '[]';
    return `[\n${param.items.map((item) => `${inner}${render(item, inner)}`).join(',\n')}\n${indent}]`;
  }
  if (param.kind === 'map') {
    if (param.entries.length === 0) return '{}';
    const lines = param.entries.map(([name, value]) => `${inner}${quoted(name)}: ${render(value, inner)}`);
    return `{\n${lines.join(',\n')}\n${indent}}`;
  }
  if (param.type === 'string') return quoted(param.value);
  if (param.type !== 'float' || param.value.includes('.')) return param.value;
  return param.value.replace(/e/, '.0e');
}

/** JSON, with everything escaped that a YAML reader may take for a line break or refuse. */
function quoted(text: string): string {
  return JSON.stringify(text).replace(
    /[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
