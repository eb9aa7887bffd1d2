import fc from 'fast-check';
import { expect, it } from 'vitest';
import { flattenParams, formatParams, readParams, selectParams } from './params.ts';

function flat(text: string, file = 'params.yaml'): string[] {
  return flattenParams(readParams(text, file)).map(({ name, value }) => `${name}=${value}`);
}

it.each([
  ['a: 8', ['a=8']],
  ['a: 8.0', ['a=8.0']],
  ['a: 0.10', ['a=0.1']],
  ['a: 1e3', ['a=1000.0']],
  ['a: 1e-7', ['a=1e-7']],
  ['a: -0.0', ['a=-0.0']],
  ['a: 0x10', ['a=16']],
  ['a: 9007199254740993', ['a=9007199254740993']],
  ['a: 0.30000000000000004', ['a=0.30000000000000004']],
  ['a: "8"', ['a="8"']],
  ['a: "true"', ['a="true"']],
  ['a: true', ['a=true']],
  ['a: null', ['a=null']],
  ['a: ~', ['a=null']],
  ['a:', ['a=null']],
  ['a: "null"', ['a="null"']],
  ['a: ""', ['a=""']],
  ['a: yes', ['a=yes']],
  ['a: 2024-01-01', ['a=2024-01-01']],
  ['a: {}', ['a={}']],
  ['a: []', ['a=[]']],
  ['a: "{}"', ['a="{}"']],
  ['a: \'"x"\'', ['a="\\"x\\""']],
  ['a: {b: [1, {c: x}]}', ['a.b[0]=1', 'a.b[1].c=x']],
  ['a.b: 1', ['a\\.b=1']],
  ['"a[0]": 1', ['a\\[0]=1']],
  ['x: &x {y: 1}\nz: *x', ['x.y=1', 'z.y=1']],
])('flattens %j', (text, expected) => {
  expect(flat(text)).toEqual(expected);
});

it('reads JSON with its number types', () => {
  expect(flat('{"a": 8, "b": 8.0, "c": [true, null, "x"]}', 'params.json')).toEqual([
    'a=8',
    'b=8.0',
    'c[0]=true',
    'c[1]=null',
    'c[2]=x',
  ]);
});

it('names a long text by its digest', () => {
  expect(flat(`a: ${'x'.repeat(2000)}`)[0]).toMatch(/^a=sha256:[0-9a-f]{64} \(2000 characters\)$/);
});

it.each([
  ['a: .inf', 'params.yaml', /params\.yaml:1: a is not a finite number/],
  ['b: 1\na: .nan', 'params.yaml', /params\.yaml:2: a is not a finite number/],
  ['1: x', 'params.yaml', /a key must be text/],
  ['a: {<<: {b: 1}}', 'params.yaml', /a key must be text, and none is merged in/],
  ['a: 1\na: 2', 'params.yaml', /params\.yaml/],
  ['a: &x [*x]', 'params.yaml', /params\.yaml/],
  ['a: !!python/object:os.system x', 'params.yaml', /params\.yaml/],
  ['a = 1', 'params.toml', /params\.toml is no params file/],
])('refuses %j', (text, file, message) => {
  expect(() => readParams(text, file)).toThrow(message);
});

it('selects declared keys, whole subtrees beside their leaves too', () => {
  const params = readParams('fit: {depth: 8, rate: 0.1}\nfeatures: [a]\nother: 1\n', 'params.yaml');
  const select = (keys: string[]) => {
    const result = selectParams(params, keys);
    return 'selected' in result ? flattenParams(result.selected).map(({ name }) => name) : result;
  };
  expect(select(['fit.depth'])).toEqual(['fit.depth']);
  expect(select(['fit', 'fit.depth'])).toEqual(['fit.depth', 'fit.rate']);
  expect(select(['fit.depth', 'fit', 'features'])).toEqual(['features[0]', 'fit.depth', 'fit.rate']);
  expect(select(['fit.nothing'])).toEqual({ missing: 'fit.nothing', known: ['features', 'fit', 'other'] });
  expect(select(['fit.depth.x'])).toEqual({ missing: 'fit.depth.x', known: ['features', 'fit', 'other'] });
});

it('writes a file that reads as the same params, and never two for one list', () => {
  const value = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      fc.string({ unit: 'binary', maxLength: 8 }),
      fc.constantFrom('8', 'true', '{}', '"x"', 'null', '1.0', 'sha256:x', ''),
      fc.integer(),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.boolean(),
      fc.constant(null),
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(fc.string({ unit: 'binary', maxLength: 5 }), tie('value'), { maxKeys: 3 }),
    ),
  })).value;
  const seen = new Map<string, string>();
  fc.assert(
    fc.property(fc.dictionary(fc.constantFrom('a', 'b', 'a.b', 'a[0]', '"', '\\'), value, { minKeys: 1 }), (object) => {
      const param = readParams(JSON.stringify(object), 'params.json');
      const written = formatParams(param);
      expect(readParams(written, 'params.yaml')).toEqual(param);
      const list = JSON.stringify(flattenParams(param));
      expect(seen.get(list) ?? written).toBe(written);
      seen.set(list, written);
    }),
    { numRuns: 300 },
  );
});
