import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { ConfigurationError, type Digest, PassloopError, plainText } from '@passloop/core';
import { ask, Interrupted, type Patience, patiently, type RemoteObject, reason, refused } from './request.ts';

export type Bounds = {
  /** How many bytes it must be, as the lock says; null where it doesn't. */
  exact: number | null;
  most: number;
  /** Whether `most` is what the lock leaves, and not a limit of the command. */
  isLocked: boolean;
  deadline: AbortSignal;
};

export type Transferred = { digest: Digest; bytes: number; version: string | null };

/**
 * Writes an object to a new file while its digest is made. After a broken connection it goes on where it was, where the
 * server gave a strong etag and keeps to it; else it begins again.
 *
 * @param version the version that the lock names: asked for where the newest is another one
 * @throws ConfigurationError for what the user mends; InfrastructureError after the last attempt
 */
export async function transfer(
  object: RemoteObject,
  file: string,
  bounds: Bounds,
  patience: Patience,
  version: string | null = null,
): Promise<Transferred> {
  const handle = await open(file, 'wx', 0o600);
  try {
    const state: State = { hash: createHash('sha256'), bytes: 0, etag: null, asked: null, version: null };
    await patiently(object, bounds.deadline, patience, () =>
      attemptTransfer(object, handle, state, bounds, patience, version),
    );
    return { digest: `sha256:${state.hash.digest('hex')}`, bytes: state.bytes, version: state.version };
  } finally {
    await handle.close();
  }
}

type State = {
  hash: ReturnType<typeof createHash>;
  bytes: number;
  /** A strong etag: by it a server says that the rest belongs to the beginning. */
  etag: string | null;
  /** The version that is asked for by name. */
  asked: string | null;
  version: string | null;
};

async function attemptTransfer(
  object: RemoteObject,
  handle: FileHandle,
  state: State,
  bounds: Bounds,
  patience: Patience,
  version: string | null,
): Promise<void> {
  const from = state.etag === null ? 0 : state.bytes;
  const range: Record<string, string> =
    from > 0 && state.etag !== null ? { range: `bytes=${from}-`, 'if-range': state.etag } : {};
  const answer = await ask(object, range, state.asked, bounds.deadline, patience);
  try {
    const isRest =
      answer.statusCode === 206 && from > 0 && answer.headers['content-range']?.startsWith(`bytes ${from}-`);
    if (answer.statusCode !== 200 && !isRest) {
      if (answer.statusCode === 206 || answer.statusCode === 416) {
        state.etag = null;
        throw new Interrupted(`it answered ${answer.statusCode} to a request for the rest`);
      }
      throw await refused(object, answer);
    }
    refuseEncoding(object, answer);
    const given = object.versionOf(answer.headers);
    if (version !== null && given !== null && given !== version && state.asked === null) {
      // The newest is another one: the locked one is asked for by name.
      state.asked = version;
      state.etag = null;
      answer.destroy();
      return await attemptTransfer(object, handle, state, bounds, patience, version);
    }
    if (!isRest) {
      state.hash = createHash('sha256');
      state.bytes = 0;
      await handle.truncate(0);
    }
    state.etag = strongEtag(answer);
    state.version = given ?? (answer.headers.etag === undefined ? null : plainText(answer.headers.etag, 200));
    await receive(object, answer, handle, state, bounds);
  } finally {
    answer.destroy();
  }
}

async function receive(
  object: RemoteObject,
  answer: IncomingMessage,
  handle: FileHandle,
  state: State,
  bounds: Bounds,
): Promise<void> {
  const length = answer.headers['content-length'];
  const total = length === undefined ? null : state.bytes + Number(length);
  if (total !== null) checkSize(object, total, bounds, true);
  try {
    for await (const chunk of answer as AsyncIterable<Buffer>) {
      checkSize(object, state.bytes + chunk.length, bounds, false);
      await writeWhole(handle, chunk, state.bytes);
      state.hash.update(chunk);
      state.bytes += chunk.length;
    }
  } catch (error) {
    if (error instanceof PassloopError || isDisk(error)) throw error;
    throw new Interrupted(`the connection broke after ${state.bytes} bytes: ${reason(error)}`);
  }
  const expected = total ?? bounds.exact;
  if (expected !== null && state.bytes < expected)
    throw new Interrupted(`it ended after ${state.bytes} of ${expected} bytes`);
}

async function writeWhole(handle: FileHandle, chunk: Buffer, position: number): Promise<void> {
  let at = 0;
  while (at < chunk.length) {
    const { bytesWritten } = await handle.write(chunk, at, chunk.length - at, position + at);
    at += bytesWritten;
  }
}

function checkSize(object: RemoteObject, bytes: number, { exact, most, isLocked }: Bounds, isWhole: boolean): void {
  if (bytes <= most && (exact === null || !isWhole || bytes === exact)) return;
  if (isLocked) {
    const expected = exact === null ? `at most ${most}` : String(exact);
    const found = isWhole ? `it has ${bytes}` : 'it has more';
    throw new ConfigurationError(`${object.shown} is not what the lock says: expected ${expected} bytes, ${found}.`, {
      hint: changedHint,
    });
  }
  throw new ConfigurationError(
    `${object.shown} has ${isWhole ? `${bytes} bytes` : 'more bytes'}, and without a lock at most ${most} are read.`,
    { hint: 'If that is meant, say how many with --max-bytes.' },
  );
}

export const changedHint =
  'If the change is meant, run `passloop data lock` and commit passloop.lock with it; otherwise restore the object.';

function refuseEncoding(object: RemoteObject, answer: IncomingMessage): void {
  const encoding = answer.headers['content-encoding'];
  if (encoding === undefined || encoding === 'identity' || /\.(gz|zst)$/i.test(object.shown.replace(/\?.*/, '')))
    return;
  throw new ConfigurationError(
    `${object.shown} is sent as ${plainText(encoding, 40)}, so that its own bytes can't be verified.`,
    { hint: 'Store it under a name that ends in .gz or .zst, or without that encoding.' },
  );
}

function strongEtag(answer: IncomingMessage): string | null {
  const { etag } = answer.headers;
  return etag === undefined || !etag.startsWith('"') || answer.headers['accept-ranges'] === 'none' ? null : etag;
}

function isDisk(error: unknown): boolean {
  return error instanceof Error && 'code' in error && ['ENOSPC', 'EDQUOT', 'EFBIG', 'EIO'].includes(String(error.code));
}
