import { expect, it } from 'vitest';
import { parseYaml, refuseRounded } from './yaml.ts';

it('knows the line of every path', () => {
  const source = parseYaml('a: 1\nb:\n  - x: 1\n    y: [2, 3]\n  - {z: 4}\n"c d": |\n  text\n', 'f.yaml');
  expect(source.value).toEqual({ a: 1, b: [{ x: 1, y: [2, 3] }, { z: 4 }], 'c d': 'text\n' });
  expect(source.lineOf(['a'])).toBe(1);
  expect(source.lineOf(['b'])).toBe(2);
  expect(source.lineOf(['b', 0, 'y'])).toBe(4);
  expect(source.lineOf(['b', 0, 'y', 1])).toBe(4);
  expect(source.lineOf(['b', 1, 'z'])).toBe(5);
  expect(source.lineOf(['c d'])).toBe(6);
  expect(source.lineOf(['b', 1, 'missing', 'deep'])).toBe(5);
});

function bomb(levels: number): string {
  const lines = ['a0: &a0 [x, x]'];
  for (let level = 1; level <= levels; level += 1) {
    lines.push(
      `a${level}: &a${level} [${Array(9)
        .fill(`*a${level - 1}`)
        .join(', ')}]`,
    );
  }
  return `${lines.join('\n')}\n`;
}

it.each([
  ['a bomb of aliases', bomb(9), /alias/i],
  ['two documents', 'a: 1\n---\nb: 2\n', /2 YAML documents/],
  ['a duplicate key', 'a: 1\na: 2\n', /duplicat/i],
  ['a foreign tag', 'a: !!js/function x\n', /tag/i],
  ['deep nesting', `${'['.repeat(60)}${']'.repeat(60)}`, /./],
  ['a circle', 'a: &x\n  b: *x\n', /./],
  ['too many nodes', `[${'1,'.repeat(210_000)}1]`, /more than 200000/],
  ['broken syntax', 'a: [1, 2\nb: 3\n', /not valid YAML/],
])('refuses %s', (_name, text, message) => {
  expect(() => parseYaml(text, 'f.yaml')).toThrow(message);
});

it('keeps a hostile key as an own key', () => {
  const value = parseYaml('__proto__: {polluted: 1}\n', 'f.yaml').value as object;
  expect(Object.keys(value)).toEqual(['__proto__']);
  expect(({} as { polluted?: number }).polluted).toBeUndefined();
});

it('tells whole numbers that no double is', () => {
  const text =
    'a: 9007199254740992\nb: ["9007199254740993", 1e18, 100000000000000000000, 19207391397288743000]\nc: {d: 9007199254740993}\n';
  const source = parseYaml(text, 'f.yaml');
  expect(source.rounded).toEqual([{ text: '9007199254740993', line: 3 }]);
  expect(() => refuseRounded(source)).toThrow('f.yaml:3: 9007199254740993 would be read as 9007199254740992.');
});
