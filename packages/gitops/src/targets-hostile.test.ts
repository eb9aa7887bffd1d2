import fc from 'fast-check';
import { loadAll } from 'js-yaml';
import { expect, it } from 'vitest';
import { fixtureText, image, targetCases } from './targets/target-cases.ts';
import { editTarget, readTarget, targetValue } from './targets.ts';
import { file } from './testing/records.ts';

/** Pieces with which somebody tries to make an edit write elsewhere, or a reader see something else. */
const pieces = [
  '\n',
  '\r\n',
  '\r',
  '\ud800',
  '\u0000',
  '\t',
  '  ',
  '- ',
  '---\n',
  '...\n',
  '%YAML 1.1\n',
  '# c',
  '{',
  '}',
  '[',
  ']',
  ', ',
  ': ',
  '? ',
  '&a ',
  '*a',
  '<<: *a\n',
  '<<: {image: x}\n',
  '!!str ',
  '!!binary ',
  '!x ',
  '|\n',
  '>-\n',
  '"',
  "'",
  '\\',
  '__proto__: ',
  'image: r\n',
  'digest: ""\n',
  'weight: 1\n',
  'name: flight\n',
  '\u2028',
  '\u0085',
  '\ufeff',
  '{{ .x }}',
];
const cut = fc.record({
  at: fc.nat(),
  drop: fc.nat({ max: 12 }),
  text: fc.array(fc.constantFrom(...pieces), { maxLength: 3 }).map((some) => some.join('')),
});

function damaged(text: string, cuts: readonly { at: number; drop: number; text: string }[]): string {
  return cuts.reduce((current, { at, drop, text: added }) => {
    const start = at % (current.length + 1);
    return current.slice(0, start) + added + current.slice(start + drop);
  }, text);
}

/** What an edit may write: the image, its tag, a weight, the name of a canary that follows from the image. */
const writes = new RegExp(`${image.digest}$|^${image.tag}$|^\\d{1,3}$|^v-a1b2c3d4$`);

function scalarsOf(value: unknown): string[] {
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(scalarsOf) : [String(value)];
}

it('edits damaged manifests to what it reads back in both versions, or refuses them by name', () => {
  let edited = 0;
  let refused = 0;
  fc.assert(
    fc.property(fc.constantFrom(...targetCases), fc.array(cut, { minLength: 1, maxLength: 3 }), (one, cuts) => {
      const text = damaged(fixtureText(one.fixture), cuts);
      const { target } = one;
      let after: string;
      try {
        after = editTarget(text, target, image);
      } catch (error) {
        refused += 1;
        expect(error).toMatchObject({ code: 'configuration' });
        expect((error as Error).message).toContain(target.file);
        return;
      }
      edited += 1;
      expect(readTarget(target, file(target.file, after))).toMatchObject({
        value: targetValue(target, image),
        problem: null,
      });
      expect(editTarget(after, target, image)).toBe(after);
      // By another parser: as many documents, and no scalar that the image or a weight doesn't explain.
      const [left, right] = [loadAll(text), loadAll(after)];
      expect(right.length).toBe(left.length);
      const known = new Set(left.flatMap(scalarsOf));
      for (const scalar of right.flatMap(scalarsOf)) {
        if (!known.has(scalar)) expect(scalar).toMatch(writes);
      }
    }),
    { numRuns: 1500 },
  );
  // Neither of the two is the rule: the damage is small enough for both.
  expect(Math.min(edited, refused)).toBeGreaterThan(100);
});
