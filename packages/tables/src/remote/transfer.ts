import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import http, { type IncomingMessage } from 'node:http';
import https from 'node:https';
import { setTimeout as delay } from 'node:timers/promises';
import { ConfigurationError, type Digest, InfrastructureError, PassloopError, plainText } from '@passloop/core';

/** How long a transfer may take, and how often it is tried. */
export type Patience = {
  /** Without a byte, a connection counts as dead. */
  idleMs: number;
  /** For all files of a table together. */
  totalMs: number;
  /** Before each further attempt. */
  delaysMs: readonly number[];
};

export const usualPatience: Patience = { idleMs: 30_000, totalMs: 3_600_000, delaysMs: [500, 1000, 2000, 4000] };

export type Outgoing = { url: URL; headers: Record<string, string> };

/** One object of a server, and how its server refuses. */
export type RemoteObject = {
  /** What messages call it. */
  shown: string;
  /** Made anew for each attempt: a signature holds for minutes. `version` asks for that one instead of the newest. */
  request(version: string | null): Outgoing;
  /** A refusal in words that a person can act on; null where the status says enough. */
  refusal(answer: Refused): PassloopError | null;
  /** The version that an answer names, apart from the etag. */
  versionOf(headers: IncomingMessage['headers']): string | null;
  /** Whether a redirect on the same host is followed. */
  followsRedirects: boolean;
};

export type Refused = { status: number; headers: IncomingMessage['headers']; body: string };

export type Bounds = {
  /** How many bytes it must be, as the lock says; null where it doesn't. */
  exact: number | null;
  most: number;
  /** Whether `most` is what the lock leaves, and not a limit of the command. */
  isLocked: boolean;
  deadline: AbortSignal;
};

export type Transferred = { digest: Digest; bytes: number; version: string | null };

/** Something that another attempt may mend. */
class Interrupted extends Error {}

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
    for (let attempt = 0; ; attempt++) {
      try {
        await attemptTransfer(object, handle, state, bounds, patience, version);
        return { digest: `sha256:${state.hash.digest('hex')}`, bytes: state.bytes, version: state.version };
      } catch (error) {
        if (bounds.deadline.aborted) throw late(object, patience);
        if (!(error instanceof Interrupted)) throw error;
        const wait = patience.delaysMs[attempt];
        if (wait === undefined) throw unreachable(object, attempt + 1, error);
        await delay(wait, undefined, { signal: bounds.deadline }).catch(() => {
          throw late(object, patience);
        });
      }
    }
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
      await handle.write(chunk, 0, chunk.length, state.bytes);
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

const longestRefusal = 64 << 10;

/** One request and its answer's head; redirects on the same host are followed where the object says so. */
async function ask(
  object: RemoteObject,
  headers: Record<string, string>,
  version: string | null,
  deadline: AbortSignal,
  patience: Patience,
): Promise<IncomingMessage> {
  const first = object.request(version);
  let url = first.url;
  for (let hops = 0; hops <= 5; hops++) {
    const answer = await send({ url, headers: { ...first.headers, ...headers } }, deadline, patience);
    const status = answer.statusCode ?? 0;
    if (!object.followsRedirects || status < 300 || status > 399 || status === 304) return answer;
    answer.destroy();
    url = nextPlace(object, url, answer.headers.location);
  }
  throw new ConfigurationError(`${object.shown} redirects in a circle.`);
}

function nextPlace(object: RemoteObject, from: URL, location: string | undefined): URL {
  const next = location === undefined ? null : URL.parse(location, from.href);
  if (next === null) throw new ConfigurationError(`${object.shown} redirects to no address.`);
  if (next.host === from.host && next.protocol === from.protocol) return next;
  throw new ConfigurationError(
    `${object.shown} redirects to another place, ${plainText(`${next.protocol}//${next.host}`, 120)}, which was not asked to be read.`,
    {
      hint: 'Name the address there, if it lasts: Passloop reads from the hosts that the model file or the command names.',
    },
  );
}

function send(request: Outgoing, deadline: AbortSignal, { idleMs }: Patience): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const get: typeof http.get = request.url.protocol === 'https:' ? https.get : http.get;
  const headers = { 'accept-encoding': 'identity', 'user-agent': 'passloop', ...request.headers };
  const sent = get(request.url, { headers, signal: deadline }, resolve);
  sent.setTimeout(idleMs, () => sent.destroy(new Error(`nothing came for ${idleMs / 1000} s`)));
  sent.on('error', (error) => reject(new Interrupted(reason(error))));
  return promise;
}

/** What an answer that gives nothing means: an error of ours, or one that another attempt may mend. */
async function refused(object: RemoteObject, answer: IncomingMessage): Promise<Error> {
  const status = answer.statusCode ?? 0;
  const said = { status, headers: answer.headers, body: await bodyText(answer) };
  if (status >= 500 || status === 429 || status === 408) return new Interrupted(`it answered ${status}`);
  const own = object.refusal(said);
  if (own !== null) return own;
  if (status === 404 || status === 410)
    return new ConfigurationError(`There is nothing at ${object.shown} (${status}).`);
  if (status === 401 || status === 403) {
    return new ConfigurationError(`${object.shown} may not be read without a credential (${status}).`, {
      hint: 'Passloop sends none to https:// addresses. Keep the object in a bucket (s3://, gs://), or fetch it in an earlier step.',
    });
  }
  return new ConfigurationError(`${object.shown} can't be read: the server answered ${status}.`);
}

/** At most 64 KiB of a body, as text; what was cut off is left. */
async function bodyText(answer: IncomingMessage, limit = longestRefusal): Promise<string> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of answer as AsyncIterable<Buffer>) {
      pieces.push(chunk);
      bytes += chunk.length;
      if (bytes > limit) break;
    }
  } catch {
    // What came is enough for a message.
  }
  return Buffer.concat(pieces).toString('utf8').slice(0, limit);
}

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

function reason(error: unknown): string {
  if (!(error instanceof Error)) return plainText(String(error));
  const code = 'code' in error ? String(error.code) : '';
  return plainText(error.message === '' ? code : error.message);
}

function unreachable(object: RemoteObject, attempts: number, error: Interrupted): InfrastructureError {
  return new InfrastructureError(`${object.shown} could not be read in ${attempts} attempts: ${error.message}.`, {
    hint: 'Try again later; nothing half-read was kept.',
    cause: error,
  });
}

function late(object: RemoteObject, { totalMs }: Patience): InfrastructureError {
  return new InfrastructureError(`${object.shown} was not read within ${Math.round(totalMs / 1000)} s.`, {
    hint: 'Try again on a faster line, or split the table.',
  });
}

/** Repeats a small request that was interrupted, with the same patience as a transfer. */
export async function askText(
  object: RemoteObject,
  deadline: AbortSignal,
  patience: Patience,
  limit: number,
): Promise<string> {
  for (let attempt = 0; ; attempt++) {
    try {
      const answer = await ask(object, {}, null, deadline, patience);
      if (answer.statusCode !== 200) throw await refused(object, answer);
      const text = await bodyText(answer, limit);
      if (!answer.complete) throw new Interrupted('its list broke off');
      return text;
    } catch (error) {
      if (deadline.aborted) throw late(object, patience);
      if (!(error instanceof Interrupted)) throw error;
      const wait = patience.delaysMs[attempt];
      if (wait === undefined) throw unreachable(object, attempt + 1, error);
      await delay(wait, undefined, { signal: deadline }).catch(() => {
        throw late(object, patience);
      });
    }
  }
}
