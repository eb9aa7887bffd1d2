import { randomBytes } from 'node:crypto';
import { copyFile, mkdir, open, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { quoteText } from './quote.ts';
import type { TableSession } from './session.ts';

/**
 * Writes a query's result as Parquet (zstd), whole or not at all. Give the query an ORDER BY: the same rows then give
 * the same bytes on any number of threads.
 */
export async function writeParquet(session: TableSession, query: string, file: string): Promise<void> {
  const name = `${randomBytes(8).toString('hex')}.parquet`;
  const made = path.join(session.scratch, name);
  const beside = `${file}.${name}.tmp`;
  try {
    await session.run(
      `COPY (${query}) TO ${quoteText(made)} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 122880, PRESERVE_ORDER true)`,
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
