import path from 'node:path';
import { splitVersion } from '../versioned.ts';
import { type IcebergAddress, isIceberg } from './iceberg-files.ts';

/**
 * What an address means where it is one of an Iceberg table: its folder, or a metadata file of it, perhaps with a snapshot's id, a
 * tag or a branch behind `@`. Null for every other address. `place` is the folder as the user wrote it.
 */
export async function icebergAddress(uri: string, root: string): Promise<(IcebergAddress & { place: string }) | null> {
  const { place, version } = splitVersion(uri);
  for (const [address, snapshot] of [[uri, null] as const, [place, version] as const]) {
    const [, above, file = null] = /^(.*?)\/?metadata\/([^/]+\.metadata\.json(?:\.gz)?)$/.exec(address) ?? [];
    const written = above === undefined ? address : above || (address.startsWith('/') ? '/' : '.');
    const folder = path.resolve(root, written);
    if (await isIceberg(folder)) return { folder, file, snapshot, locked: null, place: written };
  }
  return null;
}
