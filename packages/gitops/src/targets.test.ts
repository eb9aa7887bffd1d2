import { targetKinds } from '@passloop/model';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { changedLineTexts } from './edits.ts';
import { fixtureText, image, olderDigest, type TargetCase, targetCases } from './targets/target-cases.ts';
import {
  carriesImage,
  editTarget,
  editWarnings,
  manifestText,
  readTarget,
  recordedTarget,
  targetAddress,
  targetOf,
  targetValue,
} from './targets.ts';
import { file } from './testing/records.ts';

const other = { ...image, digest: olderDigest, tag: 'ik1-older' };

function before({ fixture, first = [] }: TargetCase): string {
  return first.reduce((text, one) => editTarget(text, one, image), fixtureText(fixture));
}

it('has a case for every kind', () => {
  expect(new Set(targetCases.map(({ target }) => target.kind))).toEqual(new Set(targetKinds));
});

describe.each(
  targetCases.map((one): [string, TargetCase] => [`${one.target.kind}: ${one.shows}`, one]),
)('%s', (_, one) => {
  const { target } = one;
  const text = before(one);
  const state = (content: string) => readTarget(target, file(target.file, content));

  it('changes these lines and no others', () => {
    expect(changedLineTexts(text, editTarget(text, target, image))).toEqual(one.lines);
  });

  it('reads back what it wrote', () => {
    expect(state(editTarget(text, target, image))).toMatchObject({ value: targetValue(target, image), problem: null });
    if (carriesImage(target)) expect(state(editTarget(text, target, image)).digest).toBe(image.digest);
  });

  it('is the same twice as once, and can be taken over by another image', () => {
    const once = editTarget(text, target, image);
    expect(editTarget(once, target, image)).toBe(once);
    const replaced = editTarget(once, target, other);
    expect(state(replaced).value).toBe(targetValue(target, other));
    expect(state(editTarget(replaced, target, image)).value).toBe(targetValue(target, image));
  });

  it('keeps CRLF, a byte order mark, and a missing last newline', () => {
    const dressed = (content: string) => `\ufeff${content.replace(/\n$/, '').replaceAll('\n', '\r\n')}`;
    expect(editTarget(dressed(text), target, image)).toBe(dressed(editTarget(text, target, image)));
  });

  it('stays valid for readers of YAML 1.1', () => {
    const documents = parseAllDocuments(editTarget(text, target, image), { version: '1.1' });
    expect((documents as { errors: unknown[] }[]).flatMap(({ errors }) => errors)).toEqual([]);
  });

  it('comes back out of its record', () => {
    const recorded = recordedTarget(target, image);
    expect(targetOf(JSON.parse(JSON.stringify(recorded)))).toEqual(target);
    expect(recorded).toMatchObject({ address: targetAddress(target), value: targetValue(target, image) });
  });

  it('refuses a link, a submodule and a file that is not there', () => {
    for (const mode of ['120000', '160000']) {
      expect(readTarget(target, file(target.file, text, mode)).problem).toMatch(/no regular text file/);
    }
    expect(readTarget(target, null).problem).toMatch(/has no file/);
    expect(() => manifestText(target, null)).toThrow(/has no file/);
  });

  it.each([
    [
      'a YAML bomb',
      `a: &a [x,x,x,x,x,x,x,x,x]\n${[...'bcdefghijk'].map((key, index) => `${key}: &${key} [${Array(9).fill(`*${'abcdefghij'[index]}`).join(',')}]`).join('\n')}\n`,
    ],
    ['deep nesting', `a: ${'['.repeat(5000)}${']'.repeat(5000)}`],
    ['a huge file', `a: "${'y'.repeat(1024 * 1024)}"\n`],
    ['nothing', ''],
    ['a list', '- a\n'],
    ['a scalar', 'a'],
    ['half a file', 'a: {'],
    ['binary', '\u0000\u0001'],
    ['a template', 'image: {{ .Values.image }}\n'],
  ])('refuses %s with an error that names the file', (__, hostile) => {
    expect(() => editTarget(hostile, target, image)).toThrow(
      expect.objectContaining({ code: 'configuration', message: expect.stringContaining(target.file) }),
    );
    expect(readTarget(target, file(target.file, hostile)).problem).not.toBeNull();
  });

  it('keeps an anchor, and refuses to edit what an alias reads too', () => {
    const anchored = anchoredText(text, one.lines);
    if (anchored === null) return;
    expect(editTarget(anchored, target, image)).toContain('&tied ');
    // The alias in the same document, behind the anchor.
    const end = anchored.indexOf('\n---', anchored.indexOf('&tied'));
    const at = end < 0 ? anchored.length : end + 1;
    const tied = `${anchored.slice(0, at)}x-tied: *tied\n${anchored.slice(at)}`;
    expect(() => editTarget(tied, target, image)).toThrow(/x-tied(?:\.tag)? would change too/);
  });
});

/** With an anchor on the first value that is replaced where it stands; null where none is. */
function anchoredText(text: string, lines: readonly string[]): string | null {
  const value = /((?:image|tag|digest|newTag|storageUri|weight|value|"model\.image"): )(?=\S)/;
  const line = lines.find((one, index) => {
    const next = lines.slice(index + 1).find((other) => other.startsWith('+')) ?? '';
    return one.startsWith('-') && value.test(one) && next.slice(1, 12) === one.slice(1, 12);
  });
  return line === undefined ? null : text.replace(line.slice(1), line.slice(1).replace(value, '$1&tied '));
}

it("warns where Flux's image automation writes too", () => {
  const one = targetCases.find(({ fixture }) => fixture === 'helmrelease.yaml');
  if (one === undefined) throw new Error('no case');
  const text = before(one);
  const after = editTarget(text, one.target, image);
  expect(editWarnings(text, after, one.target)).toEqual([
    "apps/flight/release.yaml:13: Flux's image automation writes this field too, by policy flux-system:flight:tag, and will undo the promotion. Suspend that ImageUpdateAutomation, or take its comment away.",
  ]);
  expect(editWarnings(after, after, one.target)).toEqual([]);
});

it.each([
  ['a kind from the future', { kind: 'nomad', file: 'a.hcl', address: 'x', value: image.digest }],
  [
    'a field that is none',
    {
      kind: 'istio',
      file: 'a.yaml',
      address: 'subset=a',
      value: 'a=1',
      declared: { subset: 'a', weight: 1, shell: 'x' },
    },
  ],
  [
    'an address that says something else',
    { kind: 'istio', file: 'a.yaml', address: 'subset=b', value: 'a=1', declared: { subset: 'a', weight: 1 } },
  ],
  ['a path outside', { kind: 'kustomize', file: '../a.yaml', address: 'ghcr.io/acme/flight', value: image.digest }],
  [
    'an image with a tag',
    { kind: 'kustomize', file: 'a.yaml', address: 'ghcr.io/acme/flight:v1', value: image.digest },
  ],
])('refuses %s in a record', (_, recorded) => {
  expect(() => targetOf(recorded)).toThrow(/can't be edited as recorded/);
});
