import { type Instance, ofKind, type PickleValue } from './pickle-value.ts';

export function isDtype(instance: Instance): boolean {
  return instance.of.module === 'numpy' && instance.of.name === 'dtype';
}

/**
 * Bytes of an item of a pickled numpy dtype, such as numpy.dtype('f8', False, True) with the state (3, '<', None, None,
 * None, -1, -1, 0), or 'objects' when its arrays hold Python objects. numpy believes the state, also where it contradicts
 * the type: such a dtype, and one that isn't literal, is undefined. Source: arraydescr_reduce and arraydescr_setstate.
 */
export function itemSize(dtype: PickleValue | undefined, depth = 0): number | 'objects' | undefined {
  const instance = ofKind(dtype, 'instance');
  const code = instance?.args[0];
  if (!instance || !isDtype(instance) || typeof code !== 'string' || depth > 8) return undefined;
  const [, kind, digits] = /^([biufcmMOSUV])(\d{1,9})$/.exec(code) ?? [];
  if (!kind) return undefined;
  const size = Number(digits) * (kind === 'U' ? 4 : 1);
  if (instance.state === undefined) return kind === 'O' ? 'objects' : kind === 'V' ? undefined : size;
  const state = ofKind(instance.state, 'tuple')?.items;
  const flags = state?.[7];
  if (!state || typeof flags !== 'number') return undefined;
  const objects = (flags & 1) === 1;
  // Without all of these, numpy takes bytes for the addresses of objects (ITEM_REFCOUNT, LIST_PICKLE, NEEDS_INIT, NEEDS_PYAPI).
  if (objects && (flags & 27) !== 27) return undefined;
  if (kind === 'O') return objects ? 'objects' : undefined;
  if (kind === 'V') return state[5] === size ? recordSize(state, size, objects, depth) : undefined;
  if (objects || ('SU'.includes(kind) && state[5] !== size)) return undefined;
  return size;
}

/** A record holds objects exactly if one of its fields, or the items of its subarray, do; and its fields lie within it. */
function recordSize(
  state: readonly PickleValue[],
  size: number,
  objects: boolean,
  depth: number,
): number | 'objects' | undefined {
  const parts: [PickleValue | undefined, number][] = [];
  if (state[2] !== null) parts.push([ofKind(state[2], 'tuple')?.items[0], 0]);
  if (state[4] !== null) {
    const given = ofKind(state[4], 'dict');
    const fields = given?.computed ? undefined : given?.entries;
    const names = ofKind(state[3], 'tuple')?.items;
    if (!fields || !names || names.length >= 1024) return undefined;
    for (const name of names) {
      const field = typeof name === 'string' ? ofKind(fields.get(name), 'tuple')?.items : undefined;
      if (typeof field?.[1] !== 'number') return undefined;
      parts.push([field[0], field[1]]);
    }
  }
  let held = false;
  for (const [part, offset] of parts) {
    const partSize = itemSize(part, depth + 1);
    if (partSize === undefined || offset < 0 || offset + (partSize === 'objects' ? 8 : partSize) > size)
      return undefined;
    held ||= partSize === 'objects';
  }
  if (held !== objects) return undefined;
  return objects ? 'objects' : size;
}
