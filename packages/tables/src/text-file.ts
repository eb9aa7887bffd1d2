import { createReadStream } from 'node:fs';
import path from 'node:path';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { ConfigurationError } from '@passloop/core';

/**
 * A text file's characters in pieces, decompressed by its ending. Leave the loop to close it.
 * @throws ConfigurationError where it cannot be decompressed
 */
export async function* readText(file: string): AsyncGenerator<string> {
  const raw = createReadStream(file);
  const name = file.toLowerCase();
  const decompress = name.endsWith('.gz') ? createGunzip() : name.endsWith('.zst') ? createZstdDecompress() : null;
  const decoder = new TextDecoder();
  try {
    for await (const chunk of decompress === null ? raw : raw.pipe(decompress)) {
      yield decoder.decode(chunk as Buffer, { stream: true });
    }
  } catch (error) {
    if (decompress === null) throw error;
    const message = `${path.basename(file)} cannot be decompressed: ${(error as Error).message}.`;
    throw new ConfigurationError(message, { file, cause: error });
  } finally {
    raw.destroy();
    decompress?.destroy();
  }
}
