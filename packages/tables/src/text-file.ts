import { createReadStream } from 'node:fs';
import path from 'node:path';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { ConfigurationError } from '@passloop/core';

/**
 * A text file's characters in pieces, decompressed by its ending. Leave the loop to close it.
 * @throws ConfigurationError where it cannot be decompressed
 */
export async function* readText(file: string): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  for await (const chunk of readUnpacked(file)) yield decoder.decode(chunk, { stream: true });
}

/**
 * The engine takes what a packed file has up to where it was cut off for the whole of it, and compares no checksum.
 * @throws ConfigurationError for a packed file that isn't whole
 */
export async function refuseCut(files: readonly string[]): Promise<void> {
  for (const file of files) {
    if (!/\.(gz|zst)$/i.test(file)) continue;
    for await (const _ of readUnpacked(file));
  }
}

async function* readUnpacked(file: string): AsyncGenerator<Buffer> {
  const raw = createReadStream(file);
  const name = file.toLowerCase();
  const decompress = name.endsWith('.gz') ? createGunzip() : name.endsWith('.zst') ? createZstdDecompress() : null;
  try {
    for await (const chunk of decompress === null ? raw : raw.pipe(decompress)) yield chunk as Buffer;
  } catch (error) {
    if (decompress === null) throw error;
    const message = `${path.basename(file)} cannot be decompressed: ${(error as Error).message}.`;
    throw new ConfigurationError(message, { file, cause: error });
  } finally {
    raw.destroy();
    decompress?.destroy();
  }
}
