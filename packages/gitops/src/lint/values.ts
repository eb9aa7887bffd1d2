import type { YamlPath } from '@passloop/core';

/** Plain values of an untrusted document: what isn't of the asked shape is absent. */
export type Fields = Readonly<Record<string, unknown>>;

/** A value with the path at which it stands. */
export type Placed<Value> = { path: YamlPath; value: Value };

export function fieldsOf(value: unknown): Fields | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : null;
}

/** Own keys only: `__proto__` and `constructor` are names like any other. */
export function valueAt(value: unknown, path: YamlPath): unknown {
  let current = value;
  for (const step of path) {
    if (Array.isArray(current)) current = current[Number(step)];
    else if (fieldsOf(current) !== null && Object.hasOwn(current as object, String(step)))
      current = (current as Fields)[String(step)];
    else return undefined;
  }
  return current;
}

export function textAt(value: unknown, ...path: YamlPath): string | null {
  const found = valueAt(value, path);
  return typeof found === 'string' ? found : null;
}

/** Null where nothing stands there; not a number where something else does. */
export function numberAt(value: unknown, ...path: YamlPath): number | null {
  const found = valueAt(value, path);
  if (found === undefined || found === null) return null;
  return typeof found === 'number' ? found : Number.NaN;
}

/** The mappings of a list, each with its path. */
export function itemsAt(value: unknown, path: YamlPath): Placed<Fields>[] {
  const found = valueAt(value, path);
  if (!Array.isArray(found)) return [];
  return found.flatMap((item: unknown, index) => {
    const fields = fieldsOf(item);
    return fields === null ? [] : [{ path: [...path, index], value: fields }];
  });
}

/** The second and every further one of what has the same key. */
export function repeated<Value>(values: readonly Value[], keyOf: (value: Value) => string | null): Value[] {
  const seen = new Set<string>();
  return values.filter((value) => {
    const key = keyOf(value);
    if (key === null) return false;
    if (seen.has(key)) return true;
    seen.add(key);
    return false;
  });
}
