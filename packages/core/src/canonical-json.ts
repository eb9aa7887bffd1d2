/**
 * RFC 8785 (JCS) text of a value: keys in the order of their UTF-16 units, numbers and strings as ECMAScript writes them.
 * Throws on NaN, Infinity, a lone surrogate and anything that JSON has no form for.
 */
export function canonicalJson(value: unknown): string {
  switch (typeof value) {
    case 'string':
      if (!value.isWellFormed()) throw new TypeError('A string with a lone surrogate has no canonical JSON form.');
      return JSON.stringify(value);
    case 'number':
      if (!Number.isFinite(value)) throw new TypeError(`${value} has no JSON form.`);
      return JSON.stringify(value);
    case 'boolean':
      return value ? 'true' : 'false';
    case 'object':
      return value === null ? 'null' : Array.isArray(value) ? canonicalArray(value) : canonicalObject(value);
    default:
      throw new TypeError(`A ${typeof value} has no JSON form.`);
  }
}

function canonicalArray(values: readonly unknown[]): string {
  let text = '[';
  for (const [index, value] of values.entries()) text += `${index === 0 ? '' : ','}${canonicalJson(value ?? null)}`;
  return `${text}]`;
}

function canonicalObject(object: object): string {
  if ('toJSON' in object && typeof object.toJSON === 'function') return canonicalJson(object.toJSON());
  let text = '{';
  for (const key of Object.keys(object).sort()) {
    const value = (object as Record<string, unknown>)[key];
    if (value === undefined) continue;
    text += `${text === '{' ? '' : ','}${canonicalJson(key)}:${canonicalJson(value)}`;
  }
  return `${text}}`;
}
