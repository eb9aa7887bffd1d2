import http, { type IncomingMessage } from 'node:http';
import https from 'node:https';
import { setTimeout as delay } from 'node:timers/promises';
import { ConfigurationError, InfrastructureError, type PassloopError, plainText } from '@passloop/core';

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

/** Something that another attempt may mend. */
export class Interrupted extends Error {}

/**
 * Repeats what was interrupted, as often as patience has it.
 * @throws InfrastructureError after the last attempt, or when the time is over; what isn't an interruption as it is
 */
export async function patiently<T>(
  object: Pick<RemoteObject, 'shown'>,
  deadline: AbortSignal,
  patience: Patience,
  work: () => Promise<T>,
): Promise<T> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await work();
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

/** A small answer, such as a listing, as text. */
export function askText(
  object: RemoteObject,
  deadline: AbortSignal,
  patience: Patience,
  limit: number,
): Promise<string> {
  return patiently(object, deadline, patience, async () => {
    const answer = await ask(object, {}, null, deadline, patience);
    if (answer.statusCode !== 200) throw await refused(object, answer);
    const text = await bodyText(answer, limit);
    if (!answer.complete) throw new Interrupted('its list broke off');
    return text;
  });
}

const longestRefusal = 64 << 10;

/** One request and its answer's head; redirects on the same host are followed where the object says so. */
export async function ask(
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
export async function refused(object: RemoteObject, answer: IncomingMessage): Promise<Error> {
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

export function reason(error: unknown): string {
  if (!(error instanceof Error)) return plainText(String(error));
  const code = 'code' in error ? String(error.code) : '';
  return plainText(error.message === '' ? code : error.message);
}

function unreachable(object: Pick<RemoteObject, 'shown'>, attempts: number, error: Interrupted): InfrastructureError {
  return new InfrastructureError(`${object.shown} could not be read in ${attempts} attempts: ${error.message}.`, {
    hint: 'Try again later; nothing half-read was kept.',
    cause: error,
  });
}

function late(object: Pick<RemoteObject, 'shown'>, { totalMs }: Patience): InfrastructureError {
  return new InfrastructureError(`${object.shown} was not read within ${Math.round(totalMs / 1000)} s.`, {
    hint: 'Try again on a faster line, or split the table.',
  });
}
