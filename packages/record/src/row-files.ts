import { createReadStream } from 'node:fs';
import { mkdir, open, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';
import { ConfigurationError, type Digest, plainText } from '@passloop/core';
import { Recipient } from './hand-over-key.ts';
import { copyHashed } from './hashed-copy.ts';

/**
 * Files of rows on their way between jobs, in the age format (age-encryption.org/v1): encrypted to the store's recipient by who
 * holds no credential, decrypted by who may read the store. Nothing here holds a file in memory.
 */

/** What an encrypted file is called: the plain name, and this behind it. */
export const encryptedEnding = '.age';

/** An age header of one recipient has some 200 bytes; the library keeps a whole header in memory. */
const maxHeaderBytes = 16 * 1024;

/** @throws ConfigurationError where `recipient` is no age recipient of the kind that a store has */
export async function encryptFile(source: string, target: string, recipient: string): Promise<void> {
  if (!Recipient.safeParse(recipient).success) {
    throw new ConfigurationError(`${JSON.stringify(plainText(recipient, 80))} is no age recipient.`, {
      hint: "It is the output `recipient` of the job that plans; leave it empty where that job can't read the store.",
    });
  }
  const { Encrypter } = await import('age-encryption');
  const encrypter = new Encrypter();
  encrypter.addRecipient(recipient);
  const encrypted = await encrypter.encrypt(webStream(source));
  await mkdir(path.dirname(target), { recursive: true });
  await copyHashed(nodeStream(encrypted), target);
}

/**
 * Writes the plain file, or nothing: a file that was cut off, changed, encrypted to another key or is larger than `maxBytes` leaves no
 * trace.
 * @param name of the file, for messages
 * @returns what the plain file is
 * @throws ConfigurationError that says which of these it was
 */
export async function decryptFile(
  source: string,
  target: string,
  options: { identity: string; maxBytes: number; name: string },
): Promise<{ digest: Digest; bytes: number }> {
  const { identity, maxBytes, name } = options;
  if (!(await hasHeader(source))) throw unreadable(name, 'it is no age file');
  const { Decrypter } = await import('age-encryption');
  const decrypter = new Decrypter();
  decrypter.addIdentity(identity);
  await mkdir(path.dirname(target), { recursive: true });
  let written: { digest: Digest; bytes: number };
  try {
    written = await copyHashed(nodeStream(await decrypter.decrypt(webStream(source))), target, maxBytes + 1);
  } catch (error) {
    const said = error instanceof Error ? error.message : '';
    if (said.includes('no identity matched')) {
      throw new ConfigurationError(`${name} can't be read: it is encrypted to another key than this store's.`, {
        hint: "Run the whole workflow again: the plan hands out the store's present recipient.",
      });
    }
    throw unreadable(name, 'it was cut off or changed after it was encrypted');
  }
  if (written.bytes > maxBytes) {
    await rm(target, { force: true });
    throw unreadable(name, `it has more than ${maxBytes} bytes`);
  }
  return written;
}

function unreadable(name: string, why: string): ConfigurationError {
  return new ConfigurationError(`${name} can't be read: ${why}.`);
}

async function hasHeader(file: string): Promise<boolean> {
  const { size } = await stat(file);
  const handle = await open(file);
  try {
    const start = Buffer.alloc(Math.min(size, maxHeaderBytes));
    await handle.read(start, 0, start.length, 0);
    const text = start.toString('latin1');
    return text.startsWith('age-encryption.org/v1\n') && text.includes('\n--- ');
  } finally {
    await handle.close();
  }
}

function webStream(file: string): globalThis.ReadableStream<Uint8Array> {
  return Readable.toWeb(createReadStream(file, { highWaterMark: 1 << 18 })) as globalThis.ReadableStream<Uint8Array>;
}

function nodeStream(stream: globalThis.ReadableStream<Uint8Array>): Readable {
  return Readable.fromWeb(stream as unknown as ReadableStream<Uint8Array>);
}
