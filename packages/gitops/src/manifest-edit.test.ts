import fc from 'fast-check';
import { expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { findAddress, itemsOf, rootOf, textAt } from './address.ts';
import { openManifest } from './manifest.ts';
import { appendItem, applyChanges, type Change, insertKey, remove, setScalar } from './manifest-edit.ts';

const file = 'manifest.yaml';

function edit(text: string, address: string, change: (at: ReturnType<typeof findAddress>) => Change): string {
  const manifest = openManifest(text, file);
  return applyChanges(
    manifest,
    change(address === '' ? rootOf(manifest.documents[0] as never) : findAddress(manifest, address)),
  );
}

it.each([
  ['a plain scalar', 'a: {b: x} # c\n', 'a.b', 'z', 'a: {b: z} # c\n'],
  ['what would be a number', 'a: x # c\n', 'a', '1.20', 'a: "1.20" # c\n'],
  ['what YAML 1.1 reads as a truth', "a: 'x'\nb: x\n", 'b', 'yes', 'a: \'x\'\nb: "yes"\n'],
  ['a quoted one', "a: 'x'\n", 'a', "it's", "a: 'it''s'\n"],
  ['a number', 'w: 90 # percent\n', 'w', 75, 'w: 75 # percent\n'],
  ['a quoted number, by a number', 'w: "90"\n', 'w', 75, 'w: 75\n'],
  ['an empty value', 'a:\n  tag: # none\n  b: 1\n', 'a.tag', 'v1', 'a:\n  tag: v1 # none\n  b: 1\n'],
  ['an empty value in flow style', 'a: {tag: , b: 1}\n', 'a.tag', 'v1', 'a: {tag: v1 , b: 1}\n'],
  ['a key with dots', 'a: {"x.y": 1, x: {y: 2}}', 'a."x.y"', 3, 'a: {"x.y": 3, x: {y: 2}}'],
  [
    'an item by name',
    'c:\n- name: a\n  i: 1\n- i: 2\n  name: b\n',
    'c[name=b].i',
    3,
    'c:\n- name: a\n  i: 1\n- i: 3\n  name: b\n',
  ],
  ['a key that YAML 1.1 reads as a truth', 'on: {off: x}\n', 'on.off', 'y1', 'on: {off: y1}\n'],
  ['one beside a date of YAML 1.1', 'd: 2024-01-01\na: x\n', 'a', 'z', 'd: 2024-01-01\na: z\n'],
  ['one in the second document', '\ufeffa: 1\r\n---\r\nb: é\r\nc: x', 'c', 'z', '\ufeffa: 1\r\n---\r\nb: é\r\nc: z'],
  ['one with a tab before its comment', 'a: x\t# c\n', 'a', 'z', 'a: z\t# c\n'],
  ['one with an anchor of its own', 'a: &a x\nb: 1\n', 'a', 'z', 'a: &a z\nb: 1\n'],
])('replaces %s', (_, text, address, value, expected) => {
  expect(edit(text, address, (at) => setScalar(at, value))).toBe(expected);
});

it.each([
  ['the end of a map', 'a:\n  b: 1 # c\n\nd: 2\n', 'a', undefined, 'a:\n  b: 1 # c\n  k: v\n\nd: 2\n'],
  ['behind a key', 'a:\n  b: 1\n  c:\n  - x\n  # c\n', 'a', 'b', 'a:\n  b: 1\n  k: v\n  c:\n  - x\n  # c\n'],
  ['behind a list', 'a:\n  c:\n  - x\n  # c\n', 'a', undefined, 'a:\n  c:\n  - x\n  k: v\n  # c\n'],
  ['behind a block scalar', 'a:\n  b: |\n    x\n\nd: 2\n', 'a', undefined, 'a:\n  b: |\n    x\n  k: v\n\nd: 2\n'],
  ['behind an empty value', 'a:\n  b:\nd: 2', 'a', undefined, 'a:\n  b:\n  k: v\nd: 2'],
  ['a CRLF file without an end', 'a:\r\n- b: 1', 'a[0]', undefined, 'a:\r\n- b: 1\r\n  k: v'],
  ['a flow map', 'a: {b: 1} # c\n', 'a', undefined, 'a: {b: 1, k: v} # c\n'],
  ['an empty flow map', 'a: {}\n', 'a', undefined, 'a: {k: v}\n'],
  ['JSON', '{"a": {"b": 1}}', 'a', undefined, '{"a": {"b": 1, "k": "v"}}'],
])('inserts a key at %s', (_, text, address, after, expected) => {
  expect(edit(text, address, (at) => insertKey(at, 'k', 'v', after))).toBe(expected);
});

it('inserts a nested value in block and in flow style', () => {
  const value = [{ percent: 10, inner: { name: 'v2', on: 'yes', none: {} } }];
  expect(edit('spec:\n  a: 1\n', 'spec', (at) => insertKey(at, 'canary', value))).toBe(
    'spec:\n  a: 1\n  canary:\n    - percent: 10\n      inner:\n        name: v2\n        "on": "yes"\n        none: {}\n',
  );
  expect(edit('spec: {a: 1}\n', 'spec', (at) => insertKey(at, 'canary', value))).toBe(
    'spec: {a: 1, canary: [{percent: 10, inner: {name: v2, "on": "yes", none: {}}}]}\n',
  );
});

it.each([
  ['a pair with its line', 'a:\n  b: 1 # c\n  # about d\n  d: 2\n', 'a.b', 'a:\n  # about d\n  d: 2\n'],
  ['a pair with its block', 'a: 1\nb:\n- x # c\n- y\n# end\n', 'b', 'a: 1\n# end\n'],
  ['the last pair of a file without an end', 'a: 1\r\nb: 2', 'b', 'a: 1'],
  ['the first pair behind a byte order mark', '\ufeffa: 1\nb: 2\n', 'a', '\ufeffb: 2\n'],
  ['the first pair of an item', 'l:\n- a: 1 # c\n  b: 2\n', 'l[0].a', 'l:\n- b: 2\n'],
  ['a pair with an anchor', 'a: 1\n&k b: 2\nc: 3\n', 'b', 'a: 1\nc: 3\n'],
  ['a block scalar', 'a: |\n  x\n  y\nb: 1\n', 'a', 'b: 1\n'],
  ['a pair of a flow map', 'a: {b: 1, c: 2}\n', 'a.b', 'a: {c: 2}\n'],
  ['the only pair of a flow map', 'a: {b: 1}\n', 'a.b', 'a: {}\n'],
  ['an item', 'l:\n# one\n- a\n- b # c\n- c\n', 'l[1]', 'l:\n# one\n- a\n- c\n'],
  ['an item of several lines', 'l:\n  - a: 1\n    b: 2\n  - a: 3\n', 'l[0]', 'l:\n  - a: 3\n'],
  ['an item of a flow list', 'l: [a, b , c]\n', 'l[2]', 'l: [a, b]\n'],
])('removes %s', (_, text, address, expected) => {
  expect(edit(text, address, remove)).toBe(expected);
});

it.each([
  ['a list', 'l:\n  - a # c\n# end\n', 'l:\n  - a # c\n  - k: 1\n    m: x\n# end\n'],
  ['a list without an end', 'l:\r\n- a', 'l:\r\n- a\r\n- k: 1\r\n  m: x'],
  ['a flow list', 'l: [a]\n', 'l: [a, {k: 1, m: x}]\n'],
  ['an empty list', 'l: []\n', 'l: [{k: 1, m: x}]\n'],
])('appends to %s', (_, text, expected) => {
  expect(edit(text, 'l', (at) => appendItem(at, { k: 1, m: 'x' }))).toBe(expected);
});

it.each([
  ['a value that an alias reads', 'a: &x v\nb: *x\n', 'a', /b would change too/],
  ['an alias', 'a: &x v\nb: *x\n', 'b', /plain or quoted string/],
  ['what lies behind an alias', 'a: &x {c: v}\nb: *x\n', 'b.c', /must be a map/],
  ['what comes from a merge key', 'a: &x {c: v}\nb: {<<: *x}\n', 'b.c', /merge key/],
  ['a merged map that others read', 'a: &x {c: v}\nb: {<<: *x, d: 1}\n', 'a.c', /b\.c would change too/],
  ['a block scalar', 'a: |\n  x\n', 'a', /plain or quoted string/],
  ['a map', 'a: {b: 1}\n', 'a', /plain or quoted string/],
  ['a tag that makes it something else', 'a: !!int 1\n', 'a', /can't be edited|read back/],
])('refuses %s', (_, text, address, message) => {
  expect(() => edit(text, address, (at) => setScalar(at, 'z'))).toThrow(message);
});

it.each([
  ['the only pair of a map', 'a:\n  b: 1\nc: 1\n', 'a.b', /only entry/],
  ['the only item of a list', 'a:\n- 1\n', 'a[0]', /only entry/],
  ['what has a comment beside it', 'a: {\n b: 1, # x\n c: 2, # y\n d: 3}\n', 'a.c', /comment beside/],
  ['the first pair of an item above a comment', '- a: 1\n  # b\n  b: 2\n', '[0].a', /comment beside/],
  ['an anchor that others read', 'a: &x {b: 1}\nc: *x\n', 'a', /can't be edited/],
  ['a pair that a merge key would bring back', 'a: &x {c: 1}\nb:\n  <<: *x\n  c: 2\n', 'b.c', /read back/],
  ['an item on the line of another list', 'l:\n- - a\n  - b\n', 'l[0][0]', /holds something else/],
])('refuses to remove %s', (_, text, address, message) => {
  expect(() => edit(text, address, remove)).toThrow(message);
});

it('names the nearest addresses, and the lines of ambiguous ones', () => {
  const text = 'image: {repository: r, tag: t}\nsidecar: {image: {tag: t}}\n---\nimage: {tag: x}\n';
  const manifest = openManifest(text, file);
  expect(() => findAddress(manifest, 'imag.tag')).toThrow(
    expect.objectContaining({ hint: expect.stringMatching(/^Nearest: image\.tag, /) }),
  );
  expect(() => findAddress(manifest, 'image.tag')).toThrow(/several documents: line 1, line 4/);
  expect(() => findAddress(openManifest('c: [{name: a}, {name: a}]\n', file), 'c[name=a]')).toThrow(/2 entries/);
  expect(() => findAddress(openManifest('c: [{name: a, i: 1}]\n', file), 'c[name=b].i')).toThrow(
    expect.objectContaining({ hint: 'Nearest: c[name=a].i, c[name=a].name.' }),
  );
});

it.each([
  '',
  '.a',
  'a.',
  'a..b',
  'a[',
  'a[x]',
  'a[-1]',
  'a["x]',
  'a b',
  'a[0]b',
  '"a',
  `a${'.a'.repeat(50)}`,
])('refuses the address %j', (address) => {
  expect(() => findAddress(openManifest('a: 1\n', file), address)).toThrow(/can't be read at character/);
});

it('keeps a key __proto__ a key', () => {
  expect(edit('__proto__: {a: 1}\nb: x\n', '__proto__.a', (at) => setScalar(at, 2))).toBe('__proto__: {a: 2}\nb: x\n');
});

// Random documents, generated as text, in which one place is known: what stands before and behind it.
const eol = fc.constantFrom('\n', '\r\n');
const key = fc.constantFrom('a', 'tag', '"quoted key"', "'é ü'", 'on', 'x-y', '12');
const scalar = fc.constantFrom(
  'v1',
  '"a: b # c"',
  "'it''s'",
  '1.20',
  '2024-01-01',
  'yes',
  '~',
  'ü é',
  'sha256:abc',
  '[x,  y]',
  '{p: 1,q:  2}',
);
const note = fc.constantFrom('', ' # note: x', '\t# tab', '   #', ' # {"$imagepolicy": "flux:a"}');
const line = fc.constantFrom('', '# whole: line', '   # deeper', '');
const block = fc.constantFrom(
  '|\n    x: 1\n\n    # no comment',
  '>-\n    folded\n    text',
  '\n    - 1\n    - b: 2 # c',
);

const document = fc
  .record({
    pairs: fc.uniqueArray(fc.record({ key, scalar, note, line, block: fc.option(block) }), {
      selector: (pair) => pair.key.replace(/^["']|["']$/g, ''),
      minLength: 1,
      maxLength: 6,
    }),
    style: fc.constantFrom('block', 'flow', 'list'),
  })
  .map(({ pairs, style }) => {
    const fields = [...pairs, { key: 'target', scalar: 'HOLE', note: ' # the value', line: '', block: null }];
    if (style === 'flow') {
      return `root: {${fields.map((one) => `${one.key}: ${one.scalar}`).join(',  ')}} # end\n`;
    }
    const indent = style === 'list' ? '  - ' : '  ';
    const lines = fields.map((one, index) => {
      const start = index === 0 ? indent : ' '.repeat(indent.length);
      const value = one.block ?? `${one.scalar}${one.note}`;
      const text = one.block === null ? value : value.replaceAll('\n    ', `\n${' '.repeat(indent.length + 2)}`);
      return `${start}${one.key}:${text.startsWith('\n') ? '' : ' '}${text}\n${one.line === '' ? '' : `${one.line}\n`}`;
    });
    return `root:\n${lines.join('')}`;
  });

const dressed = fc
  .record({
    documents: fc.array(document, { minLength: 1, maxLength: 3 }),
    eol,
    mark: fc.boolean(),
    end: fc.boolean(),
    at: fc.nat(),
  })
  .map(({ documents, eol, mark, end, at }) => {
    const index = at % documents.length;
    const texts = documents.map((one, position) => (position === index ? one : one.replace('HOLE', 'other')));
    const joined = texts.map((one, position) => (position === index ? `chosen: 1\n${one}` : one)).join('--- # next\n');
    const whole = `${mark ? '\ufeff' : ''}${end ? joined : joined.replace(/\n$/, '')}`.replaceAll('\n', eol);
    return { text: whole, isList: /root:\r?\n +- /.test(texts[index] ?? ''), index };
  });

function chosen(text: string, index: number, isList: boolean) {
  const manifest = openManifest(text, file);
  const address = isList ? 'root[0].target' : 'root.target';
  return { manifest, at: findAddress(manifest, address, manifest.documents.slice(index, index + 1)) };
}

const written = fc.oneof(
  fc.constantFrom('v2', 'yes', '1.20', 'a: b', '# x', "it's", 'é', '2024-01-01', ''),
  fc.string(),
);

it('changes only the addressed bytes of random documents, and reads back the value', () => {
  fc.assert(
    fc.property(dressed, written, ({ text, isList, index }, value) => {
      const { manifest, at } = chosen(text, index, isList);
      const edited = applyChanges(manifest, setScalar(at, value));
      const [before = '', behind = ''] = text.split('HOLE');
      expect(edited.startsWith(before)).toBe(true);
      expect(edited.endsWith(behind)).toBe(true);
      expect(textAt(chosen(edited, index, isList).at)).toBe(value);
      for (const version of ['1.1', '1.2'] as const) {
        const documents = parseAllDocuments(edited, { version }) as unknown as { toJS(): { root: unknown } }[];
        const root = documents[index]?.toJS().root;
        expect((isList ? (root as unknown[])[0] : root) as object).toMatchObject({ target: value });
      }
      expect(applyChanges(openManifest(edited, file), setScalar(chosen(edited, index, isList).at, value))).toBe(edited);
    }),
    { numRuns: 250 },
  );
});

it('takes back what it inserted: random documents are byte for byte what they were', () => {
  fc.assert(
    fc.property(dressed, written, ({ text, isList, index }, value) => {
      const { manifest, at } = chosen(text, index, isList);
      if (at.parent === null) throw new Error('no parent');
      const inserted = applyChanges(manifest, insertKey(at.parent, 'added', value));
      const again = chosen(inserted, index, isList);
      const added = findAddress(
        again.manifest,
        isList ? 'root[0].added' : 'root.added',
        again.manifest.documents.slice(index, index + 1),
      );
      expect(textAt(added)).toBe(value);
      expect(applyChanges(again.manifest, remove(added))).toBe(text);
    }),
    { numRuns: 250 },
  );
});

it('takes back an appended item, and removes any item of random lists alone', () => {
  const item = fc.constantFrom(
    'a',
    '"b" # c',
    '{x: 1, y: [1,  2]}',
    'k: v # n\n    l: w',
    '|\n      text\n',
    '# c\n    z: 1',
  );
  fc.assert(
    fc.property(
      fc.array(item, { minLength: 2, maxLength: 5 }),
      eol,
      fc.nat(),
      fc.boolean(),
      (items, newline, at, end) => {
        const text = `l:\n${items.map((one) => `  - ${one}\n`).join('')}${end ? 'z: 1\n' : ''}`.replaceAll(
          '\n',
          newline,
        );
        const list = (source: string) => findAddress(openManifest(source, file), 'l');
        const appended = applyChanges(openManifest(text, file), appendItem(list(text), { n: 1, m: ['x'] }));
        const last = itemsOf(list(appended)).at(-1);
        if (last === undefined) throw new Error('no item');
        expect(applyChanges(openManifest(appended, file), remove(last))).toBe(text);
        const gone = itemsOf(list(text))[at % items.length];
        if (gone === undefined) throw new Error('no item');
        const removed = applyChanges(openManifest(text, file), remove(gone));
        expect(openManifest(removed, file).documents[0]?.reading).toEqual({
          ...(openManifest(text, file).documents[0]?.reading as object),
          l: (openManifest(text, file).documents[0]?.reading as { l: unknown[] }).l.toSpliced(at % items.length, 1),
        });
      },
    ),
    { numRuns: 200 },
  );
});
