/**
 * A path to a table that keeps versions, and the version that stands behind it: `data/sales@v12` of a Delta table, a snapshot's id,
 * tag or branch of an Iceberg table, `data/sales@2379266845067940998`, `data/sales@2024-q1`. Whether it is one, the folder tells.
 */
export function splitVersion(uri: string): { place: string; version: string | null } {
  const [, place, version] = /^(.+)@([A-Za-z0-9][\w.-]{0,99})\/?$/.exec(uri) ?? [];
  return place === undefined || version === undefined ? { place: uri, version: null } : { place, version };
}
