import { readdir, readFile } from 'node:fs/promises';
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
};

const fixtures = new URL('../fixtures/v1/', import.meta.url);

async function fixture(kind: DocumentKind): Promise<Json> {
  return JSON.parse(await readFile(new URL(`${kind}.json`, fixtures), 'utf8'));
}

function validator(kind: DocumentKind) {
  const ajv = new Ajv2020.default({ strict: false, allErrors: false });
  addFormats.default(ajv);
  return ajv.compile(documentJsonSchema(kind));
}

/** Every (path, required field) of the schema that the fixture reaches, and every enum. */
function* places(
  schema: JsonSchema,
  value: Json,
  path: (string | number)[],
): Generator<{ path: (string | number)[]; enum: boolean }> {
  for (const option of schema.anyOf ?? []) {
    if (option.type !== 'null' && value !== null) yield* places(option, value, path);
  }
  if (schema.enum && path.length > 0) yield { path, enum: true };
  if (Array.isArray(value)) {
    for (const [index, child] of value.entries())
      yield* places(schema.prefixItems?.[index] ?? schema.items ?? {}, child, [...path, index]);
    return;
  }
  if (typeof value !== 'object' || value === null) return;
  for (const name of schema.required ?? []) yield { path: [...path, name], enum: false };
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

function refused(kind: DocumentKind, value: Json, validate: ReturnType<typeof validator>): boolean {
  let byZod = false;
  try {
    parseDocument(kind, JSON.stringify(value), 'test');
  } catch {
    byZod = true;
  }
  return byZod && !validate(value);
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

it.each(documentKinds)('%s: every required field removed, every wrong enum and every NaN is refused', async (kind) => {
  const value = await fixture(kind);
  const validate = validator(kind);
  for (const place of places(documentJsonSchema(kind) as JsonSchema, value, [])) {
    if (place.enum) {
      enums += 1;
      const wrong = changed(value, place.path, (parent, name) => {
        parent[name] = 'no-such-word';
      });
      expect(refused(kind, wrong, validate), `${kind} ${place.path.join('.')} = no-such-word`).toBe(true);
      continue;
    }
    removed += 1;
    const without = changed(value, place.path, (parent, name) => {
      delete parent[name];
    });
    expect(refused(kind, without, validate), `${kind} without ${place.path.join('.')}`).toBe(true);
    for (const nan of ['NaN', 'Infinity']) {
      const current = place.path.reduce<Json>((at, step) => (at as Record<string | number, Json>)[step] as Json, value);
      const isMeasurement =
        typeof current === 'number' || (typeof current === 'string' && /^-?\d+(\.\d+)?$/.test(current));
      if (
        !isMeasurement ||
        /^(value|from|to|python|until|version|observed|expected|name)$/.test(String(place.path.at(-1)))
      )
        continue;
      numbers += 1;
      const wrong = changed(value, place.path, (parent, name) => {
        parent[name] = nan;
      });
      expect(refused(kind, wrong, validate), `${kind} ${place.path.join('.')} = ${nan}`).toBe(true);
    }
  }
});

it('reached a fair number of places (printed, so that a hollow walk is seen)', () => {
  console.log(
    `documents: ${removed} required fields removed, ${enums} wrong enums, ${numbers} NaN or Infinity: all refused`,
  );
  expect(removed).toBeGreaterThan(300);
  expect(enums).toBeGreaterThan(50);
  expect(numbers).toBeGreaterThan(40);
});

it('drops unknown fields of the same major version and never echoes them', async () => {
  const value = (await fixture('comparison')) as { [key: string]: Json };
  const text = formatDocument(
    'comparison',
    parseDocument('comparison', JSON.stringify({ ...value, added: '<later>' }), 'x'),
  );
  expect(text).not.toContain('later');
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
