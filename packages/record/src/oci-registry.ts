import { openAsBlob } from 'node:fs';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Digest, InfrastructureError, isDigest, plainText, sha256 } from '@passloop/core';
import { type BlobSource, manifestMediaType, maxManifestBytes } from './entry.ts';
import { basicAuthorization, parseChallenge, type RegistryCredentials, TokenAnswer, tokenAddress } from './oci-auth.ts';
import { isReference, parseRepository } from './oci-reference.ts';
import { refusalHint } from './oci-refusal.ts';

/** The registry answers, and this account may not do that (401, 403). */
export class DeniedError extends InfrastructureError {}

export type RegistryOptions = {
  /** `host[:port]/name`. */
  repository: string;
  /** Null asks anonymously. They go to this registry and to the token server that it names, nowhere else. */
  credentials: RegistryCredentials | null;
  /** Time without an answer, or without a byte of it. Default 60 s. */
  timeoutMs?: number | undefined;
  /** Waits before each further try of a read that met a 5xx or a broken connection. Default two: 0.2 s and 1 s. */
  retryDelaysMs?: readonly number[] | undefined;
};

type PulledManifest = { digest: Digest; mediaType: string; text: string };

/** One repository of a registry, by the OCI distribution specification 1.1. */
export type Registry = {
  repository: string;
  /** Digest of what a tag or digest names, or null where it is not there. */
  resolveTag(reference: string): Promise<Digest | null>;
  manifestExists(reference: string): Promise<boolean>;
  pullManifest(reference: string): Promise<PulledManifest | null>;
  /** @param reference a tag, or the text's own digest */
  pushManifest(reference: string, mediaType: string, text: string): Promise<Digest>;
  /** @param needs `write` for a look before a write: a refusal then names what the write needs */
  hasBlob(digest: Digest, needs?: 'read' | 'write'): Promise<boolean>;
  /** The blob as it comes, unverified; null where it is missing. */
  pullBlob(digest: Digest): Promise<Readable | null>;
  pushBlob(digest: Digest, source: BlobSource): Promise<void>;
  listTags(): Promise<string[]>;
};

const manifestTypes = [
  manifestMediaType,
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
];
const maxErrorBytes = 64 * 1024;
const maxTagBytes = 64 * 1024 * 1024;
const maxTagPages = 1000;

type Request = {
  method: 'GET' | 'HEAD' | 'POST' | 'PUT';
  url: URL;
  headers?: Record<string, string>;
  body?: () => Promise<Blob | string>;
  /** For messages: what was wanted. */
  what: string;
  /** Set for a write that may be sent again: it is content-addressed, or sets a tag to the same digest. */
  again?: boolean;
  /** The scope that is asked for. */
  access: 'read' | 'write';
  /** For messages: what the step needs that this is a part of. Default: `access`. */
  needs?: 'read' | 'write';
};

/** Opens no connection yet. @throws ConfigurationError for a repository that is none */
export function openRegistry(options: RegistryOptions): Registry {
  const { host, name, api } = parseRepository(options.repository);
  const timeoutMs = options.timeoutMs ?? 60_000;
  const delays = options.retryDelaysMs ?? [200, 1000];
  const authorizations = new Map<'read' | 'write', string>();

  function address(path: string): URL {
    return new URL(`${api}/v2/${name}/${path}`);
  }

  /** One exchange, with a timer that starts again at each sign of life. The caller must read or cancel the body. */
  async function exchange(request: Request, authorization: string | undefined): Promise<Response> {
    const controller = new AbortController();
    const timer = setTimeout(() => controller.abort(), timeoutMs);
    try {
      // A stored upload is only read when it is sent: a try after the challenge reads it again.
      const body = request.body === undefined ? undefined : await request.body();
      return await fetch(request.url, {
        method: request.method,
        headers: { ...request.headers, ...(authorization === undefined ? {} : { authorization }) },
        body: body ?? null,
        signal: request.access === 'write' ? AbortSignal.timeout(Math.max(timeoutMs, 3_600_000)) : controller.signal,
      });
    } catch (error) {
      throw unanswered(error, request.what);
    } finally {
      clearTimeout(timer);
    }
  }

  function unanswered(error: unknown, what: string): InfrastructureError {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    const timedOut = error instanceof Error && (error.name === 'AbortError' || error.name === 'TimeoutError');
    const reason = timedOut
      ? `no answer within ${timeoutMs / 1000} s`
      : plainText(cause instanceof Error ? cause.message || cause.name : String(cause));
    return new InfrastructureError(`The registry ${host} did not answer (${what}): ${reason}.`, {
      hint: `Is ${host} running and reachable from here, and is ${options.repository} the right repository?`,
      cause: error,
    });
  }

  async function fetchToken(challengeHeader: string | null, what: string): Promise<string | null> {
    const challenge = parseChallenge(challengeHeader);
    if (challenge === null) return null;
    if (challenge.scheme === 'basic') {
      return options.credentials === null ? null : basicAuthorization(options.credentials);
    }
    const url = tokenAddress(challenge, api);
    if (url === null) {
      throw new InfrastructureError(
        `The registry ${host} names ${JSON.stringify(plainText(challenge.realm))} as its token server, which is not reached by https: no credentials are sent there.`,
      );
    }
    const authorization = options.credentials === null ? undefined : basicAuthorization(options.credentials);
    const response = await exchange({ method: 'GET', url, what: `token for ${what}`, access: 'read' }, authorization);
    if (!response.ok) {
      await response.body?.cancel();
      if (response.status === 401 || response.status === 403) return null;
      throw new InfrastructureError(`The token server of ${host} answered ${response.status} (${what}).`);
    }
    const answer = TokenAnswer.safeParse(parseJson((await readBounded(response, 1 << 20, what)).toString('utf8')));
    if (!answer.success) throw new InfrastructureError(`The token server of ${host} sent no token (${what}).`);
    return `Bearer ${answer.data.token ?? answer.data.access_token}`;
  }

  /** Sends, answers one challenge, and gives whatever the registry says then. */
  async function authorized(request: Request): Promise<Response> {
    const ours = request.url.origin === api;
    const response = await exchange(request, ours ? authorizations.get(request.access) : undefined);
    if (response.status !== 401 || !ours) return response;
    const authorization = await fetchToken(response.headers.get('www-authenticate'), request.what);
    if (authorization === null) return response;
    await response.body?.cancel();
    authorizations.set(request.access, authorization);
    return exchange(request, authorization);
  }

  async function send(request: Request): Promise<Response> {
    const retried = request.access === 'read' || request.again === true ? delays : [];
    for (let attempt = 0; ; attempt += 1) {
      const delay = retried[attempt];
      try {
        const response = await authorized(request);
        // distribution 2.8 answers 400 DIGEST_INVALID to the writer of a manifest whose link another one is just writing.
        const passing = response.status >= 500 || (request.again === true && response.status === 400);
        if (!passing || delay === undefined) return response;
        await response.body?.cancel();
      } catch (error) {
        if (delay === undefined) throw error;
      }
      await sleep(delay);
    }
  }

  async function readBounded(response: Response, limit: number, what: string): Promise<Buffer> {
    const chunks: Buffer[] = [];
    let size = 0;
    try {
      for await (const chunk of watched(response)) {
        size += chunk.length;
        if (size > limit)
          throw new InfrastructureError(`The registry ${host} sent more than ${limit} bytes (${what}).`);
        chunks.push(chunk);
      }
    } catch (error) {
      throw error instanceof InfrastructureError ? error : unanswered(error, what);
    }
    return Buffer.concat(chunks);
  }

  /** The body's chunks; a silence of `timeoutMs` ends it with an error. */
  async function* watched(response: Response): AsyncGenerator<Buffer> {
    if (response.body === null) return;
    const reader = response.body.getReader();
    try {
      for (;;) {
        const silence = Promise.withResolvers<never>();
        const timer = setTimeout(
          () => silence.reject(new InfrastructureError(`The registry ${host} fell silent for ${timeoutMs / 1000} s.`)),
          timeoutMs,
        );
        try {
          const { done, value } = await Promise.race([reader.read(), silence.promise]);
          if (done) return;
          yield Buffer.from(value.buffer, value.byteOffset, value.byteLength);
        } finally {
          clearTimeout(timer);
        }
      }
    } finally {
      await reader.cancel().catch(() => {});
    }
  }

  async function refused(response: Response, request: Request): Promise<InfrastructureError> {
    const body = await readBounded(response, maxErrorBytes, request.what).catch(() => Buffer.alloc(0));
    const detail = errorDetail(body.toString('utf8'));
    const said = `The registry ${host} answered ${response.status}${detail === '' ? '' : ` (${detail})`}: ${request.what}.`;
    const hint = refusalHint({
      status: response.status,
      needs: request.needs ?? request.access,
      host,
      repository: options.repository,
      anonymous: options.credentials === null,
    });
    return response.status === 401 || response.status === 403
      ? new DeniedError(said, { hint })
      : new InfrastructureError(said, { hint });
  }

  function manifestUrl(reference: string): URL {
    if (!isReference(reference)) {
      throw new InfrastructureError(`${JSON.stringify(reference.slice(0, 200))} is neither tag nor digest.`);
    }
    return address(`manifests/${reference}`);
  }

  const registry: Registry = {
    repository: options.repository,

    async resolveTag(reference) {
      const request: Request = {
        method: 'HEAD',
        url: manifestUrl(reference),
        headers: { accept: manifestTypes.join(', ') },
        what: `resolve ${options.repository} ${reference}`,
        access: 'read',
      };
      const response = await send(request);
      if (response.status === 404) return null;
      if (!response.ok) throw await refused(response, request);
      const digest = response.headers.get('docker-content-digest');
      if (digest !== null && isDigest(digest) && (!isDigest(reference) || digest === reference)) return digest;
      return (await registry.pullManifest(reference))?.digest ?? null;
    },

    async manifestExists(reference) {
      return (await registry.resolveTag(reference)) !== null;
    },

    async pullManifest(reference) {
      const request: Request = {
        method: 'GET',
        url: manifestUrl(reference),
        headers: { accept: manifestTypes.join(', ') },
        what: `read ${options.repository} ${reference}`,
        access: 'read',
      };
      const response = await send(request);
      if (response.status === 404) {
        await response.body?.cancel();
        return null;
      }
      if (!response.ok) throw await refused(response, request);
      const bytes = await readBounded(response, maxManifestBytes, request.what);
      const digest = sha256(bytes);
      if (isDigest(reference) && digest !== reference) {
        throw new InfrastructureError(`The registry ${host} sent ${digest} for ${options.repository}@${reference}.`);
      }
      return { digest, mediaType: response.headers.get('content-type') ?? '', text: bytes.toString('utf8') };
    },

    async pushManifest(reference, mediaType, text) {
      const request: Request = {
        method: 'PUT',
        url: manifestUrl(reference),
        headers: { 'content-type': mediaType },
        body: async () => text,
        what: `write ${options.repository} ${reference}`,
        access: 'write',
        again: true,
      };
      const response = await send(request);
      if (response.status !== 201) throw await refused(response, request);
      await response.body?.cancel();
      return sha256(text);
    },

    async hasBlob(digest, needs = 'read') {
      const request: Request = {
        method: 'HEAD',
        url: address(`blobs/${digest}`),
        what: `look for ${options.repository} ${digest}`,
        access: 'read',
        needs,
      };
      const response = await send(request);
      if (response.status === 404) return false;
      if (!response.ok) throw await refused(response, request);
      return true;
    },

    async pullBlob(digest) {
      const request: Request = {
        method: 'GET',
        url: address(`blobs/${digest}`),
        what: `read ${options.repository} ${digest}`,
        access: 'read',
      };
      const response = await send(request);
      if (response.status === 404) {
        await response.body?.cancel();
        return null;
      }
      if (!response.ok) throw await refused(response, request);
      return Readable.from(watched(response), { objectMode: false });
    },

    async pushBlob(digest, source) {
      const start: Request = {
        method: 'POST',
        url: address('blobs/uploads/'),
        what: `write to ${options.repository}`,
        access: 'write',
      };
      const started = await send(start);
      if (started.status !== 202) throw await refused(started, start);
      await started.body?.cancel();
      const location = started.headers.get('location');
      if (location === null || !URL.canParse(location, start.url.href)) {
        throw new InfrastructureError(`The registry ${host} named no place for an upload to ${options.repository}.`);
      }
      const url = new URL(location, start.url);
      url.searchParams.set('digest', digest);
      const upload: Request = {
        method: 'PUT',
        url,
        headers: { 'content-type': 'application/octet-stream' },
        body: async () => ('file' in source ? openAsBlob(source.file) : source.text),
        what: `write ${options.repository} ${digest}`,
        access: 'write',
      };
      const response = await send(upload);
      if (response.status !== 201) throw await refused(response, upload);
      await response.body?.cancel();
    },

    async listTags() {
      const tags: string[] = [];
      let url: URL | null = address('tags/list?n=1000');
      for (let page = 0; url !== null && page < maxTagPages; page += 1) {
        const request: Request = { method: 'GET', url, what: `list tags of ${options.repository}`, access: 'read' };
        const response = await send(request);
        if (response.status === 404) {
          await response.body?.cancel();
          return [];
        }
        if (!response.ok) throw await refused(response, request);
        const answer = parseJson((await readBounded(response, maxTagBytes, request.what)).toString('utf8'));
        const list = typeof answer === 'object' && answer !== null && 'tags' in answer ? answer.tags : null;
        if (Array.isArray(list)) tags.push(...list.filter((tag): tag is string => typeof tag === 'string'));
        url = nextPage(response.headers.get('link'), url, api);
      }
      return tags.sort();
    },
  };
  return registry;
}

/** RFC 8288 `rel="next"`, only on the same registry. */
function nextPage(link: string | null, current: URL, api: string): URL | null {
  const target = link === null ? undefined : /<([^>]*)>\s*;[^,]*\brel="?next"?/i.exec(link)?.[1];
  if (target === undefined || !URL.canParse(target, current.href)) return null;
  const next = new URL(target, current);
  return next.origin === api && next.href !== current.href ? next : null;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** `CODE message` of the first error of the distribution specification's error body, in one bounded line. */
function errorDetail(text: string): string {
  const value = parseJson(text);
  if (typeof value !== 'object' || value === null || !('errors' in value) || !Array.isArray(value.errors)) return '';
  const first: unknown = value.errors[0];
  if (typeof first !== 'object' || first === null) return '';
  const code = 'code' in first ? String(first.code) : '';
  const message = 'message' in first ? String(first.message) : '';
  return plainText(`${code} ${message}`.trim());
}
