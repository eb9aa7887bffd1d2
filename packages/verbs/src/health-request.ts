import type { HealthRequest, HttpAnswer } from '@passloop/gitops';

/** The whole of a request: the connection, redirects, and as much of the body as is wanted. */
const timeoutMs = 10_000;
const mostRedirects = 3;

/**
 * Asks an address, and never waits or reads for longer than is said: what answers may be slow, endless or not what it was. Redirects are
 * followed on the same scheme, host and port alone, so that a token goes nowhere else and the answer is of who was asked.
 */
export async function ask(request: HealthRequest, limits: { timeoutMs?: number } = {}): Promise<HttpAnswer> {
  const waits = limits.timeoutMs ?? timeoutMs;
  const signal = AbortSignal.timeout(waits);
  let url = new URL(request.url);
  try {
    for (let redirects = 0; ; redirects += 1) {
      const response = await fetch(url.href, { headers: request.headers, redirect: 'manual', signal });
      const location = response.status >= 300 && response.status < 400 ? response.headers.get('location') : null;
      if (location === null) return await bodyOf(response, request.bytes);
      await response.body?.cancel();
      if (!URL.canParse(location, url.href)) return { problem: 'redirects to what is no address' };
      const next = new URL(location, url);
      if (next.origin !== url.origin)
        return { problem: `redirects to ${next.host.slice(0, 200)}, which is not followed` };
      if (redirects === mostRedirects) return { problem: `redirects more than ${mostRedirects} times` };
      url = next;
    }
  } catch (error) {
    if (signal.aborted) return { problem: `did not answer within ${waits / 1000} s` };
    return { problem: `could not be asked (${reasonOf(error)})` };
  }
}

async function bodyOf(response: Response, bytes: number): Promise<HttpAnswer> {
  const { status, body } = response;
  if (body === null) return { status, text: '', isWhole: true };
  const parts: Buffer[] = [];
  let size = 0;
  if (bytes === 0) await body.cancel();
  else {
    // Leaving the loop early ends the connection.
    for await (const part of body) {
      parts.push(Buffer.from(part));
      size += part.length;
      if (size > bytes) break;
    }
  }
  const text = Buffer.concat(parts).subarray(0, bytes).toString('utf8');
  return { status, text, isWhole: bytes > 0 && size <= bytes };
}

/** `fetch failed` says nothing; what stands behind it has a code. */
function reasonOf(error: unknown): string {
  for (let one: unknown = error, depth = 0; one instanceof Error && depth < 5; one = one.cause, depth += 1) {
    if ('code' in one && typeof one.code === 'string') return one.code;
  }
  return error instanceof Error ? error.name : 'unknown';
}
