import { readdir, readFile } from 'node:fs/promises';
import { decimalPattern } from '@passloop/core';
import Ajv2020 from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { expect, it } from 'vitest';
import { type DocumentKind, documentJsonSchema, documentKinds, formatDocument, parseDocument } from './document.ts';

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
type JsonSchema = {
  properties?: Record<string, JsonSchema>;
  required?: string[];
  items?: JsonSchema;
  prefixItems?: JsonSchema[];
  anyOf?: JsonSchema[];
  enum?: string[];
  type?: string;
  pattern?: string;
};

type Path = (string | number)[];
type Place = { kind: 'required' | 'enum' | 'count' | 'decimal'; path: Path };

const fixtures = new URL('../fixtures/v1/', import.meta.url);

async function fixture(kind: DocumentKind): Promise<Json> {
  return JSON.parse(await readFile(new URL(`${kind}.json`, fixtures), 'utf8'));
}

function validator(kind: DocumentKind) {
  const ajv = new Ajv2020.default({ strict: false, allErrors: false });
  addFormats.default(ajv);
  return ajv.compile(documentJsonSchema(kind));
}

/** Every required field, enum and number of the schema that the fixture reaches. */
function* places(schema: JsonSchema, value: Json, path: Path): Generator<Place> {
  for (const option of schema.anyOf ?? []) {
    if (option.type !== 'null' && value !== null) yield* places(option, value, path);
  }
  if (schema.enum && path.length > 0) yield { path, kind: 'enum' };
  if (schema.type === 'integer') yield { path, kind: 'count' };
  if (schema.pattern === decimalPattern.source) yield { path, kind: 'decimal' };
  if (Array.isArray(value)) {
    for (const [index, child] of value.entries())
      yield* places(schema.prefixItems?.[index] ?? schema.items ?? {}, child, [...path, index]);
    return;
  }
  if (typeof value !== 'object' || value === null) return;
  for (const name of schema.required ?? []) yield { path: [...path, name], kind: 'required' };
  for (const [name, child] of Object.entries(schema.properties ?? {})) {
    if (name in value) yield* places(child, value[name] as Json, [...path, name]);
  }
}

function changed(
  value: Json,
  path: (string | number)[],
  change: (parent: Record<string | number, Json>, name: string | number) => void,
): Json {
  const copy = structuredClone(value);
  let parent = copy as Record<string | number, Json>;
  for (const step of path.slice(0, -1)) parent = parent[step] as Record<string | number, Json>;
  change(parent, path.at(-1) as string | number);
  return copy;
}

function refusedByReader(kind: DocumentKind, value: Json): boolean {
  try {
    parseDocument(kind, JSON.stringify(value), 'test');
    return false;
  } catch {
    return true;
  }
}

function refused(kind: DocumentKind, value: Json, validate: ReturnType<typeof validator>): boolean {
  return refusedByReader(kind, value) && !validate(value);
}

it('has a frozen fixture for every kind, and no other', async () => {
  expect((await readdir(fixtures)).sort()).toEqual(documentKinds.map((kind) => `${kind}.json`).sort());
});

let removed = 0;
let enums = 0;
let numbers = 0;

it.each(documentKinds)('%s: the fixture is read, and written to the same bytes', async (kind) => {
  const text = await readFile(new URL(`${kind}.json`, fixtures), 'utf8');
  expect(formatDocument(kind, parseDocument(kind, text, kind))).toBe(text);
  expect(validator(kind)(JSON.parse(text))).toBe(true);
});

/** What stands in no document: not a number, too large for one, and not the shortest form that all write alike. */
const noNumbers: Record<'count' | 'decimal', Json[]> = {
  count: ['NaN', 'Infinity', '1', 1.5, -1, 2 ** 53],
  decimal: ['NaN', 'Infinity', '-Infinity', 'nan', '', '1.0', '1e999', 0.5],
};

it.each(documentKinds)('%s: what lacks a field, or holds a wrong word or number, is refused', async (kind) => {
  const value = await fixture(kind);
  const validate = validator(kind);
  for (const { kind: what, path } of places(documentJsonSchema(kind) as JsonSchema, value, [])) {
    const at = `${kind} ${path.join('.')}`;
    function put(wrong: Json): Json {
      return changed(value, path, (parent, name) => {
        parent[name] = wrong;
      });
    }
    if (what === 'required') {
      removed += 1;
      const without = changed(value, path, (parent, name) => {
        delete parent[name];
      });
      expect(refused(kind, without, validate), `${at} removed`).toBe(true);
    } else if (what === 'enum') {
      enums += 1;
      expect(refused(kind, put('no-such-word'), validate), `${at} = no-such-word`).toBe(true);
    } else {
      numbers += 1;
      for (const wrong of noNumbers[what]) {
        // A JSON Schema cannot tell that 1e999 is beyond every double.
        const isRefused = wrong === '1e999' ? refusedByReader(kind, put(wrong)) : refused(kind, put(wrong), validate);
        expect(isRefused, `${at} = ${wrong}`).toBe(true);
      }
      // Thirteen significant digits, which no schema counts.
      if (what === 'decimal') expect(refusedByReader(kind, put('0.1234567890123')), `${at}, 13 digits`).toBe(true);
    }
  }
});

it('reached a fair number of places (printed, so that a hollow walk is seen)', () => {
  console.log(
    `documents: ${removed} required fields removed, ${enums} wrong words, ${numbers} places for numbers with NaN, Infinity and others: all refused`,
  );
  expect(removed).toBeGreaterThan(300);
  expect(enums).toBeGreaterThan(50);
  expect(numbers).toBeGreaterThan(100);
});

/** The same value with an unknown field in every object, under names that a careless reader trips over. */
function withUnknown(value: Json): Json {
  if (Array.isArray(value)) return value.map(withUnknown);
  if (typeof value !== 'object' || value === null) return value;
  const inner = Object.entries(value).map(([name, child]) => [name, withUnknown(child)]);
  const added = ['added', 'constructor', 'toString', '__proto__'].map((name) => [name, { polluted: '<later>' }]);
  return Object.fromEntries([...added, ...inner]);
}

it.each(documentKinds)('%s: unknown fields at any depth are dropped, and never echoed', async (kind) => {
  const text = await readFile(new URL(`${kind}.json`, fixtures), 'utf8');
  const later = JSON.stringify(withUnknown(JSON.parse(text)));
  expect(later).toMatch(/"__proto__":\{"polluted"/);
  const read = parseDocument(kind, later, 'x');
  expect(formatDocument(kind, read)).toBe(text);
  expect((read as { polluted?: string }).polluted).toBeUndefined();
  expect(({} as { polluted?: string }).polluted).toBeUndefined();
});

it('takes no field from a prototype', async () => {
  const { reason, ...rest } = (await fixture('hold')) as { [key: string]: Json };
  const text = JSON.stringify(rest).replace('{', `{"__proto__":{"reason":${JSON.stringify(reason)}},`);
  expect(() => parseDocument('hold', text, 'x')).toThrow(/reason/);
});

it('says what is wrong: another kind, a newer version, no JSON, too deep, too large', () => {
  expect(() => parseDocument('scan', '{"schema":"passloop/run/v1"}', 'a.json')).toThrow(
    /a\.json is "passloop\/run\/v1"; expected passloop\/scan\/v1/,
  );
  expect(() => parseDocument('scan', '{"schema":"passloop/scan/v2"}', 'a.json')).toThrow(/expected passloop\/scan\/v1/);
  expect(() => parseDocument('scan', '{', 'a.json')).toThrow(/a\.json is not JSON/);
  expect(() => parseDocument('scan', '[]', 'a.json')).toThrow(/no document/);
  expect(() => parseDocument('scan', `${'['.repeat(500)}${']'.repeat(500)}`, 'a.json')).toThrow(/too deeply/);
  expect(() => parseDocument('scan', `"${'x'.repeat(33 * 1024 * 1024)}"`, 'a.json')).toThrow(/larger than/);
});

it('takes as many environments as a model file may have, since who reads a report walks along all of them', async () => {
  const comparison = (await fixture('comparison')) as Record<string, Json>;
  const environment = { name: 'prod', after: null, own: [], verdict: 'pass', reason: null, metrics: [], slices: [] };
  const read = (count: number) =>
    parseDocument('comparison', JSON.stringify({ ...comparison, environments: Array(count).fill(environment) }), 'x');

  expect(read(32).environments).toHaveLength(32);
  expect(() => read(33)).toThrow(/^x: environments /);
});
