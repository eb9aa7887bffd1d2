import { randomBytes } from 'node:crypto';
import { rm, stat, statfs } from 'node:fs/promises';
import path from 'node:path';
import { PassloopError } from '@passloop/core';
import type { Engine } from './engine.ts';
import { quoteText } from './quote.ts';

/** Below this a text file is parsed as often as it is asked for. */
const smallBytes = 16 << 20;

/** Whether a copy is worth its time. */
export async function isLargeText(files: readonly string[]): Promise<boolean> {
  return (await textBytes(files)) >= smallBytes;
}

/** What is packed counts for what it may hold. */
async function textBytes(files: readonly string[]): Promise<number> {
  let bytes = 0;
  for (const file of files) bytes += (await stat(file)).size * (/\.(gz|zst)$/i.test(file) ? 8 : 1);
  return bytes;
}

/**
 * Copies a large table of text into a private Parquet file, for the queries to come: each would parse all of its bytes again, and hold them in
 * memory where it needs few columns. Values and types are the same.
 *
 * @param reader SQL for FROM
 * @returns the copy, and SQL for FROM that reads it; null where there is no room, or a type has no equal in Parquet
 */
export async function parquetCopy(
  engine: Engine,
  reader: string,
  { files, scratch }: { files: readonly string[]; scratch: string },
): Promise<{ file: string; relation: string } | null> {
  const bytes = await textBytes(files);
  const { bavail, bsize } = await statfs(scratch);
  // Half of what is there is left to queries that spill.
  if (bavail * bsize < 2 * bytes) return null;
  const file = path.join(scratch, `copy-${randomBytes(8).toString('hex')}.parquet`);
  const copy = `read_parquet(${quoteText(file)}, hive_partitioning = false)`;
  try {
    await engine.run(`COPY (SELECT * FROM ${reader}) TO ${quoteText(file)} (FORMAT parquet, COMPRESSION snappy)`);
    const [before, after] = [await described(engine, reader), await described(engine, copy)];
    if (before === after) return { file, relation: copy };
  } catch (error) {
    // What is wrong with the table is told by whoever reads it as it is.
    if (!(error instanceof PassloopError)) throw error;
  }
  await rm(file, { force: true });
  return null;
}

async function described(engine: Engine, relation: string): Promise<string> {
  return JSON.stringify(await engine.rows(`SELECT column_name, column_type FROM (DESCRIBE FROM ${relation})`));
}
