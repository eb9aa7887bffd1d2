import canonicalize from 'canonicalize';

/** RFC 8785 (JCS) text of a value. Throws on NaN, Infinity and anything that JSON has no form for. */
export function canonicalJson(value: unknown): string {
  const text = canonicalize(value);
  if (text === undefined) throw new TypeError('The value has no JSON form.');
  return text;
}
