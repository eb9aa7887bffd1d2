import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { parseYaml } from '@passloop/core';
import { modelFileJsonSchema, parseModelFile, reservedKeys } from '@passloop/model';
import MarkdownIt from 'markdown-it';
import { describe, expect, it } from 'vitest';

const root = path.resolve(import.meta.dirname, '..');
const pages = [
  ...readdirSync(path.join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => path.join('docs', name)),
  ...readdirSync(root).filter((name) => name.endsWith('.md')),
].sort();

type Fence = { page: string; line: number; info: string; text: string };
type Link = { page: string; href: string };

function textOf(page: string): string {
  return readFileSync(path.join(root, page), 'utf8');
}

function fencesOf(page: string, text = textOf(page)): Fence[] {
  return new MarkdownIt()
    .parse(text, {})
    .filter((token) => token.type === 'fence')
    .map((token) => ({ page, line: (token.map?.[0] ?? 0) + 1, info: token.info.trim(), text: token.content }));
}

/** Links and images to other files or headings of the repository. */
function linksOf(page: string, text = textOf(page)): Link[] {
  return new MarkdownIt({ html: true })
    .parse(text, {})
    .flatMap((token) => [token, ...(token.children ?? [])])
    .map((token) => token.attrGet('href') ?? token.attrGet('src'))
    .filter((href) => href !== null)
    .map((href) => ({ page, href: String(href) }))
    .filter(({ href }) => !/^[a-z][a-z0-9+.-]*:/i.test(href));
}

/** Anchors as GitHub makes them from headings. */
function anchorsOf(text: string): Set<string> {
  const tokens = new MarkdownIt().parse(text, {});
  const headings = tokens.flatMap((token, index) =>
    token.type === 'heading_open' ? [tokens[index + 1]?.content ?? ''] : [],
  );
  return new Set(
    headings.map((heading) =>
      heading
        .toLowerCase()
        .replace(/[^\p{Letter}\p{Number}\- _]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );
}

function brokenLink({ page, href }: Link): string | null {
  const [file = '', anchor] = decodeURI(href).split('#');
  const target = path.resolve(root, path.dirname(page), file === '' ? path.basename(page) : file);
  if (target !== root && !target.startsWith(root + path.sep)) return `${page}: ${href} leads out of the repository`;
  if (!existsSync(target)) return `${page}: ${href} is no file`;
  if (anchor === undefined || statSync(target).isDirectory()) return null;
  return anchorsOf(readFileSync(target, 'utf8')).has(anchor) ? null : `${page}: ${href} names no heading`;
}

const modelFileInfo = /^ya?ml\s+passloop\.yaml$/;

describe('model files in the docs', () => {
  const examples = pages.flatMap((page) => fencesOf(page)).filter((fence) => modelFileInfo.test(fence.info));

  it('there are some', () => {
    expect(examples.length).toBeGreaterThan(1);
  });

  it.each(examples)('$page:$line is a model file', ({ text, page }) => {
    expect(parseModelFile(text, page).length).toBeGreaterThan(0);
  });

  it('a mistake in one of them would be seen', () => {
    const planted = fencesOf('planted.md', '```yaml passloop.yaml\nversion: 1\nmodel: []\n```\n');
    expect(planted).toHaveLength(1);
    expect(() => parseModelFile(planted[0]?.text ?? '', 'planted.md')).toThrow(/unknown key `model`|models/);
  });

  it('together they use every key of the schema', () => {
    const used = new Set<string>();
    const schema = modelFileJsonSchema() as JsonSchema;
    for (const example of examples) walkValue(parseYaml(example.text, example.page).value, '', used);
    walkValue({ models: [{ data: { train: { checks: exampleChecks() } } }] }, '', used);
    const known = new Set<string>();
    walkSchema(schema, '', known);
    expect(known.size).toBeGreaterThan(80);
    // What every kind of check, or of graph, takes needn't be shown with each; nor a gate's keys in both of its places.
    const common =
      /\.deploy\.environments\[\](?=\.gates\[\])|\([a-z0-9-]+\)(?=\.(?:id|severity|where|mostly)$|\.(?:folder|name|replicas|resources(?:\.[a-z.]+)?)$)/;
    const usedAnywhere = new Set([...used].map((key) => key.replace(common, '')));
    const unused = [...known].filter((key) => !used.has(key) && !usedAnywhere.has(key.replace(common, '')));
    expect(unused.sort()).toEqual([]);
  });

  it('docs/model-file.md and docs/checks.md explain every key', () => {
    const known = new Set<string>();
    walkSchema(modelFileJsonSchema() as JsonSchema, '', known);
    const text = `${textOf('docs/model-file.md')}\n${textOf('docs/checks.md')}`;
    const explained = new Set([...text.matchAll(/`([^`\n]+)`/g)].map((match) => match[1]));
    const names = [...new Set([...known].map((key) => key.split('.').at(-1) ?? ''))].filter((name) => name !== '*');
    expect(names.filter((name) => !explained.has(name)).sort()).toEqual([]);
    expect([...reservedKeys].filter((name) => !explained.has(name))).toEqual([]);
  });
});

/** The checks that docs/checks.md shows, each in a cell of its own. */
function exampleChecks(): unknown[] {
  const cells = [...textOf('docs/checks.md').matchAll(/\| `(\{kind: [^`]+\})`/g)].map((match) => match[1] ?? '');
  return cells.map((text) => parseYaml(text, 'docs/checks.md').value);
}

type JsonSchema = {
  properties?: Record<string, JsonSchema>;
  additionalProperties?: JsonSchema | boolean;
  items?: JsonSchema;
  anyOf?: JsonSchema[];
  oneOf?: JsonSchema[];
  const?: unknown;
};

/** Every key as a path; `[]` is an item of a list, `*` a name that the user gives, `(kind)` one of several shapes. */
function walkSchema(schema: JsonSchema, at: string, into: Set<string>): void {
  for (const branch of [...(schema.anyOf ?? []), ...(schema.oneOf ?? [])]) walkSchema(branch, at, into);
  const kind = schema.properties?.kind?.const;
  const place = typeof kind === 'string' ? `${at}(${kind})` : at;
  for (const [name, child] of Object.entries(schema.properties ?? {})) {
    into.add(`${place}.${name}`);
    walkSchema(child, `${place}.${name}`, into);
  }
  if (typeof schema.additionalProperties === 'object' && Object.keys(schema.additionalProperties).length > 0) {
    walkSchema(schema.additionalProperties, `${place}.*`, into);
  }
  if (schema.items !== undefined) walkSchema(schema.items, `${place}[]`, into);
}

function walkValue(value: unknown, at: string, into: Set<string>): void {
  if (Array.isArray(value)) {
    for (const item of value) walkValue(item, `${at}[]`, into);
    return;
  }
  if (typeof value !== 'object' || value === null) return;
  const kind = 'kind' in value && typeof value.kind === 'string' ? `(${value.kind})` : '';
  for (const [name, child] of Object.entries(value)) {
    into.add(`${at}${kind}.${name}`);
    walkValue(child, `${at}${kind}.${name}`, into);
    walkValue(child, `${at}${kind}.*`, into);
  }
}

describe('links', () => {
  it.each(pages)('%s leads nowhere wrong', (page) => {
    expect(
      linksOf(page)
        .map(brokenLink)
        .filter((problem) => problem !== null),
    ).toEqual([]);
  });

  it('a planted wrong file, heading and image would be seen', () => {
    const planted = linksOf(
      'docs/planted.md',
      '[a](no-such-file.md) [b](model-file.md#no-such-heading) ![c](../no.png) [d](https://example.org) [e](../..)',
    );
    expect(planted.map(brokenLink).filter((problem) => problem !== null)).toHaveLength(4);
  });
});
