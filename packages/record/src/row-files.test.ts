import { randomBytes } from 'node:crypto';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { ConfigurationError, sha256, type TemporaryFolder, temporaryFolder } from '@passloop/core';
import { Encrypter, generateX25519Identity, identityToRecipient } from 'age-encryption';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { newHandOverKey } from './hand-over-key.ts';
import { decryptFile, encryptFile } from './row-files.ts';

let folder: TemporaryFolder;
let count = 0;
let key: { identity: string; recipient: string };

beforeAll(async () => {
  folder = await temporaryFolder('row-files');
  key = await newHandOverKey();
});
afterAll(() => folder[Symbol.asyncDispose]());

async function place(): Promise<string> {
  count += 1;
  return path.join(folder.path, String(count));
}

async function written(content: string | Uint8Array): Promise<string> {
  const file = `${await place()}-source`;
  await writeFile(file, content);
  return file;
}

async function encrypted(content: string | Uint8Array, recipient = key.recipient): Promise<string> {
  const target = path.join(await place(), 'rows.age');
  await encryptFile(await written(content), target, recipient);
  return target;
}

async function decrypt(source: string, maxBytes = 1 << 20): Promise<string> {
  const target = path.join(await place(), 'rows');
  await decryptFile(source, target, { identity: key.identity, maxBytes, name: 'rows.age' });
  return target;
}

async function refusalOf(source: string, maxBytes?: number): Promise<string> {
  const before = count;
  const failure = await decrypt(source, maxBytes).then(
    () => new Error('nothing was refused'),
    (error: unknown) => error,
  );
  expect(failure).toBeInstanceOf(ConfigurationError);
  // The folder may be there; nothing of the plain text is.
  expect(await readdir(path.join(folder.path, String(before + 1))).catch(() => [])).toEqual([]);
  return (failure as Error).message;
}

it.each([0, 1, 65_535, 65_536, 65_537, 700_000])('gives back %i bytes as they were', async (bytes) => {
  const content = randomBytes(bytes);
  const file = await encrypted(content);
  expect((await stat(file)).size).toBeGreaterThan(bytes);
  if (bytes > 16) expect((await readFile(file)).includes(content.subarray(0, 64))).toBe(false);
  expect(sha256(await readFile(await decrypt(file)))).toBe(sha256(content));
});

it('says what the plain file is', async () => {
  const target = path.join(await place(), 'rows');
  const options = { identity: key.identity, maxBytes: 3, name: 'rows.age' };
  expect(await decryptFile(await encrypted('abc'), target, options)).toEqual({ digest: sha256('abc'), bytes: 3 });
});

it("names a file that is encrypted to another's key, and how to come out of it", async () => {
  const other = await identityToRecipient(await generateX25519Identity());
  expect(await refusalOf(await encrypted('rows', other))).toMatch(
    /^rows\.age can't be read: it is encrypted to another key/,
  );
});

it('refuses a file that was cut off at a block, in a block, lengthened or changed', async () => {
  const whole = await readFile(await encrypted(randomBytes(200_000)));
  const header = whole.indexOf('\n--- ') + 5 + 43 + 1 + 16;
  const changed = Buffer.from(whole);
  changed[whole.length - 40] = (changed[whole.length - 40] ?? 0) ^ 1;
  for (const bytes of [
    whole.subarray(0, header + 65_552),
    whole.subarray(0, whole.length - 1000),
    whole.subarray(0, header),
    Buffer.concat([whole, Buffer.from('x')]),
    changed,
  ]) {
    expect(await refusalOf(await written(bytes))).toMatch(/cut off or changed after it was encrypted/);
  }
});

it.each([
  ['nothing', ''],
  ['garbage', randomBytes(5000)],
  ['a header that doesn’t end', `age-encryption.org/v1\n-> X25519 ${'A'.repeat(200_000)}`],
  ['many stanzas before the end', `age-encryption.org/v1\n${'-> a b\n\n'.repeat(50_000)}--- x\n`],
  ['another version', 'age-encryption.org/v2\n-> X25519 x\n\n--- x\n'],
])('refuses %s', async (_title, content) => {
  expect(await refusalOf(await written(content))).toMatch(/it is no age file/);
});

it('refuses a header that is none, behind the right first line', async () => {
  expect(await refusalOf(await written('age-encryption.org/v1\n-> X25519 x\n!!\n--- x\n'))).toMatch(
    /cut off or changed/,
  );
});

it('asks nobody for a passphrase, whoever encrypted with one', async () => {
  const encrypter = new Encrypter();
  encrypter.setScryptWorkFactor(4);
  encrypter.setPassphrase('secret');
  expect(await refusalOf(await written(await encrypter.encrypt('rows')))).toMatch(/another key/);
});

it('takes no more bytes than it may', async () => {
  expect(await refusalOf(await encrypted(Buffer.alloc(300_000)), 200_000)).toMatch(/it has more than 200000 bytes/);
});

it.each([
  '',
  'age1',
  'ssh-ed25519 AAAA',
  `age1${'q'.repeat(58)}\n`,
  'AGE-SECRET-KEY-1',
  `age1pq1${'q'.repeat(55)}`,
])('encrypts to no %j', async (recipient) => {
  await expect(encrypted('rows', recipient)).rejects.toThrow();
});
