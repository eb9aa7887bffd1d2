import { ConfigurationError, isInsidePath, plainText } from '@passloop/core';

/**
 * A path of a table's metadata, which is an absolute address, as a path below the table's folder: the folder that is read is the
 * one that the metadata calls `location`, wherever it was when the table was written.
 *
 * @throws ConfigurationError for whatever lies elsewhere
 */
export function placeBelow(table: string, location: string, address: string): string {
  const base = `${plain(location).replace(/\/+$/, '')}/`;
  const full = plain(address);
  const below = full.startsWith(base) ? full.slice(base.length) : null;
  if (below !== null && isInsidePath(below) && below.split('/').every(isName)) return below;
  throw new ConfigurationError(
    `${table} has a file outside of its folder: ${JSON.stringify(plainText(address))}. Only files below its location, ${JSON.stringify(plainText(location))}, are read.`,
    {
      file: table,
      hint: 'Files that were added to the table or moved elsewhere (write.data.path) have to be rewritten into its folder.',
    },
  );
}

function isName(part: string): boolean {
  return part !== '' && part !== '.' && part !== '..' && !/[\p{Cc}]/u.test(part);
}

/** Addresses of one file that writers spell in several ways: `file:/a`, `file:///a` and `/a`; `s3a://` and `s3://`. */
function plain(address: string): string {
  return address.replace(/^file:(\/\/)?(?=\/)/, '').replace(/^s3[an]:\/\//, 's3://');
}
