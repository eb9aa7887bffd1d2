import type { ByteSource } from './byte-source.ts';
import { ScanStop } from './finding.ts';
import { itemSize } from './numpy-dtype.ts';
import { ofKind, type PickleValue } from './pickle-value.ts';

/** How joblib laid out an array behind its wrapper: a pickle of its own, or raw bytes after some padding. */
export type ArrayLayout = { kind: 'pickle' } | { kind: 'raw'; bytes: number; aligned: boolean };

/**
 * The layout that `joblib.numpy_pickle.NumpyArrayWrapper` has by the state it is given. Everything must be literal: where
 * the bytes end decides what the rest of the file means. Throws ScanStop `array-framing`.
 */
export function arrayLayout(state: PickleValue | undefined): ArrayLayout {
  const given = ofKind(state, 'dict');
  if (given?.computed) throw framing('a name in its state is computed');
  const entries = given?.entries;
  const shape = ofKind(entries?.get('shape'), 'tuple')?.items;
  if (!entries || !shape) throw framing('its state names no shape');
  const itemsize = itemSize(entries.get('dtype'));
  if (itemsize === undefined) throw framing('its dtype is not one that numpy writes');
  if (itemsize === 'objects') return { kind: 'pickle' };
  let count = 1;
  for (const size of shape) {
    if (typeof size !== 'number' || !Number.isInteger(size) || size < 0) throw framing('its shape is no list of sizes');
    count *= size;
  }
  if (!Number.isSafeInteger(count * itemsize)) throw framing('its shape is larger than any file');
  const alignment = entries.get('numpy_array_alignment_bytes') ?? null;
  if (alignment !== null && typeof alignment !== 'number') throw framing('its alignment is not literal');
  return { kind: 'raw', bytes: count * itemsize, aligned: alignment !== null };
}

/** Moves behind a raw array: one byte with the length of the padding, the padding, the array. */
export function skipArray(source: ByteSource, layout: { bytes: number; aligned: boolean }): void {
  if (layout.aligned) source.skip(source.u8());
  source.skip(layout.bytes);
}

function framing(what: string): ScanStop {
  return new ScanStop('array-framing', `an array of joblib cannot be followed: ${what}.`);
}
