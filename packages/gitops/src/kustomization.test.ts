import { sha256 } from '@passloop/core';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { editImageDigest, readImage } from './kustomization.ts';

const image = 'ghcr.io/acme/flight';
const digest = `sha256:${'a'.repeat(64)}`;
const older = `sha256:${'b'.repeat(64)}`;

function edit(text: string): string {
  return editImageDigest(text, { image, digest }).text;
}

it.each([
  [
    'a digest, and nothing else of a file with every kind of style',
    `# deploys the model\nresources: [ ../base ,  x ]   # odd   spacing\n\nimages:\n  - name: ghcr.io/acme/other\n    newTag: v1\n  - name:   ${image}   # the model\n    digest: ${older}  # {"$imagepolicy": "flux:flight"}\ncommonLabels: {a: 'b', "ü": é}\n\n\n`,
    (text: string) => text.replace(older, digest),
  ],
  [
    'a double-quoted digest',
    `images:\n- name: "${image}"\n  digest: "${older}"\n`,
    (text: string) => text.replace(older, digest),
  ],
  [
    'a single-quoted digest',
    `images:\n- digest: '${older}'\n  name: '${image}'\n`,
    (text: string) => text.replace(older, digest),
  ],
  ['flow style', `images: [{name: ${image}, digest: ${older}}]\n`, (text: string) => text.replace(older, digest)],
  [
    'CRLF, a byte order mark and no newline at the end',
    `\ufeffimages:\r\n  - name: ${image}\r\n    digest: ${older}`,
    (text: string) => text.replace(older, digest),
  ],
  [
    'an anchor on the name, which stays',
    `images:\n  - name: &n ${image}\n    newName: mirror.local/flight\n    digest: ${older}\nlabels:\n  - pairs: {app: *n}\n`,
    (text: string) => text.replace(older, digest),
  ],
  [
    'a tag, which becomes the digest in its place',
    `images:\n  - name: ${image}\n    newTag: "1.20"   # by hand\n    newName: x\n`,
    (text: string) => text.replace('newTag: "1.20"', `digest: "${digest}"`),
  ],
  [
    'a tag in JSON style',
    `{"images": [{"name": "${image}", "newTag": "v1"}]}`,
    (text: string) => text.replace('"newTag": "v1"', `"digest": "${digest}"`),
  ],
  [
    'a tag beside a digest: the tag goes with its line',
    `images:\r\n  - name: ${image}\r\n    newTag: v1 # gone\r\n    digest: ${older} # stays\r\n# end\r\n`,
    (text: string) => text.replace('    newTag: v1 # gone\r\n', '').replace(older, digest),
  ],
  [
    'a tag on the line of the dash beside a digest',
    `images:\n  - newTag: v1 # here\n    # about the name\n    name: ${image}\n    digest: ${older}\n`,
    (text: string) => text.replace('newTag: v1', `digest: ${digest}`).replace(`    digest: ${older}\n`, ''),
  ],
  [
    'a tag on the last line, which has no newline',
    `images:\n  - name: ${image}\n    digest: ${older}\n    newTag: v1`,
    (text: string) => text.replace('\n    newTag: v1', '').replace(older, digest),
  ],
  [
    'both in flow style',
    `images: [{newTag: v1, name: ${image}, digest: ${older}}, {name: b}]\n`,
    (text: string) => text.replace('newTag: v1', `digest: ${digest}`).replace(`, digest: ${older}`, ''),
  ],
  [
    'both in flow style over lines with comments',
    `images:\n  - {\n    name: ${image}, # the model\n    newTag: v1,\n    digest: ${older},\n    }\n`,
    (text: string) => text.replace('newTag: v1,\n    ', '').replace(older, digest),
  ],
  [
    'neither: a line below the name, indented as it',
    `images:\n-   name: ${image} # here\n    newName: x\n- name: b\n`,
    (text: string) => text.replace('# here\n', `# here\n    digest: ${digest}\n`),
  ],
  [
    'neither, at the end of a CRLF file without a last newline',
    `images:\r\n  - name: ${image}`,
    (text: string) => `${text}\r\n    digest: ${digest}`,
  ],
  [
    'neither, in JSON style',
    `{"images":[{"name":"${image}"}]}`,
    (text: string) => text.replace(`"${image}"`, `"${image}", "digest": "${digest}"`),
  ],
])('edits %s', (_, before, expected) => {
  const after = edit(before);
  expect(after).toBe(expected(before));
  expect(readImage(after, image)).toMatchObject({ digest, tag: null });
  expect(edit(after)).toBe(after);
});

it('says what stood there', () => {
  const text = `images:\n  - name: ${image}\n    newName: mirror/flight\n    newTag: v1\n`;
  expect(editImageDigest(text, { image, digest }).before).toEqual({
    digest: null,
    tag: 'v1',
    newName: 'mirror/flight',
  });
  expect(readImage(`images:\n- {name: ${image}, digest: "${older}"}\n`, image)).toEqual({
    digest: older,
    tag: null,
    newName: null,
  });
});

it.each([
  ['no such entry', 'images:\n- name: ghcr.io/acme/fligth\n- name: b\n', /It has: ghcr\.io\/acme\/fligth, b/],
  ['no images at all', 'resources: [a]\n', /it has none at all/],
  ['an empty file', '', /holds no mapping/],
  ['a list', '- a\n', /holds no mapping/],
  [
    'two entries',
    `images:\n- name: ${image}\n- name: b\n- name: ${image}\n  newTag: x\n`,
    /2 images entries named .*line 2, line 4/,
  ],
  ['another kind', 'kind: Deployment\nimages: []\n', /is a Deployment, not a Kustomization/],
  ['images as a mapping', `images:\n  name: ${image}\n`, /`images` must be a list/],
  ['images as an alias', `x: &x [{name: ${image}}]\nimages: *x\n`, /`images` must be a list/],
  ['several documents', `images:\n- name: ${image}\n---\na: 1\n`, /holds 2 YAML documents/],
  ['a tag that is a number', `images:\n- name: ${image}\n  newTag: 1.20\n`, /images\[0\]\.newTag must be a string/],
  ['a digest that is an alias', `d: &d ${older}\nimages:\n- name: ${image}\n  digest: *d\n`, /must be a string/],
  [
    'a digest whose anchor is used elsewhere',
    `images:\n- name: ${image}\n  digest: &d ${older}\nx: *d\n`,
    /x would change too/,
  ],
  ['a tag out of a merge key', `b: &b {newTag: v1}\nimages:\n- name: ${image}\n  <<: *b\n`, /merge key/],
  ['a block scalar', `images:\n- name: ${image}\n  newTag: |-\n    v1\n`, /plain or quoted string/],
  ['broken YAML', `images:\n- name: ${image}\n  digest: "x\n`, /not valid YAML/],
  ['duplicate keys', `images:\n- name: ${image}\n  digest: a\n  digest: b\n`, /not valid YAML/],
  [
    'a YAML bomb',
    `a: &a [x,x,x,x,x,x,x,x,x]\n${'bcdefghijk'
      .split('')
      .map((key, index) => `${key}: &${key} [${Array(9).fill(`*${'abcdefghij'[index]}`).join(',')}]`)
      .join('\n')}\nimages: []\n`,
    /not valid YAML/,
  ],
  ['deep nesting', `images: ${'['.repeat(5000)}${']'.repeat(5000)}`, /not valid YAML/],
  ['a huge file', `x: "${'y'.repeat(1024 * 1024)}"\n`, /larger than/],
  [
    'a comment that would be lost',
    `images: [{\n name: ${image}, # a\n newTag: v1, # b\n digest: ${older}}]\n`,
    /without a comment/,
  ],
])('refuses %s', (_, text, message) => {
  expect(() => edit(text)).toThrow(message);
});

it('refuses what is no digest', () => {
  expect(() => editImageDigest(`images:\n- name: ${image}\n`, { image, digest: 'latest' })).toThrow(/is no digest/);
});

it('names the line of what it refuses', () => {
  const text = `# one\nimages:\n  - name: b\n  - name: ${image}\n    newTag: 7284872\n`;
  try {
    edit(text);
    expect.unreachable();
  } catch (error) {
    expect(error).toMatchObject({ line: 5, file: 'kustomization.yaml' });
  }
});

const comment = fc.constantFrom('', ' # note', '   # é "quoted" {x: y}', ' #');
const gap = fc.constantFrom('', '\n', '\n\n', '# a line: of comment\n', '    # deeper\n');
const otherName = fc.constantFrom('ghcr.io/acme/other', 'redis', '"quay.io/x/y"', "'single'");
const quoted = fc.constantFrom('', '"', "'");
type Style = { quote: string; trailing: string };
const style: fc.Arbitrary<Style> = fc.record({ quote: quoted, trailing: comment });

/** A kustomization in a random dress, with a hole where the addressed value stands. */
const dressed = fc
  .record({
    eol: fc.constantFrom('\n', '\r\n'),
    mark: fc.boolean(),
    lastNewline: fc.boolean(),
    indent: fc.constantFrom('', '  ', '      '),
    dash: fc.constantFrom('- ', '-   '),
    before: fc.array(fc.tuple(otherName, comment), { maxLength: 4 }),
    after: fc.array(fc.tuple(otherName, comment), { maxLength: 3 }),
    name: style,
    value: style,
    gaps: fc.array(gap, { minLength: 4, maxLength: 4 }),
    valueFirst: fc.boolean(),
    field: fc.constantFrom('digest', 'newTag'),
    extra: fc.constantFrom('', 'newName: mirror.local/x', 'tagSuffix: "-é"'),
    tail: fc.constantFrom(
      '',
      'configMapGenerator:\n- name: c\n  literals: [a=1,  "b=2"]\n',
      'patches:\n- patch: |-\n    - op: add  # kept\n      path: /x\n',
    ),
  })
  .map((dress) => {
    const entry = (name: string, rest: string) => `${dress.indent}${dress.dash}name: ${name}${rest}\n`;
    const inner = ' '.repeat(dress.indent.length + dress.dash.length);
    const old = dress.field === 'digest' ? older : 'v1.2-rc';
    const name = `name: ${dress.name.quote}${image}${dress.name.quote}${dress.name.trailing}\n`;
    const addressed = `${dress.field}: ${dress.value.quote}${old}${dress.value.quote}${dress.value.trailing}\n`;
    const lines = dress.valueFirst ? [addressed, name] : [name, addressed];
    if (dress.extra !== '') lines.push(`${dress.extra}\n`);
    const whole = [
      '# yaml\n',
      dress.gaps[0],
      'resources:\n- a.yaml # b\n',
      dress.gaps[1],
      'images:\n',
      ...dress.before.map(([other, rest]) => entry(other, rest)),
      `${dress.indent}${dress.dash}${lines[0]}`,
      dress.gaps[2],
      ...lines.slice(1).map((line) => `${inner}${line}`),
      ...dress.after.map(([other, rest]) => entry(other, rest)),
      dress.gaps[3],
      dress.tail,
      dress.lastNewline ? '' : 'namespace: x',
    ].join('');
    const text = `${dress.mark ? '\ufeff' : ''}${whole.replaceAll('\n', dress.eol)}`;
    const expected = text.replace(
      `${dress.field}: ${dress.value.quote}${old}${dress.value.quote}`,
      `digest: ${dress.value.quote}${digest}${dress.value.quote}`,
    );
    return { text, expected };
  });

it('changes only the addressed bytes of random documents', () => {
  fc.assert(
    fc.property(dressed, ({ text, expected }) => {
      expect(edit(text)).toBe(expected);
    }),
    { numRuns: 400 },
  );
});

it('either edits one entry and nothing else, or leaves random text alone', () => {
  const piece = fc.constantFrom(
    'images:',
    '\n',
    '- ',
    '  ',
    `name: ${image}`,
    'name: b',
    `digest: ${older}`,
    'newTag: v1',
    '# c',
    '{',
    '}',
    ', ',
    '[',
    ']',
    '&a ',
    '*a',
    '"',
    "'",
    ': ',
    '---\n',
    '\r\n',
    '\t',
    '!!str ',
    '|\n',
    '<<: ',
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 24 }), fc.boolean(), (pieces, framed) => {
      const text = framed ? `images:\n- name: ${image}\n  ${pieces.join('')}` : pieces.join('');
      let after: string;
      try {
        after = edit(text);
      } catch (error) {
        expect(error).toMatchObject({ code: 'configuration' });
        return;
      }
      const left = parse(text, { merge: true }) as { images: Record<string, unknown>[] };
      const right = parse(after, { merge: true }) as { images: Record<string, unknown>[] };
      const index = right.images.findIndex((entry) => entry !== null && entry.name === image);
      expect(right.images[index]).toMatchObject({ digest });
      const { digest: _, newTag: __, ...kept } = left.images[index] as Record<string, unknown>;
      expect(right).toEqual({
        ...left,
        images: left.images.map((entry, at) => (at === index ? { ...kept, digest } : entry)),
      });
      expect(sha256(edit(after))).toBe(sha256(after));
    }),
    { numRuns: 3000 },
  );
});
