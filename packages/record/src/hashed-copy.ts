import { createHash } from 'node:crypto';
import { open, rm } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Digest } from '@passloop/core';

/**
 * Copies at most `limit` bytes into a new file and hashes what it writes; the file has reached the disk before the answer.
 * A source that doesn't end is cut off at the limit.
 */
export async function copyHashed(
  source: Readable,
  file: string,
  limit = Number.POSITIVE_INFINITY,
): Promise<{ digest: Digest; bytes: number }> {
  const hash = createHash('sha256');
  let bytes = 0;
  async function* counted(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const whole of chunks) {
      const chunk = whole.subarray(0, Math.min(whole.length, limit - bytes));
      hash.update(chunk);
      bytes += chunk.length;
      yield chunk;
      if (bytes >= limit) return;
    }
  }
  const handle = await open(file, 'wx', 0o644);
  try {
    await pipeline(source, counted, handle.createWriteStream({ flush: true }));
  } catch (error) {
    await rm(file, { force: true });
    throw error;
  } finally {
    await handle.close().catch(() => {});
  }
  return { digest: `sha256:${hash.digest('hex')}`, bytes };
}
