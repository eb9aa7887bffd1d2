import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { copyFile, mkdir, open, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { quoteText } from './quote.ts';
import type { TableSession } from './session.ts';

/**
 * Writes a query's result as Parquet (zstd), whole or not at all. Give the query an ORDER BY: the same rows then give
 * the same bytes on any number of threads.
 * @param mark a word that the file's metadata holds, by which {@link isMarkedParquet} knows it again
 */
export async function writeParquet(session: TableSession, query: string, file: string, mark?: string): Promise<void> {
  const name = `${randomBytes(8).toString('hex')}.parquet`;
  const made = path.join(session.scratch, name);
  const marked = mark === undefined ? '' : `, KV_METADATA {${mark}: 'true'}`;
  const beside = `${file}.${name}.tmp`;
  try {
    await session.run(
      `COPY (${query}) TO ${quoteText(made)} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 122880, PRESERVE_ORDER true${marked})`,
    );
    await mkdir(path.dirname(file), { recursive: true });
    // The scratch folder may lie on another file system, where a rename does not reach.
    await copyFile(made, beside);
    const handle = await open(beside, 'r+');
    await handle.sync().finally(() => handle.close());
    await rename(beside, file);
  } finally {
    await rm(made, { force: true });
    await rm(beside, { force: true });
  }
}

/**
 * Writes a query's result as Parquet, wherever its rows lie.
 * @param order the file's, as after ORDER BY
 * @param target a file; where the rows lie on a cluster, also an address of its storage, which becomes a folder of files
 */
export async function writeRows(
  session: TableSession,
  query: string,
  order: string,
  target: string,
  mark: string,
): Promise<void> {
  if (session.exports !== null) return session.exports.write(query, order, target, mark);
  return writeParquet(session, `SELECT * FROM (${query}) ORDER BY ${order}`, target, mark);
}

const longestFooter = 16 << 20;

/** Whether a regular file (no link to one) is Parquet that {@link writeParquet} wrote with that mark: its footer says so. */
export async function isMarkedParquet(file: string, mark: string): Promise<boolean> {
  const handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch(() => null);
  if (handle === null) return false;
  try {
    const stat = await handle.stat();
    const { size } = stat;
    if (!stat.isFile() || size < 12) return false;
    const end = Buffer.alloc(8);
    await handle.read(end, 0, 8, size - 8);
    const length = end.readUInt32LE(0);
    if (end.toString('latin1', 4) !== 'PAR1' || length > size - 12 || length > longestFooter) return false;
    const footer = Buffer.alloc(length);
    await handle.read(footer, 0, length, size - 8 - length);
    return footer.includes(mark);
  } finally {
    await handle.close();
  }
}
