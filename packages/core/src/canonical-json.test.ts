import canonicalize from 'canonicalize';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { canonicalJson } from './canonical-json.ts';

it('writes any JSON value as another implementation of RFC 8785 does', () => {
  const numbers = fc.double({ noNaN: true, noDefaultInfinity: true });
  for (const values of [fc.jsonValue({ stringUnit: 'grapheme', maxDepth: 5 }), numbers]) {
    fc.assert(
      fc.property(values, (value) => {
        expect(canonicalJson(value)).toBe(canonicalize(value));
      }),
    );
  }
});

it('sorts as the RFC does, and keeps a hostile key', () => {
  // The sample of RFC 8785, 3.2.3: U+1F600 comes before U+FB33 by its UTF-16 units.
  const sample = { '\u20ac': 1, '\r': 2, '\ufb33': 3, '1': 4, '\u{1f600}': 5, '\u0080': 6, '\u00f6': 7 };
  expect(canonicalJson(sample)).toBe('{"\\r":2,"1":4,"\u0080":6,"\u00f6":7,"\u20ac":1,"\u{1f600}":5,"\ufb33":3}');
  expect(canonicalJson(JSON.parse('{"b": 1, "__proto__": {"a": 2}}'))).toBe('{"__proto__":{"a":2},"b":1}');
  expect(canonicalJson({ at: new Date(0), none: undefined, list: [undefined] })).toBe(
    '{"at":"1970-01-01T00:00:00.000Z","list":[null]}',
  );
});

it.each([
  Number.NaN,
  Number.POSITIVE_INFINITY,
  '\ud800',
  { '\udfff': 1 },
  undefined,
  1n,
  () => 1,
])('refuses %s', (value) => {
  expect(() => canonicalJson(value)).toThrow(TypeError);
});
