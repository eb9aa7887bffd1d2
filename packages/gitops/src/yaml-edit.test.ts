import fc from 'fast-check';
import { load } from 'js-yaml';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { differingPaths } from './manifest-reading.ts';
import { isPlainString, scalarText, spliceText } from './yaml-edit.ts';

// Measured with PyYAML and go-yaml: each of these reads as something else than a string under YAML 1.1 or 1.2.
it.each([
  '1.20',
  '553640e6',
  '7284872',
  '0x1F',
  '0o17',
  '017',
  '1_000',
  '12:30:45',
  'yes',
  'on',
  'no',
  'off',
  'y',
  'N',
  'null',
  '~',
  '2024-01-01',
  '1e3',
  '.5',
  '+1',
  '.inf',
  '.nan',
  'TRUE',
  '',
  '=',
  '<<',
  '-',
  '- a',
  '? a',
  'a: b',
  'a #b',
  'a:',
  '*a',
  '&a',
  '!a',
  '%a',
  '@a',
  '`a',
  '{',
  '}',
  '[',
  ']',
  ',',
  '"a',
  "'a",
  '|',
  '>',
  '#a',
  ' a',
  'a ',
  'a\nb',
  '---',
  '...',
])('quotes %j', (value) => {
  expect(isPlainString(value)).toBe(false);
  for (const style of ['plain', 'single', 'double'] as const) {
    const text = scalarText(value, style);
    for (const source of [`a: ${text}\n`, `{a: ${text}, b: 1}`]) {
      expect((parse(source) as { a: unknown }).a).toBe(value);
      expect((parse(source, { version: '1.1' }) as { a: unknown }).a).toBe(value);
      expect((load(source) as { a: unknown }).a).toBe(value);
    }
  }
});

it.each(['v1', 'sha256:0123', 'a/b:c@d', '1.2.3', '2026.11.22-3f9c1a', 'x_y'])('leaves %j plain', (value) => {
  expect(scalarText(value, 'plain')).toBe(value);
});

it('reads back any string, in any style, under both versions', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary' }),
      fc.constantFrom('plain' as const, 'single' as const, 'double' as const),
      (value, style) => {
        const text = `a: ${scalarText(value, style)}\n`;
        expect((parse(text) as { a: unknown }).a).toBe(value);
        expect((parse(text, { version: '1.1' }) as { a: unknown }).a).toBe(value);
      },
    ),
    { numRuns: 2000 },
  );
});

it('refuses replacements that overlap', () => {
  expect(
    spliceText('abcd', [
      { start: 3, end: 4, text: 'D' },
      { start: 0, end: 1, text: '' },
    ]),
  ).toBe('bcD');
  expect(() =>
    spliceText('abcd', [
      { start: 0, end: 2, text: '' },
      { start: 1, end: 3, text: '' },
    ]),
  ).toThrow(/overlap/);
});

it('finds every path that differs', () => {
  const before = { a: [1, { b: 2 }], c: 'x', d: null };
  expect(differingPaths(before, structuredClone(before))).toEqual([]);
  expect(differingPaths(before, { a: [1, { b: 3 }, 4], c: 'x', e: 1 })).toEqual([
    ['a', 1, 'b'],
    ['a', 2],
    ['d'],
    ['e'],
  ]);
  expect(differingPaths({ a: Number.NaN }, { a: Number.NaN })).toEqual([]);
  expect(differingPaths({ a: [] }, { a: {} })).toEqual([['a']]);
});
