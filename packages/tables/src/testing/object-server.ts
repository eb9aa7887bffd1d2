import { createHash, createHmac } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/**
 * A server of objects on this machine: files under `/web/`, and buckets as S3 and Google Storage have them, under `/<bucket>/`.
 * It checks signatures by itself, apart from the code that makes them, and can fail in the ways that networks do.
 */
export type ObjectServer = AsyncDisposable & {
  origin: string;
  objects: Map<string, StoredObject>;
  /** `METHOD path range` of every request. */
  requests: string[];
  /** What happens to the next requests, one each; then all is well again. */
  faults: Fault[];
  keys: { accessKeyId: string; secretAccessKey: string; sessionToken: string | null } | null;
  token: string | null;
  /** Keys that the credential may not read. */
  forbidden: Set<string>;
  /** How many a page of a listing has. */
  pageSize: number;
};

type StoredObject = {
  body: Buffer;
  etag?: string | null;
  version?: string;
  /** Earlier bodies, by version. */
  earlier?: Record<string, Buffer>;
  headers?: Record<string, string>;
};

type Fault =
  | { kind: 'status'; status: number; headers?: Record<string, string> }
  | { kind: 'cut'; after: number }
  | { kind: 'endless' }
  | { kind: 'silent' }
  | { kind: 'reset' };

export async function startObjectServer(): Promise<ObjectServer> {
  const state: ObjectServer = {
    origin: '',
    objects: new Map(),
    requests: [],
    faults: [],
    keys: null,
    token: null,
    forbidden: new Set(),
    pageSize: 1000,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  const server = createServer((request, response) => answer(state, request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  state.origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return state;
}

function answer(state: ObjectServer, request: IncomingMessage, response: ServerResponse): unknown {
  const url = new URL(request.url ?? '/', state.origin);
  state.requests.push(`${request.method} ${request.url} ${request.headers.range ?? '-'}`);
  const fault = state.faults.shift();
  if (fault?.kind === 'reset') return request.socket.resetAndDestroy();
  if (fault?.kind === 'silent') return;
  if (fault?.kind === 'status') return response.writeHead(fault.status, fault.headers).end();
  if (fault?.kind === 'endless') return endless(response);
  const name = decodeURIComponent(url.pathname.slice(1));
  if (!name.startsWith('web/')) {
    const refusal = refusalOf(state, request, name);
    if (refusal !== null) return error(response, 403, refusal);
    if (url.searchParams.get('list-type') === '2') return list(state, url, name.replace(/\/$/, ''), response);
  }
  const object = state.objects.get(name);
  if (object === undefined) return error(response, 404, 'NoSuchKey');
  const asked = url.searchParams.get('versionId');
  const body = asked === null || asked === object.version ? object.body : object.earlier?.[asked];
  if (body === undefined) return error(response, 404, 'NoSuchVersion');
  const etag = object.etag === undefined ? `"${createHash('md5').update(body).digest('hex')}"` : object.etag;
  const headers: Record<string, string> = { ...object.headers };
  if (etag !== null) headers.etag = etag;
  if (object.version !== undefined) headers['x-amz-version-id'] = asked ?? object.version;
  const [, from] = /^bytes=(\d+)-$/.exec(request.headers.range ?? '') ?? [];
  const isRest = from !== undefined && request.headers['if-range'] === etag;
  const part = isRest ? body.subarray(Number(from)) : body;
  if (isRest) headers['content-range'] = `bytes ${from}-${body.length - 1}/${body.length}`;
  response.writeHead(isRest ? 206 : 200, { 'content-length': String(part.length), ...headers });
  if (fault?.kind !== 'cut') return response.end(part);
  // What a busy client hasn't taken from its connection when that breaks is lost to it.
  response.write(part.subarray(0, fault.after), () => setTimeout(() => request.socket.destroy(), 150));
}

function endless(response: ServerResponse): void {
  response.writeHead(200, { 'transfer-encoding': 'chunked' });
  const piece = Buffer.alloc(1 << 16, 'x');
  const more = () => {
    while (!response.destroyed && response.write(piece));
  };
  response.on('drain', more);
  more();
}

function error(response: ServerResponse, status: number, code: string): void {
  response.writeHead(status, { 'content-type': 'application/xml' });
  response.end(`<?xml version="1.0"?><Error><Code>${code}</Code><Message>&lt;b&gt;no&lt;/b&gt;</Message></Error>`);
}

function list(state: ObjectServer, url: URL, bucket: string, response: ServerResponse): void {
  const prefix = url.searchParams.get('prefix') ?? '';
  const after = url.searchParams.get('continuation-token') ?? '';
  const keys = [...state.objects.keys()]
    .filter((name) => name.startsWith(`${bucket}/${prefix}`))
    .map((name) => name.slice(bucket.length + 1))
    .sort();
  const rest = keys.filter((key) => key > after);
  const page = rest.slice(0, state.pageSize);
  const isCut = rest.length > page.length;
  response.writeHead(200, { 'content-type': 'application/xml' });
  const contents = page.map((key) => `<Contents><Key>${encodeURIComponent(key)}</Key><Size>1</Size></Contents>`);
  const next = isCut ? `<NextContinuationToken>${page.at(-1)}</NextContinuationToken>` : '';
  response.end(
    `<?xml version="1.0"?><ListBucketResult><EncodingType>url</EncodingType>${contents.join('')}<IsTruncated>${isCut}</IsTruncated>${next}</ListBucketResult>`,
  );
}

function refusalOf(state: ObjectServer, request: IncomingMessage, name: string): string | null {
  const given = request.headers.authorization;
  if (state.keys === null && state.token === null) return state.forbidden.has(name) ? 'AccessDenied' : null;
  if (given === undefined) return 'AccessDenied';
  if (state.token !== null) return given === `Bearer ${state.token}` ? null : 'InvalidToken';
  if (given !== expectedAuthorization(request, state.keys?.secretAccessKey ?? '')) return 'SignatureDoesNotMatch';
  if (!given.includes(`Credential=${state.keys?.accessKeyId}/`)) return 'InvalidAccessKeyId';
  if ((request.headers['x-amz-security-token'] ?? null) !== (state.keys?.sessionToken ?? null)) return 'InvalidToken';
  return state.forbidden.has(name) ? 'AccessDenied' : null;
}

/** The authorization that a request with these headers should have, from what came over the wire alone. */
export function expectedAuthorization(
  request: { method?: string | undefined; url?: string | undefined; headers: IncomingMessage['headers'] },
  secret: string,
): string {
  const given = request.headers.authorization ?? '';
  const [, credential = '', names = ''] = /Credential=([^,]+), ?SignedHeaders=([^,]+),/.exec(given) ?? [];
  const [, day = '', region = '', service = ''] = credential.split('/');
  const [path = '', query = ''] = (request.url ?? '').split('?');
  const lines = names.split(';').map((name) => `${name}:${String(request.headers[name] ?? '')}\n`);
  const sorted = query === '' ? '' : query.split('&').sort().join('&');
  const payload = String(request.headers['x-amz-content-sha256'] ?? createHash('sha256').digest('hex'));
  const canonical = `${request.method}\n${path}\n${sorted}\n${lines.join('')}\n${names}\n${payload}`;
  const hashed = createHash('sha256').update(canonical).digest('hex');
  const scope = `${day}/${region}/${service}/aws4_request`;
  const toSign = `AWS4-HMAC-SHA256\n${String(request.headers['x-amz-date'])}\n${scope}\n${hashed}`;
  let key: Buffer | string = `AWS4${secret}`;
  for (const part of [day, region, service, 'aws4_request']) key = createHmac('sha256', key).update(part).digest();
  const signature = createHmac('sha256', key).update(toSign).digest('hex');
  return `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=${names}, Signature=${signature}`;
}
