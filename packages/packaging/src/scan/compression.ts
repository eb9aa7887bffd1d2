import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createInflate, createInflateRaw } from 'node:zlib';
import { ByteSource } from './byte-source.ts';
import { ScanStop } from './finding.ts';
import type { PickleScan } from './pickle-policy.ts';

const engines = { zlib: createInflate, gzip: createGunzip, deflate: createInflateRaw };

export interface Decompressed extends AsyncDisposable {
  source: ByteSource;
  /** Bytes of the file behind its compressed data. */
  trailing: number;
}

/**
 * The content of a zlib or gzip file, or of a deflated member of a zip, in a temporary file that goes away with the result. Throws ScanStop `limit` when it
 * becomes larger than `limit` bytes, `malformed` when it is damaged.
 */
export async function decompressed(
  source: ByteSource,
  format: 'zlib' | 'gzip' | 'deflate',
  scan: PickleScan,
): Promise<Decompressed> {
  const limit = scan.limits.decompressedBytes;
  const folder = await mkdtemp(join(tmpdir(), 'passloop-scan-'));
  const handle = await open(join(folder, 'content'), 'wx+', 0o600);
  const dispose = async () => {
    await handle.close();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const inflate = engines[format]();
    let size = 0;
    await pipeline(source.chunks(), inflate, async (content: AsyncIterable<Buffer>) => {
      for await (const chunk of content) {
        size += chunk.length;
        scan.decompressed += chunk.length;
        if (scan.decompressed > limit)
          throw new ScanStop('limit', `the decompressed file has more than ${limit} bytes.`);
        await handle.appendFile(chunk);
      }
    });
    return {
      source: new ByteSource({ file: handle.fd, size }),
      trailing: source.size - inflate.bytesWritten,
      [Symbol.asyncDispose]: dispose,
    };
  } catch (error) {
    await dispose();
    if (error instanceof ScanStop) throw error;
    throw new ScanStop(
      'malformed',
      `the compressed data is damaged: ${error instanceof Error ? error.message : String(error)}.`,
    );
  }
}
